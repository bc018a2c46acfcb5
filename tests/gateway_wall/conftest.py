"""The platform and its helpers are those of tests/system."""

import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

import pytest  # noqa: E402
from platform_up import running_platform  # noqa: E402
from wall import Wall  # noqa: E402


@pytest.fixture(scope="session")
def wall():
    """A `granary up` with two tenants, each with an app that records what reaches it."""
    with running_platform() as platform:
        yield Wall(platform)
