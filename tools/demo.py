"""`./dev demo`: the product running, with three customers of the example product.

Starts `granary up` with a data directory of its own, releases examples/insight, creates acme,
globex and initech, feeds each some scans, and prints where they are. It stays up until Ctrl-C;
with --once it makes the tour unattended on free ports, checks what it sees, stops all it started,
and exits 0 only if all of it worked.
"""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
GRANARY = ROOT / "build" / "granary"
CUSTOMERS = {"acme": 3, "globex": 2, "initech": 4}  # name: scans that it makes
START_SECONDS = 30
STOP_SECONDS = 30


class Failed(Exception):
    """Something that the tour looked at was not as it should be."""


def check(holds, what):
    print(("  ok      " if holds else "  FAILED  ") + what, flush=True)
    if not holds:
        raise Failed(what)


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise Failed(f"{what}: not within {seconds} s")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Platform:
    """`granary up` and the command line that talks to it."""

    def __init__(self, folder, gateway_port, api_port):
        self.folder = folder
        self.data_dir = os.path.join(folder, "data")
        self.gateway_port = gateway_port
        self.api = f"http://127.0.0.1:{api_port}"
        self.log = open(os.path.join(folder, "up.log"), "wb")
        self.process = subprocess.Popen(
            [GRANARY, "up", "--data-dir", self.data_dir, "--gateway", f"127.0.0.1:{gateway_port}",
             "--api", f"127.0.0.1:{api_port}", "--gateway-admin", "127.0.0.1:0",
             "--egress-admin", "127.0.0.1:0"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)

    def granary(self, *arguments):
        done = subprocess.run(
            [GRANARY, *arguments, "-o", "json", "--api", self.api, "--data-dir", self.data_dir],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=120)
        if done.returncode != 0:
            raise Failed(f"granary {' '.join(arguments)}: {done.stderr.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def ready(self):
        if self.process.poll() is not None:
            raise Failed("granary up ended: " + self.log_tail())
        with contextlib.suppress(Failed, OSError, ValueError):
            self.granary("status")
            with socket.create_connection(("127.0.0.1", self.gateway_port), timeout=1):
                return True
        return False

    def log_tail(self):
        text = pathlib.Path(self.log.name).read_text(errors="replace")
        return "\n".join(text.splitlines()[-20:])

    def request(self, tenant, method, path, body=None):
        """Status and parsed body of one request through the gateway."""
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway_port, timeout=30)
        with contextlib.closing(connection):
            headers = {"Host": f"{tenant}.localhost:{self.gateway_port}"}
            if body is not None:
                headers["Content-Type"] = "application/json"
                body = json.dumps(body)
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            kind = answer.getheader("Content-Type", "")
            return answer.status, json.loads(text) if kind.startswith("application/json") else text

    def phase(self, tenant):
        shown = self.granary("tenant", "show", tenant)
        return [service["phase"] for service in shown["services"]]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


def release_folder(parent, idle):
    """A copy of the example whose service sleeps early, so that the tour need not wait a minute."""
    folder = pathlib.Path(parent) / "insight"
    shutil.copytree(ROOT / "examples" / "insight", folder,
                    ignore=shutil.ignore_patterns("__pycache__", "tests"))
    manifest = folder / "granary.yaml"
    manifest.write_text(manifest.read_text().replace("idle: 60s", f"idle: {idle}"))
    return folder


def set_up(platform, folder):
    print("Starting granary up ...", flush=True)
    wait_for(platform.ready, START_SECONDS, "granary up")
    release = platform.granary("release", "create", str(folder))
    print(f"Released {release['id']}", flush=True)
    for tenant, scans in CUSTOMERS.items():
        begun = time.monotonic()
        platform.granary("tenant", "create", tenant, "--release", release["id"])
        print(f"Created {tenant} in {(time.monotonic() - begun) * 1000:.0f} ms", flush=True)
        for number in range(scans):
            status, _ = platform.request(tenant, "POST", "/api/scans",
                                         {"code": f"{tenant}-{number}", "device": "demo"})
            check(status == 201, f"{tenant} takes scan {number + 1}")


def tour(platform):
    for tenant, scans in CUSTOMERS.items():
        status, found = platform.request(tenant, "GET", "/api/scans?limit=100")
        codes = sorted(scan["code"] for scan in found["scans"])
        check(status == 200 and codes == [f"{tenant}-{n}" for n in range(scans)],
              f"{tenant} sees its own {scans} scans and no others")
        status, page = platform.request(tenant, "GET", "/")
        check(status == 200 and b"<html" in page.lower(), f"{tenant} gets its frontend")
    status, _ = platform.request("nobody", "GET", "/")
    check(status == 404, "an unknown name is answered with 404")
    for tenant in CUSTOMERS:
        wait_for(lambda name=tenant: platform.phase(name) == ["asleep"], 30,
                 f"{tenant} falls asleep")
        check(True, f"{tenant} fell asleep")
    for tenant, scans in CUSTOMERS.items():
        begun = time.monotonic()
        status, found = platform.request(tenant, "GET", "/api/scans?limit=100")
        took = (time.monotonic() - begun) * 1000
        check(status == 200 and len(found["scans"]) == scans,
              f"{tenant} wakes for a request ({took:.0f} ms) and still has its scans")


def move(platform):
    """All of one customer as one file, and a new customer made of it."""
    tenant, scans = next(iter(CUSTOMERS.items()))
    archive = os.path.join(platform.folder, f"{tenant}.tar")
    platform.granary("tenant", "export", tenant, "--to", archive)
    size = os.path.getsize(archive)
    check(size > 0, f"{tenant} is exported while it works ({size / 1024:.0f} KiB)")
    platform.granary("tenant", "restore", f"{tenant}-copy", "--from", archive)
    status, found = platform.request(f"{tenant}-copy", "GET", "/api/scans?limit=100")
    check(status == 200 and len(found["scans"]) == scans,
          f"{tenant}-copy is made of it and has the {scans} scans")
    platform.granary("tenant", "offboard", f"{tenant}-copy", "--retain", "0s", "--yes")
    certificates = platform.granary("certificate", "list", "--tenant", f"{tenant}-copy")["items"]
    check(len(certificates) == 1, f"{tenant}-copy is offboarded, and a certificate says so")


def show(platform):
    print("\nThe customers:")
    for tenant in CUSTOMERS:
        shown = platform.granary("tenant", "show", tenant)
        phases = ", ".join(f"{s['name']} {s['phase']}" for s in shown["services"])
        address = f"http://{tenant}.localhost:{platform.gateway_port}/"
        print(f"  {address:40} {shown['state']:10} {phases}")
    print(f"\nThe API is at {platform.api}; "
          f"GRANARY_API={platform.api} build/granary --data-dir {platform.data_dir} tenant list")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--once", action="store_true", help="make the tour unattended, then stop")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="granary-demo-")
    os.chmod(folder, 0o711)
    ports = (free_port(), free_port()) if options.once else (8080, 8081)
    platform = Platform(folder, *ports)
    code = 1
    try:
        set_up(platform, release_folder(folder, "2s" if options.once else "60s"))
        if options.once:
            tour(platform)
            move(platform)
        show(platform)
        if not options.once:
            print("\nCtrl-C stops everything.", flush=True)
            platform.process.wait()
        code = 0
    except KeyboardInterrupt:
        code = 0
    except Failed as problem:
        print(f"demo: {problem}\n{platform.log_tail()}", file=sys.stderr)
    finally:
        platform.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print("demo: all of it worked" if code == 0 else "demo: failed", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
