"""Updates, suspensions and repairs of a tenant that is in use: who is under way is not cut."""

import pathlib
import threading
import time

import pytest
from platform_up import needs_root, together, wait_for

pytestmark = needs_root


class Under:
    """A request that takes its time, sent from a thread of its own."""

    def __init__(self, platform, tenant, seconds):
        # A POST: the gateway must not repeat it.
        path = f"/api/sleep?s={seconds}"
        self.thread = threading.Thread(target=self.run, args=(platform, tenant, path))
        self.answer = None
        self.thread.start()
        time.sleep(0.5)  # it is with the app by then

    def run(self, platform, tenant, path):
        self.answer = platform.request(tenant, path, "POST", body=b"once")

    def status(self):
        self.thread.join(timeout=60)
        return self.answer.status


@pytest.mark.parametrize(("name", "listen"), [("drained-fd", "fd"), ("drained-port", 8080)])
def test_an_update_lets_requests_under_way_end_of_an_app_that_dies_of_sigterm(shared, name, listen):
    tenant = shared.tenant(name, listen=listen, stop_timeout="10s")
    old = shared.who(tenant)
    under = Under(shared, tenant, 3)
    release = shared.release(listen=listen, stop_timeout="10s", env={"NEXT": "1"})

    def update(number):
        if number == 0:
            shared.granary("tenant", "update", tenant, "--release", release)
            return None
        time.sleep(0.1 * number)
        return shared.who(tenant)

    found = together(12, update)
    assert not [problem for problem in found if isinstance(problem, BaseException)], found
    assert under.status() == 200
    assert under.answer.json()["nonce"] == old.nonce
    assert shared.who(tenant).release != old.release


def test_what_takes_longer_is_cut_and_called_a_deployment(shared):
    tenant = shared.tenant("cut", stop_timeout="1s")
    shared.who(tenant)
    under = Under(shared, tenant, 20)
    begun = time.monotonic()
    shared.granary("tenant", "update", tenant, "--release",
                   shared.release(stop_timeout="1s", env={"NEXT": "1"}))
    assert under.status() == 502
    assert time.monotonic() - begun < 15
    told = "req it was stopped for a deployment: a request failed"
    wait_for(lambda: told in shared.logs(tenant), 5, f"the log says why:\n{shared.logs(tenant)}")
    assert shared.service(tenant)["last_failure"] == ""


def test_a_suspension_lets_requests_under_way_end(shared):
    tenant = shared.tenant("paused", stop_timeout="10s")
    shared.who(tenant)
    under = Under(shared, tenant, 2)
    shared.granary("tenant", "suspend", tenant)
    assert under.status() == 200
    assert shared.request(tenant, "/api/who").status == 403


def test_a_request_that_ends_the_app_is_not_sent_to_the_next_life(shared):
    tenant = shared.tenant("poisoned", idle="1s")
    before = shared.who(tenant)
    shared.wait_for_phase(tenant, "asleep")  # no connection is kept
    assert shared.request(tenant, "/api/die").status == 502
    assert shared.who(tenant).starts <= before.starts + 2


def test_a_larger_disk_comes_with_an_update_of_a_tenant_in_use(shared):
    tenant = shared.tenant("grower", quota="16Mi")
    small = shared.request(tenant, "/api/fill-disk").json()["written"]
    assert shared.request(tenant, "/api/keep", "PUT", body=b"from before").status == 200
    shared.granary("tenant", "update", tenant, "--release", shared.release(quota="64Mi"))
    assert shared.request(tenant, "/api/fill-disk").json()["written"] > small + (40 << 20)
    # A release that asks for less gets what is there: a rollback must not fail.
    shared.granary("tenant", "update", tenant, "--release", shared.release(quota="32Mi"))
    assert shared.request(tenant, "/api/keep").json() == {"kept": "from before"}
    assert shared.request(tenant, "/api/fill-disk").json()["written"] > small + (40 << 20)


def test_a_socket_that_is_removed_below_run_is_made_anew(shared):
    tenant = shared.tenant("unplugged")
    before = shared.who(tenant)
    socket = pathlib.Path(shared.data_dir, "run", "silo", tenant, "api.sock")
    socket.unlink()
    wait_for(lambda: socket.is_socket(), 10, "the socket is there again")
    assert shared.who(tenant).starts == before.starts + 1
