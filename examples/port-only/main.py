"""A program that knows nothing but a TCP port: it listens on 127.0.0.1:$PORT.

Written the way such programs usually are, with what the language offers for it.
"""

import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MAX_BODY = 1024 * 1024
READ_SECONDS = 20


class Counter:
    """A number in a file. It is replaced as a whole, so that no crash leaves half of it."""

    def __init__(self, directory):
        self._path = os.path.join(directory, "count")
        self._lock = threading.Lock()

    def next(self):
        with self._lock:
            count = self._read() + 1
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            with open(self._path + ".new", "w", encoding="ascii") as file:
                file.write("%d\n" % count)
                file.flush()
                os.fsync(file.fileno())
            os.replace(self._path + ".new", self._path)
            return count

    def _read(self):
        try:
            with open(self._path, encoding="ascii") as file:
                return int(file.read())
        except FileNotFoundError:
            return 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = READ_SECONDS
    counter = None  # set by main()

    def do_GET(self):
        body = self.read_body()
        if body is None:
            return
        if self.path == "/":
            self.answer(200, b"It listens on a port, and that is all it knows.\n")
        elif self.path == "/health":
            self.answer(200, b"ok\n")
        elif self.path == "/count":
            self.answer(200, b"%d\n" % self.counter.next())
        elif self.path == "/echo":
            self.answer(200, body, self.headers.get_content_type())
        else:
            self.answer(404, b"no such page\n")

    do_HEAD = do_POST = do_PUT = do_GET

    def read_body(self):
        """The request's body, or None if that was refused and answered."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers:
            return self.refuse(411, b"send a Content-Length\n")
        if not (length.isascii() and length.isdigit()):
            return self.refuse(400, b"malformed Content-Length\n")
        if len(length) > 12 or int(length) > MAX_BODY:
            return self.refuse(413, b"the body is too large\n")
        return self.rfile.read(int(length))

    def refuse(self, status, text):
        self.close_connection = True
        self.answer(status, text)

    def answer(self, status, body, kind="text/plain; charset=utf-8"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def version_string(self):
        return "port-only"

    def log_message(self, format, *args):
        pass


def main():
    Handler.counter = Counter(os.environ.get("DATA_DIR", "data"))
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Handler)
    # shutdown() waits for serve_forever() to return, so it must not run in its thread.
    stop = threading.Thread(target=server.shutdown)
    signal.signal(signal.SIGTERM, lambda *_: stop.start() if stop.ident is None else None)
    server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    main()
