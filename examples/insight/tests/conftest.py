"""Starts the program as production does: with a listening unix socket as descriptor 3."""

import http.client
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys

import pytest

APP = pathlib.Path(__file__).resolve().parent.parent
DEADLINE = 20


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("insight", timeout=DEADLINE)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)
        self.sock.settimeout(self.timeout)


class Insight:
    """One running copy of the program, and a client for it."""

    def __init__(self, folder, **environment):
        self.data = folder / "data"
        self.path = str(folder / "socket")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        self.process = None
        self._environment = environment

    def start(self):
        environment = {
            "PATH": os.defpath,
            "LISTEN_FDS": "1",
            "DATA_DIR": str(self.data),
            "PYTHONDONTWRITEBYTECODE": "1",
            **self._environment,
        }
        keep = self.listener.fileno()
        move = "import os, sys; os.dup2(%d, 3); os.execv(sys.executable, sys.argv[1:])" % keep
        self.process = subprocess.Popen(
            [sys.executable, "-c", move, sys.executable, "-S", "serve.py"],
            cwd=APP, env=environment, pass_fds=(keep,), stderr=subprocess.PIPE,
        )
        return self

    def stop(self):
        """Sends SIGTERM and returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self):
        code = self.process.wait(DEADLINE)
        self.errors = self.process.stderr.read().decode()
        self.process.stderr.close()
        return code

    def destroy(self):
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            self.wait()
        self.listener.close()

    def connection(self):
        return UnixConnection(self.path)

    def request(self, method, target, document=None, headers=None):
        """(status, document) of one request on a connection of its own."""
        body = None if document is None else json.dumps(document).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
        connection = self.connection()
        try:
            connection.request(method, target, body, headers)
            response = connection.getresponse()
            data = response.read()
            return response.status, json.loads(data) if data else None
        finally:
            connection.close()

    def get(self, target):
        status, document = self.request("GET", target)
        assert status == 200, document
        return document

    def scan(self, code, device=None):
        document = {"code": code} if device is None else {"code": code, "device": device}
        status, scan = self.request("POST", "/api/scans", document)
        assert status == 201, scan
        return scan

    def raw(self):
        """A plain socket to it, for what no HTTP library would send."""
        plain = socket.socket(socket.AF_UNIX)
        plain.connect(self.path)  # before the timeout: with one, a full queue is an error
        plain.settimeout(DEADLINE)
        return plain

    def exchange(self, data):
        """All that it answers to these bytes until it closes the connection."""
        with self.raw() as plain:
            plain.sendall(data)
            return read_to_end(plain)


def read_to_end(plain):
    answer = b""
    while True:
        data = plain.recv(65536)
        if not data:
            return answer
        answer += data


def readable(plain, seconds):
    return bool(select.select([plain], [], [], seconds)[0])


def writable(plain):
    """False once it has refused more bytes for a second."""
    return bool(select.select([], [plain], [], 1)[1])


@pytest.fixture
def stopped(tmp_path):
    """A program that is not started yet."""
    insight = Insight(tmp_path)
    yield insight
    insight.destroy()


@pytest.fixture
def insight(stopped):
    return stopped.start()
