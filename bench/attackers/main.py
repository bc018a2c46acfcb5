"""A customer's program that does its worst. GET /NAME begins one attack, which never ends."""

import http.server
import os
import signal
import socket
import socketserver
import threading
import time


def fork_bomb():
    while True:
        try:
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
        except OSError:
            time.sleep(0.001)  # refused: try again, at once


def memory_bomb():
    held = []
    while True:
        held.append(bytearray(os.urandom(1 << 20)))


def fill_bytes():
    number = 0
    while True:
        number += 1
        try:
            with open(f"/data/fill-{number % 64}", "ab", buffering=0) as file:
                file.write(b"x" * (1 << 20))
        except OSError:
            os.sync()


def fill_inodes():
    number = 0
    while True:
        number += 1
        try:
            os.close(os.open(f"/data/inode-{number}", os.O_CREAT | os.O_WRONLY))
        except OSError:
            time.sleep(0.0005)


def log_flood():
    line = b"x" * 4000 + b"\n"
    while True:
        os.write(1, line)


def log_without_newline():
    while True:
        os.write(1, b"x" * 65536)


def spin():
    for _ in range(os.cpu_count() * 2):
        if os.fork() == 0:
            while True:
                pass


def open_files():
    held = []
    while True:
        try:
            held.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            os.close(held.pop())


def sockets():
    held = []
    while True:
        try:
            held.append(socket.socketpair())
        except OSError:
            held.pop()


def ignore_sigterm():
    pass  # main() has set it up, where signals can be


def die():
    os.kill(os.getpid(), signal.SIGKILL)


ATTACKS = {name: value for name, value in list(globals().items())
           if callable(value) and getattr(value, "__module__", "") == __name__}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        name = self.path.strip("/")
        if name == "never":  # no answer, ever
            time.sleep(3600)
        body = b"x" * (64 << 20) if name == "large" else b"ok"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        if name in ATTACKS:
            threading.Thread(target=ATTACKS[name], daemon=True).start()

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("", 0), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = socket.socket(fileno=3)

    def get_request(self):
        connection, _ = self.socket.accept()
        return connection, ("silo", 0)


if os.path.exists("/data/die-at-start"):
    raise SystemExit(1)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
Server().serve_forever()
