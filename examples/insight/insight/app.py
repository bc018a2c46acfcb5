"""Puts the parts together: configuration from the environment, the socket, the server.

Insight is started by the first request after a pause, so somebody is waiting while this
file is imported. Hence the low-level modules (`posix`, `_socket`, `_signal`, `_sqlite3`)
in place of their comfortable wrappers; README.md gives the milliseconds.
"""

import posix
import _socket

from insight.api import Api
from insight.server import Server
from insight.store import Store

FIRST_PASSED_FD = 3  # systemd's protocol for passing sockets
DEFAULT_PORT = 8000
BACKLOG = 128


def setting(name, default):
    value = posix.environ.get(name.encode())
    return default if value is None else value.decode("utf-8", "surrogateescape")


def passed_listener():
    """The listening socket that whoever started us passed on, or None."""
    if setting("LISTEN_FDS", "0") != "1":
        return None
    if setting("LISTEN_PID", str(posix.getpid())) != str(posix.getpid()):
        return None  # meant for another process; we only inherited the variables
    posix.set_inheritable(FIRST_PASSED_FD, False)
    return _socket.socket(fileno=FIRST_PASSED_FD)


def own_listener(port):
    listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(BACKLOG)
    return listener


def main():
    api = Api(Store(setting("DATA_DIR", "data")))
    listener = passed_listener()
    if listener is None:
        from insight.files import Files

        api.fallback = Files("web")
        listener = own_listener(int(setting("PORT", str(DEFAULT_PORT))))
        address = "Insight: http://127.0.0.1:%d/" % listener.getsockname()[1]
    else:
        address = None
    server = Server(listener, api)  # from here on it can be asked to stop
    if address:
        print(address, flush=True)
    try:
        server.run()
    finally:
        api.store.close()
