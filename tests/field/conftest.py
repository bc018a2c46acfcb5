"""The platform and its helpers are those of tests/system."""

import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

import pytest  # noqa: E402
from asks import FIELD  # noqa: E402
from field_up import AppUp, running_field  # noqa: E402
from starts import Starts  # noqa: E402
from vendored import CACHE  # noqa: E402

STARTS = Starts(HERE.parents[1] / "build" / "field.json")


@pytest.fixture(scope="session")
def field():
    """One `granary up` for all applications."""
    with running_field() as platform:
        yield platform


@pytest.fixture(scope="session")
def folders():
    """Where the applications' folders are put together: on the file system of what is linked."""
    folder = CACHE / "folders"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module", params=FIELD, ids=lambda app: app.name)
def app(request, field, folders):
    """An application with a tenant of its own; the tests of one follow each other."""
    yield AppUp(field, request.param, folders)


@pytest.fixture(scope="session")
def starts():
    return STARTS


def pytest_terminal_summary(terminalreporter):
    for line in STARTS.table():
        terminalreporter.write_line(line)
    STARTS.write()
