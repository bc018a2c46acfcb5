"""A leap of the wall clock ends nothing until an operator says that the clock is right.

The clock that the roles see is moved by a preloaded library; this machine's own is never touched.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import time
import urllib.request

import pytest
from control import GRANARY
from platform_up import Platform, Refused, needs_root, wait_for
from preload import preloaded

pytestmark = needs_root

DAY = 24 * 3600
LEAP_DAYS = 390
# Control removes archives whose time has come so long after its start (app/limits.h: kTidyFirst).
FIRST_TIDY_SECONDS = 30


@pytest.fixture(scope="module")
def shifter():
    with preloaded("shift_clock") as library:
        yield library


class Shifted:
    """A platform whose clock can be moved."""

    def __init__(self, library):
        self.platform = Platform()
        self.file = pathlib.Path(self.platform.data_dir, "control/clock-shift")
        self.platform.start(env={**os.environ, "LD_PRELOAD": str(library),
                                 "GRANARY_TEST_CLOCK": str(self.file)})
        self.token = pathlib.Path(self.platform.data_dir, "control/operator.token")

    def leap(self, seconds):
        half = self.file.with_name("clock-shift.new")
        half.write_text(str(seconds))
        half.chmod(0o644)
        half.rename(self.file)

    def post(self, path, body):
        request = urllib.request.Request(
            self.platform.api + path, json.dumps(body).encode(), method="POST",
            headers={"Authorization": f"Bearer {self.token.read_text().strip()}",
                     "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def archives(self):
        """That are known, and those whose files are there."""
        folder = pathlib.Path(self.platform.data_dir, "archives")
        known = {item["id"] for item in self.platform.granary("archive", "list")["items"]}
        return known, {file.stem for file in folder.glob("*.tar")}

    def restart_control(self):
        old = self.platform.kill("control")
        self.platform.back("control", old)
        return time.monotonic()


@pytest.fixture
def shifted(shifter):
    made = Shifted(shifter)
    try:
        yield made
        assert made.platform.stop() == 0
        made.platform.assert_nothing_left()
    finally:
        made.platform.clean_up()


def test_a_leap_ends_nothing_until_an_operator_accepts_it(shifted):
    platform = shifted.platform
    platform.tenant("stays")
    platform.tenant("leaves")
    exported = shifted.post("/v1/tenants/stays/export", {"keep": "30d"})
    platform.granary("operation", "wait", exported["id"])
    token = platform.granary("token", "create", "--role", "viewer", "--ttl", "30d")["secret"]
    leaving = platform.granary("tenant", "offboard", "leaves", "--retain", "30d", "--yes")
    kept, files = shifted.archives()
    assert exported["id"] in kept and len(kept) == 2 and kept == files

    def viewer():
        return platform.granary("status", "--token", token)

    shifted.leap(LEAP_DAYS * DAY)
    started = shifted.restart_control()
    wait_for(lambda: time.monotonic() - started > FIRST_TIDY_SECONDS + 5,
             FIRST_TIDY_SECONDS + 10, "control has tidied up")
    assert shifted.archives() == (kept, files)
    assert platform.show("leaves")["state"] == "offboarding"
    assert os.path.exists(platform.data_dir + "/accounts/leaves")
    assert f"{LEAP_DAYS} days ahead" in viewer()["clock_problem"]
    waiting = platform.granary("operation", "show", leaving["id"])
    assert waiting["state"] == "waiting" and "days ahead" in waiting["clock_problem"]
    clock = platform.granary("clock", "show")
    assert (clock["standing"], clock["retentions"], clock["archives"]) == ("ahead", 1, 1)
    assert clock["tokens"] == 1
    assert "granary clock accept" in platform.run("clock", "show").stdout
    with pytest.raises(Refused):
        platform.granary("clock", "accept", text="no\n")
    assert platform.show("leaves")["state"] == "offboarding"

    assert platform.granary("clock", "accept", "--yes")["standing"] == "agrees"

    def gone():
        return platform.granary("operation", "show", leaving["id"])["state"] == "succeeded"
    wait_for(gone, 30, "the offboarding goes on")
    assert not os.path.exists(platform.data_dir + "/accounts/leaves")
    with pytest.raises(Refused) as refused:
        viewer()
    assert "not valid" in refused.value.text
    with contextlib.suppress(FileNotFoundError):
        shifted.file.unlink()


def doctor(platform):
    """What it says of the clock."""
    done = subprocess.run(
        [GRANARY, "doctor", "-o", "json", "--api", platform.api.removeprefix("http://")],
        env={**os.environ, "GRANARY_DATA_DIR": platform.data_dir}, capture_output=True, text=True,
        check=False, timeout=60)
    assert done.returncode == 0, done
    return next(item for item in json.loads(done.stdout)["items"] if item["name"] == "clock")


def test_a_clock_that_is_set_right_is_followed_again(shifted):
    shifted.leap(-3 * DAY)
    problem = shifted.platform.granary("status")["clock_problem"]
    assert "3 days behind" in problem or "2 days behind" in problem
    found = doctor(shifted.platform)
    assert not found["ok"] and "days behind" in found["detail"]
    assert "granary clock accept" in found["advice"]
    shifted.leap(0)
    assert doctor(shifted.platform)["ok"]
    assert "clock_problem" not in shifted.platform.granary("status")
