"""The control role as a process of its own, and a small client of its API."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
GRANARY = ROOT / "build" / "granary"
START_DEADLINE_SECONDS = 20


class Answer:
    def __init__(self, status, body):
        self.status = status
        self.body = json.loads(body) if body else None


class Control:
    """`granary control` over a data directory that outlives the process."""

    def __init__(self, data_dir):
        self.data_dir = pathlib.Path(data_dir)
        self.process = None
        self.port = None
        self.log = self.data_dir.with_suffix(".log")
        subprocess.run([GRANARY, "prepare", "--data-dir", self.data_dir], check=True)

    def start(self):
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [GRANARY, "control", "--data-dir", self.data_dir, "--api", "127.0.0.1:0"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + START_DEADLINE_SECONDS
        while time.monotonic() < end:
            found = re.search(r"the API listens on port (\d+)", self.log.read_text())
            if found:
                self.port = int(found.group(1))
                return self
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.02)
        raise AssertionError("control did not start: " + self.log.read_text())

    def stop(self, number=signal.SIGTERM):
        """Returns the exit code."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        process.send_signal(number)
        return process.wait(timeout=START_DEADLINE_SECONDS)

    def token(self):
        return (self.data_dir / "control" / "operator.token").read_text().strip()

    def call(self, method, path, body=None, *, token=None, kind="application/json"):
        if body is not None and kind == "application/json":
            body = json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=body,
                                         method=method)
        request.add_header("Authorization", f"Bearer {token or self.token()}")
        if body is not None:
            request.add_header("Content-Type", kind)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, refused.read())

    def release(self, folder):
        """Uploads a folder as a bundle."""
        names = sorted(entry for entry in os.listdir(folder) if entry != "tests")
        bundle = subprocess.run(["tar", "--zstd", "-c", "-C", folder, *names], check=True,
                                stdout=subprocess.PIPE).stdout
        return self.call("POST", "/v1/releases?new_app=true", bundle, kind="application/zstd")
