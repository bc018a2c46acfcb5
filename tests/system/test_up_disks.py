"""No app can make a disk that cannot be exported, restored equal, and offboarded."""

import json
import pathlib
import shutil
import tarfile
import time

import pytest
from platform_up import PROBE, app_folder, needs_root, wait_for

pytestmark = needs_root

APP = pathlib.Path(__file__).with_name("disk_app.py")


def tenant(platform, name, **options):
    folder = app_folder(platform.folder / f"disk-{time.monotonic_ns()}", memory="256Mi", **options)
    shutil.copy(PROBE, folder / "probe.py")
    shutil.copy(APP, folder / "main.py")
    release = platform.granary("release", "create", str(folder))["id"]
    platform.granary("tenant", "create", name, "--release", release)
    return name


def make(platform, name, kinds):
    answer = platform.request(name, f"/api/make?kind={kinds}", "POST", timeout=120)
    assert answer.status == 200, answer
    return found(platform, name)


def found(platform, name):
    answer = platform.request(name, "/api/lines", timeout=120)
    assert answer.status == 200, answer
    return answer.json()["lines"]


def assert_equal(lines, expected):
    """Not all of it in the report: these are thousands."""
    differing = [pair for pair in zip(lines, expected, strict=False) if pair[0] != pair[1]]
    assert not differing, (len(differing), differing[:5])
    assert len(lines) == len(expected)


def export(platform, name, folder):
    """The archive, and what was said of it."""
    file = folder / f"{name}.tar"
    done = platform.run("tenant", "export", name, "--to", str(file))
    assert done.returncode == 0, done.stderr
    return file, done.stderr


def last_result(platform, name, kind):
    listed = platform.granary("operation", "list", "--subject", f"tenant/{name}")["items"]
    newest = max((item for item in listed if item["kind"] == kind), key=lambda item: item["id"])
    return platform.granary("operation", "show", newest["id"])["result"]


def offboard(platform, name):
    """With a final export, to its end."""
    platform.granary("tenant", "offboard", name, "--retain", "1s", "--yes", "--no-wait")
    wait_for(lambda: platform.run("tenant", "show", name).returncode == 3, 60, f"{name} is gone")


@pytest.mark.parametrize("kinds", ["nest", "hard", "deep"])
def test_a_disk_of_the_smallest_size_comes_back_and_its_tenant_can_leave(shared, tmp_path, kinds):
    """300 folders in folders and 5,000 names of one file made both fail for good; 4,000 folders
    have a path that no system call takes."""
    name = tenant(shared, f"made-{kinds}", quota="16Mi" if kinds == "hard" else "64Mi")
    before = make(shared, name, kinds)
    assert len(before) > 300
    archive, _ = export(shared, name, tmp_path)
    shared.granary("tenant", "restore", f"back-{kinds}", "--from", str(archive))
    assert_equal(found(shared, f"back-{kinds}"), before)
    offboard(shared, name)


def test_whatever_the_kernel_lets_an_app_make_comes_back_and_the_rest_is_told(shared, tmp_path):
    name = tenant(shared, "inventive", quota="64Mi")
    before = make(shared, name, "names,links,holes,odd,left_out,hard,nest")
    archive, said = export(shared, name, tmp_path)
    expected = {"sockets": 2, "fifos": 1, "set_id_bits": 2}
    told = last_result(shared, name, "tenant.export")["left_out"]
    assert {kind: told[kind] for kind in told if kind != "first"} == expected
    assert "disk/app.sock" in told["first"]
    assert "left out: 2 sockets, 1 fifo, set-uid bits of 2 files (first: " in said
    with tarfile.open(archive) as tar:
        assert json.load(tar.extractfile("archive.json"))["data"]["left_out"] == told
    shared.granary("tenant", "restore", "inherits", "--from", str(archive))
    assert_equal(found(shared, "inherits"), before)
    # And once more, from there: nothing is left out of what was left out.
    again, said = export(shared, "inherits", tmp_path)
    assert "left out" not in said
    shared.granary("tenant", "restore", "inherits", "--from", str(again), "--replace", "--yes")
    assert_equal(found(shared, "inherits"), before)
    operation = shared.granary("tenant", "offboard", name, "--retain", "1h", "--yes")
    assert operation["result"]["left_out"] == told
    shared.granary("operation", "cancel", operation["id"])
    shared.granary("tenant", "resume", name)
    assert_equal(found(shared, name), before)


def test_a_full_disk_fits_on_another_of_its_size(shared, tmp_path):
    name = tenant(shared, "brimming", quota="16Mi")
    before = make(shared, name, "full")
    archive, _ = export(shared, name, tmp_path)
    shared.granary("tenant", "restore", "refilled", "--from", str(archive))
    assert_equal(found(shared, "refilled"), before)
    offboard(shared, name)
