"""The command line against a real control: what it prints, and how it ends."""

import json
import os
import subprocess

import pytest
from control import GRANARY, ROOT

INSIGHT = ROOT / "examples" / "insight"


@pytest.fixture
def granary(control):
    environment = {**os.environ, "GRANARY_API": f"http://127.0.0.1:{control.port}",
                   "GRANARY_DATA_DIR": str(control.data_dir)}

    def run(*arguments):
        return subprocess.run([GRANARY, *arguments], env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=60)
    return run


def test_releases_a_folder_and_lists_it_as_json(granary):
    assert granary("release", "create", INSIGHT).returncode == 0
    listed = granary("release", "list", "-o", "json")
    assert [item["app"] for item in json.loads(listed.stdout)["items"]] == ["insight"]


def test_exit_codes_tell_wrong_usage_missing_and_refused_apart(granary):
    assert granary("tenant", "create").returncode == 2
    assert granary("tenant", "create", "Acme").returncode == 2
    assert granary("tenant", "show", "nobody").returncode == 3
    assert granary("rollout", "start", "x").returncode == 4


def test_nobody_listening_is_exit_5_with_advice(control, granary):
    control.stop()
    ended = granary("tenant", "list")
    assert ended.returncode == 5
    assert "granary up" in ended.stderr


def test_an_error_says_what_why_and_what_to_do(granary):
    refused = granary("tenant", "create", "Acme")
    assert "lower-case letter" in refused.stderr
    assert "to do:" in refused.stderr


def test_a_bad_manifest_is_shown_at_its_line(granary, tmp_path):
    (tmp_path / "granary.yaml").write_text("app: bad\nservices: 3\n")
    refused = granary("release", "create", tmp_path)
    assert refused.returncode != 0
    assert "granary.yaml:2" in refused.stderr


def test_a_viewer_may_look_but_not_touch(granary):
    made = granary("token", "create", "--role", "viewer", "-o", "json")
    token = json.loads(made.stdout)["secret"]
    assert granary("tenant", "list", "--token", token).returncode == 0
    assert granary("release", "create", INSIGHT, "--token", token).returncode == 4
