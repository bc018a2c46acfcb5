"""Who uses much CPU steps back before its neighbours, and has its share again once it is calm."""

import pathlib
import threading

from platform_up import needs_root, wait_for

pytestmark = needs_root


def levels(platform, tenant):
    """What the kernel holds of the tenant's accounts: 1 where it runs in what is left."""
    found = [pathlib.Path(top, tenant, "cpu.idle") for top in platform.cgroups()]
    return {int(file.read_text()) for file in found if file.exists()}


def yields(platform, tenant):
    return platform.show(tenant).get("yields_cpu", False)


def test_a_tenant_that_spins_yields_until_it_is_calm(shared):
    shared.tenant("spinning", idle="never")
    shared.tenant("calm", idle="never")
    assert shared.who("calm").nonce
    spinning = threading.Thread(target=shared.request, args=("spinning", "/api/spin?s=6"))
    spinning.start()
    wait_for(lambda: yields(shared, "spinning"), 6, "it yields")
    assert levels(shared, "spinning") == {1}
    assert levels(shared, "calm") == {0}
    assert not yields(shared, "calm")
    assert "yields to others" in shared.run("tenant", "show", "spinning").stdout
    spinning.join()
    wait_for(lambda: not yields(shared, "spinning"), 20, "it has its share again")
    assert levels(shared, "spinning") == {0}


def test_the_gateway_competes_beside_the_accounts(shared):
    shared.tenant("served")
    assert shared.who("served").nonce
    groups = pathlib.Path(f"/proc/{shared.pid('gateway')}/cgroup").read_text()
    assert "/_platform\n" in groups
