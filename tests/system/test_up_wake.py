"""Waking and sleeping: an idle tenant costs nothing, and its visitors do not notice."""

import random
import time

import pytest
from platform_up import needs_root, together, wait_for
from raw_http import Cut, read_answer

pytestmark = needs_root


def put_to_sleep(platform, tenant):
    """Waits until it sleeps, and nothing of it is left. It was running."""
    uid = platform.user_of(tenant)
    platform.wait_for_phase(tenant, "asleep")
    wait_for(lambda: not platform.traces(tenant, uid), 5, f"nothing is left of {tenant}")


def test_an_idle_service_sleeps_without_a_trace_and_its_next_visitor_wakes_it(shared):
    tenant = shared.tenant("sleeper", idle="1s")
    before = shared.who(tenant)
    put_to_sleep(shared, tenant)
    after = shared.who(tenant)
    assert after.nonce != before.nonce
    assert after.starts == before.starts + 1


def test_a_request_is_held_until_a_slow_service_answers(shared):
    tenant = shared.tenant("slow", idle="1s", env={"SLOW_START": "1.5"})
    shared.who(tenant)
    put_to_sleep(shared, tenant)
    begun = time.monotonic()
    shared.who(tenant)
    assert 1.4 < time.monotonic() - begun < 8


@pytest.mark.parametrize(("name", "listen"), [("punctual-fd", "fd"), ("punctual-port", 8080)])
def test_a_service_sleeps_when_its_idle_time_is_over(platform, name, listen):
    """Alone on its platform, so that no other service has the agent look sooner."""
    tenant = platform.tenant(name, idle="1s", listen=listen)
    platform.who(tenant)
    begun = time.monotonic()
    platform.wait_for_phase(tenant, "asleep")
    assert 0.9 < time.monotonic() - begun < 2.5


@pytest.mark.parametrize(("name", "listen"), [("crowd-fd", "fd"), ("crowd-port", 8080)])
def test_fifty_requests_at_once_cause_one_start(shared, name, listen):
    tenant = shared.tenant(name, idle="2s", listen=listen, processes=128,
                           env={"SLOW_START": "0.3"})
    shared.who(tenant)
    put_to_sleep(shared, tenant)
    wakes = shared.service(tenant)["wakes"]
    found = together(50, lambda _: shared.who(tenant))
    assert not [problem for problem in found if isinstance(problem, BaseException)]
    assert len({who.nonce for who in found}) == 1
    assert shared.service(tenant)["wakes"] == wakes + 1


def visit_at_the_edge(platform, tenant, seed):
    """Visits about when the service is put to sleep since the last visit is so long ago."""
    chance = random.Random(seed)
    seen = set()
    for _ in range(6):
        seen.add(platform.who(tenant).nonce)
        answer = platform.request(tenant, "/api/seen", "POST", body=b"not to be sent twice")
        assert answer.status == 200, answer
        time.sleep(chance.uniform(0.9, 1.4))
    return seen


def test_no_request_is_lost_between_sleep_and_wake(shared):
    tenants = [shared.tenant("edge-fd-1", idle="1s"), shared.tenant("edge-fd-2", idle="1s"),
               shared.tenant("edge-port-1", idle="1s", listen=8080),
               shared.tenant("edge-port-2", idle="1s", listen=8080)]
    found = together(4, lambda number: visit_at_the_edge(shared, tenants[number], number))
    problems = [problem for problem in found if isinstance(problem, BaseException)]
    assert not problems, problems
    assert max(len(seen) for seen in found) > 1, "none ever slept: nothing was tried"


@pytest.mark.parametrize(("name", "listen"), [("closing-fd", "fd"), ("closing-port", 8080)])
def test_a_request_to_a_service_that_is_being_put_to_sleep_is_served_soon(shared, name, listen):
    """Even where nobody waits long for a start, and the gateway keeps connections open."""
    tenant = shared.tenant(name, idle="1s", listen=listen, start_timeout="1s")
    shared.who(tenant)
    wait_for(lambda: shared.service(tenant)["phase"] != "running", 15, "it is being stopped")
    begun = time.monotonic()
    shared.who(tenant)
    assert time.monotonic() - begun < 1


def test_a_kept_connection_outlives_the_sleep_of_its_service(shared):
    tenant = shared.tenant("patient", idle="1s")
    asked = f"GET /api/who HTTP/1.1\r\nHost: {shared.host(tenant)}\r\n\r\n".encode()
    with shared.connect() as connection, connection.makefile("rb") as stream:
        connection.sendall(asked)
        first = read_answer(stream).json()
        put_to_sleep(shared, tenant)
        connection.sendall(asked)
        assert read_answer(stream).json()["nonce"] != first["nonce"]


def test_a_service_that_crashes_at_start_says_why_to_the_operator_alone(shared):
    tenant = "crasher"
    shared.run("tenant", "create", tenant, "--no-wait", "--release",
               shared.release(env={"PROBE": "crash"}))
    wait_for(lambda: shared.show(tenant)["state"] == "active", 10, "it is made")
    answer = wait_for(lambda: refused_quickly(shared, tenant), 10, "it backs off")
    assert int(answer.field("Retry-After")) >= 1
    assert b"9c1f" not in answer.body
    assert b"exit" not in answer.body
    assert "7" in shared.service(tenant)["last_failure"]
    assert "9c1f" in shared.service(tenant)["last_failure"]
    assert "the reason is 9c1f" in shared.logs(tenant)


def refused_quickly(platform, tenant):
    begun = time.monotonic()
    answer = platform.request(tenant, "/api/who")
    assert answer.status == 503, answer
    return answer if time.monotonic() - begun < 0.1 else None


def test_a_crashing_release_fails_its_check_and_the_command_says_so(shared):
    made = shared.run("tenant", "create", "unwell", "--release",
                      shared.release(env={"PROBE": "crash"}, start_timeout="1s"))
    shown = shared.show("unwell")
    assert (shown["health"], made.returncode) == ("unhealthy", 1), made.stderr
    assert "unwell" in [bad["id"] for bad in shared.granary("status")["unhealthy"]]


def test_a_service_that_never_listens_is_given_up_after_its_start_timeout(shared):
    tenant = "deaf"
    shared.run("tenant", "create", tenant, "--no-wait", "--release",
               shared.release(env={"PROBE": "deaf"}, start_timeout="1s", health=False))
    wait_for(lambda: shared.show(tenant)["state"] == "active", 10, "it is made")
    begun = time.monotonic()
    answer = shared.request(tenant, "/api/who")
    assert answer.status == 503
    assert int(answer.field("Retry-After")) >= 1
    assert 0.9 < time.monotonic() - begun < 4


def test_a_service_that_dies_while_answering_is_a_bad_gateway_and_starts_again(shared):
    tenant = shared.tenant("mortal")
    before = shared.who(tenant)
    answer = shared.request(tenant, "/api/die", "POST")
    assert answer.status == 502
    assert shared.who(tenant).nonce != before.nonce


def test_a_service_that_dies_in_a_body_cuts_the_connection(shared):
    tenant = shared.tenant("halfway")
    with pytest.raises(Cut):
        shared.request(tenant, "/api/die-in-body")
    assert shared.who(tenant).starts > 1
