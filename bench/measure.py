"""What every part of the benchmark measures with: time, CPU, memory, requests; and how it is said.

Nothing here knows Granary.
"""

import contextlib
import dataclasses
import glob
import os
import pathlib
import selectors
import signal
import socket
import statistics
import time

TICKS = os.sysconf("SC_CLK_TCK")
QUIET_SHARE = 0.15  # of all cores, busy with something else
QUIET_LOOK = 0.1  # s


class Failed(Exception):
    """A measurement could not be made."""


@dataclasses.dataclass
class Row:
    """A line of the table. `beside` is what the same run measured of something else."""

    what: str
    value: float
    unit: str
    beside: float | None = None
    beside_what: str = ""
    target: str = ""
    met: bool | None = None

    @property
    def ratio(self):
        return self.value / self.beside if self.beside else None


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values):
    """The numbers that a list of samples is reported by."""
    return {"n": len(values), "min": min(values), "p50": statistics.median(values),
            "p90": percentile(values, 0.90), "p99": percentile(values, 0.99), "max": max(values)}


# ---- waiting

def wait_for(condition, seconds, what, pause=0.02):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(pause)


@contextlib.contextmanager
def at_most(seconds, what):
    """Raises Failed in the main thread when the block takes longer."""
    def late(_number, _frame):
        raise Failed(f"{what}: took more than {seconds} s and was cut off")
    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _jiffies():
    fields = [int(x) for x in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return sum(fields[:8]), fields[3] + fields[4]


def busy_share(seconds=QUIET_LOOK):
    total, idle = _jiffies()
    time.sleep(seconds)
    later, later_idle = _jiffies()
    return 1 - (later_idle - idle) / max(1, later - total)


class Patience:
    """Waits for a quiet machine before each sample, but for so long in all: then it goes on, and
    says how many samples were taken on a busy one."""

    def __init__(self, seconds):
        self.left = seconds
        self.samples = 0
        self.busy = 0

    def wait(self):
        begun = time.monotonic()
        while (share := busy_share()) > QUIET_SHARE and time.monotonic() - begun < self.left:
            pass
        self.left -= time.monotonic() - begun
        self.samples += 1
        self.busy += share > QUIET_SHARE

    def document(self):
        return {"samples": self.samples, "on_a_busy_machine": self.busy}


# ---- processes

def children_of(pid):
    with contextlib.suppress(OSError):
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(child) for child in text.split()]
    return []


def cpu_seconds(pid, with_children=False):
    """User and system time of all its threads; the kernel keeps it exactly, rounded to a tick."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(x) for x in fields[11:15 if with_children else 13]) / TICKS


def memory_bytes(pid):
    """(PSS, RSS)."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = {line.split(":")[0]: int(line.split()[1]) * 1024
             for line in text.splitlines() if line.endswith("kB")}
    return found["Pss"], found["Rss"]


def tree_bytes(folder):
    """Bytes on disk below a folder, as du counts them."""
    return sum(os.lstat(os.path.join(at, name)).st_blocks * 512
               for at, folders, names in os.walk(folder) for name in (*folders, *names))


def processes_of(uids, word):
    """Pids of the processes of these users, or with `word` in their command line."""
    found = []
    for folder in glob.glob("/proc/[0-9]*"):
        with contextlib.suppress(OSError):
            command = pathlib.Path(folder, "cmdline").read_bytes()
            state = pathlib.Path(folder, "stat").read_text().rsplit(")", 1)[1].split()[0]
            if state != "Z" and (os.stat(folder).st_uid in uids or word.encode() in command):
                found.append(int(os.path.basename(folder)))
    return found


def end_process(process, seconds=10):
    """SIGTERM, or SIGKILL for who does not listen."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    with contextlib.suppress(Exception):
        process.wait(timeout=seconds)
    if process.poll() is None:
        process.kill()
        process.wait()


# ---- requests, as bytes on a socket: the client is the same, and cheap, for all that is compared

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(address, timeout=30):
    """`address`: a path, or (host, port)."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    client = socket.socket(family, socket.SOCK_STREAM)
    client.settimeout(timeout)
    client.connect(address)
    return client


def get_bytes(host, path):
    return (f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").encode()


def read_to_end(client):
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


def status_of(answer):
    if not answer.startswith(b"HTTP/1.") or len(answer) < 12:
        raise Failed(f"no HTTP answer: {answer[:80]!r}")
    return int(answer[9:12])


def get(address, host, path, timeout=30):
    """Status of one request on a connection of its own."""
    with contextlib.closing(connect(address, timeout)) as client:
        client.sendall(get_bytes(host, path))
        return status_of(read_to_end(client))


def post_json(address, host, path, body):
    head = (f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n")
    with contextlib.closing(connect(address)) as client:
        client.sendall(head.encode() + body.encode())
        return status_of(read_to_end(client))


def all_at_once(requests, seconds, begun=lambda index: None, answered=lambda index: None):
    """One GET for each (address, host, path), all sent before any answer is read.

    Returns seconds from the first byte sent to the end of each answer. `begun(index)` is called
    when a request is sent, `answered(index)` when it is answered.
    """
    poller = selectors.DefaultSelector()
    took = [None] * len(requests)
    answers = [b""] * len(requests)
    start = time.monotonic()
    try:
        for index, (address, host, path) in enumerate(requests):
            client = connect(address)
            client.sendall(get_bytes(host, path))
            client.setblocking(False)
            poller.register(client, selectors.EVENT_READ, index)
            begun(index)
        while poller.get_map():
            if time.monotonic() - start > seconds:
                raise Failed(f"{len(poller.get_map())} requests without an answer in {seconds} s")
            for key, _ in poller.select(1):
                part = key.fileobj.recv(65536)
                answers[key.data] += part
                if part:
                    continue
                took[key.data] = time.monotonic() - start
                poller.unregister(key.fileobj)
                key.fileobj.close()
                answered(key.data)
    finally:
        for key in list(poller.get_map().values()):
            key.fileobj.close()
        poller.close()
    bad = [status_of(answer) for answer in answers if status_of(answer) != 200]
    if bad:
        raise Failed(f"{len(bad)} of {len(requests)} were answered with {sorted(set(bad))}")
    return took
