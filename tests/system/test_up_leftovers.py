"""What is left of a tenant that was offboarded, on disk: nothing but control's own records."""

import contextlib
import os
import pathlib

import pytest
from platform_up import needs_root, wait_for

pytestmark = needs_root

NAME = "leaver-5k7"
LARGE = 8 << 20
MARKER = b"marker-93b1c7"  # in a request's target: the access log has it


def named(platform, name):
    """Whatever lies in the data directory under this name."""
    found = []
    for folder, folders, files in os.walk(platform.data_dir):
        found += [os.path.join(folder, entry) for entry in folders + files if name in entry]
    return found


def holding(platform, marker):
    """Files outside of control's that have these bytes in them; disks, which are large, and
    encrypted, are not looked at, nor are devices."""
    found = []
    for folder, _, files in os.walk(platform.data_dir):
        if folder.startswith(platform.data_dir + "/control"):
            continue
        for file in files:
            path = pathlib.Path(folder, file)
            with contextlib.suppress(OSError):
                if path.is_file() and path.stat().st_size < LARGE and marker in path.read_bytes():
                    found.append(str(path))
    return found


@pytest.fixture
def left(platform):
    """A tenant that was there, and was seen to leave traces."""
    platform.tenant(NAME)
    assert platform.request(NAME, f"/api/who?{MARKER.decode()}").status == 200
    wait_for(lambda: holding(platform, MARKER), 5, "its access log is written")
    assert named(platform, NAME)
    platform.granary("tenant", "suspend", NAME)
    assert holding(platform, MARKER), "suspended is not gone"
    return platform


def test_nothing_in_the_data_directory_has_its_name_or_what_it_was_asked(left):
    left.granary("tenant", "offboard", NAME, "--yes", "--retain", "0s")
    wait_for(lambda: not named(left, NAME) and not holding(left, MARKER), 10,
             "nothing is left of it")


def test_the_next_of_its_name_begins_anew_although_the_gateway_was_away(left):
    with left.without("gateway"):
        left.granary("tenant", "offboard", NAME, "--yes", "--retain", "0s")
        left.granary("tenant", "create", NAME, "--release", left.release(), "--no-wait")
    wait_for(left.ready, 20, "the gateway is back")
    wait_for(lambda: not holding(left, MARKER), 10, "its access log is gone")
    assert left.request(NAME, "/api/who").status == 200
    wait_for(lambda: left.log_of_requests(NAME), 5, "there is a new access log")
    assert MARKER.decode() not in left.log_of_requests(NAME)
