"""The platform and its helpers are those of tests/system."""

import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

import pytest  # noqa: E402
from asks import FIELD  # noqa: E402
from field_up import AppUp, running_field  # noqa: E402
from starts import Starts  # noqa: E402

STARTS = Starts(HERE.parents[1] / "build" / "field.json")


@pytest.fixture(scope="session")
def field():
    """One `granary up` for all applications."""
    with running_field() as platform:
        yield platform


@pytest.fixture(scope="module", params=FIELD, ids=lambda app: app.name)
def app(request, field):
    """An application with a tenant of its own; the tests of one follow each other."""
    yield AppUp(field, request.param)


@pytest.fixture(scope="session")
def starts():
    return STARTS


def pytest_terminal_summary(terminalreporter):
    for line in STARTS.table():
        terminalreporter.write_line(line)
    STARTS.write()
