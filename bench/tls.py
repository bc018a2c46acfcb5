"""What TLS costs at the gateway, beside nginx with the same certificate and the same silo.

A connection that stays open is asked as in gateway.py; one that is made anew for each request costs
a handshake, which wrk shortens by the ticket of the one before. Both answer with ECDSA P-256 and
agree on TLS 1.3.
"""

import os
import shutil
import statistics
import subprocess

import gateway
import measure
from gateway import CONNECTIONS, Failed, load
from installation import running
from measure import Row

HOST = "light.localhost"
SERVER = """
  server {{
    listen 127.0.0.1:{port} ssl; access_log off;
    ssl_certificate {folder}/certificates/default.crt;
    ssl_certificate_key {folder}/certificates/default.key;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets on;
    location / {{
      proxy_pass http://light; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host; {more}
    }}
  }}
"""
KINDS = {"kept open": (), "made anew": ("Connection: close",)}


def make_certificate(installation):
    """As docs/TLS.md has it. The default: wrk asks for no name that a certificate could have."""
    folder = installation.folder / "certificates"
    folder.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "30", "-subj", "/CN=bench", "-addext", f"subjectAltName=DNS:{HOST}",
         "-keyout", folder / "default.key", "-out", folder / "default.crt"],
        check=True, capture_output=True, timeout=60)
    os.chown(folder / "default.key", 0, installation.uid_base + 1)
    (folder / "default.key").chmod(0o640)
    installation.tls_port = measure.free_port()
    installation.options = ["--gateway-tls", f"127.0.0.1:{installation.tls_port}",
                            "--certificates", str(folder)]


class NginxTls:
    def __init__(self, installation):
        folder = installation.folder / "nginx"
        folder.mkdir()
        self.port = measure.free_port()
        config = folder / "nginx.conf"
        config.write_text(gateway.NGINX.format(
            folder=folder,
            upstreams=gateway.UPSTREAM.format(
                tenant="light", socket=installation.socket_of("light", "api")),
            servers=SERVER.format(folder=installation.folder, port=self.port,
                                  more=gateway.ALIKE)))
        self.process = subprocess.Popen(
            [gateway.nginx_program(), "-c", config, "-e", folder / "error.log"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)

    def worker(self):
        return measure.children_of(self.process.pid)[0]

    def close(self):
        measure.end_process(self.process)


def compare(installation, nginx, fields, seconds, rounds, patience):
    """{proxy: {measure: median}}; the proxies take turns."""
    proxies = {"granary": (installation.tls_port, installation.pids()["gateway"]),
               "nginx": (nginx.port, nginx.worker())}
    samples = {name: [] for name in proxies}
    for _ in range(rounds):
        for name, (port, pid) in proxies.items():
            patience.wait()
            samples[name].append(load(port, HOST, CONNECTIONS, seconds, pid, "https", fields))
    return {name: {key: statistics.median(sample[key] for sample in found) for key in found[0]}
            for name, found in samples.items()}


def run(quick, patience):
    if shutil.which("openssl") is None:
        raise Failed("openssl is missing: apt-get install openssl")
    seconds, rounds = (1, 1) if quick else (4, 5)
    rows, details = [], {}
    with running(make_certificate) as installation:
        installation.settle(installation.create(
            ["light"], installation.release(gateway.light_folder(installation))))
        nginx = NginxTls(installation)
        try:
            measure.wait_for(lambda: measure.children_of(nginx.process.pid), 10, "nginx")
            for kind, fields in KINDS.items():
                found = compare(installation, nginx, fields, seconds, rounds, patience)
                details[kind] = found
                rows += [Row(f"TLS, connection {kind}: {what}", found["granary"][key], unit,
                             found["nginx"][key], "nginx")
                         for what, key, unit in (("CPU/request", "cpu_us", "us"),
                                                 ("requests/s", "per_second", "/s"),
                                                 ("latency p50", "p50_us", "us"),
                                                 ("latency p99", "p99_us", "us"))]
        finally:
            nginx.close()
    return rows, details
