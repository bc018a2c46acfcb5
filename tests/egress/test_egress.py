"""The way out of silos, whole: a real `granary up`, real silos, a server outside."""

import pathlib
import re
import subprocess
import urllib.request

import pytest
from control import GRANARY
from platform_up import needs_root, wait_for

pytestmark = needs_root


@pytest.fixture(scope="module")
def acme(platform, echo):
    """A tenant that declares the server outside."""
    return platform.caller("acme", [f"localhost:{echo.port}"])


@pytest.fixture(scope="module")
def globex(platform):
    """A tenant that declares nothing."""
    return platform.caller("globex", [])


def test_a_declared_host_is_reached_logged_and_metered(platform, echo, acme):
    before = platform.usage(acme).get("bytes_up", 0)
    text = "x" * 5000
    found = platform.tunnel(acme, f"localhost:{echo.port}", text)
    assert (found["status"], found["echo"]) == (200, text)
    line = f" localhost:{echo.port} 127.0.0.1 5000 5000 "
    wait_for(lambda: line in platform.egress_log(acme), 5, "the connection is logged")
    wait_for(lambda: platform.usage(acme).get("bytes_up", 0) >= before + 5000, 10,
             "the bytes are metered")


def test_a_host_that_is_not_declared_is_refused_with_the_line_to_add_and_logged(
        platform, echo, acme):
    came = echo.connections
    found = platform.tunnel(acme, f"api.example.com:{echo.port}")
    assert found["status"] == 403
    assert f"egress: [api.example.com:{echo.port}]" in found["body"]
    assert platform.tunnel(acme, f"localhost:{echo.port + 1}")["status"] == 403
    assert platform.tunnel(acme, f"127.0.0.1:{echo.port}")["status"] == 403
    wait_for(lambda: f" api.example.com:{echo.port} - 0 0 0.000 not-declared\n"
             in platform.egress_log(acme), 5, "the refusal is logged")
    assert echo.connections == came


def test_the_silo_is_told_of_the_proxy_and_nothing_leaves_it_any_other_way(platform, echo, acme):
    surroundings = platform.call(acme, "surroundings")
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        assert surroundings["proxies"][name] == "http://127.0.0.1:3128"
    assert surroundings["proxies"]["NO_PROXY"] == "localhost,127.0.0.1"
    assert "egress" in surroundings["run"]
    came = echo.connections
    assert platform.call(acme, "direct", host="127.0.0.1", port=echo.port)["found"] == \
        "ECONNREFUSED"
    assert platform.call(acme, "direct", host="1.1.1.1", port=443)["found"] == "ENETUNREACH"
    assert platform.call(acme, "resolve", host="example.com")["found"] == "gaierror"
    assert echo.connections == came


def test_a_release_that_declares_nothing_has_no_way_out_at_all(platform, globex):
    surroundings = platform.call(globex, "surroundings")
    assert surroundings["proxies"] == {}
    assert "egress" not in surroundings["run"]
    assert platform.call(globex, "direct", host="127.0.0.1", port=3128)["found"] == "ECONNREFUSED"


def test_accounts_have_lists_of_their_own(platform, echo, acme):
    other = platform.caller("initech", ["api.example.com:443"])
    assert platform.tunnel(other, f"localhost:{echo.port}")["status"] == 403
    assert platform.tunnel(acme, f"localhost:{echo.port}")["status"] == 200
    wait_for(lambda: "not-declared" in platform.egress_log(other), 5, "it is in its own log")


def test_a_suspended_tenant_has_no_way_out_and_a_resumed_one_has(platform, echo):
    tenant = platform.caller("umbrella", [f"localhost:{echo.port}"])
    assert platform.tunnel(tenant, f"localhost:{echo.port}")["status"] == 200
    policy = pathlib.Path(platform.data_dir) / "publish" / "egress.json"
    platform.granary("tenant", "suspend", tenant)
    assert f'"{tenant}"' not in policy.read_text()
    platform.granary("tenant", "resume", tenant)
    assert f'"{tenant}"' in policy.read_text()
    assert platform.tunnel(tenant, f"localhost:{echo.port}")["status"] == 200


def test_nothing_is_kept_of_an_offboarded_tenant_and_the_next_of_its_name_begins_anew(
        platform, echo):
    tenant = platform.caller("hooli", [f"localhost:{echo.port}"])
    assert platform.tunnel(tenant, f"localhost:{echo.port}", "x" * 3000)["status"] == 200
    wait_for(lambda: " 3000 3000 " in platform.egress_log(tenant), 5, "it is logged")
    wait_for(lambda: platform.usage(tenant).get("bytes_up") == 3000, 10, "it is metered")
    platform.granary("tenant", "suspend", tenant)
    assert platform.usage(tenant)["bytes_up"] == 3000  # it is not gone, it sleeps
    files = platform.egress_files(tenant)
    platform.granary("tenant", "offboard", tenant, "--yes", "--retain", "0s")
    wait_for(lambda: not any(path.exists() for path in files), 5, "its log is gone")
    wait_for(lambda: not platform.usage(tenant), 10, "its counts are gone")
    platform.caller(tenant, [f"localhost:{echo.port}"])
    assert platform.tunnel(tenant, f"localhost:{echo.port}", "new")["status"] == 200
    wait_for(lambda: platform.usage(tenant).get("bytes_up") == 3, 10, "counted from zero")
    assert " 3000 3000 " not in platform.egress_log(tenant)


def test_the_role_tells_how_it_is(platform, echo, acme):
    port = wait_for(lambda: re.findall(r"egress's metrics are on port (\d+)",
                                       platform.log.read_text()), 5, "it listens")[-1]
    assert platform.tunnel(acme, f"localhost:{echo.port}", "12345")["status"] == 200
    assert platform.tunnel(acme, "api.example.com:1")["status"] == 403

    def get(page):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{page}", timeout=5) as answer:
            return answer.read().decode()
    assert get("/healthz") == "ok\n"
    assert get("/readyz") == "ready\n"
    numbers = dict(line.rsplit(" ", 1) for line in get("/metrics").splitlines()
                   if not line.startswith("#"))
    assert int(numbers["granary_egress_bytes_up_total"]) >= 5
    assert int(numbers["granary_egress_lookups_total"]) >= 1
    assert int(numbers['granary_egress_ended_total{outcome="not-declared"}']) >= 1
    assert int(numbers["granary_egress_accounts"]) >= 1


def test_what_a_new_release_asks_for_in_its_first_milliseconds_is_not_refused(platform, echo):
    """It is started anew within its deployment, which is recorded and published later: here much
    later."""
    tenant = platform.caller("early", [])
    assert platform.call(tenant, "early").get("status") is None
    release = platform.caller_release([f"localhost:{echo.port}"], early=True)

    def asked():
        answer = platform.request(tenant, "/api/early")
        return answer.json() if answer.status == 200 and "status" in answer.json() else None
    with platform.slow_control():
        platform.granary("tenant", "update", tenant, "--release", release, "--no-wait")
        found = wait_for(asked, 30, "the new release answers")
    assert found["status"] == 200, found


def test_a_running_silo_connects_again_after_the_role_was_killed(platform, echo, acme):
    first = platform.tunnel(acme, f"localhost:{echo.port}")
    killed = platform.kill("egress")
    while_away = platform.tunnel(acme, f"localhost:{echo.port}")
    platform.back("egress", killed)
    again = wait_for(
        lambda: (found := platform.tunnel(acme, f"localhost:{echo.port}"))["status"] == 200
        and found, 10, "the way out is open again")
    assert again["echo"] == "hello"
    assert again["nonce"] == first["nonce"] == while_away["nonce"]  # one life of the silo


def test_the_way_out_stays_open_while_control_is_down(platform, echo, acme):
    egress = platform.pid("egress")
    with platform.without("control"):
        assert platform.tunnel(acme, f"localhost:{echo.port}")["status"] == 200
        assert platform.tunnel(acme, "api.example.com:1")["status"] == 403
    wait_for(platform.ready, 30, "control is back")
    assert platform.pid("egress") == egress


def test_the_role_is_a_user_of_its_own_that_holds_nothing(platform):
    status = pathlib.Path(f"/proc/{platform.pid('egress')}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == [str(platform.uid_base + 2)] * 4
    assert int(fields["CapEff"], 16) == int(fields["CapPrm"], 16) == 0
    assert fields["NoNewPrivs"] == "1"
    assert fields["Seccomp"] == "2"
    folder = pathlib.Path(platform.data_dir) / "egress"
    assert folder.stat().st_uid == platform.uid_base + 2
    assert folder.stat().st_mode & 0o777 == 0o700


def test_without_the_operators_permission_an_inner_address_is_refused(strict, echo):
    tenant = strict.caller("acme", [f"localhost:{echo.port}"])
    came = echo.connections
    found = strict.tunnel(tenant, f"localhost:{echo.port}")
    assert found["status"] == 403
    assert "--egress-allow" in found["body"]
    assert echo.connections == came
    wait_for(lambda: " address-refused\n" in strict.egress_log(tenant), 5, "it is logged")


def test_a_network_that_is_none_is_refused_at_the_start(platform):
    done = subprocess.run([GRANARY, "egress", "--data-dir", platform.data_dir, "--egress-allow",
                           "localhost"], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert "is not a network" in done.stderr
