"""The frontend's files: stamped with their content, whole, and free of outside addresses."""

import pathlib
import re
import sys

import pytest

from conftest import APP

sys.path.insert(0, str(APP))
import stamp  # noqa: E402  a script beside the product, not a part of it

WEB = APP / "web"
TEXTS = [path for path in sorted(WEB.rglob("*")) if path.is_file()]


def test_the_assets_carry_the_stamp_of_their_content(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["stamp.py", "--check"])
    assert stamp.main() == 0


def test_a_change_in_a_module_renames_it_and_all_that_refer_to_it():
    files = {"app.js": 'import "./part.js";', "part.js": "one", "alone.js": "other"}
    before, after = stamp.Stamper(files), stamp.Stamper({**files, "part.js": "two"})
    changed = {name for name in files if before.name(name) != after.name(name)}
    assert changed == {"app.js", "part.js"}


def test_stamping_twice_changes_nothing():
    once = stamp.Stamper({"app.js": 'import "./part.js";', "part.js": "1"}).files()
    assert stamp.Stamper(once).files() == once


def test_modules_that_refer_to_each_other_are_refused():
    with pytest.raises(SystemExit, match="refer to each other"):
        stamp.Stamper({"one.js": "two.js", "two.js": "one.js"}).files()


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_reference_leads_to_a_file_of_ours(path):
    text = path.read_text("utf-8")
    for reference in re.findall(r'(?:src|href|from)[= ]"([^"#]+)"', text):
        base = WEB if reference.startswith("/") else path.parent
        assert (base / reference.lstrip("/")).is_file(), reference
    assert not re.search(r"(?:src|href|url|from|fetch)\W{1,2}(?:https?:)?//", text)


def test_every_element_that_a_script_looks_for_is_in_the_page():
    ids = set(re.findall(r'\bid="([^"]+)"', (WEB / "index.html").read_text("utf-8")))
    for script in pathlib.Path(WEB / "assets").glob("*.js"):
        assert set(re.findall(r'\bfind\("([^"]+)"\)', script.read_text("utf-8"))) <= ids
