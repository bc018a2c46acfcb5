"""The attack program where walls are missing: in bubblewrap with some of a silo's options left out.

What it breaks there is scenery: a data directory, programs, processes and sockets of the test's
own. The attempts themselves do no harm to whoever has the right to them (src/walls/README.md).
"""

import contextlib
import ctypes
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile

from attack import PROGRAM, SERVICE, host_address, host_disk

UID = 1_999_999_001  # of nobody else
MARKER = "scenery-marker"
ABSTRACT = "granary-walls-scenery"
BEACON_KEY = 0x6772616E
DEADLINE_SECONDS = 90

NAMESPACES = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts",
              "--unshare-cgroup", "--hostname", "silo", "--as-pid-1", "--new-session"]
USER = ["--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"]
INNER_ROOT = ["--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL"]
REAL_ROOT = ["--cap-add", "ALL"]
SYSTEM = ["--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink",
          "usr/lib64", "/lib64"]
# Whatever is routed goes into loopback of a network of its own, and is lost there.
LEADS_NOWHERE = ["unshare", "--net", "sh", "-c", "ip link set lo up && ip route add default dev lo "
                 "&& ip -6 addr add 2001:db8::1/64 dev lo nodad "
                 "&& ip -6 route add default dev lo && exec \"$@\"", "sh"]
# Process 1 that holds what granary-init does, but lets itself be looked at.
OPEN_INIT = 'exec 4<>/tmp/log.0 5<>/tmp/log.1 6<>/tmp/status; "$@"; :'

OF_PLATFORM = ["accounts/quarry/disk.img", "accounts/quarry/disk.key", "bundles/b",
               "accounts/quarry/account.json", f"accounts/quarry/logs/{SERVICE}.0",
               f"run/silo/quarry/{SERVICE}.json", f"run/silo/quarry/{SERVICE}.status",
               "control/granary.db", "control/operator.token", "control/signing.key",
               "keys/platform.key", "publish/routing.json", "access/quarry.1.log", "run/board",
               "releases/r/x", "frontends/x", "graveyard/x"]
OF_HOST = ["app/granary.yaml", "run/config.json", "run/granary-init", "etc/passwd", "etc/shadow",
           "etc/machine-id", "etc/resolv.conf", "etc/ssh/key", "root/x", "home/x", "var/x",
           "boot/x", "opt/x", "var/tmp/x", "run/secrets/x"]
SOCKETS_OF_HOST = ["run/docker.sock", "run/dbus/system_bus_socket", "run/systemd/private",
                   "devlog"]


def nobody():
    os.setgroups([])
    os.setresgid(UID, UID, UID)
    os.setresuid(UID, UID, UID)


class Scenery:
    """A host in a folder, all of it the user's own; and a process and sockets to be found."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="granary-scenery-"))
        self.folder.chmod(0o711)
        self.data = self.folder / "platform"
        self.root = self.folder / "root"
        self.canary = self.folder / "canary"
        self.stack = contextlib.ExitStack()
        self.beacon = None
        self.make_files()
        self.listen()
        for path in [self.folder, *self.folder.rglob("*")]:
            os.chown(path, UID, UID, follow_symlinks=False)
        self.victim = self.start(["sleep", "600"], cwd=self.folder, start_new_session=True)

    def make_files(self):
        for path in [self.canary, *(self.data / name for name in OF_PLATFORM),
                     *(self.root / name for name in OF_HOST)]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{MARKER} quarry self-id")
        for name in ("usr/bin", "data", "proc", "dev", "tmp", "sys", "surprise"):
            (self.root / name).mkdir(parents=True)
        (self.folder / "disk").mkdir()
        for name in ("env", "su"):
            shutil.copy("/usr/bin/env", self.root / "usr/bin" / name)
        for folder in (self.folder, self.root):
            shutil.copy(PROGRAM, folder / "granary-attack")

    def listen(self):
        def listener(family, address):
            made = self.stack.enter_context(socket.socket(family))
            made.bind(address)
            made.listen(16)
            return made
        self.tcp = listener(socket.AF_INET, ("127.0.0.1", 0))
        self.tcp6 = listener(socket.AF_INET6, ("::1", 0))
        self.everywhere = listener(socket.AF_INET, ("0.0.0.0", 0))
        self.abstract = listener(socket.AF_UNIX, f"\0{ABSTRACT}")
        self.door = listener(socket.AF_UNIX, str(self.folder / "self-id.sock"))
        for path in [self.data / "run/agent.sock", self.data / f"run/silo/quarry/{SERVICE}.sock",
                     *(self.root / name for name in SOCKETS_OF_HOST)]:
            path.parent.mkdir(parents=True, exist_ok=True)
            listener(socket.AF_UNIX, str(path))
        self.peer = self.stack.enter_context(socket.socket(socket.AF_UNIX))
        self.peer.connect(str(self.folder / "self-id.sock"))
        self.connection = self.stack.enter_context(self.door.accept()[0])

    def start(self, command, **options):
        """As the user, until the scenery is closed."""
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=nobody, **options)
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process

    def light(self, sandbox):
        """The victim's beacons, in a sandbox of its own."""
        command = ["bwrap", "--die-with-parent", *sandbox, "--", "/run/granary-attack", "--plant"]
        self.beacon = self.start([*command, MARKER], stdout=subprocess.PIPE)
        with self.beacon.stdout as lit:
            assert lit.readline() == b"lit\n"

    def close(self):
        if self.beacon is not None:  # it first: bubblewrap then ends by itself, and reaps it
            pid = self.beacon.pid
            for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)
            self.beacon.wait(timeout=5)
        self.stack.close()
        if self.beacon is not None:
            remove_beacons(ctypes.CDLL(None))
        shutil.rmtree(self.folder, ignore_errors=True)

    def knowledge(self):
        port = self.tcp.getsockname()[1]
        return {"data_dir": self.data, "victim": "quarry", "self": "self-id", "service": SERVICE,
                "marker": MARKER, "canary": self.canary, "victim_pid": self.victim.pid,
                "victim_uid": UID, "agent_pid": self.victim.pid, "gateway_port": port,
                "api_port": port, "admin_port": port, "host_address": host_address(),
                "hostname": "silo", "disk": host_disk(), "host_abstract": ABSTRACT}

    def files(self):
        """As a silo sees them."""
        return ["--ro-bind", "/usr", "/usr", *SYSTEM,
                "--ro-bind", str(self.root / "etc"), "/etc",
                "--ro-bind", str(self.root / "app"), "/app",
                "--bind", str(self.folder / "disk"), "/data",
                "--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/tmp",
                "--ro-bind", str(self.folder / "granary-attack"), "/run/granary-attack"]

    def run(self, sandbox, names, *, wrap=(), root=False, descriptors=None, known=None,
            shell=None, stdin=subprocess.DEVNULL, core=False):
        """What came of each attempt: {name: (outcome, answer)}. No sandbox: none at all."""
        pairs = {**self.knowledge(), **(known or {})}
        if 5 in (descriptors or {}):
            pairs["connection"] = 5
        program = self.folder / "granary-attack"
        if sandbox:
            program = "/run/granary-attack" if "/run/granary-attack" in sandbox \
                else "/granary-attack"
        command = [program, "--try", ",".join(names),
                   *(f"{key}={value}" for key, value in pairs.items() if value != "")]
        if shell:
            command = ["sh", "-c", shell, "sh", *command]
        bwrap = ["bwrap", *sandbox, "--"] if sandbox else []
        done = subprocess.run([*wrap, *bwrap, *command], stdin=stdin, capture_output=True,
                              text=True, check=False, close_fds=False, timeout=DEADLINE_SECONDS,
                              preexec_fn=lambda: prepare(descriptors or {}, root, core))
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        assert lines, done.stderr
        return {line["name"]: (line["outcome"], line["answer"]) for line in lines}


def prepare(descriptors, root, core):
    """In the child: these descriptors and no others; the user; whether a crash leaves a core."""
    high = {number: os.dup2(os.dup(fd), number + 900) for number, fd in descriptors.items()}
    os.closerange(3, 900)
    for number, fd in high.items():
        os.dup2(fd, number)
    os.closerange(900, 1000)
    if core:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
    if not root:
        nobody()


def remove_beacons(libc):
    """Those that are of the host's IPC, and outlive who made them."""
    for get, control in ((lambda: libc.shmget(BEACON_KEY, 0, 0),
                          lambda number: libc.shmctl(number, 0, None)),
                         (lambda: libc.msgget(BEACON_KEY, 0),
                          lambda number: libc.msgctl(number, 0, None)),
                         (lambda: libc.semget(BEACON_KEY, 0, 0),
                          lambda number: libc.semctl(number, 0, 0))):
        number = get()
        if number >= 0:
            control(number)
    libc.mq_unlink(b"/granary-attack-beacon")
    for path in ("/tmp/granary-attack-beacon", "/dev/shm/granary-attack-beacon"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
