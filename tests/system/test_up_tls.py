"""TLS at the gateway: real certificates, real clients, and their renewal under open connections."""

import contextlib
import os
import pathlib
import shutil
import socket
import ssl
import subprocess

import pytest
from platform_up import Platform, free_port, needs_root, wait_for
from raw_http import read_answer

pytestmark = needs_root

RELOAD_SECONDS = 10
DOMAIN = "granary.example"
ACME = f"acme.{DOMAIN}"


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)


class Site:
    """A platform that ends TLS for *.granary.example, with one tenant."""

    def __init__(self, platform):
        self.platform = platform
        self.folder = platform.folder / "certificates"
        self.port = free_port()
        self.made = 0
        # As docs/TLS.md has it: root's, and readable to the gateway's user.
        self.group = platform.uid_base + 1
        self.folder.mkdir(mode=0o750)
        os.chown(self.folder, 0, self.group)
        platform.options = ["--gateway-tls", f"127.0.0.1:{self.port}",
                            "--certificates", str(self.folder),
                            "--domain", DOMAIN]

    def put(self, name, *hosts):
        """A new certificate for the hosts, signed by itself; returns what trusts it."""
        self.made += 1
        own = self.platform.folder / f"issued-{self.made}"
        own.mkdir()
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "30", "-subj", "/CN=test", "-keyout", str(own / "key"),
                "-out", str(own / "crt"),
                "-addext", "subjectAltName=" + ",".join(f"DNS:{host}" for host in hosts))
        for end in ("crt", "key"):
            target = self.folder / f"{name}.{end}"
            beside = target.with_suffix(".new")
            shutil.copy(own / end, beside)
            os.chown(beside, 0, self.group)
            beside.chmod(0o640)
            beside.rename(target)
        return ssl.create_default_context(cafile=str(own / "crt"))

    @contextlib.contextmanager
    def connect(self, context, host):
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname=host) as connection:
                yield connection

    def get(self, connection, target, host):
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        with connection.makefile("rb") as stream:
            return read_answer(stream)


@pytest.fixture(scope="module")
def site():
    platform = Platform()
    try:
        made = Site(platform)
        made.trust = made.put("tenants", DOMAIN, f"*.{DOMAIN}")
        platform.start()
        platform.tenant("acme")  # checked through the gateway, which redirects everybody else
        yield made
        assert platform.stop() == 0
        platform.assert_nothing_left()
    finally:
        platform.clean_up()


def test_a_tenant_is_served_by_https_and_its_app_knows(site):
    with site.connect(site.trust, ACME) as connection:
        assert connection.version() == "TLSv1.3"
        for _ in range(2):
            answer = site.get(connection, "/api/seen", ACME)
            assert answer.status == 200
            assert answer.field("Strict-Transport-Security") == "max-age=31536000"
        seen = {name.lower(): value for name, value in answer.json()["headers"]}
        assert seen["x-forwarded-proto"] == "https"
    assert site.platform.show("acme")["url"] == f"https://{ACME}:{site.port}"


def test_curl_follows_from_http_to_https(site):
    ports = (site.platform.gateway_port, site.port)
    here = [part for port in ports for part in ("--resolve", f"{ACME}:{port}:127.0.0.1")]
    done = subprocess.run(
        ["curl", "-sS", "-L", *here, "--cacert", str(site.platform.folder / "issued-1" / "crt"),
         "-o", "/dev/null", "-w", "%{http_code} %{num_redirects} %{url_effective}",
         f"http://{ACME}:{ports[0]}/api/who?x=1"],
        capture_output=True, text=True, check=False, timeout=30)
    assert done.stdout == f"200 1 https://{ACME}:{site.port}/api/who?x=1", done.stderr


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1")
def test_what_the_certificate_does_not_cover_is_refused(site):
    with site.connect(site.trust, ACME) as connection:
        assert site.get(connection, "/api/who", "acme.example").status == 421
    anything = ssl._create_unverified_context()
    with pytest.raises(ssl.SSLError, match="(?i)unrecognized.name"):
        with site.connect(anything, "acme.example"):
            pass
    anything.set_ciphers("DEFAULT@SECLEVEL=0")
    anything.minimum_version = anything.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match="(?i)protocol.version"):
        with site.connect(anything, ACME):
            pass


def test_a_renewed_certificate_serves_and_no_connection_is_dropped(site):
    with site.connect(site.trust, ACME) as old:
        assert site.get(old, "/api/who", ACME).status == 200
        renewed = site.put("tenants", DOMAIN, f"*.{DOMAIN}")

        def serves():
            with contextlib.suppress(ssl.SSLCertVerificationError):
                with site.connect(renewed, ACME) as connection:
                    return site.get(connection, "/api/who", ACME).status == 200
        wait_for(serves, RELOAD_SECONDS, "the renewed certificate")
        assert site.get(old, "/api/who", ACME).status == 200
    site.trust = renewed


def test_a_broken_certificate_leaves_the_one_before_and_is_logged(site):
    (site.folder / "tenants.key").write_text("not a key")
    log = site.platform.log
    wait_for(lambda: "no private key in the .key file" in log.read_text(), RELOAD_SECONDS, "a line")
    with site.connect(site.trust, ACME) as connection:
        assert site.get(connection, "/api/who", ACME).status == 200
    site.trust = site.put("tenants", DOMAIN, f"*.{DOMAIN}")


def test_a_challenge_is_answered_in_plain_as_certbot_writes_it(site):
    folder = pathlib.Path(site.folder, ".well-known", "acme-challenge")
    folder.mkdir(parents=True)
    (folder / "token-1").write_text("token-1.thumbprint")
    answer = site.platform.request("acme", "/.well-known/acme-challenge/token-1")
    assert (answer.status, answer.body) == (200, b"token-1.thumbprint")
    assert site.platform.request("acme", "/.well-known/acme-challenge/none").status == 404
