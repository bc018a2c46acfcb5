"""What proxying a small request costs, beside nginx in front of the very same silo.

Both proxies are one process on one thread that keeps connections to client and silo open; each is
asked in turn through wrk, and its CPU is what the kernel says it took. "nginx, bare" does nothing
but forward; "nginx, alike" also does what the gateway does for each request: an access log, an id,
and the forwarding fields. The light silo costs next to nothing, so that the proxy is what is
measured; Insight is an ordinary program.
"""

import contextlib
import os
import re
import shutil
import statistics
import subprocess

import measure
from installation import ROOT, insight_folder, running
from measure import Failed, Row

CONNECTIONS = 32
TARGET_RATIO = 2
NGINX = """
daemon off; user root; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  keepalive_requests 1000000000; keepalive_timeout 60s; server_tokens off;
  log_format alike '$time_iso8601 $request_id $host "$request" $status $bytes_sent $request_time';
  {upstreams}
  {servers}
}}
"""
UPSTREAM = """
  upstream {tenant} {{
    server unix:{socket}; keepalive 32; keepalive_requests 1000000000;
  }}
"""
SERVER = """
  server {{
    listen 127.0.0.1:{port}; access_log {log};
    location / {{
      proxy_pass http://{tenant}; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host; {more}
    }}
  }}
"""
ALIKE = ("proxy_set_header X-Request-Id $request_id; add_header X-Request-Id $request_id; "
         "proxy_set_header X-Forwarded-For $remote_addr; "
         "proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host;")


def nginx_program():
    program = shutil.which("nginx", path=os.pathsep.join(
        [os.environ.get("PATH", ""), "/usr/sbin", f"{ROOT}/.cache/bench-tools/usr/sbin"]))
    if program is None:
        raise Failed("nginx is missing: ./dev bench unpacks it")
    return program


class Nginx:
    """One worker, two ports for each tenant: bare and alike."""

    def __init__(self, folder, sockets):
        program = nginx_program()
        folder.mkdir()
        self.ports = {(tenant, kind): measure.free_port()
                      for tenant in sockets for kind in ("bare", "alike")}
        config = folder / "nginx.conf"
        config.write_text(NGINX.format(
            folder=folder,
            upstreams="".join(UPSTREAM.format(tenant=tenant, socket=path)
                              for tenant, path in sockets.items()),
            servers="".join(self._server(folder, tenant, kind, port)
                            for (tenant, kind), port in self.ports.items())))
        self.error_log = folder / "error.log"
        self.process = subprocess.Popen(
            [program, "-c", config, "-e", self.error_log], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    @staticmethod
    def _server(folder, tenant, kind, port):
        alike = kind == "alike"
        log = f"{folder}/access.log alike buffer=64k flush=1s" if alike else "off"
        return SERVER.format(port=port, log=log, tenant=tenant, more=ALIKE if alike else "")

    def ready(self):
        if self.process.poll() is not None:
            raise Failed("nginx ended: " + self.error_log.read_text()[-1000:])
        with contextlib.suppress(OSError):
            return all(measure.get(("127.0.0.1", port), "bench", "/api/health") == 200
                       for port in self.ports.values())
        return False

    def worker(self):
        return measure.children_of(self.process.pid)[0]

    def close(self):
        measure.end_process(self.process)


def light_folder(installation):
    """A release of light_silo.cc."""
    folder = installation.folder / "light"
    folder.mkdir()
    compiler = next(filter(None, map(shutil.which, ("clang++-19", "clang++", "g++"))), None)
    if compiler is None:
        raise Failed("a C++ compiler is missing: ./dev setup installs one")
    subprocess.run([compiler, "-std=c++20", "-O2", "-static", "-o", folder / "light",
                    ROOT / "bench" / "light_silo.cc"], check=True, timeout=60)
    (folder / "granary.yaml").write_text(
        "app: light\nservices:\n  api:\n    command: [/app/light]\n    listen: fd\n"
        "    routes: [/api/]\n    health: /api/health\n    idle: never\n"
        "    limits: {memory: 64Mi, cpu: 2, processes: 16, in_flight: 1000}\n"
        "data: {quota: 16Mi}\n")
    return folder


def load(port, host, connections, seconds, pid, scheme="http", fields=()):
    """wrk for so long: requests a second, latency, and the proxy's CPU for each request."""
    more = [part for field in fields for part in ("-H", field)]
    before = measure.cpu_seconds(pid)
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-H", f"Host: {host}",
         *more, f"{scheme}://127.0.0.1:{port}/api/health"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=seconds + 30)
    cpu = measure.cpu_seconds(pid) - before
    if done.returncode != 0 or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise Failed(f"wrk: {done.stdout}{done.stderr}")
    requests = int(re.search(r"(\d+) requests in", done.stdout).group(1))
    return {"per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout).group(1)),
            "cpu_us": cpu * 1e6 / requests,
            "p50_us": _microseconds(re.search(r"(?m)^\s+50%\s+(\S+)", done.stdout).group(1)),
            "p99_us": _microseconds(re.search(r"(?m)^\s+99%\s+(\S+)", done.stdout).group(1))}


def _microseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def compare(installation, nginx, tenant, connections, seconds, rounds, patience):
    """{proxy: {measure: median}}; the proxies take turns."""
    host = installation.host(tenant)
    proxies = {"granary": (installation.gateway[1], installation.pids()["gateway"]),
               "nginx, bare": (nginx.ports[tenant, "bare"], nginx.worker()),
               "nginx, alike": (nginx.ports[tenant, "alike"], nginx.worker())}
    samples = {name: [] for name in proxies}
    for _ in range(rounds):
        for name, (port, pid) in proxies.items():
            patience.wait()
            samples[name].append(load(port, host, connections, seconds, pid))
    return {name: {key: statistics.median(sample[key] for sample in found) for key in found[0]}
            for name, found in samples.items()}, samples


def rows_of(tenant, one, many):
    """The light silo's are what the target is about."""
    def row(what, key, unit, found, beside, **more):
        return Row(f"{tenant}: {what}", found["granary"][key], unit, found[beside][key], beside,
                   **more)
    cpu = many["granary"]["cpu_us"] / many["nginx, bare"]["cpu_us"]
    target = {"target": f"<= {TARGET_RATIO}x", "met": cpu <= TARGET_RATIO}
    return [row(f"CPU/request, {CONNECTIONS} clients", "cpu_us", "us", many, "nginx, bare",
                **(target if tenant == "light" else {})),
            row(f"CPU/request, {CONNECTIONS} clients", "cpu_us", "us", many, "nginx, alike"),
            row("CPU/request, 1 client", "cpu_us", "us", one, "nginx, bare"),
            row(f"requests/s, {CONNECTIONS} clients", "per_second", "/s", many, "nginx, bare"),
            row("latency p50, 1 client", "p50_us", "us", one, "nginx, bare"),
            row("latency p99, 1 client", "p99_us", "us", one, "nginx, bare")]


def run(quick, patience):
    seconds, rounds = (1, 1) if quick else (4, 5)
    rows, details = [], {}
    with running() as installation, contextlib.ExitStack() as stack:
        releases = {"light": installation.release(light_folder(installation)),
                    "insight": installation.release(insight_folder(installation, "never"))}
        for tenant, release in releases.items():
            installation.settle(installation.create([tenant], release))
        nginx = Nginx(installation.folder / "nginx", {
            tenant: installation.socket_of(tenant, "api") for tenant in releases})
        stack.callback(nginx.close)
        measure.wait_for(nginx.ready, 10, "nginx")
        for tenant in releases:
            how = (seconds, rounds, patience)
            one, one_samples = compare(installation, nginx, tenant, 1, *how)
            many, many_samples = compare(installation, nginx, tenant, CONNECTIONS, *how)
            rows += rows_of(tenant, one, many)
            details[tenant] = {"1": one, str(CONNECTIONS): many,
                               "samples": {"1": one_samples, str(CONNECTIONS): many_samples}}
    return rows, details
