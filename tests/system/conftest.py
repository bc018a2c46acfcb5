import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from control import Control  # noqa: E402
from platform_up import running_platform  # noqa: E402


@pytest.fixture
def control(tmp_path):
    running = Control(tmp_path / "data").start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def shared():
    """One `granary up` for all tests that do no harm to it."""
    with running_platform() as platform:
        yield platform


@pytest.fixture
def platform():
    """A `granary up` for one test alone, which may kill what it likes."""
    with running_platform() as running:
        yield running
