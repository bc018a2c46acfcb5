"""An app that calls out, as far as it can: directly, and through the proxy it is told of."""

import errno
import http.client
import json
import os
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

NONCE = os.urandom(8).hex()  # of this life: equal answers come from one process
SECONDS = 20
EARLY = {}  # what came of the target that EARLY names


def proxy():
    address = urlsplit(os.environ["HTTPS_PROXY"])
    return address.hostname, address.port


def tunnel(target, text):
    """As any HTTP client does it: CONNECT, then bytes."""
    with socket.create_connection(proxy(), timeout=SECONDS) as connection:
        connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        answer = http.client.HTTPResponse(connection, method="CONNECT")
        answer.begin()
        if answer.status != 200:
            return {"status": answer.status, "body": answer.read().decode()}
        connection.sendall(text.encode())
        connection.shutdown(socket.SHUT_WR)
        echo = b"".join(iter(lambda: connection.recv(65536), b""))
        return {"status": 200, "echo": echo.decode()}


def direct(host, port):
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError as refused:
        return errno.errorcode.get(refused.errno, type(refused).__name__)
    return "connected"


def resolve(host):
    try:
        return socket.getaddrinfo(host, 443)[0][4][0]
    except OSError as refused:
        return type(refused).__name__


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        name = address.path.removeprefix("/api/") or "surroundings"  # a deployment asks for /api/
        try:
            found = getattr(self, name)(**asked)
        except OSError as problem:
            found = {"status": 0, "error": str(problem)}
        body = json.dumps({**found, "nonce": NONCE}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def tunnel(self, target, text):
        return tunnel(target, text)

    def direct(self, host, port):
        return {"found": direct(host, int(port))}

    def resolve(self, host):
        return {"found": resolve(host)}

    def surroundings(self):
        names = [name for name in os.environ if "proxy" in name.lower()]
        return {"proxies": {name: os.environ[name] for name in names},
                "run": sorted(os.listdir("/run"))}

    def early(self):
        return EARLY

    def log_message(self, format, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def get_request(self):
        connection, _ = self.socket.accept()
        return connection, ("gateway", 0)


def main():
    if os.environ.get("EARLY"):  # before anything else, as some apps fetch what they need
        EARLY.update(tunnel(os.environ["EARLY"], "hello"))
    server = Server(("", 0), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = socket.socket(fileno=3)
    server.serve_forever()


if __name__ == "__main__":
    main()
