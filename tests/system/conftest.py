import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from control import Control  # noqa: E402


@pytest.fixture
def control(tmp_path):
    running = Control(tmp_path / "data").start()
    yield running
    running.stop()
