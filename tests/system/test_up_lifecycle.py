"""A tenant's life as its operator and its users see it: created, suspended, resumed, gone."""

import os
import time

import pytest
from platform_up import Refused, needs_root, wait_for

pytestmark = needs_root


def test_a_new_tenant_is_served_at_its_address_and_its_own_domain(shared):
    shared.tenant("newcomer", "--domain", "App.Newcomer.Example", "--name", "Newcomer Ltd")
    shown = shared.show("newcomer")
    assert (shown["state"], shown["health"], shown["isolation"]) == ("active", "healthy", "full")
    assert shown["name"] == "Newcomer Ltd"
    nonce = shared.who("newcomer").nonce
    for host in ("app.newcomer.example", "APP.newcomer.example:8080"):
        assert shared.request("", "/api/who", host=host).json()["nonce"] == nonce
    shared.granary("tenant", "update", "newcomer", "--remove-domain", "app.newcomer.example")
    assert shared.request("", "/api/who", host="app.newcomer.example").status == 404
    assert shared.who("newcomer").nonce == nonce


def test_a_domain_belongs_to_one_tenant(shared):
    shared.tenant("owner", "--domain", "taken.example")
    with pytest.raises(Refused) as refused:
        shared.granary("tenant", "create", "thief", "--domain", "taken.example", "--release",
                       shared.show("owner")["release"])
    assert refused.value.code == 4
    assert "taken.example" in refused.value.text
    with pytest.raises(Refused) as missing:
        shared.show("thief")
    assert missing.value.code == 3


def test_a_suspended_tenant_is_refused_and_runs_nothing_until_it_is_resumed(shared):
    shared.tenant("debtor", web={"index.html": b"<html></html>"})
    shared.request("debtor", "/api/keep", "PUT", body=b"owed")
    uid = shared.user_of("debtor")
    shared.granary("tenant", "suspend", "debtor")
    for path in ("/api/who", "/", "/elsewhere"):
        assert shared.request("debtor", path).status == 403
    wait_for(lambda: not shared.traces("debtor", uid), 10, "its processes end")
    assert shared.show("debtor")["state"] == "suspended"
    shared.granary("tenant", "resume", "debtor")
    wait_for(lambda: shared.request("debtor", "/").status == 200, 2, "it is served again")
    assert shared.request("debtor", "/api/keep").json() == {"kept": "owed"}


def test_what_a_command_did_holds_when_it_has_returned(shared):
    shared.tenant("toggled")
    for _ in range(6):
        shared.granary("tenant", "suspend", "toggled")
        assert shared.request("toggled", "/api/who").status == 403
        shared.granary("tenant", "resume", "toggled")
        assert shared.request("toggled", "/api/who").status == 200


@pytest.mark.parametrize(("name", "listen"), [("prompt-fd", "fd"), ("prompt-port", 8080)])
def test_a_service_that_ends_when_it_is_told_to_is_stopped_at_once(shared, name, listen):
    """Although the gateway keeps connections to it open."""
    shared.tenant(name, listen=listen)
    uid = shared.user_of(name)
    shared.who(name)
    begun = time.monotonic()
    shared.granary("tenant", "suspend", name)
    wait_for(lambda: not shared.traces(name, uid), 10, "its processes end")
    assert time.monotonic() - begun < 1.5


def test_a_suspension_reaches_requests_under_way(shared):
    """What is being answered may end or be cut, but nothing new begins."""
    shared.tenant("busy")
    with shared.connect() as connection, connection.makefile("rb") as stream:
        head = f"GET /api/sleep?s=30 HTTP/1.1\r\nHost: {shared.host('busy')}\r\n\r\n"
        connection.sendall(head.encode())
        shared.granary("tenant", "suspend", "busy")
        assert shared.request("busy", "/api/who").status == 403
        connection.settimeout(10)
        assert b" 200 " not in stream.readline()


def test_to_offboard_asks_first_and_a_dry_run_changes_nothing(shared):
    shared.tenant("hesitant")
    before = shared.who("hesitant").nonce
    asked = shared.run("tenant", "offboard", "hesitant")
    assert asked.returncode != 0
    assert "--yes" in asked.stderr
    plan = shared.granary("tenant", "offboard", "hesitant", "--dry-run")
    assert plan["steps"]
    assert plan["retain_ms"] == 30 * 24 * 3600 * 1000
    assert shared.show("hesitant")["state"] == "active"
    assert shared.who("hesitant").nonce == before


def test_an_offboarded_tenant_is_as_if_it_had_never_been(shared):
    shared.tenant("leaver", "--domain", "leaver.example", web={"index.html": b"<html></html>"})
    uid = shared.user_of("leaver")
    folder = os.path.join(shared.data_dir, "accounts", "leaver")
    assert os.path.exists(os.path.join(folder, "disk.img"))
    shared.granary("tenant", "offboard", "leaver", "--yes", "--retain", "0s")
    unknown = shared.request("never-was", "/")
    for host in (None, "leaver.example"):
        answer = shared.request("leaver", "/", host=host)
        assert (answer.status, answer.body) == (404, unknown.body)
    assert shared.run("tenant", "show", "leaver").returncode == 3
    assert not os.path.exists(folder)
    graveyard = os.path.join(shared.data_dir, "graveyard")
    wait_for(lambda: not os.listdir(graveyard), 10, "the data is destroyed")
    assert not shared.traces("leaver", uid)


def test_the_name_and_the_domain_of_an_offboarded_tenant_are_free_and_its_data_is_not(shared):
    shared.tenant("again", "--domain", "again.example")
    shared.request("again", "/api/keep", "PUT", body=b"of the first")
    shared.granary("tenant", "offboard", "again", "--yes", "--retain", "0s")
    shared.tenant("again", "--domain", "again.example")
    assert shared.request("again", "/api/keep", host="again.example").json() == {"kept": None}
    assert "of the first" not in shared.logs("again")


def test_retained_data_is_kept_and_the_tenant_not_served(shared):
    shared.tenant("retained")
    shared.granary("tenant", "offboard", "retained", "--yes", "--no-wait", "--retain", "1h")
    wait_for(lambda: shared.request("retained", "/api/who").status == 404, 10, "it is gone")
    assert os.path.exists(os.path.join(shared.data_dir, "accounts", "retained", "disk.img"))
    assert shared.show("retained")["state"] == "offboarding"


def test_a_frontend_learns_who_its_tenant_is(shared):
    shared.tenant("public", "--name", "Public Inc", "--set", "beta=on")
    told = shared.request("public", "/.well-known/granary/tenant")
    assert told.field("Content-Type") == "application/json"
    document = told.json()
    assert set(document) == {"name", "release", "state", "flags"}
    assert document["name"] == "Public Inc"
    assert document["state"] == "active"
    assert document["release"] == shared.show("public")["release"]


def test_settings_reach_the_app_and_a_change_restarts_it(shared):
    shared.tenant("configured", "--set", "beta=on")
    assert '"beta":"on"' in str(shared.request("configured", "/api/config").body).replace(" ", "")
    shared.granary("tenant", "update", "configured", "--set", "beta=off")
    assert '"beta":"off"' in str(shared.request("configured", "/api/config").body).replace(" ", "")


def test_discovery_tells_where_a_tenant_lives_and_nothing_else(shared):
    shared.tenant("found", "--domain", "found.example")
    bare = f"localhost:{shared.gateway_port}"
    path = "/.well-known/granary/discover?q="
    for query in ("found", "found.example"):
        answer = shared.request("", path + query, host=bare)
        assert answer.status == 200, answer
        assert set(answer.json()) == {"url"}
        assert "found" in answer.json()["url"]
    missing = shared.request("", path + "nobody", host=bare)
    assert missing.status == 404
    answers = [shared.request("", path + f"name{number}", host=bare) for number in range(30)]
    assert 429 in {answer.status for answer in answers}, "names may be tried without a limit"
    assert shared.request("found", path + "found").status in (404, 405)


def test_discovery_takes_an_email_address_by_its_domain(platform):
    platform.tenant("mailed", "--domain", "mailed.example")
    bare = f"localhost:{platform.gateway_port}"
    for query in ("someone@mailed.example", "someone%40mailed.example"):
        answer = platform.request("", "/.well-known/granary/discover?q=" + query, host=bare)
        assert answer.status == 200, answer
        assert "mailed" in answer.json()["url"]


def test_two_tenants_have_each_their_own_data_process_and_user(shared):
    release = shared.release()
    for tenant in ("left", "right"):
        shared.granary("tenant", "create", tenant, "--release", release)
        shared.request(tenant, "/api/keep", "PUT", body=tenant.encode())
    for tenant in ("left", "right"):
        assert shared.request(tenant, "/api/keep").json() == {"kept": tenant}
    assert shared.who("left").nonce != shared.who("right").nonce
    assert shared.user_of("left") != shared.user_of("right")


def test_the_status_counts_what_there_is(platform):
    release = platform.release()
    for tenant in ("one", "two", "three"):
        platform.granary("tenant", "create", tenant, "--release", release)
    platform.granary("tenant", "suspend", "three")
    status = platform.granary("status")
    assert status["accounts"] == 3
    assert status["by_state"] == {"active": 2, "suspended": 1}
    assert status["services"] == 3
    assert status["unhealthy"] == []
    assert status["by_phase"] == {"running": 2, "asleep": 1}


def test_logs_are_what_the_service_wrote_and_of_this_tenant_alone(shared):
    shared.tenant("speaker")
    shared.tenant("silent")
    shared.request("speaker", "/api/say?text=words-of-the-speaker")
    wait_for(lambda: "words-of-the-speaker" in shared.logs("speaker"), 5, "its line is there")
    assert "words-of-the-speaker" not in shared.logs("silent")


@pytest.mark.parametrize("name", ["Upper", "under_score", "-dash", "dash-", "dot.dot", "", "a" * 64,
                                  "../up", "a/b", "1digit", "umläut", "a\nb", "xn--a", "a--b",
                                  "localhost", "www", "granary", "api"])
def test_a_name_that_cannot_be_one_is_wrong_usage(shared, name):
    """Those that a host name could hold may be taken; none that could not."""
    done = shared.run("tenant", "create", "--release", "none", "--", name)
    if name in ("localhost", "www", "granary", "api", "a--b"):
        assert done.returncode in (2, 3, 4)
        return
    assert done.returncode == 2, done.stderr
    assert done.stderr


def test_a_tenant_is_made_once(shared):
    shared.tenant("unique")
    with pytest.raises(Refused) as refused:
        shared.granary("tenant", "create", "unique", "--release", shared.show("unique")["release"])
    assert refused.value.code == 4


def test_the_same_files_are_the_same_release(shared):
    first = shared.release(env={"MARK": "same"})
    assert shared.release(env={"MARK": "same"}) == first
    assert shared.release(env={"MARK": "other"}) != first
    ids = [release["id"] for release in shared.granary("release", "list")["items"]]
    assert ids.count(first) == 1


def test_an_update_serves_the_new_release_and_keeps_the_data(shared):
    shared.tenant("mover")
    shared.request("mover", "/api/keep", "PUT", body=b"moved along")
    before = shared.who("mover")
    release = shared.release(env={"MARK": "new release of mover"})
    shared.granary("tenant", "update", "mover", "--release", release)
    after = shared.who("mover")
    assert (before.release != after.release, after.release) == (True, release)
    assert shared.request("mover", "/api/keep").json() == {"kept": "moved along"}
