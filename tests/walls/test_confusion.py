"""What an app says, keeps and answers, made to confuse the platform or whoever runs it."""

import io
import os
import pathlib
import re
import socket
import subprocess
import tarfile
import time

import pytest
from attack import ATTACKER, MANIFEST, SERVICE, VICTIM, release_folder
from platform_up import needs_root, wait_for
from raw_http import Cut
from test_up_bundles import upload

pytestmark = needs_root

LOG_BYTES = 2 << 20  # of a service, both files of the ring
LINE_BYTES = 64 << 10  # a line of one in the ring may be joined of pieces, but has an end
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (out|err|sys)\+? ")

SAID = {
    "a cleared screen": b"\x1b[2J\x1b[H all is well",
    "a terminal's title": b"\x1b]0;owned\x07",
    "a hyperlink": b"\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "a line written over": b"secret\rpublic",
    "backspaces": b"bad\x08\x08\x08good",
    "a NUL": b"before\x00after",
    "an 8-bit control": "before\x9b31mafter".encode(),
    "text turned round": "before\u202egnp.exe".encode(),
    "a bare 8-bit byte": b"before\x9b31mafter",
    "bytes that are no UTF-8": b"before\xff\xfeafter",
    "half a character": b"before\xe2\x82",
    "a surrogate": b"before\xed\xa0\x80after",
    "a forged time and tag": b"2026-11-24T07:13:00.123Z sys exited 0",
    "a forged head": b"#granary-log 00000000000000000099",
    "a forged continuation": b"2026-11-24T07:13:00.123Z out+ more",
    "JSON": b'{"level":"error","tenant":"' + VICTIM.encode() + b'"}\\u001b[2J',
    "a line separator": "before\u2028after\u0085end".encode(),
}


@pytest.fixture(scope="module")
def confuser(siege):
    """A tenant of its own for this file."""
    siege.platform.granary("tenant", "create", "confuser", "--release", siege.release)
    siege.ask("confuser", "/healthz")
    return "confuser"


def logged(platform, tenant, word):
    """The log as a person reads it, once `word` is in it."""
    return wait_for(lambda: (lambda text: text if word in text else "")(
        platform.logs(tenant)), 5, f"{word} is logged")


MOVING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def check_harmless(text):
    """Nothing in it moves a cursor, and each line says when it came, and from where."""
    assert not MOVING.search(text)
    for line in text.splitlines():
        assert LOG_LINE.match(line), line


@pytest.mark.parametrize("case", SAID)
def test_a_line_of_the_log_is_shown_escaped(siege, confuser, case):
    word = f"after-{abs(hash(case))}"
    siege.ask(confuser, "/attack/say", "POST", SAID[case] + b"\n" + word.encode() + b"\n")
    text = logged(siege.platform, confuser, word)
    check_harmless(text)
    # It stands between its time and the next line, marked as the app's own.
    before = text.splitlines()[[word in line for line in text.splitlines()].index(True) - 1]
    assert LOG_LINE.match(before).group(1) == "out"


def test_last_words_that_are_no_utf8_blind_nobody(siege, confuser):
    """They are told in the state of the whole fleet."""
    siege.ask(confuser, "/attack/die", "POST", b"bad \xff\xfe words \xe2\x82\n")
    wait_for(lambda: siege.platform.request(confuser, "/healthz").status == 200, 10, "it is back")
    for tenant in (VICTIM, confuser):
        assert siege.platform.show(tenant)["services"], "the cloud answers"
    status = siege.platform.granary("status")
    assert not status.get("cloud_problem"), status
    assert "words" in siege.platform.service(confuser)["last_failure"]
    siege.platform.logs(confuser)


def test_64_mib_without_a_newline_leave_the_log_bounded(siege, confuser):
    siege.ask(confuser, "/attack/flood?mib=64", "POST")
    siege.ask(confuser, "/attack/say", "POST", b"\nafter-the-flood\n")
    folder = f"{siege.platform.data_dir}/accounts/{confuser}/logs"
    sizes = [os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)]
    assert 0 < sum(sizes) <= LOG_BYTES
    text = logged(siege.platform, confuser, "after-the-flood")
    check_harmless(text)
    assert len(text) <= LOG_BYTES
    assert siege.victim_is_well()


# ---- answers

HEADS = {
    "a NUL": b"X-Bad: a\x00b",
    "a bare line's end": b"X-Bad: a\nX-Forged: b",
    "a name with a blank": b"Bad Name: x",
    "no colon": b"nonsense",
    "an endless line": b"X-Long: " + b"y" * 300_000,
    "two lengths": b"Content-Length: 2",
    "a length and chunks": b"Transfer-Encoding: chunked",
    "a negative length": b"Content-Length: -1",
    "a terminal's escape": b"X-Escape: \x1b[2J",
}


@pytest.mark.parametrize("case", HEADS)
def test_a_head_that_is_malformed_ends_in_502_and_reaches_nobody(siege, confuser, case):
    head = b"HTTP/1.1 200 OK\r\n" + HEADS[case] + b"\r\nContent-Length: 3\r\n\r\nok\n"
    answer = siege.platform.request(confuser, "/attack/raw", "POST", body=head)
    assert answer.status == 502
    assert answer.body == b"502 Bad Gateway\n"
    assert siege.victim_is_well()


def test_an_answer_cannot_forge_the_request_id(siege, confuser):
    head = b"HTTP/1.1 200 OK\r\nX-Request-Id: forged\r\nContent-Length: 3\r\n\r\nok\n"
    answer = siege.platform.request(confuser, "/attack/raw", "POST", body=head)
    assert re.fullmatch(r"[0-9a-f]{32}", answer.field("x-request-id"))


@pytest.mark.parametrize("domain", ["localhost", ".localhost", "LOCALHOST"])
def test_an_answer_cannot_set_a_cookie_for_others(siege, confuser, domain):
    cookie = f"Set-Cookie: session=stolen; Path=/; Domain={domain}\r\n".encode()
    head = b"HTTP/1.1 200 OK\r\n" + cookie + b"Content-Length: 3\r\n\r\nok\n"
    answer = siege.platform.request(confuser, "/attack/raw", "POST", body=head)
    assert all("domain" not in value.lower() for value in answer.all_fields("set-cookie"))


def test_the_gateway_keeps_no_descriptor_that_is_sent_to_it(siege, confuser):
    def descriptors():
        return len(os.listdir(f"/proc/{siege.platform.pid('gateway')}/fd"))
    siege.ask(confuser, "/attack/descriptors")
    before = descriptors()
    for _ in range(40):
        try:
            siege.platform.request(confuser, "/attack/descriptors")
        except Cut:  # it may well hang up on such an app
            continue
    wait_for(lambda: descriptors() < before + 10, 5, "what was sent is closed")


# ---- files


def test_what_lies_in_data_leads_deletion_nowhere(siege):
    """Links, strange names, a tree too deep, a pipe: to be counted, stopped and deleted."""
    platform = siege.platform
    platform.granary("tenant", "create", "litterer", "--release", siege.release)
    done = siege.ask("litterer", f"/attack/litter?target={siege.canary}", "POST").body
    assert int(done) > 100
    shown = platform.show("litterer")
    assert shown["disk_used_bytes"] <= shown["disk_quota_bytes"]
    for command in ("suspend", "resume"):
        platform.granary("tenant", command, "litterer")
    assert siege.ask("litterer", "/healthz").body == b"ok\n"
    platform.granary("tenant", "offboard", "litterer", "--retain", "0s", "--yes")
    wait_for(lambda: not os.listdir(platform.data_dir + "/graveyard"), 10, "it is reaped")
    assert "litterer" not in os.listdir(platform.data_dir + "/accounts")
    assert siege.victim_is_well()


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o6755])
def test_a_set_uid_file_in_a_release_is_refused(siege, tmp_path, mode):
    folder = release_folder(tmp_path / "app")
    os.chmod(folder / "granary-attack", mode)
    done = siege.platform.run("release", "create", str(folder))
    assert done.returncode == 2
    assert "setuid" in done.stderr
    assert "to do:" in done.stderr


def bundle_with(mode):
    """As a stranger packs it, with the program's mode in the archive alone."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        manifest = MANIFEST.replace("granary-walls", f"walls-{mode:o}").encode()
        for name, content in (("granary.yaml", manifest), ("granary-attack", b"x")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = mode if name == "granary-attack" else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return data.getvalue()


def in_store(platform):
    for folder, _, names in os.walk(platform.data_dir + "/releases"):
        for name in names:
            yield os.path.join(folder, name)


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o7777])
def test_a_set_uid_file_in_a_strangers_bundle_gains_nothing(siege, mode):
    bundle = compress(bundle_with(mode))
    status, document = upload(siege.platform, bundle)
    assert status in (201, 400, 422), document
    for path in in_store(siege.platform):
        assert os.stat(path).st_mode & 0o7022 == 0, path


def compress(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, capture_output=True, check=True).stdout


# ---- names


@pytest.mark.parametrize("target", ["/%1b%5b2J", "/a%0d%0aX-Forged:%201", "/%ff%fe",
                                    "/" + "x" * 7000])
def test_a_path_made_to_confuse_stays_in_its_line_of_the_access_log(siege, confuser, target):
    siege.platform.request(confuser, target)
    folder = pathlib.Path(siege.platform.data_dir, "access")
    log = wait_for(lambda: list(folder.glob(f"{confuser}.*.log")), 5, "the access log is written")
    time.sleep(0.1)
    text = log[0].read_bytes()
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", text)
    assert all(len(line) < 16 << 10 for line in text.splitlines())
    assert b"\nX-Forged" not in text


def test_a_silo_is_reached_by_the_gateway_alone(siege):
    """Its socket on the host lets in nobody who is not of the gateway's group."""
    path = f"{siege.platform.data_dir}/run/silo/{ATTACKER}/{SERVICE}.sock"
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        with socket.socket(socket.AF_UNIX) as stranger:
            os._exit(0 if stranger.connect_ex(path) != 0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
