import contextlib
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

import pytest  # noqa: E402
from attack import Siege, summary  # noqa: E402
from platform_up import running_platform  # noqa: E402


@pytest.fixture(scope="session")
def siege():
    """A `granary up` with a victim and an attacker, both awake."""
    with contextlib.ExitStack() as stack:
        yield Siege(stack.enter_context(running_platform()), stack)


def pytest_terminal_summary(terminalreporter):
    for line in summary():
        terminalreporter.write_line(line)
