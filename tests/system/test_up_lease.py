"""One control at a time works on a database: the one that holds the lease (decision 23).

Another control is played by a row, since the lock on the data directory lets no second one in here.
"""

import contextlib
import os
import pathlib
import sqlite3
import time

import pytest
from platform_up import Refused, needs_root, running_platform, wait_for

pytestmark = needs_root

# store/limits.h: kLeaseRenew, kLeaseExpires; and the start of a role.
RENEW_SECONDS = 10
EXPIRE_SECONDS = 30
SLACK_SECONDS = 15


@pytest.fixture
def platform():
    with running_platform() as made:
        yield made


def lease(platform, *change):
    database = pathlib.Path(platform.data_dir, "control/granary.db")
    with contextlib.closing(sqlite3.connect(database, timeout=10)) as store:
        if change:
            store.execute(*change)
            store.commit()
        return store.execute("SELECT holder, fence FROM lease").fetchone()


def answers(platform):
    with contextlib.suppress(Refused, OSError):
        platform.granary("status")
        return True
    return False


def test_a_killed_control_is_back_at_once_and_has_the_next_fence(platform):
    holder, fence = lease(platform)
    assert holder.startswith(f"process {platform.pid('control')} on host "), holder
    began = time.monotonic()
    platform.back("control", platform.kill("control"))
    assert time.monotonic() - began < EXPIRE_SECONDS / 2, "it waited for a lease that was its own"
    again, next_fence = lease(platform)
    assert next_fence == fence + 1
    assert again.startswith(f"process {platform.pid('control')} on host "), again


def test_a_control_that_lost_its_lease_ends_and_the_next_one_waits_and_says_for_whom(platform):
    old = platform.pid("control")
    platform.tenant("acme")
    taken = lease(platform, "UPDATE lease SET holder = 'process 7 on host beta', place = 'beta', "
                            "fence = fence + 1, beat = 0")
    wait_for(lambda: not os.path.exists(f"/proc/{old}"), RENEW_SECONDS + SLACK_SECONDS,
             "the control that lost its lease ends")
    assert lease(platform) == taken, "it wrote although the lease was another's"
    wait_for(lambda: "waiting for the store: another control holds the lease on this store: "
                     "process 7 on host beta since" in platform.log.read_text(errors="replace"),
             SLACK_SECONDS, "the next control says who holds the lease")
    assert not answers(platform)
    assert platform.who("acme").pid, "tenants are served without control"
    wait_for(lambda: answers(platform), EXPIRE_SECONDS + 2 * SLACK_SECONDS,
             "it takes over from one that is silent")
    holder, fence = lease(platform)
    assert fence == taken[1] + 1
    assert holder.startswith(f"process {platform.pid('control')} on host "), holder
