"""The platform and its helpers are those of tests/system."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "system"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))

from egress_up import EchoServer, EgressPlatform  # noqa: E402


@pytest.fixture(scope="module")
def echo():
    with EchoServer() as running:
        yield running


@pytest.fixture(scope="module")
def platform():
    """A `granary up` whose operator permits this machine's own loopback."""
    with EgressPlatform("--egress-allow", "127.0.0.1/32").running() as running:
        yield running


@pytest.fixture
def strict():
    """One whose operator permits nothing."""
    with EgressPlatform().running() as running:
        yield running
