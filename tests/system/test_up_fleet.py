"""Plans, secrets, pins, domains, drift and the audit log, as operator and app see them."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from platform_up import Refused, needs_root, wait_for

pytestmark = needs_root


def memory_limit(platform, tenant):
    """Bytes, as the kernel holds the silo to them."""
    for top in platform.cgroups():
        for name in ("memory.max", "memory.limit_in_bytes"):
            for file in pathlib.Path(top, tenant).rglob(name):
                if file.parent != pathlib.Path(top, tenant):
                    return int(file.read_text())
    raise AssertionError(f"no memory limit of {tenant}")


def test_a_plan_bounds_its_tenants_and_a_change_of_it_reaches_them_live(shared):
    shared.granary("plan", "set", "small", "--max-memory", "48Mi", "--price", "9.00 EUR")
    shared.tenant("frugal", "--plan", "small", memory="64Mi")
    shared.tenant("free", memory="64Mi")
    for tenant in ("frugal", "free"):
        assert shared.who(tenant).nonce
    assert memory_limit(shared, "frugal") == 48 << 20
    assert memory_limit(shared, "free") == 64 << 20
    nonce = shared.who("free").nonce
    shared.granary("plan", "set", "small", "--max-memory", "40Mi", "--max-in-flight", "1")
    shared.settled()
    assert shared.who("frugal").nonce
    assert memory_limit(shared, "frugal") == 40 << 20
    assert shared.who("free").nonce == nonce
    with shared.connect() as held:
        head = f"GET /api/sleep?s=3 HTTP/1.1\r\nHost: {shared.host('frugal')}\r\n\r\n"
        held.sendall(head.encode())
        wait_for(lambda: shared.request("frugal", "/api/who").status == 429, 3, "one at a time")
    assert "small" in [item["name"] for item in shared.granary("plan", "list")["items"]]
    with pytest.raises(Refused) as in_use:
        shared.granary("plan", "delete", "small")
    assert in_use.value.code == 4


def test_a_secret_is_a_file_for_those_that_declare_it_and_nowhere_else(shared):
    value = "sk_live_" + os.urandom(12).hex()
    own = "sk_live_" + os.urandom(12).hex()
    shared.granary("secret", "set", "STRIPE_KEY", text=value + "\n")
    shared.tenant("paying", secrets=["STRIPE_KEY", "UNSET_KEY"])
    shared.tenant("other", secrets=["STRIPE_KEY"])
    shared.tenant("without")
    seen = shared.request("paying", "/api/secrets").json()
    assert seen["files"] == {"STRIPE_KEY": {"value": value, "mode": 0o400}}
    assert not seen["writable"]
    assert value not in json.dumps(seen["environment"])
    assert shared.request("without", "/api/secrets").json()["files"] == {}
    shared.granary("secret", "set", "STRIPE_KEY", "--tenant", "paying", text=own)
    shared.settled()
    assert shared.request("paying", "/api/secrets").json()["files"]["STRIPE_KEY"]["value"] == own
    assert shared.request("other", "/api/secrets").json()["files"]["STRIPE_KEY"]["value"] == value
    listed = shared.run("secret", "list", "-o", "json").stdout
    assert "STRIPE_KEY" in listed
    # Whatever the platform wrote down or says: the values are in none of it.
    said = listed + shared.run("audit", "-o", "json").stdout + shared.run(
        "operation", "list", "-o", "json").stdout + shared.log.read_text(errors="replace")
    for secret in (value, own):
        assert secret not in said
        found = subprocess.run(["grep", "-r", "-l", "-a", secret, shared.data_dir],
                               capture_output=True, text=True, check=False)
        assert found.stdout == ""
    shared.granary("secret", "unset", "STRIPE_KEY", "--tenant", "paying")
    shared.settled()
    assert shared.request("paying", "/api/secrets").json()["files"]["STRIPE_KEY"]["value"] == value


def test_a_secret_is_there_at_a_wake_without_control(platform):
    platform.granary("secret", "set", "STRIPE_KEY", text="kept by the agent")
    platform.tenant("asleep", secrets=["STRIPE_KEY"], idle="1s")
    platform.wait_for_phase("asleep", "asleep")
    old = platform.pid("agent")
    platform.kill("agent")
    platform.back("agent", old)
    with platform.without("control"):
        seen = platform.request("asleep", "/api/secrets").json()
    assert seen["files"]["STRIPE_KEY"]["value"] == "kept by the agent"
    wait_for(platform.ready, 20, "control is back")


def test_a_pinned_tenant_keeps_its_release(shared):
    shared.tenant("held")
    before = shared.show("held")["release"]
    shared.granary("tenant", "pin", "held")
    assert shared.show("held")["pinned"]
    other = shared.release(env={"NEWER": "1"})
    with pytest.raises(Refused) as refused:
        shared.granary("tenant", "update", "held", "--release", other)
    assert refused.value.code == 4
    assert "unpin" in refused.value.text
    assert shared.show("held")["release"] == before
    shared.granary("tenant", "unpin", "held")
    shared.granary("tenant", "update", "held", "--release", other)
    assert shared.show("held")["release"] == other


def test_flags_reach_the_app_and_the_frontend_and_settings_only_the_app(shared):
    shared.tenant("flagged", "--set", "flag.beta=true", "--set", "seats=5",
                  web={"index.html": b"<html></html>"})
    assert shared.request("flagged", "/api/config").json() == {
        "settings": {"seats": "5"}, "flags": {"beta": True}}
    document = shared.request("flagged", "/.well-known/granary/tenant").json()
    assert document["flags"] == {"beta": True}
    assert "seats" not in json.dumps(document)


def test_a_tenant_is_found_by_its_ways_and_nothing_else_is_told(shared):
    shared.tenant("known", "--email-domain", "known.example", "--email", "ann@elsewhere.example")
    bare = f"localhost:{shared.gateway_port}"

    def find(what):
        return shared.request("", f"/.well-known/granary/discover?q={what}", host=bare)
    for what in ("known", "bob@known.example", "ANN@elsewhere.example"):
        answer = find(what)
        assert answer.status == 200, what
        assert "known.localhost" in json.dumps(answer.json())
    for what in ("unknown", "bob@elsewhere.example", "known.exampl"):
        assert find(what).status == 404, what


def test_a_domain_that_is_not_proved_is_not_routed(shared):
    shared.tenant("claimer")
    claim = shared.granary("domain", "claim", "claimer", "shop.claimer.invalid")
    assert claim["token"]
    assert shared.request("", "/api/who", host="shop.claimer.invalid").status == 404
    with pytest.raises(Refused) as refused:
        shared.granary("domain", "verify", "claimer", "shop.claimer.invalid")
    assert refused.value.code == 4
    assert claim["token"] in refused.value.text
    assert shared.request("", "/api/who", host="shop.claimer.invalid").status == 404
    listed = shared.granary("domain", "list", "claimer")["items"]
    assert [item["domain"] for item in listed] == ["shop.claimer.invalid"]


def test_drift_is_found_named_and_mended(platform):
    platform.tenant("behind")
    platform.tenant("lost")
    assert platform.granary("drift")["items"] == []
    with platform.without("control"), platform.without("agent"):
        # As after a disk that was lost, and one that came from a backup.
        shutil.move(platform.data_dir + "/accounts/lost", platform.data_dir + "/accounts/stray")
        file = pathlib.Path(platform.data_dir, "accounts/stray/account.json")
        file.write_text(file.read_text().replace('"lost"', '"stray"'))
    wait_for(lambda: platform.run("drift").returncode == 0, 20, "the platform is back")
    found = {item["account"]: item["kind"] for item in platform.granary("drift")["items"]}
    assert found == {"lost": "missing", "stray": "orphan"}
    platform.granary("drift", "--repair")
    platform.settled()
    assert os.path.exists(platform.data_dir + "/accounts/stray")
    platform.granary("drift", "--repair", "--recreate", "lost", "--destroy", "stray", "--yes")
    platform.settled()
    assert platform.granary("drift")["items"] == []
    assert not os.path.exists(platform.data_dir + "/accounts/stray")
    assert platform.who("lost").uid is not None


def test_the_audit_log_says_who_did_what_and_finds_what_was_changed(platform):
    platform.tenant("watched")
    platform.granary("tenant", "update", "watched", "--name", "Watched Ltd")
    entries = platform.granary("audit", "--subject", "tenant/watched")["items"]
    assert [item["action"] for item in entries] == ["tenant.create", "tenant.update"]
    assert entries[1]["before"]["name"] == "watched"
    assert entries[1]["after"]["name"] == "Watched Ltd"
    assert entries[1]["actor"].startswith("token/")
    assert platform.run("audit", "--check").returncode == 0
    head = platform.granary("audit", "--head")
    platform.stop()
    subprocess.run(["sqlite3", platform.data_dir + "/control/granary.db",
                    "UPDATE audit SET actor = 'token/nobody' WHERE number = 2"], check=True)
    platform.start()
    done = platform.run("audit", "--check")
    assert done.returncode == 1
    assert re.search(r"entry 2 was changed", done.stdout + done.stderr)
    assert head["number"] >= 3
