"""Whatever dies, tenants are served: each role is killed in turn, and then all of them.

Equal nonces come from one process: that a silo was adopted, and not started anew.
"""

import os
import signal
import time

import pytest
from platform_up import needs_root, state_of, wait_for

pytestmark = needs_root


@pytest.fixture
def tenants(platform):
    """One that is up and stays so, one that has fallen asleep."""
    platform.tenant("up")
    platform.tenant("down", idle="1s")
    platform.up = platform.who("up")
    platform.down = platform.who("down")
    platform.wait_for_phase("down", "asleep")
    return platform


def test_without_control_tenants_are_served_woken_and_put_to_sleep(tenants):
    platform = tenants
    uid = None
    with platform.without("control"):
        assert platform.run("tenant", "list").returncode == 5
        assert platform.who("up").nonce == platform.up.nonce
        first = platform.who("down")
        assert first.nonce != platform.down.nonce
        uid = platform.user_of("down")
        wait_for(lambda: not platform.traces("down", uid), 10, "it sleeps without control")
        assert platform.who("down").nonce != first.nonce
        assert platform.run("tenant", "list").returncode == 5, "control was back: nothing was shown"
    wait_for(platform.ready, 20, "control is back")
    assert platform.show("up")["state"] == "active"
    assert platform.who("up").nonce == platform.up.nonce


def test_a_stopped_control_holds_nothing_up(tenants):
    platform = tenants
    pid = platform.pid("control")
    os.kill(pid, signal.SIGSTOP)
    try:
        assert platform.who("up").nonce == platform.up.nonce
        assert platform.who("down").nonce != platform.down.nonce
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_killed_agent_leaves_silos_running_and_adopts_them(tenants):
    platform = tenants
    awake = platform.who("down")
    with platform.without("agent"):
        for _ in range(5):
            assert platform.who("up").nonce == platform.up.nonce
    wait_for(platform.ready, 20, "all is well")
    wait_for(lambda: platform.service("up")["phase"] == "running", 10, "it is adopted")
    assert platform.who("up").nonce == platform.up.nonce
    uid = platform.user_of("down")
    platform.wait_for_phase("down", "asleep")
    wait_for(lambda: not platform.traces("down", uid), 5, "nothing is left of it")
    assert platform.who("down").nonce != awake.nonce


def test_a_request_for_a_sleeping_tenant_waits_for_a_killed_agent(tenants):
    platform = tenants
    old = platform.kill("agent")
    assert platform.who("down").nonce != platform.down.nonce
    assert platform.pid("agent") != old


def test_an_agent_killed_while_it_wakes_does_not_lose_the_request(tenants):
    platform = tenants
    platform.tenant("slow", idle="1s", env={"SLOW_START": "1"})
    platform.wait_for_phase("slow", "asleep")
    with platform.connect() as connection, connection.makefile("rb") as stream:
        connection.sendall(f"GET /api/who HTTP/1.1\r\nHost: {platform.host('slow')}\r\n\r\n"
                           .encode())
        time.sleep(0.3)
        platform.kill("agent")
        assert stream.readline() == b"HTTP/1.1 200 OK\r\n"


def test_a_killed_gateway_comes_back_to_the_same_silos(tenants):
    platform = tenants
    old = platform.kill("gateway")
    platform.back("gateway", old)
    assert platform.who("up").nonce == platform.up.nonce
    assert platform.who("down").nonce != platform.down.nonce
    platform.wait_for_phase("down", "asleep")  # the requests in flight at the kill do not count


def test_requests_in_flight_at_the_gateways_death_do_not_keep_a_service_awake(tenants):
    platform = tenants
    with platform.connect() as connection:
        connection.sendall(f"GET /api/sleep?s=1 HTTP/1.1\r\nHost: {platform.host('down')}\r\n\r\n"
                           .encode())
        wait_for(lambda: platform.service("down")["phase"] == "running", 5, "it is woken")
        old = platform.kill("gateway")
    platform.back("gateway", old)
    platform.wait_for_phase("down", "asleep")


def test_after_the_death_of_up_another_takes_over_all_that_runs(tenants):
    platform = tenants
    roles = [platform.pid(role) for role in ("agent", "control", "gateway")]
    platform.process.kill()
    platform.process.wait()
    wait_for(lambda: all(state_of(pid) in (None, "Z") for pid in roles), 10,
             "no role outlives `up`")
    platform.start()
    assert platform.who("up").nonce == platform.up.nonce
    assert platform.who("down").starts > platform.down.starts
    wait_for(lambda: platform.service("up")["phase"] == "running", 10, "it is adopted")


def test_after_the_death_of_all_silos_included_the_next_visitor_wakes_them(tenants):
    platform = tenants
    platform.process.kill()
    platform.process.wait()
    wait_for(lambda: not platform.pid("agent"), 10, "the agent ends with `up`")
    for pid in platform.silo_pids("up"):
        os.kill(pid, signal.SIGKILL)
    platform.start()
    again = platform.who("up")
    assert again.nonce != platform.up.nonce
    assert again.starts == platform.up.starts + 1


def test_an_orderly_end_and_a_new_start_keep_tenants_and_data(tenants):
    platform = tenants
    platform.request("up", "/api/keep", "PUT", body=b"through the night")
    assert platform.stop() == 0
    platform.assert_nothing_left()
    platform.start()
    assert platform.request("up", "/api/keep").json() == {"kept": "through the night"}
    assert [tenant["id"] for tenant in platform.granary("tenant", "list")["items"]] == ["down",
                                                                                         "up"]


def test_an_orderly_end_leaves_nothing_although_the_agent_has_just_died(tenants):
    platform = tenants
    with platform.without("agent"):
        time.sleep(1)  # so that its next restart is some time away
    assert platform.stop() == 0
    platform.assert_nothing_left()
