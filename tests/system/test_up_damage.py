"""Accounts of which something on disk is broken: named, mended where nothing is lost by it, and
never made good by an empty disk in silence."""

import contextlib
import os
import pathlib

import pytest
from platform_up import Refused, needs_root, wait_for

pytestmark = needs_root


def file_of(platform, tenant, name):
    return pathlib.Path(platform.data_dir, "accounts", tenant, name)


def keep(platform, tenant, text):
    assert platform.request(tenant, "/api/keep", "PUT", body=text.encode()).status == 200


def kept(platform, tenant):
    return platform.request(tenant, "/api/keep").json()["kept"]


def asleep_with_data(platform, tenant):
    """A tenant whose disk nobody uses now."""
    platform.tenant(tenant, idle="1s")
    keep(platform, tenant, f"of {tenant}")
    platform.wait_for_phase(tenant, "asleep")
    wait_for(lambda: not [line for line in platform.loops() if f"/{tenant}/" in line], 5,
             "its disk is released")


def drift(platform):
    def found():
        with contextlib.suppress(Refused):  # the agent may be on its way back
            return [platform.granary("drift")]
        return None
    document = wait_for(found, 20, "drift answers")[0]
    return {item["account"]: item for item in document["items"]}


def again(platform):
    """Another agent, which reads what is on disk."""
    platform.back("agent", platform.kill("agent"))


def test_an_account_file_that_is_damaged_or_gone_is_mended_and_keeps_its_data(platform):
    for tenant in ("torn", "gone", "whole"):
        asleep_with_data(platform, tenant)
    file_of(platform, "torn", "account.json").write_text('{"account": "to')
    file_of(platform, "gone", "account.json").unlink()
    again(platform)
    found = drift(platform)
    assert {tenant: item["kind"] for tenant, item in found.items()} == {
        "torn": "damaged", "gone": "damaged"}
    assert "account.json cannot be read" in found["torn"]["detail"]
    assert "no account.json" in found["gone"]["detail"]
    assert found["torn"]["advice"].endswith("granary drift --repair")
    assert "account.json" in platform.show("torn")["cloud_problem"]
    assert kept(platform, "whole") == "of whole"
    platform.granary("drift", "--repair")
    platform.settled()
    assert drift(platform) == {}
    for tenant in ("torn", "gone", "whole"):
        assert kept(platform, tenant) == f"of {tenant}"


def test_a_lost_disk_is_never_replaced_by_an_empty_one_and_comes_back_from_an_archive(
        platform, tmp_path):
    asleep_with_data(platform, "acme")
    archive = str(tmp_path / "acme.tar")
    platform.granary("tenant", "export", "acme", "--to", archive)
    platform.wait_for_phase("acme", "asleep")
    file_of(platform, "acme", "disk.img").unlink()
    found = drift(platform)["acme"]
    assert (found["kind"], found["detail"]) == ("damaged", "its disk is gone")
    assert platform.request("acme", "/api/keep").status == 503
    with pytest.raises(Refused) as refused:
        platform.granary("tenant", "update", "acme", "--name", "Acme Ltd")
    assert "account acme: its disk is gone" in refused.value.text
    platform.granary("drift", "--repair")
    platform.settled()
    assert not file_of(platform, "acme", "disk.img").exists()
    platform.granary("tenant", "restore", "acme", "--from", archive, "--replace", "--yes")
    platform.settled()
    assert drift(platform) == {}
    assert kept(platform, "acme") == "of acme"


def test_a_half_deleted_disk_is_named_and_made_anew_only_by_name(platform):
    asleep_with_data(platform, "half")
    asleep_with_data(platform, "locked")
    image = file_of(platform, "half", "disk.img")
    os.truncate(image, image.stat().st_size // 2)
    file_of(platform, "locked", "disk.key").unlink()  # as if destroying it had stopped there
    found = drift(platform)
    assert "its disk ends after" in found["half"]["detail"]
    assert "key of its encrypted disk is gone" in found["locked"]["detail"]
    assert "--recreate half" in found["half"]["advice"]
    before = image.stat().st_size
    platform.granary("drift", "--repair", "--recreate", "locked", "--yes")
    platform.settled()
    assert set(drift(platform)) == {"half"}
    assert image.stat().st_size == before
    assert kept(platform, "locked") is None
    platform.granary("tenant", "offboard", "half", "--retain", "0s", "--yes")
    platform.settled()
    assert drift(platform) == {}
    assert not file_of(platform, "half", "disk.img").exists()
