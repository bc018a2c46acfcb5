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
    document = {"app": app, "data": {"quota": "16Mi"}, **members}
    (folder / "granary.yaml").write_text(json.dumps(document, indent=1).replace('"16Mi"', "16Mi"))


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
    shared.granary("tenant", "create", "front-alone", "--release", release)
    answer = shared.request("front-alone", "/")
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


# ---- what cannot run is found by the deployment


def refused_deployment(platform, folder, tenant, **service):
    write_manifest(app_folder(folder), services={"api": API | service})
    release = platform.granary("release", "create", str(folder))["id"]
    done = platform.run("tenant", "create", tenant, "--release", release)
    assert done.returncode == 1, done
    return done.stderr


def test_a_command_that_does_not_exist_fails_the_deployment_at_once(shared, tmp_path):
    told = refused_deployment(shared, tmp_path / "a", "nowhere", command=["nosuchprog"])
    assert "'nosuchprog' is in no folder of PATH" in told
    folder = tmp_path / "b"
    folder.mkdir()
    script = folder / "app" / "run.sh"
    write_manifest(app_folder(folder / "app"), services={"api": API | {"command": ["./run.sh"]}})
    script.write_text("#!/usr/bin/env no-such-interpreter\n")
    script.chmod(0o755)
    release = shared.granary("release", "create", str(folder / "app"))["id"]
    done = shared.run("tenant", "create", "scripted", "--release", release)
    assert done.returncode == 1
    assert "'no-such-interpreter' is in no folder of PATH" in done.stderr


def test_an_update_to_what_cannot_run_leaves_the_release_before(shared, tmp_path):
    shared.tenant("steady")
    before = shared.who("steady").release
    write_manifest(app_folder(tmp_path / "app"), services={"api": API | {"command": ["nosuch"]}})
    release = shared.granary("release", "create", str(tmp_path / "app"))["id"]
    assert shared.run("tenant", "update", "steady", "--release", release).returncode == 1
    assert shared.who("steady").release == before


def test_a_crash_at_its_start_is_found_without_a_health_path(shared):
    release = shared.release(env={"PROBE": "crash"}, start_timeout="1s", health=False)
    done = shared.run("tenant", "create", "crashing", "--release", release)
    assert done.returncode == 1, done
    assert "/api/" in done.stderr
    assert shared.show("crashing")["health"] == "unhealthy"


def test_a_service_without_a_health_path_has_been_started_once(shared):
    shared.tenant("unasked", health=False)
    assert shared.show("unasked")["health"] == "healthy"
    assert shared.service("unasked")["wakes"] == 1


# ---- deleted


def test_a_release_is_deleted_with_its_files_once_nobody_is_at_it(shared):
    old = shared.release(env={"MARK": "to be deleted"}, web={"index.html": b"old"})
    digest = shared.granary("release", "show", old)["hash"]
    shared.granary("tenant", "create", "mover-on", "--release", old)
    data = shared.data_dir
    places = [f"{data}/bundles/{digest}.tar.zst", f"{data}/frontends/{digest}",
              f"{data}/releases/{digest}"]
    assert all(map(os.path.exists, places))
    done = shared.run("release", "delete", old)
    assert (done.returncode, "mover-on" in done.stderr) == (4, True), done

    shared.granary("tenant", "update", "mover-on", "--release", shared.release())
    shared.granary("release", "delete", old, "--dry-run")
    assert all(map(os.path.exists, places))
    shared.granary("release", "delete", old)
    assert not any(map(os.path.exists, places))
    assert shared.run("release", "show", old).returncode == 3
    entries = shared.granary("audit", "--subject", f"release/{old}")["items"]
    assert [entry["action"] for entry in entries] == ["release.create", "release.delete"]

    # The same folder is the same release again.
    again = shared.release(env={"MARK": "to be deleted"}, web={"index.html": b"old"})
    assert again == old
    shared.granary("tenant", "create", "second-owner", "--release", again)
    assert shared.who("second-owner").release == old
