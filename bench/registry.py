"""What control takes with a fleet of 10,000 tenants in its registry: start, lists, memory.

The rows are written straight into the database of a stopped control, as many tenants as a
large installation has, with labels, domains, operations and audit entries; then `granary
control` alone is started over them. The same page read by SQLite alone, in the same run, is
the floor of a list.
"""

import contextlib
import hashlib
import http.client
import json
import pathlib
import re
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time

import measure
from installation import GRANARY
from measure import Failed, Row

TENANTS = 10_000
PAGE = 1_000
HASH = "a" * 64
MANIFEST = json.dumps({
    "app": "insight", "data": {"quota_bytes": 1 << 30},
    "services": [{"name": "api", "command": ["python3", "-m", "insight"], "routes": ["/api/"],
                  "health": "/api/health", "idle_ms": 60000, "start_timeout_ms": 10000,
                  "stop_timeout_ms": 10000, "env": {}, "port": 0, "egress": False, "slot": 0,
                  "limits": {"memory_bytes": 134217728, "cpu_millis": 500, "processes": 64,
                             "in_flight": 100}}]})


def audit_rows(count, now):
    previous = "0" * 64
    for number in range(1, count + 1):
        texts = ["token/bench", "tenant.create", f"tenant/t{number:05}", "{}",
                 '{"plan":"standard"}', previous]
        text = f"granary audit 1\n{number}\n{now}\n" + "".join(f"{len(t)}:{t}\n" for t in texts)
        digest = hashlib.sha256(text.encode()).hexdigest()
        yield (number, now, *texts, digest)
        previous = digest


def fill(path, tenants):
    now = int(time.time() * 1e6)
    names = [f"t{number:05}" for number in range(1, tenants + 1)]
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        many = database.executemany
        database.execute("INSERT INTO release VALUES (?,?,?,?,?,?,?,?)",
                         (HASH, "insight-aaaaaaaaaaaa", "insight", MANIFEST, 1, 1, "bench", now))
        many("INSERT INTO account VALUES (?,'tenant',?,?,'standard','host','active',?,?,1,'full',"
             "'well','','{\"flag.beta\":\"true\"}',?,?,0,NULL)",
             [(name, at, f"Tenant {at}", HASH, HASH, now, now) for at, name in enumerate(names, 1)])
        many("INSERT INTO account_label VALUES (?,'region','eu')", [(name,) for name in names])
        many("INSERT INTO account_domain (domain, account) VALUES (?,?)",
             [(f"app.{name}.example", name) for name in names])
        many("INSERT INTO discovery_key VALUES (?,?)",
             [(f"email-domain:{name}.example", name) for name in names])
        many("INSERT INTO board_slot VALUES (?,?,'api')",
             [(at, name) for at, name in enumerate(names, 1)])
        many("INSERT INTO operation VALUES (?,'tenant.create',?,'succeeded','request-check',1,?,"
             "'{}',NULL,'bench',NULL,?,?,NULL)",
             [(f"01{at:024}", f"tenant/{name}", json.dumps({"account": name}), now, now)
              for at, name in enumerate(names, 1)])
        many("INSERT INTO audit VALUES (?,?,?,?,?,?,?,?,?)", audit_rows(tenants, now))
        database.execute("UPDATE ordinal_counter SET next = ?", (tenants + 1,))


class ControlAlone:
    def __init__(self, folder):
        self.data_dir = folder / "data"
        self.log = folder / "control.log"
        subprocess.run([GRANARY, "prepare", "--data-dir", self.data_dir], check=True)
        self.process = None

    def start(self):
        """Seconds until /healthz answers 200."""
        begun = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [GRANARY, "control", "--data-dir", self.data_dir, "--api", "127.0.0.1:0"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.port = None
        while time.monotonic() < begun + 60:
            found = re.search(r"the API listens on port (\d+)", self.log.read_text())
            if found:
                self.port = int(found.group(1))
                self.get("/healthz")
                return time.monotonic() - begun
            time.sleep(0.002)
        raise Failed("control did not start: " + self.log.read_text()[-500:])

    def get(self, path):
        token = self.data_dir / "control" / "operator.token"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        secret = token.read_text().strip()
        connection.request("GET", path, headers={"Authorization": "Bearer " + secret})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status != 200:
            raise Failed(f"{path}: {answer.status} {text[:200]!r}")
        return text

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=30)
            self.process = None


def timed(count, call):
    """Milliseconds of each."""
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        call()
        times.append((time.perf_counter() - begun) * 1e3)
    return times


def page_by_sqlite(path, after):
    """The rows of the same page, by SQLite from Python: what a list takes at the least."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT * FROM account WHERE id > ? AND kind = 'tenant' "
                                f"ORDER BY id LIMIT {PAGE}", (after,)).fetchall()
        ends = (rows[0][0], rows[-1][0])
        for table in ("account_label", "account_domain", "discovery_key"):
            database.execute(f"SELECT * FROM {table} WHERE account >= ? AND account <= ?",
                             ends).fetchall()


def run(quick, patience):
    patience.wait()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="granary-bench-"))
    control = ControlAlone(folder)
    try:
        control.start()
        control.stop()
        database = control.data_dir / "control" / "granary.db"
        fill(database, TENANTS)
        starts = []
        for _ in range(2 if quick else 5):
            starts.append(control.start())
            control.stop()
        starts.append(control.start())
        rounds = 5 if quick else 40
        middle = f"t{TENANTS // 2:05}"
        pages = timed(rounds, lambda: control.get(f"/v1/tenants?limit={PAGE}&after={middle}"))
        floor = timed(rounds, lambda: page_by_sqlite(database, middle))
        hundred = timed(rounds, lambda: control.get(f"/v1/tenants?limit=100&after={middle}"))
        status = timed(3, lambda: control.get("/v1/audit/check"))
        pss, rss = measure.memory_bytes(control.process.pid)
    finally:
        control.stop()
        shutil.rmtree(folder, ignore_errors=True)
    page, start = statistics.median(pages), statistics.median(starts)
    rows = [
        Row(f"{TENANTS:,} tenants: start to ready", start, "s", target="< 2 s", met=start < 2),
        Row(f"tenant list, a page of {PAGE:,}", page, "ms", statistics.median(floor),
            "sqlite3 in Python", "< 50 ms", page < 50),
        Row("tenant list, a page of 100", statistics.median(hundred), "ms"),
        Row("audit log checked, 10,000 entries", statistics.median(status), "ms"),
        Row("control's resident memory", rss / 1e6, "MB", target="< 150 MB", met=rss < 150e6),
    ]
    return rows, {"tenants": TENANTS, "start_s": starts, "page_ms": measure.spread(pages),
                  "sqlite_ms": measure.spread(floor), "page_100_ms": measure.spread(hundred),
                  "rss_bytes": rss, "pss_bytes": pss}
