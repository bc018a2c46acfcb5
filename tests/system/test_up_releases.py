"""What a release holds, what is refused before it is one, and which release a tenant gets."""

import json
import os

import pytest
from platform_up import Refused, app_folder, needs_root, running_platform

pytestmark = needs_root

NODE_LIKE = """#!/bin/sh
exec python3 -S "$(dirname "$(readlink -f "$0")")/main.py"
"""


API = {"command": ["python3", "-S", "main.py"], "routes": ["/api/"], "health": "/api/health"}


def write_manifest(folder, app="probe", **members):
    (folder / "granary.yaml").write_text(json.dumps({"app": app, **members}, indent=1))


def test_installed_dependencies_go_in_and_the_rest_is_told(shared, tmp_path):
    """A program in node_modules, found through a link as npm makes them, serves the tenant."""
    folder = app_folder(tmp_path / "app")
    package = folder / "node_modules" / "probe"
    package.mkdir(parents=True)
    os.rename(folder / "main.py", package / "main.py")
    (package / "cli").write_text(NODE_LIKE)
    (package / "cli").chmod(0o755)
    (package / "test-fixture.key").write_text("-----BEGIN PRIVATE KEY-----\n")
    (folder / "node_modules" / ".bin").mkdir()
    os.symlink("../probe/cli", folder / "node_modules" / ".bin" / "probe")
    (folder / "__pycache__").mkdir()
    write_manifest(folder, services={"api": API | {"command": ["node_modules/.bin/probe"]}})
    made = shared.granary("release", "create", str(folder))
    assert [(one["rule"], one["folders"], one["files"]) for one in made["left_out"]] == [
        ("__pycache__", 1, 0)]
    shared.granary("tenant", "create", "dependent", "--release", made["id"])
    assert shared.who("dependent").release == made["id"]


def test_a_secret_is_refused_by_its_name_unless_it_is_asked_for(shared, tmp_path):
    folder = app_folder(tmp_path / "app")
    (folder / ".env").write_text("STRIPE_KEY=sk_live_1\n")
    before = shared.granary("release", "list")["items"]
    done = shared.run("release", "create", str(folder))
    assert done.returncode == 4
    assert "'.env'" in done.stderr
    assert "--include .env" in done.stderr
    assert "granary secret set" in done.stderr
    assert "sk_live" not in done.stderr
    assert shared.granary("release", "list")["items"] == before
    assert shared.granary("release", "create", str(folder), "--include", ".env")["files"] == 3


def test_a_service_that_nothing_starts_is_refused(shared, tmp_path):
    folder = app_folder(tmp_path / "app")
    write_manifest(folder, services={"api": API, "worker": {"command": API["command"]}})
    with pytest.raises(Refused) as refused:
        shared.granary("release", "create", str(folder))
    assert "services.worker has no routes" in refused.value.text
    assert "granary.yaml:" in refused.value.text
    assert "not supported yet" in refused.value.text


def test_a_frontend_alone_is_an_app(shared, tmp_path):
    folder = app_folder(tmp_path / "app", web={"index.html": b"<html>alone</html>"})
    write_manifest(folder, frontend={"root": "web", "fallback": "index.html"})
    release = shared.granary("release", "create", str(folder))["id"]
    shared.granary("tenant", "create", "front", "--release", release)
    answer = shared.request("front", "/")
    assert (answer.status, answer.body) == (200, b"<html>alone</html>")


# ---- one app an installation


@pytest.fixture(scope="module")
def single():
    """An installation that nobody told that it runs several apps."""
    with running_platform() as platform:
        platform.several_apps = False
        yield platform


def other_app(folder):
    write_manifest(app_folder(folder), app="other", services={"api": API})
    return str(folder)


def test_another_app_is_refused_until_it_is_wanted_and_never_mixes(single, tmp_path):
    first = single.release(env={"MARK": "1"})
    single.granary("tenant", "create", "early")
    folder = other_app(tmp_path / "other")
    bundles = os.listdir(single.data_dir + "/bundles")
    with pytest.raises(Refused) as refused:
        single.granary("release", "create", folder)
    assert refused.value.code == 4
    assert "runs the app probe, not other" in refused.value.text
    assert "--new-app" in refused.value.text
    assert os.listdir(single.data_dir + "/bundles") == bundles

    other = single.granary("release", "create", folder, "--new-app")["id"]
    newest = single.release(env={"MARK": "2"})
    with pytest.raises(Refused) as refused:  # which of the two, nobody can tell
        single.granary("tenant", "create", "late")
    assert "the apps other and probe" in refused.value.text
    assert single.show("early")["release"] == first

    with pytest.raises(Refused) as refused:
        single.granary("tenant", "update", "early", "--release", other)
    assert refused.value.code == 4
    assert "--change-app" in refused.value.text
    assert single.show("early")["release"] == first
    single.granary("tenant", "update", "early", "--release", "latest")
    assert single.show("early")["release"] == newest
    single.granary("tenant", "update", "early", "--release", other, "--change-app")
    assert single.who("early").release == other
