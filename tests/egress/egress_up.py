"""`granary up` with options for the way out, an app that uses it, and a server outside."""

import contextlib
import json
import pathlib
import shutil
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
                 *self.options],
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

    def caller(self, tenant, egress):
        """A tenant whose release declares these targets; none: the key is left out."""
        folder = self.folder / f"caller-{time.monotonic_ns()}"
        folder.mkdir()
        shutil.copy(CALLER, folder / "main.py")
        manifest = {"app": "caller", "services": {"api": {
            "command": ["python3", "-S", "main.py"], "routes": ["/api/"], "idle": "never"}}}
        if egress:
            manifest["egress"] = egress
        (folder / "granary.yaml").write_text(json.dumps(manifest))
        release = self.granary("release", "create", str(folder))["id"]
        self.granary("tenant", "create", tenant, "--release", release)
        return tenant

    def call(self, tenant, page, **asked):
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        answer = self.request(tenant, f"/api/{page}?{query}")
        assert answer.status == 200, answer
        return answer.json()

    def tunnel(self, tenant, target, text="hello"):
        """What the app got when it asked its proxy for the target: status, body, echo."""
        return self.call(tenant, "tunnel", target=target, text=text)

    def egress_log(self, tenant):
        with contextlib.suppress(FileNotFoundError):
            return (pathlib.Path(self.data_dir) / "egress" / f"{tenant}.log").read_text()
        return ""

    def usage(self, tenant):
        with contextlib.suppress(FileNotFoundError):
            text = (pathlib.Path(self.data_dir) / "egress" / "usage.json").read_text()
            return json.loads(text)["accounts"].get(tenant, {})
        return {}
