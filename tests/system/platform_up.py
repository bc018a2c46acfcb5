"""`granary up` as a person starts it, and what a test does with it: real silos, real sockets.

Each Platform has a data directory, ports and users of its own, so that several may run at once,
and so that whatever one of them leaves behind can be told from everything else.
"""

import contextlib
import glob
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import types

import pytest
from control import GRANARY
from raw_http import read_answer

PROBE = pathlib.Path(__file__).with_name("probe_app.py")
START_SECONDS = 30
STOP_SECONDS = 30
GONE_SECONDS = 3  # the kernel takes a moment for the last mount and loop device
USERS = 100_000  # as many user numbers belong to one platform

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="silos need root")


def wait_for(condition, seconds, what):
    """The first true value of `condition()`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.02)


def together(count, call):
    """`call(number)` in so many threads at once; their results, in order."""
    results = [None] * count
    gate = threading.Barrier(count)

    def run(number):
        gate.wait()
        try:
            results[number] = call(number)
        except BaseException as problem:  # what went wrong is the result
            results[number] = problem
    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Refused(Exception):
    """The command line ended with another code than 0."""

    def __init__(self, done):
        super().__init__(f"exit code {done.returncode}: {done.stderr.strip()}")
        self.code = done.returncode
        self.text = done.stderr


class Platform:
    def __init__(self):
        self.folder = pathlib.Path(os.path.realpath(tempfile.mkdtemp(prefix="granary-system-")))
        self.folder.chmod(0o711)  # silos pass through as users of their own
        self.data_dir = str(self.folder / "data")
        os.mkdir(self.data_dir, 0o711)
        self.log = self.folder / "up.log"
        self.log.touch()
        self.gateway_port = free_port()
        self.api = f"http://127.0.0.1:{free_port()}"
        self.uid_base = random.randrange(1_000, 20_000) * USERS
        self.gateway_admin = "127.0.0.1:0"
        self.options = []  # of `granary up`, beyond its addresses and its folder
        self.several_apps = True  # tests of all kinds share one installation
        self.process = None

    # ---- the processes

    def start(self, through=(), **options):
        """`through`: a command that executes the one behind it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*through, GRANARY, "up", "--data-dir", self.data_dir,
                 "--uid-base", str(self.uid_base),
                 "--gateway", f"127.0.0.1:{self.gateway_port}",
                 "--api", self.api.removeprefix("http://"), "--gateway-admin", self.gateway_admin,
                 "--egress-admin", "127.0.0.1:0", *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                **options)
        try:
            wait_for(self.ready, START_SECONDS, "granary up")
        except AssertionError as problem:
            raise AssertionError(f"{problem}\n{self.log_tail()}") from None
        return self

    def ready(self):
        assert self.process.poll() is None, "granary up ended:\n" + self.log_tail()
        with contextlib.suppress(Refused, OSError):
            self.granary("status")
            with socket.create_connection(("127.0.0.1", self.gateway_port), timeout=1):
                return True
        return False

    def log_tail(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def pid(self, role):
        """The process that `up` said it started last for this role; 0 while it has none."""
        pids = re.findall(rf"\b{role} is process (\d+)", self.log.read_text(errors="replace"))
        pid = int(pids[-1])
        return pid if os.path.exists(f"/proc/{pid}") else 0

    def kill(self, role):
        """SIGKILL, and waits until the process is gone."""
        pid = self.pid(role)
        assert pid, f"no {role} to kill"
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: state_of(pid) in (None, "Z"), 5, f"{role} dies")
        return pid

    def back(self, role, old):
        """Waits until `up` has started the role anew and it works."""
        wait_for(lambda: self.pid(role) not in (0, old), 10, f"{role} starts again")
        wait_for(self.ready, START_SECONDS, f"all is well after {role} started again")

    @contextlib.contextmanager
    def without(self, role):
        """The role is down: killed again each time `up` has started it."""
        over = threading.Event()

        def hold_down():
            while not over.wait(0.01):
                if self.pid(role):
                    with contextlib.suppress(AssertionError):
                        self.kill(role)
        killer = threading.Thread(target=hold_down)
        self.kill(role)
        killer.start()
        try:
            yield
        finally:
            over.set()
            killer.join()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=STOP_SECONDS)
        return self.process.returncode if self.process else 0

    # ---- what is left of it

    def leftovers(self):
        """Processes, mounts, loop devices and control groups of this platform."""
        return {"processes": self.processes(), "mounts": self.mounts(), "loops": self.loops(),
                "cgroups": self.cgroups()}

    def processes(self, uid=None):
        """Of its users (or of one), and its own roles: "pid command"."""
        mine = range(uid, uid + 1) if uid else range(self.uid_base, self.uid_base + USERS)
        found = []
        for folder in glob.glob("/proc/[0-9]*"):
            with contextlib.suppress(OSError):
                command = pathlib.Path(folder, "cmdline").read_bytes().replace(b"\0", b" ")
                of_user = os.stat(folder).st_uid in mine
                of_role = uid is None and self.data_dir.encode() in command
                pid = int(os.path.basename(folder))
                if (of_user or of_role) and state_of(pid) not in (None, "Z"):
                    found.append(f"{pid} {command.decode(errors='replace')}")
        return found

    def mounts(self):
        """In this mount namespace; those of its silos end with their processes."""
        lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
        return [line for line in lines if self.data_dir in line]

    def loops(self):
        found = []
        for path in glob.glob("/sys/block/loop*/loop/backing_file"):
            with contextlib.suppress(OSError):
                file = pathlib.Path(path).read_text().strip()
                if file.startswith(self.data_dir):
                    found.append(f"{path.split('/')[3]} {file}")
        return found

    def cgroups(self):
        name = "granary-" + hashlib.sha256(self.data_dir.encode()).hexdigest()[:12]
        found = glob.glob(f"/sys/fs/cgroup/{name}/") + glob.glob(f"/sys/fs/cgroup/*/{name}/")
        return sorted(found)

    def silo_pids(self, tenant):
        """The processes of the tenant's silos, as this machine numbers them."""
        pids = set()
        for top in self.cgroups():
            for path in glob.glob(f"{top}{tenant}/**/cgroup.procs", recursive=True):
                with contextlib.suppress(OSError):
                    pids.update(map(int, pathlib.Path(path).read_text().split()))
        return pids

    def user_of(self, tenant):
        """The user number that the running silo has on this machine."""
        users = set()
        for pid in self.silo_pids(tenant):
            with contextlib.suppress(OSError):
                users.add(os.stat(f"/proc/{pid}").st_uid)
        assert len(users) == 1, users
        return users.pop()

    def traces(self, tenant, uid):
        """Whatever of a sleeping tenant should not be there."""
        cgroups = [top for top in self.cgroups() if os.path.exists(top + tenant)]
        of_disk = f"/accounts/{tenant}/"
        return (self.processes(uid) + cgroups + [line for line in self.loops() if of_disk in line]
                + [line for line in self.mounts() if of_disk in line])

    def assert_nothing_left(self):
        end = time.monotonic() + GONE_SECONDS
        while any(self.leftovers().values()) and time.monotonic() < end:
            time.sleep(0.05)
        left = {what: found for what, found in self.leftovers().items() if found}
        assert not left, f"left after the stop: {json.dumps(left, indent=1)}"

    def clean_up(self):
        """For the end of a test, however it went: takes away by force whatever is left."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for line in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(line.split()[0]), signal.SIGKILL)
        end = time.monotonic() + GONE_SECONDS
        while (self.processes() or self.loops()) and time.monotonic() < end:
            time.sleep(0.05)
        for top in self.cgroups():
            for folder, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(folder)
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- the command line

    def command(self, *arguments):
        told = "--new-app" in arguments
        if arguments[:2] == ("release", "create") and self.several_apps and not told:
            arguments += ("--new-app",)
        return [GRANARY, *arguments, "--api", self.api, "--data-dir", self.data_dir]

    def run(self, *arguments, text=""):
        """`text`: what it reads from its standard input."""
        return subprocess.run(self.command(*arguments), input=text, capture_output=True, text=True,
                              check=False, timeout=120)

    def granary(self, *arguments, text=""):
        """What it prints as JSON. Raises Refused."""
        done = self.run(*arguments, "-o", "json", text=text)
        if done.returncode != 0:
            raise Refused(done)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def settled(self):
        """Waits for what follows from a change of many accounts."""
        def quiet():
            items = self.granary("operation", "list")["items"]
            return all(item["state"] in ("succeeded", "failed", "cancelled") for item in items)
        wait_for(quiet, 30, "all operations end")

    def release(self, **options):
        """Creates a release of the probe app, and returns its id. Options: see app_folder()."""
        folder = app_folder(self.folder / f"app-{time.monotonic_ns()}", **options)
        return self.granary("release", "create", str(folder))["id"]

    def tenant(self, name, *arguments, **options):
        """Creates a tenant with a release of its own of the probe app; returns its name."""
        self.granary("tenant", "create", name, "--release", self.release(**options), *arguments)
        return name

    def show(self, tenant):
        return self.granary("tenant", "show", tenant)

    def service(self, tenant):
        """What is known of its service; the agent may be away for a moment."""
        return wait_for(lambda: self.show(tenant)["services"], 10, f"{tenant} is known")[0]

    def wait_for_phase(self, tenant, phase, seconds=15):
        wait_for(lambda: self.service(tenant)["phase"] == phase, seconds, f"{tenant} is {phase}")

    def logs(self, tenant):
        done = self.run("tenant", "logs", tenant)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def log_of_requests(self, tenant):
        """Of all accounts that have this name in the access log's folder."""
        files = pathlib.Path(self.data_dir, "access").glob(f"{tenant}.*.log")
        return "".join(path.read_text() for path in sorted(files))

    # ---- through the gateway

    def host(self, tenant):
        return f"{tenant}.localhost:{self.gateway_port}"

    def connect(self, timeout=30):
        return socket.create_connection(("127.0.0.1", self.gateway_port), timeout=timeout)

    def request(self, tenant, path, method="GET", *, body=b"", host=None, headers=None, timeout=30):
        """One request on a connection of its own."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host or self.host(tenant)}",
                 *(f"{name}: {value}" for name, value in (headers or {}).items()),
                 "Connection: close"]
        if body or method in ("POST", "PUT"):
            lines.append(f"Content-Length: {len(body)}")
        with self.connect(timeout) as connection:
            connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            with connection.makefile("rb") as stream:
                return read_answer(stream, method)

    def who(self, tenant):
        """Which process answers for the tenant."""
        answer = self.request(tenant, "/api/who")
        assert answer.status == 200, answer
        return types.SimpleNamespace(**answer.json())


def state_of(pid):
    """R, S, Z...; None: there is no such process."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rsplit(")", 1)[1].split()[0]


def app_folder(folder, *, listen="fd", idle="never", start_timeout="10s", memory="64Mi",
               processes=64, in_flight=100, quota="16Mi", env=None, web=None, health=True,
               stop_timeout="2s", secrets=()):
    """A folder of the probe app with this manifest. `web`: files of its frontend."""
    folder.mkdir()
    shutil.copy(PROBE, folder / "main.py")
    names = {f: str(v) for f, v in (env or {}).items()}
    service = {"command": ["python3", "-S", "main.py"], "listen": listen, "routes": ["/api/"],
               "idle": idle, "start_timeout": start_timeout, "stop_timeout": stop_timeout,
               "limits": {"memory": memory, "cpu": 1, "processes": processes,
                          "in_flight": in_flight},
               "env": names}
    if health:
        service["health"] = "/api/health"
    manifest = {"app": "probe", "services": {"api": service}, "data": {"quota": quota}}
    if secrets:
        manifest["secrets"] = list(secrets)
    for name, content in (web or {}).items():
        path = folder / "web" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        manifest["frontend"] = {"root": "web", "fallback": "index.html"}
    text = json.dumps(manifest, indent=1)  # JSON is YAML; quantities must not be quoted, though
    text = re.sub(r'"(\d+(?:ms|s|Mi|Ki|Gi)|never|fd|\d+)"', r"\1", text)
    (folder / "granary.yaml").write_text(text)
    return folder


@contextlib.contextmanager
def running_platform():
    """Starts one, and holds it to leaving nothing behind."""
    platform = Platform()
    try:
        yield platform.start()
        code = platform.stop()
        assert code == 0, f"granary up ended with {code}\n{platform.log_tail()}"
        platform.assert_nothing_left()
    finally:
        platform.clean_up()
