"""A tenant's data on its way: exported while it works, restored here and elsewhere, destroyed."""

import base64
import contextlib
import hashlib
import io
import json
import os
import pathlib
import sqlite3
import subprocess
import tarfile
import threading
import time

import pytest
from platform_up import Refused, needs_root, running_platform, wait_for

pytestmark = needs_root


@pytest.fixture(scope="module")
def elsewhere():
    """Another installation: other users, other keys, no releases."""
    with running_platform() as platform:
        yield platform


def fill(platform, tenant, files=40):
    """Data of every kind; returns what there is to be found again."""
    answer = platform.request(tenant, f"/api/fill-tree?files={files}", "POST")
    assert answer.status == 200, answer
    return tree(platform, tenant)


def tree(platform, tenant):
    """Path, kind, mode, size, time and hash of everything below the tenant's /data."""
    answer = platform.request(tenant, "/api/tree")
    assert answer.status == 200, answer
    return answer.json()


def export(platform, tenant, folder):
    file = folder / f"{tenant}-{time.monotonic_ns()}.tar"
    platform.granary("tenant", "export", tenant, "--to", str(file))
    return file


def data_of(archive, folder):
    """Unpacks the data of an archive as anybody would, with tar alone."""
    folder.mkdir()
    with tarfile.open(archive) as outer:
        (folder / "data.tar.zst").write_bytes(outer.extractfile("data.tar.zst").read())
    subprocess.run(["tar", "--zstd", "-C", folder, "-xf", folder / "data.tar.zst"], check=True)
    return folder / "data"


def test_what_is_exported_here_and_restored_elsewhere_is_equal_byte_for_byte(
        shared, elsewhere, tmp_path):
    shared.tenant("relocating", "--name", "Relocating Ltd", "--label", "tier=gold",
                  "--set", "flag.beta=true")
    before = fill(shared, "relocating")
    assert {item["kind"] for item in before.values()} >= {"file", "folder", "link"}
    archive = export(shared, "relocating", tmp_path)
    elsewhere.granary("tenant", "restore", "moved", "--from", str(archive))
    assert tree(elsewhere, "moved") == before
    here, there = shared.show("relocating"), elsewhere.show("moved")
    for same in ("name", "labels", "settings", "release", "plan"):
        assert there[same] == here[same], same
    assert (there["state"], there["health"]) == ("active", "healthy")
    again = export(elsewhere, "moved", tmp_path)
    assert data_of(archive, tmp_path / "a").is_dir() and data_of(again, tmp_path / "b").is_dir()
    listed = [[item for item in json.loads((tmp_path / x / "contents.json").read_text())["entries"]
               if item["path"].startswith("tree/")] for x in ("a", "b")]
    assert listed[0] == listed[1]
    assert len(listed[0]) == len(before)


def test_an_export_while_the_tenant_writes_loses_no_write_and_holds_whole_transactions(
        shared, tmp_path):
    """A SQLite database in WAL mode is written all the while; each archive is a moment of it."""
    shared.tenant("writer", quota="64Mi")
    acknowledged = []
    problems = []
    over = threading.Event()

    def write():
        number = 0
        while not over.is_set():
            number += 1
            answer = shared.request("writer", f"/api/row?number={number}", "POST")
            if answer.status != 200:
                problems.append(answer.status)
            acknowledged.append(number)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_for(lambda: len(acknowledged) > 20, 20, "the tenant writes")
        for turn in range(3):
            sure = acknowledged[-1]
            archive = export(shared, "writer", tmp_path)
            data = data_of(archive, tmp_path / f"turn-{turn}")
            with contextlib.closing(sqlite3.connect(data / "rows.db")) as database:
                assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                numbers = [row[0] for row in database.execute("SELECT number FROM row ORDER BY 1")]
            assert numbers == list(range(1, len(numbers) + 1)), "a hole in what was acknowledged"
            assert len(numbers) >= sure
    finally:
        over.set()
        writer.join()
    assert not problems
    kept = shared.request("writer", "/api/rows").json()["rows"]
    assert kept == acknowledged[-1]


def test_a_tenant_gets_back_what_it_had_and_others_notice_nothing(shared, tmp_path):
    shared.tenant("undo")
    shared.tenant("bystander")
    nonce = shared.who("bystander").nonce
    before = fill(shared, "undo")
    archive = export(shared, "undo", tmp_path)
    shared.request("undo", "/api/keep", "PUT", body=b"a mistake")
    with pytest.raises(Refused) as refused:
        shared.granary("tenant", "restore", "undo", "--from", str(archive))
    assert refused.value.code == 4
    assert shared.request("undo", "/api/keep").json() == {"kept": "a mistake"}
    shared.granary("tenant", "restore", "undo", "--from", str(archive), "--replace", "--yes")
    assert tree(shared, "undo") == before
    assert shared.who("bystander").nonce == nonce


def rewrite(archive, target, change):
    """The archive with its members changed by `change(name, bytes)`; None leaves one out."""
    with tarfile.open(archive) as old, tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as new:
        for member in old.getmembers():
            content = change(member.name, old.extractfile(member).read())
            if content is not None:
                member.size = len(content)
                new.addfile(member, io.BytesIO(content))
    return target


def with_data(archive, target, data):
    """The archive with other data in it, and its document made to agree."""
    def change(name, content):
        if name == "data.tar.zst":
            return data
        if name != "archive.json":
            return content
        document = json.loads(content)
        document["data"] |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        return json.dumps(document).encode()
    return rewrite(archive, target, change)


def packed(entries):
    """A data archive with these tar entries, made by hand."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
        head = b"granary data archive 1\n"
        info = tarfile.TarInfo("format")
        info.size = len(head)
        tar.addfile(info, io.BytesIO(head))
        for entry, content in entries:
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    done = subprocess.run(["zstd", "-c"], input=raw.getvalue(), capture_output=True, check=True)
    return done.stdout


def entry(name, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, 0o755
    return info


def bad_archives(good, folder):
    whole = good.read_bytes()

    def write(name, content):
        (folder / name).write_bytes(content)
        return folder / name
    folder_entry = (entry("data", tarfile.DIRTYPE), b"")
    yield "no tar", write("noise", os.urandom(50_000))
    yield "empty", write("empty", b"")
    yield "cut off", write("cut", whole[:len(whole) * 2 // 3])
    yield "altered", rewrite(good, folder / "altered",
                             lambda name, c: c[:-1] + bytes([c[-1] ^ 1]) if "data" in name else c)
    yield "newer", rewrite(good, folder / "newer", lambda name, c:
                           c.replace(b'"format":1', b'"format":9') if name == "archive.json" else c)
    yield "no data", rewrite(good, folder / "nodata",
                             lambda name, c: None if name == "data.tar.zst" else c)
    for number, (what, entries) in enumerate({
            "leaves the tree": [folder_entry, (entry("data/../../escaped"), b"x")],
            "absolute": [folder_entry, (entry("/etc/escaped"), b"x")],
            "through a link": [folder_entry, (entry("data/l", tarfile.SYMTYPE, "/etc"), b""),
                               (entry("data/l/escaped"), b"x")],
            "hard link out": [folder_entry, (entry("data/h", tarfile.LNKTYPE, "/etc/passwd"), b"")],
            "a device": [folder_entry, (entry("data/d", tarfile.CHRTYPE), b"")],
            "no contents": [folder_entry, (entry("data/f"), b"x")]}.items()):
        yield what, with_data(good, folder / f"hostile-{number}", packed(entries))


def test_a_bad_archive_is_refused_with_the_reason_and_nothing_changes(shared, tmp_path):
    shared.tenant("donor")
    fill(shared, "donor")
    good = export(shared, "donor", tmp_path)
    tenants = [item["id"] for item in shared.granary("tenant", "list")["items"]]
    accounts = sorted(os.listdir(shared.data_dir + "/accounts"))
    archives = sorted(os.listdir(shared.data_dir + "/archives"))
    for what, archive in bad_archives(good, tmp_path):
        done = shared.run("tenant", "restore", "victim", "--from", str(archive))
        assert done.returncode in (1, 2, 4), (what, done.stderr)
        assert done.stderr.strip(), what
    assert [item["id"] for item in shared.granary("tenant", "list")["items"]] == tenants
    assert sorted(os.listdir(shared.data_dir + "/accounts")) == accounts
    assert sorted(os.listdir(shared.data_dir + "/archives")) == archives
    assert os.listdir(shared.data_dir + "/transfers") == []
    assert not os.path.exists("/etc/escaped")


def test_offboarding_keeps_a_final_export_then_proves_what_it_destroyed(shared, tmp_path):
    shared.tenant("departing")
    before = fill(shared, "departing")
    uid = shared.user_of("departing")
    planned = shared.granary("tenant", "offboard", "departing", "--dry-run")
    assert any("export" in step for step in planned["steps"])
    assert shared.who("departing").nonce
    operation = shared.granary("tenant", "offboard", "departing", "--retain", "12s", "--yes",
                               "--no-wait")
    archives = wait_for(lambda: shared.granary("archive", "list", "--tenant", "departing")["items"],
                        10, "the final export is there")
    assert archives[0]["kind"] == "final"
    kept = tmp_path / "final.tar"
    shared.granary("archive", "get", archives[0]["id"], "--to", str(kept))
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == archives[0]["sha256"]
    assert shared.request("departing", "/api/who").status in (403, 404)
    wait_for(lambda: not os.path.exists(shared.data_dir + "/accounts/departing"), 30, "it is gone")
    ended = wait_for(
        lambda: shared.granary("certificate", "list", "--tenant", "departing")["items"], 10,
        "there is a certificate")
    certificate = ended[0]
    assert certificate["operation"] == operation["id"]
    assert shared.run("certificate", "show", operation["id"], "--verify").returncode == 0
    shown = shared.granary("certificate", "show", operation["id"])
    said = json.loads(base64.b64decode(shown["envelope"]["payload"]))
    destroyed = {item["what"]: item for item in said["destroyed"]}
    assert destroyed["disk"]["isolation"] == "full"
    assert destroyed["archive"]["sha256"] == archives[0]["sha256"]
    assert not shared.traces("departing", uid)
    assert shared.granary("archive", "list", "--tenant", "departing")["items"] == []
    # What the customer has kept is whole, and can begin again.
    shared.granary("tenant", "restore", "departing", "--from", str(kept))
    assert tree(shared, "departing") == before


def test_an_offboarding_can_be_called_off_while_the_data_is_kept(shared):
    shared.tenant("returner")
    shared.request("returner", "/api/keep", "PUT", body=b"still here")
    operation = shared.granary("tenant", "offboard", "returner", "--retain", "1h", "--yes",
                               "--no-wait")
    wait_for(lambda: shared.granary("operation", "show", operation["id"])["step"] == "inspect", 10,
             "the data is kept")
    shared.granary("operation", "cancel", operation["id"])
    assert shared.show("returner")["state"] == "suspended"
    shared.granary("tenant", "resume", "returner")
    assert shared.request("returner", "/api/keep").json() == {"kept": "still here"}


def test_an_archive_needs_the_role_of_an_operator(shared):
    shared.tenant("guarded")
    for role in ("viewer", "deployer"):
        token = shared.granary("token", "create", "--role", role)["secret"]
        done = subprocess.run([*shared.command("tenant", "export", "guarded", "--to", "/tmp/none"),
                               "--token", token], capture_output=True, text=True, check=False)
        assert done.returncode == 4, done.stderr
        assert not pathlib.Path("/tmp/none").exists()
