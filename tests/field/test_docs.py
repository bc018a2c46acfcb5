"""What docs/apps.md shows is what these tests deploy."""

import pathlib
import re

import pytest
from asks import APPS, FIELD

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / "docs" / "apps.md"
SHOWN = dict(re.findall(r"<!-- (\S+) -->\n```yaml\n(.*?)```\n", PAGE.read_text(), re.DOTALL))


@pytest.mark.parametrize("app", FIELD, ids=lambda app: app.name)
def test_the_page_shows_the_manifest_that_is_deployed(app):
    file = APPS / app.name / "granary.yaml"
    assert SHOWN.get(str(file.relative_to(ROOT))) == file.read_text()


def test_the_page_shows_no_manifest_that_nobody_deploys():
    assert {ROOT / name for name in SHOWN} == {APPS / app.name / "granary.yaml" for app in FIELD}
