"""A crash in a silo never starts the host's handler of crashes, which runs as root."""

import pathlib
import resource
import subprocess
import time

import pytest
from platform_up import needs_root, wait_for

pytestmark = needs_root

PATTERN = pathlib.Path("/proc/sys/kernel/core_pattern")
LATE = 1  # a handler that is started has written its line by then: it takes some ms


@pytest.fixture
def crashes(tmp_path):
    """What the machine's handler is told while this test runs: a line for each crash."""
    before = PATTERN.read_text()
    told = tmp_path / "told"
    told.touch()
    handler = tmp_path / "handler"
    handler.write_text(f'#!/bin/sh\necho "$@" >> {told}\n')
    handler.chmod(0o755)
    try:
        PATTERN.write_text(f"|{handler} %P\n")
    except OSError as problem:
        pytest.skip(f"core_pattern cannot be set here: {problem}")
    try:
        yield lambda: told.read_text().split()
    finally:
        PATTERN.write_text(before)


def crash(limit):
    """On the host, with this limit of core files. Its process id."""
    child = subprocess.Popen(["sh", "-c", "kill -ABRT $$"], stderr=subprocess.DEVNULL,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE,
                                                                   (limit, limit)))
    child.wait()
    return str(child.pid)


def test_no_handler_is_started_for_a_crash_in_a_silo(siege, crashes):
    result = siege.attempt("core-dump")
    assert result["outcome"] == "held", result
    time.sleep(LATE)
    assert crashes() == []


def test_a_limit_of_nothing_would_not_hold_it(siege, crashes):
    """The wall taken down: the handler works, and 0, which looks like less, starts it."""
    assert siege.victim_is_well()
    crash(1)
    started = crash(0)
    wait_for(lambda: crashes() != [], 5, "the handler is started")
    time.sleep(LATE)
    assert crashes() == [started]


def test_the_limit_in_a_silo_is_that_of_the_kernels_mark(siege):
    limits = pathlib.Path(f"/proc/{siege.known['victim_pid']}/limits").read_text()
    line = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert line.split()[4:6] == ["1", "1"], line
