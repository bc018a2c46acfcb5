"""Two tenants whose apps record what reaches them, and clients that say any bytes."""

import contextlib
import io
import json
import pathlib
import shutil
import socket
import time

from raw_http import Cut, read_answer

RECORDER = pathlib.Path(__file__).with_name("recorder_app.py")
SECONDS = 5  # the gateway decides at once; this long only where a test fails


class Wall:
    def __init__(self, platform):
        self.platform = platform
        self.port = platform.gateway_port
        self.acme = self.tenant("acme")
        self.globex = self.tenant("globex")
        for name in (self.acme, self.globex):
            assert platform.request(name, "/api/awake").status == 200
            self.taken(name)

    def tenant(self, name):
        """A tenant with a release of its own, whose files say whose they are."""
        folder = self.platform.folder / f"recorder-{name}"
        (folder / "web").mkdir(parents=True)
        shutil.copy(RECORDER, folder / "main.py")
        (folder / "web" / "index.html").write_text(f"<html>the page of {name}</html>")
        (folder / "web" / "app.js").write_text(f"const whose = '{name}';\n" * 100)
        (folder / "web" / f"only-{name}.js").write_text(f"const only = '{name}';\n")
        (folder / "granary.yaml").write_text(json.dumps({
            "app": "recorder", "data": {"quota": "16Mi"},
            "services": {"api": {"command": ["python3", "-S", "main.py"], "listen": "fd",
                                 "routes": ["/api/"], "idle": "never", "env": {"RECORDER": name}}},
            "frontend": {"root": "web", "fallback": "index.html"}}).replace('"16Mi"', "16Mi"))
        release = self.platform.granary("release", "create", str(folder))["id"]
        self.platform.granary("tenant", "create", name, "--release", release)
        return name

    def host(self, tenant):
        return self.platform.host(tenant)

    def taken(self, tenant):
        """What reached the tenant's app since the last time."""
        answer = self.platform.request(tenant, "/api/take")
        assert answer.status == 200, answer
        return answer.json()["records"]

    def nothing_taken(self):
        return all(self.taken(name) == [] for name in (self.acme, self.globex))

    def talk(self, sent):
        """Sends these bytes; the answers until the gateway closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS) as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(sent)
            received = read_to_end(connection)
        return answers_in(received, sent)


def read_to_end(connection):
    received = b""
    end = time.monotonic() + SECONDS
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            received += piece
            assert time.monotonic() < end, f"not closed within {SECONDS} s: {received[:500]!r}"
    return received


def answers_in(received, sent=b""):
    """The answers that these bytes are, which must be nothing else. Interim ones are left out."""
    stream = io.BytesIO(received)
    method = "HEAD" if sent.startswith(b"HEAD ") else "GET"
    answers = []
    while stream.tell() < len(received):
        rest = received[stream.tell():]
        if rest.startswith((b"HTTP/1.1 100 ", b"HTTP/1.1 103 ")):
            stream.seek(rest.index(b"\r\n\r\n") + 4, io.SEEK_CUR)
            continue
        try:
            answers.append(read_answer(stream, method))
        except (Cut, AssertionError) as problem:
            raise AssertionError(f"no answer: {problem}: {received[:1000]!r}") from None
        method = "GET"
    return answers
