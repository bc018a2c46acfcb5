"""What can never run ends `granary up` with one sentence and a code; and what a full disk does."""

import concurrent.futures
import contextlib
import errno
import os
import pathlib
import re
import socket
import subprocess
import time
import urllib.request

import pytest
from control import GRANARY
from platform_up import Refused, app_folder, free_port, needs_root, wait_for

pytestmark = needs_root

FAILED, CONFIGURATION, REFUSED = 1, 2, 4
SOON = 40  # seconds
DISK = 192 << 20


def run_up(platform, *options):
    """To its end: the code, and what it said."""
    given = {"--data-dir": platform.data_dir, "--uid-base": str(platform.uid_base),
             "--gateway": f"127.0.0.1:{platform.gateway_port}",
             "--api": platform.api.removeprefix("http://"), "--gateway-admin": "off",
             "--egress-admin": "off"}
    given.update(zip(options[::2], options[1::2], strict=True))
    done = subprocess.run([GRANARY, "up", *(word for pair in given.items() for word in pair)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          timeout=SOON)
    return done.returncode, done.stderr


@pytest.fixture
def ended(platform):
    """Was started once, had a tenant, and has ended."""
    platform.tenant("acme")
    assert platform.stop() == 0
    yield platform
    assert platform.leftovers()["processes"] == []
    platform.process = None


@pytest.mark.parametrize("option", ["--api", "--gateway", "--gateway-admin", "--egress-admin"])
def test_a_port_that_is_taken_is_said_before_any_role_starts(ended, option):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        code, said = run_up(ended, option, taken)
    assert code == REFUSED
    assert f"cannot listen on {taken}: Address already in use" in said
    assert "is process" not in said
    assert len(said.splitlines()) == 1, said


def test_another_uid_base_than_the_directorys_own_is_refused(ended):
    before = os.stat(ended.data_dir + "/control").st_uid
    code, said = run_up(ended, "--uid-base", str(ended.uid_base + 100_000))
    assert code == CONFIGURATION
    assert f"belongs to --uid-base {ended.uid_base}" in said
    assert os.stat(ended.data_dir + "/control").st_uid == before


def test_a_lost_platform_key_is_not_replaced_while_an_account_needs_it(ended):
    key = pathlib.Path(ended.data_dir, "keys/platform.key")
    kept = key.read_bytes()
    key.unlink()
    code, said = run_up(ended)
    assert code == CONFIGURATION, said
    assert "platform.key is lost" in said
    assert "Restore it from a backup" in said
    assert not key.exists()
    key.write_bytes(kept)
    key.chmod(0o600)
    ended.start()
    assert ended.who("acme")
    assert ended.stop() == 0


def test_a_key_that_is_none_ends_up_with_its_name(ended):
    key = pathlib.Path(ended.data_dir, "control/sealing.key")
    kept = key.read_bytes()
    key.write_bytes(b"short")
    code, said = run_up(ended)
    key.write_bytes(kept)
    assert code == CONFIGURATION, said
    assert "sealing.key is no key" in said


def test_a_lost_sealing_key_is_not_replaced_while_secrets_are_sealed_with_it(platform):
    platform.run("secret", "set", "TOKEN", text="value")
    assert platform.stop() == 0
    key = pathlib.Path(platform.data_dir, "control/sealing.key")
    kept = key.read_bytes()
    key.unlink()
    code, said = run_up(platform)
    assert code == CONFIGURATION, said
    assert "sealing.key is lost" in said
    key.write_bytes(kept)
    os.chown(key, platform.uid_base, platform.uid_base)


def test_a_key_that_control_may_not_read_ends_up_and_names_the_file(ended):
    key = pathlib.Path(ended.data_dir, "control/signing.key")
    os.chown(key, 0, 0)
    code, said = run_up(ended)
    os.chown(key, ended.uid_base, ended.uid_base)
    assert code == CONFIGURATION, said
    assert re.search(r"control error cannot start: .*signing\.key.*Permission denied", said)


@pytest.mark.parametrize(("options", "words"), [
    (["--domain", "bad domain"], "--domain 'bad domain' is not a domain"),
    (["--gateway", "127.0.0.1:9", "--api", "127.0.0.1:9"], "cannot both listen"),
    (["--api", "nowhere:8081"], "'nowhere' is not an IP address"),
    (["--data-dir", "relative"], "cannot be the data directory"),
])
def test_a_wrong_option_is_said_at_once(ended, options, words):
    code, said = run_up(ended, *options)
    assert code == CONFIGURATION
    assert words in said


def test_a_start_that_failed_leaves_no_new_folder_behind(ended):
    new = ended.folder / "new"
    code, said = run_up(ended, "--api", "192.0.2.1:8081", "--data-dir", str(new / "data"))
    assert code == FAILED, said
    assert not new.exists()
    (ended.folder / "empty").mkdir()
    run_up(ended, "--api", "192.0.2.1:8081", "--data-dir", str(ended.folder / "empty"))
    assert (ended.folder / "empty").exists(), "it was there before"


def test_an_address_that_is_not_ours_is_said(ended):
    code, said = run_up(ended, "--api", "192.0.2.1:8081")
    assert code == FAILED
    assert "cannot listen on 192.0.2.1:8081" in said
    assert "ip address" in said


def test_a_folder_with_other_things_in_it_is_left_alone(ended, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    before = tmp_path.stat()
    code, said = run_up(ended, "--data-dir", str(tmp_path))
    assert code == CONFIGURATION
    assert "'notes.txt'" in said
    assert (tmp_path.stat().st_uid, tmp_path.stat().st_mode) == (before.st_uid, before.st_mode)


def test_a_read_only_disk_ends_up_in_one_sentence(ended):
    with mounted(ended.folder / "disk", "ro") as folder:
        code, said = run_up(ended, "--data-dir", f"{folder}/data")
    assert code == CONFIGURATION
    assert "Read-only file system" in said
    assert len(said.splitlines()) == 1, said


def test_a_role_that_can_never_start_ends_up_and_is_not_started_for_ever(ended):
    database = pathlib.Path(ended.data_dir, "control/granary.db")
    kept = database.read_bytes()
    for path in database.parent.glob("granary.db-*"):
        path.unlink()
    database.write_bytes(b"this is no database" * 1000)
    code, said = run_up(ended)
    database.write_bytes(kept)
    assert code == CONFIGURATION, said
    assert "file is not a database" in said
    assert said.count("control is process") == 1


# ---- a full disk

@contextlib.contextmanager
def mounted(folder, *options):
    """A small disk of its own, taken away however the test ends."""
    folder.mkdir()
    image = folder.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(DISK)
    subprocess.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", image], check=True)
    subprocess.run(["mount", "-o", ",".join(["loop", *options]), image, folder], check=True)
    try:
        yield folder
    finally:
        def away():
            return subprocess.run(["umount", folder], check=False,
                                  stderr=subprocess.DEVNULL).returncode == 0
        end = time.monotonic() + 10
        while not away() and time.monotonic() < end:
            time.sleep(0.1)
        if os.path.ismount(folder):
            subprocess.run(["umount", "--lazy", folder], check=False)
        image.unlink()


class Ballast:
    """Fills a disk to the last block that control may have, and lets go of it."""

    def __init__(self, platform):
        self.path = pathlib.Path(platform.data_dir, "control", "ballast")
        self.user = platform.uid_base

    def fill(self):
        subprocess.run(["dd", "if=/dev/zero", f"of={self.path}", "bs=64k"], check=False,
                       stderr=subprocess.DEVNULL, user=self.user, group=self.user,
                       extra_groups=[])

    def remove(self):
        self.path.unlink(missing_ok=True)


@pytest.fixture
def on_small_disk(platform):
    """The platform with its data directory on a disk of its own, a tenant awake and one asleep."""
    assert platform.stop() == 0
    with mounted(platform.folder / "small") as folder:
        folder.chmod(0o711)
        whole = platform.data_dir
        platform.data_dir = f"{folder}/data"
        platform.ballast = Ballast(platform)
        platform.start()
        platform.tenant("up")
        platform.tenant("down", idle="1s")
        platform.who("up")
        platform.wait_for_phase("down", "asleep")
        try:
            yield platform
        finally:
            platform.ballast.remove()
            platform.stop()
            platform.data_dir = whole
            platform.process = None


def metric(platform, name):
    with urllib.request.urlopen(f"{platform.api}/metrics", timeout=20) as answer:
        return float(re.search(rf"^{name} (\S+)$", answer.read().decode(), re.MULTILINE)[1])


def refusal(call):
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.text


def test_on_a_full_disk_tenants_are_served_changes_answer_507_and_all_goes_on_later(on_small_disk):
    platform = on_small_disk
    app = app_folder(platform.folder / "app")
    (app / "large").write_bytes(os.urandom(1 << 20))
    platform.ballast.fill()
    assert platform.who("up")
    assert platform.who("down"), "the agent has what the disk keeps for root"

    said = refusal(lambda: platform.granary("release", "create", str(app)))
    assert "there is no room for 2 MiB of bundles: 0 MiB are free" in said
    assert "Make room" in said
    # The store's log has room of its own for a while; then it is full too.
    for number in range(400):
        try:
            platform.granary("token", "create", "--role", "viewer", "--ttl", "1h")
        except Refused as refused:
            said = refused.text
            break
    else:
        pytest.fail("the store never noticed")
    assert "database or disk is full" in said
    assert "Make room" in said
    assert not re.search(r"COMMIT|INSERT|sqlite3_|SAVEPOINT", said), said

    status = platform.granary("status")
    assert any("almost full" in warning for warning in status["warnings"])
    assert metric(platform, "granary_data_free_bytes") < 1 << 20
    found = subprocess.run([GRANARY, "doctor", "--data-dir", platform.data_dir],
                           capture_output=True, text=True, check=False)
    assert re.search(r"warning +disk space +.*almost full", found.stdout), found.stdout
    assert platform.who("up")

    platform.ballast.remove()
    platform.granary("release", "create", str(app))
    platform.tenant("later")
    assert platform.who("later")


def test_up_does_not_start_on_a_full_disk_and_says_so_once(on_small_disk):
    platform = on_small_disk
    assert platform.stop() == 0
    platform.ballast.fill()
    code, said = run_up(platform)
    assert code == FAILED
    assert re.search(r"the disk of .* is full: 0 MiB are free", said)
    assert len(said.splitlines()) == 1, said
    platform.ballast.remove()
    platform.start()
    assert platform.who("up")


def test_an_archive_is_deleted_on_a_full_disk_and_makes_room(on_small_disk):
    platform = on_small_disk
    platform.request("up", "/api/keep", "PUT", body=os.urandom(1 << 20))
    platform.granary("tenant", "export", "up", "--to", str(platform.folder / "up.tar"))
    archive = platform.granary("archive", "list")["items"][0]["id"]
    platform.ballast.fill()
    platform.granary("archive", "delete", archive)
    assert platform.granary("archive", "list")["items"] == []
    assert metric(platform, "granary_data_free_bytes") > 0


def test_tenants_that_fill_the_machine_cost_their_neighbours_nothing(on_small_disk):
    platform = on_small_disk
    fillers = ("greedy", "hungry")
    for name in fillers:
        platform.tenant(name, quota="150Mi", idle="1h")
        assert platform.who(name)
    kept = "kept" * 25_000
    assert platform.request("down", "/api/keep", "PUT", body=kept.encode()).status == 200
    with concurrent.futures.ThreadPoolExecutor(len(fillers)) as pool:
        filled = list(pool.map(
            lambda name: platform.request(name, "/api/fill-disk", "POST", timeout=120).json(),
            fillers))
    assert [each["errno"] for each in filled] == [errno.ENOSPC] * len(fillers)
    assert sum(each["written"] for each in filled) < DISK
    os.sync()
    platform.wait_for_phase("down", "asleep")
    assert platform.request("down", "/api/keep").json() == {"kept": kept}
    for name in ("down", *fillers):  # what was deleted goes back to the machine
        wait_for(lambda name=name: platform.request(name, "/api/keep", "PUT",
                                                    body=b"x" * 100_000).status == 200,
                 30, f"{name} can write again")
