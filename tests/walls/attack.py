"""granary-attack as the app of two tenants: one is the victim, the other tries everything on it.

What each attempt came to is kept for the table at the end and for build/walls-report.json.
"""

import collections
import json
import os
import pathlib
import re
import secrets
import shutil
import socket
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build" / "granary-attack"
REPORT = ROOT / "build" / "walls-report.json"
SERVICE = "attack"
# Names that stand nowhere else, so that finding one is finding the tenant.
VICTIM = "quarry-7q3"
ATTACKER = "burglar-9z2"
ABSTRACT = "granary-walls-host"  # a socket of the host
MANIFEST = """app: granary-walls
services:
  attack:
    command: [/app/granary-attack]
    listen: fd
    routes: [/]
    health: /healthz
    idle: never
    stop_timeout: 2s
    limits: {memory: 256Mi, cpu: 1, processes: 64}
data: {quota: 64Mi}
"""

results = []  # of all attempts in a real silo
taken_down = {}  # of attempts that were seen to break: name -> which wall was missing


def attempts():
    """Name, topic and what, as the program itself lists them."""
    if not PROGRAM.exists():
        return []
    listing = subprocess.run([PROGRAM, "--list"], capture_output=True, check=True, timeout=10)
    return json.loads(listing.stdout)


def release_folder(folder):
    folder.mkdir()
    shutil.copy(PROGRAM, folder / "granary-attack")
    (folder / "granary.yaml").write_text(MANIFEST)
    return folder


def host_address():
    """An address by which this machine is known outside; "" if it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return probe.getsockname()[0]
        except OSError:
            return ""


def host_disk():
    """The device that / lies on, such as vda."""
    names = sorted(name for name in os.listdir("/sys/block")
                   if not name.startswith(("loop", "ram")))
    return names[0] if names else ""


class Siege:
    def __init__(self, platform, stack):
        self.platform = platform
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind("\0" + ABSTRACT)
        abstract.listen()
        self.marker = "marker-" + secrets.token_hex(12)
        self.canary = platform.folder / "canary"
        self.canary.write_text(self.marker)
        self.canary.chmod(0o644)
        self.release = platform.granary(
            "release", "create", str(release_folder(platform.folder / "walls")))["id"]
        for tenant in (VICTIM, ATTACKER):
            platform.granary("tenant", "create", tenant, "--release", self.release)
        self.ask(VICTIM, "/attack/plant", "POST", self.marker.encode())
        self.ask(ATTACKER, "/healthz")
        self.known = self.knowledge()
        lines = "".join(f"{key}={value}\n" for key, value in self.known.items() if value)
        self.ask(ATTACKER, "/attack/know", "POST", lines.encode())

    def knowledge(self):
        """More than any attacker could learn."""
        platform = self.platform
        pids = platform.silo_pids(VICTIM)
        assert pids, "the victim runs"
        log = platform.log.read_text(errors="replace")
        listening = re.findall(r"metrics are on port (\d+)", log)
        return {
            "data_dir": platform.data_dir, "victim": VICTIM, "self": ATTACKER,
            "service": SERVICE, "marker": self.marker, "canary": str(self.canary),
            "victim_pid": max(pids), "victim_uid": platform.user_of(VICTIM),
            "agent_pid": platform.pid("agent"), "gateway_port": platform.gateway_port,
            "api_port": platform.api.rsplit(":", 1)[1],
            "admin_port": listening[-1] if listening else "",
            "host_address": host_address(), "hostname": socket.gethostname(),
            "disk": host_disk(), "host_abstract": ABSTRACT}

    def ask(self, tenant, path, method="GET", body=b"", *, wanted=200):
        answer = self.platform.request(tenant, path, method, body=body)
        assert answer.status == wanted, answer
        return answer

    def attempt(self, name):
        result = self.ask(ATTACKER, f"/attack/try?name={name}").json()
        assert result["name"] == name
        return result

    def victim_is_well(self):
        """It still has what it kept, and the same process answers."""
        kept = self.ask(VICTIM, "/attack/marker").body.decode()
        return kept == self.marker and self.canary.read_text() == self.marker


def report(listed):
    """All that was tried, as a file for whoever wants to read it."""
    topics = {attempt["name"]: attempt for attempt in listed}
    REPORT.write_text(json.dumps({
        "attempts": [{**topics[result["name"]], **result,
                      "seen_broken_without": taken_down.get(result["name"])}
                     for result in results]}, indent=1) + "\n")


def summary():
    if not results:
        return []
    listed = attempts()
    report(listed)
    topic_of = {attempt["name"]: attempt["topic"] for attempt in listed}
    table = collections.defaultdict(collections.Counter)
    for result in results:
        table[topic_of[result["name"]]][result["outcome"]] += 1
    lines = ["", f"{'topic':32} {'held':>5} {'BROKEN':>7} {'inapplicable':>13}"]
    for topic, counts in table.items():
        lines.append(f"{topic:32} {counts['held']:5} {counts['broken']:7} "
                     f"{counts['inapplicable']:13}")
    total = collections.Counter(result["outcome"] for result in results)
    lines.append(f"{'all':32} {total['held']:5} {total['broken']:7} {total['inapplicable']:13}")
    lines += [f"BROKEN {result['name']}: {result['answer']}" for result in results
              if result["outcome"] == "broken"]
    lines.append(f"seen to break without its wall: {len(taken_down)}; the report: {REPORT}")
    return lines
