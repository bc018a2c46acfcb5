"""`granary up` with options for the way out, an app that uses it, and a server outside."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

from control import GRANARY
from platform_up import START_SECONDS, Platform, wait_for

CALLER = pathlib.Path(__file__).with_name("caller_app.py")


class EchoServer:
    """Sends back what it is sent, on 127.0.0.1; counts connections."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = 0
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.echo, args=(connection,), daemon=True).start()

    @staticmethod
    def echo(connection):
        with connection, contextlib.suppress(OSError):
            while piece := connection.recv(65536):
                connection.sendall(piece)


class EgressPlatform(Platform):
    def __init__(self, *options):
        super().__init__()
        self.options = options

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [GRANARY, "up", "--data-dir", self.data_dir, "--uid-base", str(self.uid_base),
                 "--gateway", f"127.0.0.1:{self.gateway_port}",
                 "--api", self.api.removeprefix("http://"), "--gateway-admin", "127.0.0.1:0",
                 "--egress-admin", "127.0.0.1:0", *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        wait_for(self.ready, START_SECONDS, "granary up")
        return self

    @contextlib.contextmanager
    def running(self):
        try:
            yield self.start()
            code = self.stop()
            assert code == 0, f"granary up ended with {code}\n{self.log_tail()}"
            self.assert_nothing_left()
        finally:
            self.clean_up()

    def caller_release(self, egress, *, early=False):
        """A release that declares these targets; none: the key is left out. Early: it connects to
        the first before it does anything else."""
        folder = self.folder / f"caller-{time.monotonic_ns()}"
        folder.mkdir()
        shutil.copy(CALLER, folder / "main.py")
        service = {"command": ["python3", "-S", "main.py"], "routes": ["/api/"], "idle": "never"}
        if early:
            service["env"] = {"EARLY": egress[0]}
        manifest = {"app": "caller", "services": {"api": service}}
        if egress:
            manifest["egress"] = egress
        (folder / "granary.yaml").write_text(json.dumps(manifest))
        return self.granary("release", "create", str(folder))["id"]

    def caller(self, tenant, egress):
        """A tenant with such a release."""
        self.granary("tenant", "create", tenant, "--release", self.caller_release(egress))
        return tenant

    @contextlib.contextmanager
    def slow_control(self):
        """It runs for 2 ms at a time, and then not for 400."""
        pid = self.pid("control")
        over = threading.Event()

        def hold_up():
            while not over.wait(0.002):
                os.kill(pid, signal.SIGSTOP)
                over.wait(0.4)
                os.kill(pid, signal.SIGCONT)
        thread = threading.Thread(target=hold_up)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def call(self, tenant, page, **asked):
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        answer = self.request(tenant, f"/api/{page}?{query}")
        assert answer.status == 200, answer
        return answer.json()

    def tunnel(self, tenant, target, text="hello"):
        """What the app got when it asked its proxy for the target: status, body, echo."""
        return self.call(tenant, "tunnel", target=target, text=text)

    def egress_files(self, tenant):
        """Of all accounts that ever had this name, the last one at the end."""
        files = pathlib.Path(self.data_dir, "egress").glob(f"{tenant}.*.log*")
        return sorted(files, key=lambda path: int(path.name.split(".")[1]))

    def egress_log(self, tenant):
        files = [path for path in self.egress_files(tenant) if path.suffix == ".log"]
        with contextlib.suppress(FileNotFoundError):
            return files[-1].read_text() if files else ""
        return ""

    def usage(self, tenant):
        """Of all accounts that ever had this name, the last one's."""
        with contextlib.suppress(FileNotFoundError):
            text = pathlib.Path(self.data_dir, "egress", "usage.json").read_text()
            rows = [row for row in json.loads(text)["accounts"] if row["account"] == tenant]
            return max(rows, key=lambda row: row["ordinal"], default={})
        return {}
