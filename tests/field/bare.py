"""An application as it runs on the machine itself: the command of its manifest and no platform.

It gets its listener by the same protocol: an inherited unix socket, or a port of its own. Paths
below /app and /data stand for folders of the test.
"""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time

import yaml
from asks import Answer
from platform_up import free_port

ANSWER_SECONDS = 15  # for a cold start of the slowest
STOP_SECONDS = 10
BETWEEN_CONNECTS = 0.001  # as granary-init tries

# Says which process the listener is meant for, and becomes it. The listener comes as descriptor 0.
ACTIVATE = 'exec 3<&0 </dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@"'


class Bare:
    def __init__(self, folder, data):
        self.folder = folder
        self.data = data
        data.mkdir(exist_ok=True)
        manifest = yaml.safe_load((folder / "granary.yaml").read_text())
        (self.service,) = manifest["services"].values()
        self.by_descriptor = self.service["listen"] == "fd"
        self.process = None

    def inside(self, text, port):
        if text == "/data" or text.startswith("/data/"):
            return str(self.data) + text.removeprefix("/data")
        if text.startswith("/app/"):
            return str(self.folder / text.removeprefix("/app/"))
        return text if self.by_descriptor else text.replace(str(self.service["listen"]), str(port))

    def environment(self, port):
        found = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(self.data),
                 "TMPDIR": "/tmp", "DATA_DIR": str(self.data), "PORT": str(port)}
        for name, value in self.service.get("env", {}).items():
            found[name] = self.inside(str(value), port)
        return found

    @contextlib.contextmanager
    def running(self):
        """Yields a function that makes a connection as soon as the application takes one."""
        port = free_port()
        with contextlib.ExitStack() as stack:
            command = [self.inside(str(word), port) for word in self.service["command"]]
            stdin = subprocess.DEVNULL
            door = str(self.data.parent / f"{self.data.name}.door")
            if self.by_descriptor:
                command = ["/bin/sh", "-c", ACTIVATE, "sh", *command]
                stdin = stack.enter_context(socket.socket(socket.AF_UNIX))
                stdin.bind(door)
                stack.callback(os.unlink, door)
                stdin.listen(128)
            log = stack.enter_context(open(f"{self.data}.log", "wb"))
            self.process = subprocess.Popen(command, cwd=self.folder, stdin=stdin, stdout=log,
                                            stderr=log, start_new_session=True,
                                            env=self.environment(port))
            stack.callback(self.stop)
            yield lambda: self.connect(door, port)

    def connect(self, door, port):
        end = time.monotonic() + ANSWER_SECONDS
        while True:
            connection = socket.socket(socket.AF_UNIX if self.by_descriptor else socket.AF_INET)
            connection.settimeout(ANSWER_SECONDS)
            try:
                connection.connect(door if self.by_descriptor else ("127.0.0.1", port))
                return connection
            except ConnectionRefusedError:
                connection.close()
                assert self.process.poll() is None and time.monotonic() < end, self.log()
                time.sleep(BETWEEN_CONNECTS)

    def log(self):
        with open(f"{self.data}.log", errors="replace") as file:
            return file.read()[-2000:]

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def request_over(connection, ask, host):
    """One request, the last on this connection: status, type and body of its answer."""
    with connection:
        connection.sendall(ask.head(host, close=True) + ask.body)
        answer = http.client.HTTPResponse(connection, method=ask.method)
        answer.begin()
        return Answer(answer.status, answer.getheader("Content-Type"), answer.read())
