"""A Granary of the benchmark's own: `granary up` on free ports, with data and users of its own."""

import contextlib
import glob
import hashlib
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

import measure
from measure import Failed

ROOT = pathlib.Path(__file__).resolve().parents[1]
GRANARY = ROOT / "build" / "granary"
USERS = 100_000  # as many user numbers belong to one installation
START_SECONDS = 30
STOP_SECONDS = 60


class Api:
    """The API over one connection that stays open: what a program with a token would do."""

    def __init__(self, port, token):
        self.port = port
        self.token = token
        self.connection = None

    def call(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        for attempt in (1, 2):  # the server ends connections that were idle for a while
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                self.connection.request(method, path, body, headers)
                answer = self.connection.getresponse()
                text = answer.read()
                break
            except (http.client.HTTPException, OSError):
                self.close()
                if attempt == 2:
                    raise
        if answer.status >= 300:
            raise Failed(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text)

    def finished(self, operation, seconds=300):
        """Waits for the end of an operation, which must be a good one. Its document."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            document = self.call("GET", f"/v1/operations/{operation}?wait=10s")
            if document["state"] == "succeeded":
                return document
            if document["state"] in ("failed", "cancelled"):
                raise Failed(f"operation {operation}: {document['state']}: {document['error']}")
        raise Failed(f"operation {operation} did not end in {seconds} s")

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Installation:
    def __init__(self):
        self.folder = pathlib.Path(os.path.realpath(tempfile.mkdtemp(prefix="granary-bench-")))
        self.folder.chmod(0o711)  # silos pass through as users of their own
        self.data_dir = str(self.folder / "data")
        os.mkdir(self.data_dir, 0o711)
        self.log = self.folder / "up.log"
        self.gateway = ("127.0.0.1", measure.free_port())
        self.api_port = measure.free_port()
        self.uid_base = random.randrange(1_000, 20_000) * USERS
        self.options = []  # of `granary up`, beyond its addresses and its folder
        self.process = None
        self.program = self.folder / "granary"

    # ---- the processes

    def start(self):
        if not self.program.exists():  # a copy: a build at the same time replaces the original
            for name in ("granary", "granary-init"):
                shutil.copy2(GRANARY.with_name(name), self.folder / name)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [self.program, "up", "--data-dir", self.data_dir,
                 "--uid-base", str(self.uid_base), "--gateway", f"127.0.0.1:{self.gateway[1]}",
                 "--api", f"127.0.0.1:{self.api_port}", "--gateway-admin", "127.0.0.1:0",
                 "--egress-admin", "127.0.0.1:0", *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        measure.wait_for(self._ready, START_SECONDS, "granary up")
        return self

    def _ready(self):
        if self.process.poll() is not None:
            raise Failed("granary up ended:\n" + self.log_tail())
        with contextlib.suppress(OSError, Failed):
            with contextlib.closing(self.api()) as api:
                api.call("GET", "/v1/status")
            with socket.create_connection(self.gateway, timeout=1):
                return True
        return False

    def log_tail(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def pids(self):
        """{role: pid}."""
        text = self.log.read_text(errors="replace")
        roles = {role: int(pid) for role, pid in re.findall(r"\b(\w+) is process (\d+)", text)}
        return {"up": self.process.pid} | roles  # the last one of each

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=STOP_SECONDS)
        if self.process is not None and self.process.poll() is None:
            raise Failed("granary up does not stop")

    def clean_up(self):
        """However it went: nothing of it stays."""
        with contextlib.suppress(Failed):
            self.stop()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(Failed):
            measure.wait_for(lambda: not self.processes() and not self.loops(), 5, "its end")
        for line in self.mounts():
            subprocess.run(["umount", "--lazy", line.split()[4]], check=False)
        for device in self.loops():
            subprocess.run(["losetup", "--detach", f"/dev/{device}"], check=False)
        for top in self.cgroups():
            for folder, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(folder)
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- what there is of it on this machine

    def processes(self):
        return measure.processes_of(range(self.uid_base, self.uid_base + USERS), self.data_dir)

    def mounts(self, pid="self"):
        lines = pathlib.Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
        return [line for line in lines if self.data_dir in line]

    def loops(self):
        found = []
        for path in glob.glob("/sys/block/loop*/loop/backing_file"):
            with contextlib.suppress(OSError):
                if pathlib.Path(path).read_text().startswith(self.data_dir):
                    found.append(path.split("/")[3])
        return found

    def cgroups(self):
        name = "granary-" + hashlib.sha256(self.data_dir.encode()).hexdigest()[:12]
        return glob.glob(f"/sys/fs/cgroup/{name}/") + glob.glob(f"/sys/fs/cgroup/*/{name}/")

    def cgroup_folders(self):
        """Of accounts: below the installation's own."""
        return sum(len(folders) for top in self.cgroups() for _, folders, _ in os.walk(top))

    def sockets(self):
        return [line for line in pathlib.Path("/proc/net/unix").read_text().splitlines()
                if self.data_dir in line]

    def role_cpu(self):
        """Seconds of CPU of each role, with what it ran to its end (mkfs, for one)."""
        return {role: measure.cpu_seconds(pid, with_children=True)
                for role, pid in self.pids().items()}

    # ---- using it

    def api(self):
        token = pathlib.Path(self.data_dir, "control", "operator.token").read_text().strip()
        return Api(self.api_port, token)

    def release(self, folder):
        done = subprocess.run(
            [self.program, "release", "create", str(folder), "-o", "json",
             "--api", f"http://127.0.0.1:{self.api_port}", "--data-dir", self.data_dir],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode != 0:
            raise Failed("release create: " + done.stderr.strip())
        return json.loads(done.stdout)

    def release_folder(self, release):
        """Where its unpacked files lie: what a silo sees as /app."""
        return pathlib.Path(self.data_dir, "releases", release["hash"])

    def create(self, names, release, clients=16):
        """Creates tenants from several connections at once. Their operations, in order."""
        results = [None] * len(names)
        turns = iter(range(len(names)))
        lock = threading.Lock()

        def work():
            api = self.api()
            with contextlib.closing(api):
                while True:
                    with lock:
                        index = next(turns, None)
                    if index is None:
                        return
                    try:
                        results[index] = api.call("POST", "/v1/tenants", {
                            "id": names[index], "release": release["id"]})["id"]
                    except (Failed, OSError, http.client.HTTPException) as problem:
                        results[index] = problem
        threads = [threading.Thread(target=work, daemon=True) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        problems = [result for result in results if not isinstance(result, str)]
        if problems:
            raise Failed(f"{len(problems)} of {len(names)} were not created: {problems[0]}")
        return results

    def settle(self, operations, seconds=300):
        """Waits for these operations and for the checks that follow them."""
        with contextlib.closing(self.api()) as api:
            checks = [api.finished(one, seconds).get("follow_up") for one in operations]
            for check in checks:
                if check:
                    api.finished(check, seconds)

    def host(self, tenant):
        return f"{tenant}.localhost:{self.gateway[1]}"

    def get(self, tenant, path):
        return measure.get(self.gateway, self.host(tenant), path)

    def socket_of(self, tenant, service):
        return os.path.join(self.data_dir, "run", "silo", tenant, service + ".sock")

    def put_to_sleep(self, tenants, seconds=120):
        """As if they had been idle for long enough (the agent's verb `sleep`), all at once."""
        path = os.path.join(self.data_dir, "run", "agent.sock")
        waiting = dict(enumerate(tenants, 1))
        end = time.monotonic() + seconds
        with contextlib.closing(measure.connect(path)) as agent:
            with agent.makefile("rwb") as stream:
                for number, tenant in waiting.items():
                    _send_frame(stream, {"id": number, "verb": "sleep", "account": tenant})
                stream.flush()
                while waiting:
                    answer = _read_frame(stream)
                    tenant = waiting.pop(answer["id"])
                    if "error" not in answer:
                        continue
                    if answer["error"]["code"] != "conflict" or time.monotonic() > end:
                        raise Failed(f"{tenant} does not sleep: {answer['error']}")
                    time.sleep(0.01)  # its last answer is still under way
                    number = answer["id"] + len(tenants)
                    waiting[number] = tenant
                    _send_frame(stream, {"id": number, "verb": "sleep", "account": tenant})
                    stream.flush()

    def asleep(self):
        """Whether no service of any tenant is awake."""
        with contextlib.closing(self.api()) as api:
            status = api.call("GET", "/v1/status")
        return status["by_phase"] == {"asleep": status["services"]}


def _send_frame(stream, document):
    body = json.dumps(document).encode()
    stream.write(struct.pack("<I", len(body)) + body)


def _read_frame(stream):
    (length,) = struct.unpack("<I", stream.read(4))
    return json.loads(stream.read(length))


@contextlib.contextmanager
def running(prepare=lambda installation: None):
    """`prepare`: called with the installation before it is started."""
    installation = Installation()
    try:
        prepare(installation)
        yield installation.start()
    except Failed as problem:
        raise Failed(f"{problem}\n{installation.log_tail()}") from problem
    finally:
        installation.clean_up()


def insight_folder(installation, idle):
    """A copy of the example product that is idle after `idle`."""
    folder = installation.folder / f"insight-{idle}"
    shutil.copytree(ROOT / "examples" / "insight", folder,
                    ignore=shutil.ignore_patterns("__pycache__", "tests"))
    manifest = folder / "granary.yaml"
    manifest.write_text(manifest.read_text().replace("idle: 60s", f"idle: {idle}"))
    return folder
