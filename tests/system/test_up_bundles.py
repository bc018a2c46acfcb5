"""What is not taken as a release: by the command line, and by the API where a stranger packs.

A bundle is unpacked as another user than whoever sent it, so nothing in it may point elsewhere.
"""

import io
import json
import os
import socket
import stat
import subprocess
import tarfile
import threading
import urllib.error
import urllib.request

import pytest
from platform_up import app_folder, needs_root

pytestmark = needs_root


def link(target):
    return lambda folder: os.symlink(target, folder / "link")


def make_socket(folder):
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(folder)  # the path of a socket must be short
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)


# What lies in the folder: what is done to it, and a word that the message must hold.
FOLDERS = {
    "an absolute link": (link("/etc/passwd"), "link"),
    "a link that leaves": (link("../outside"), "link"),
    "a link that leaves on a detour": (link("web/../../outside"), "link"),
    "a device": (lambda folder: os.mknod(folder / "link", 0o600 | stat.S_IFCHR, 0x103), "link"),
    "a disk": (lambda folder: os.mknod(folder / "link", 0o600 | stat.S_IFBLK, 0x700), "link"),
    "a pipe": (lambda folder: os.mkfifo(folder / "link"), "link"),
    "a socket": (make_socket, "socket"),
    "a name that is not UTF-8": (
        lambda folder: open(os.fsencode(folder) + b"/bad-\xff", "wb").close(), "UTF-8"),
    "a name with a line's end": (lambda folder: (folder / "a\nb").touch(), "a"),
    "a manifest with an absolute root": (
        lambda folder: add_to_manifest(folder, frontend={"root": "/etc"}), "granary.yaml:"),
    "a manifest with a root outside": (
        lambda folder: add_to_manifest(folder, frontend={"root": "../x"}), "granary.yaml:"),
    "a manifest with an unknown key": (
        lambda folder: add_to_manifest(folder, nonsense=1), "granary.yaml:"),
    "no manifest": (lambda folder: (folder / "granary.yaml").unlink(), "granary.yaml"),
}


def add_to_manifest(folder, **more):
    path = folder / "granary.yaml"
    text = path.read_text().rstrip().removesuffix("}").rstrip()
    path.write_text(text + ",\n" + json.dumps(more)[1:-1] + "\n}\n")


@pytest.mark.parametrize("case", FOLDERS)
def test_a_folder_that_cannot_be_a_release_is_refused_with_the_reason(shared, tmp_path, case):
    spoil, word = FOLDERS[case]
    folder = app_folder(tmp_path / "app")
    spoil(folder)
    before = shared.granary("release", "list")["items"]
    done = shared.run("release", "create", str(folder))
    assert done.returncode in (1, 2, 4), done
    assert word in done.stderr
    assert "to do:" in done.stderr
    assert shared.granary("release", "list")["items"] == before


def test_a_link_within_the_release_is_taken(shared, tmp_path):
    folder = app_folder(tmp_path / "app")
    os.symlink("main.py", folder / "link")
    assert shared.granary("release", "create", str(folder))["id"].startswith("probe-")


# ---- what a stranger packs


def member(name, kind=tarfile.REGTYPE, content=b"", target="", mode=0o644):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.mode, entry.size = kind, target, mode, len(content)
    return entry, content


HOSTILE = {
    "a path above": [member("../outside", content=b"x")],
    "a path above on a detour": [member("a/../../outside", content=b"x")],
    "an absolute path": [member("/etc/granary-was-here", content=b"x")],
    "an absolute link": [member("link", tarfile.SYMTYPE, target="/etc/passwd")],
    "a link above": [member("link", tarfile.SYMTYPE, target="../../x")],
    "a file through a link": [member("link", tarfile.SYMTYPE, target="/tmp"),
                              member("link/granary-was-here", content=b"x")],
    "a file through a link within": [member("web", tarfile.SYMTYPE, target="."),
                                     member("web/granary.yaml", content=b"app: other")],
    "a hard link outside": [member("hard", tarfile.LNKTYPE, target="/etc/passwd")],
    "a character device": [member("null", tarfile.CHRTYPE)],
    "a block device": [member("disk", tarfile.BLKTYPE)],
    "a pipe": [member("pipe", tarfile.FIFOTYPE)],
    "a name twice": [member("twice", content=b"1"), member("twice", content=b"2")],
    "a file as a folder": [member("file", content=b"1"), member("file/below", content=b"2")],
    "a name that is not UTF-8": [member("bad-\udcff", content=b"x")],
    "a name with a NUL's escape": [member("a\x01b", content=b"x")],
    "an empty name": [member("", content=b"x")],
    "a dot": [member("./..", content=b"x")],
    "a very long name": [member("/".join(["x" * 100] * 20), content=b"x")],
    "very deep": [member("/".join(["d"] * 200), content=b"x")],
}


def pack(folder, members):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.GNU_FORMAT,
                      encoding="utf-8", errors="surrogateescape") as archive:
        for name in ("granary.yaml", "main.py"):
            archive.add(folder / name, arcname=name)
        for entry, content in members:
            archive.addfile(entry, io.BytesIO(content))
    return subprocess.run(["zstd", "-q", "-c"], input=data.getvalue(), stdout=subprocess.PIPE,
                          check=True).stdout


def upload(platform, bundle):
    """Status and document of the API's answer."""
    with open(f"{platform.data_dir}/control/operator.token", encoding="ascii") as file:
        token = file.read().strip()
    request = urllib.request.Request(platform.api + "/v1/releases", data=bundle, method="POST",
                                     headers={"Authorization": f"Bearer {token}",
                                              "Content-Type": "application/zstd"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_bundle_is_refused_by_the_api(shared, tmp_path, case):
    folder = app_folder(tmp_path / "app", env={"HOSTILE": case})
    before = shared.granary("release", "list")["items"]
    status, document = upload(shared, pack(folder, HOSTILE[case]))
    assert 400 <= status < 500, document
    assert document["code"]
    assert shared.data_dir not in json.dumps(document)
    assert shared.granary("release", "list")["items"] == before
    assert not os.path.exists("/etc/granary-was-here")
    assert not os.path.exists("/tmp/granary-was-here")
    assert not os.listdir(f"{shared.data_dir}/control/uploads")


def test_a_bundle_that_a_stranger_packed_well_is_taken(shared, tmp_path):
    folder = app_folder(tmp_path / "app", env={"PACKED": "by a stranger"})
    status, document = upload(shared, pack(folder, []))
    assert status in (200, 201), document
    # The same folder from the command line is the same release.
    assert shared.granary("release", "create", str(folder))["id"] == document["id"]


@pytest.mark.parametrize("bundle", [b"", b"nonsense", b"\x28\xb5\x2f\xfd" + b"\xff" * 100],
                         ids=["empty", "nonsense", "a frame of nonsense"])
def test_what_is_no_bundle_is_refused(shared, bundle):
    status, document = upload(shared, bundle)
    assert 400 <= status < 500, document


def test_a_bomb_is_refused_before_it_fills_the_disk(shared, tmp_path):
    """A file of 4 GiB of zeros, in some hundred KiB."""
    folder = app_folder(tmp_path / "app")
    header = member("zeros")[0]
    header.size = 4 << 30
    tar = subprocess.run(["tar", "-c", "-C", folder, "granary.yaml", "main.py"], check=True,
                         stdout=subprocess.PIPE).stdout.rstrip(b"\0")
    tar += b"\0" * (-len(tar) % 512)
    packer = subprocess.Popen(["zstd", "-q", "-c", "-T2"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)

    def feed():
        packer.stdin.write(tar + header.tobuf())
        for _ in range(1 << 10):
            packer.stdin.write(b"\0" * (4 << 20))
        packer.stdin.close()
    feeder = threading.Thread(target=feed)
    with packer:
        feeder.start()
        bundle = packer.stdout.read()
        feeder.join()
    assert len(bundle) < 1 << 20
    status, document = upload(shared, bundle)
    assert 400 <= status < 500, document
