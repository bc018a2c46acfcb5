"""A tenant's frontend through the gateway: its files, how they are cached, and nothing else."""

import ctypes
import gzip
import random

import pytest
from platform_up import needs_root
from raw_http import read_answer

pytestmark = needs_root

PAGE = b"<!doctype html><html><title>the page</title>" + b"<p>once more</p>" * 150 + b"</html>"
SCRIPT = b"export const greeting = 'hello, hello, hello';\n" * 200
NOISE = random.Random(1).randbytes(5000)
LARGE = random.Random(2).randbytes(3 << 20)
FILES = {"index.html": PAGE, "app.3f9a1c20.js": SCRIPT, "plain.js": SCRIPT, "noise.png": NOISE,
         "docs/index.html": b"<html>docs</html>", "large.bin": LARGE, ".hidden": b"secret-4417",
         "space and \xe4.txt": b"odd name"}


@pytest.fixture(scope="module")
def get(shared):
    """`get(path, **headers)`: what the tenant's frontend answers."""
    tenant = shared.tenant("front", web=FILES)

    def ask(path, method="GET", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return shared.request(tenant, path, method, headers=named)
    ask.platform = shared
    return ask


def test_files_come_with_their_type(get):
    for path, kind, body in [("/", "text/html", PAGE), ("/index.html", "text/html", PAGE),
                             ("/plain.js", "text/javascript", SCRIPT),
                             ("/noise.png", "image/png", NOISE),
                             ("/docs/", "text/html", b"<html>docs</html>")]:
        answer = get(path)
        assert answer.status == 200
        assert answer.field("Content-Type").startswith(kind)
        assert answer.field("X-Content-Type-Options") == "nosniff"
        assert answer.body == body


def test_a_large_file_is_whole(get):
    assert get("/large.bin").body == LARGE


def test_a_name_may_hold_any_letter(get):
    assert get("/space%20and%20%C3%A4.txt").body == b"odd name"


def test_an_unchanged_file_is_not_sent_again(get):
    tag = get("/index.html").field("ETag")
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = get("/index.html", If_None_Match=known)
        assert (again.status, again.body) == (304, b"")
        assert again.field("ETag") == tag
    assert get("/index.html", If_None_Match='"other"').status == 200


def unpack_brotli(packed, room):
    decoder = ctypes.CDLL("libbrotlidec.so.1")
    size = ctypes.c_size_t(room)
    into = ctypes.create_string_buffer(room)
    done = decoder.BrotliDecoderDecompress(ctypes.c_size_t(len(packed)), packed,
                                           ctypes.byref(size), into)
    assert done == 1, "this is not brotli"
    return into.raw[:size.value]


def test_the_best_encoding_that_the_client_takes_is_sent(get):
    brotli = get("/plain.js", Accept_Encoding="gzip, deflate, br")
    assert brotli.field("Content-Encoding") == "br"
    assert len(brotli.body) < len(SCRIPT) / 4
    assert unpack_brotli(brotli.body, len(SCRIPT)) == SCRIPT
    zipped = get("/plain.js", Accept_Encoding="gzip, br;q=0")
    assert zipped.field("Content-Encoding") == "gzip"
    assert gzip.decompress(zipped.body) == SCRIPT
    plain = get("/plain.js")
    assert plain.field("Content-Encoding") is None
    tags = {answer.field("ETag") for answer in (brotli, zipped, plain)}
    assert len(tags) == 3, "one tag for different bytes"
    for answer in (brotli, zipped, plain):
        assert answer.field("Vary") == "Accept-Encoding"


def test_what_does_not_get_smaller_is_sent_as_it_is(get):
    answer = get("/noise.png", Accept_Encoding="gzip, br")
    assert answer.field("Content-Encoding") is None
    assert answer.body == NOISE


def test_only_names_that_hold_a_hash_are_kept_for_ever(get):
    assert "immutable" in get("/app.3f9a1c20.js").field("Cache-Control")
    for path in ("/", "/index.html", "/plain.js", "/some/page"):
        assert get(path).field("Cache-Control") == "no-cache"


def test_pages_of_the_app_fall_back_to_its_one_page_and_missing_files_do_not(get):
    assert get("/orders/17").body == PAGE
    assert get("/orders/17.5", Accept="text/html").body == PAGE
    assert get("/missing.js").status == 404
    assert get("/assets/missing.png", Accept="image/*").status == 404


def test_a_head_request_tells_all_but_the_body(get):
    asked, told = get("/index.html"), get("/index.html", "HEAD")
    assert told.status == 200
    assert told.field("Content-Length") == str(len(asked.body))
    assert told.field("ETag") == asked.field("ETag")


def test_other_methods_are_not_allowed(get):
    answer = get("/index.html", "POST")
    assert answer.status == 405
    assert answer.field("Allow") == "GET, HEAD"


@pytest.mark.parametrize("path", [
    "/../main.py", "/../../etc/passwd", "/%2e%2e/main.py", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/..%2fmain.py", "/..%5cmain.py", "/.%2e/main.py", "/docs/../../main.py", "//etc/passwd",
    "/index.html%00.js", "/%00", "/main.py", "/granary.yaml", "/.hidden", "/docs/..%2f.hidden",
    "/%c0%ae%c0%ae/main.py", "/%252e%252e/main.py", "/%zz", "/%", "/index.html/",
    "/docs/%2e%2e/.hidden"])
def test_no_path_leads_out_of_the_frontend(get, path):
    answer = get(path)
    assert answer.status in (200, 400, 404)
    if answer.status == 200:
        assert answer.body == PAGE, "the app's page is all that it may fall back to"
    for secret in (b"secret-4417", b"root:", b"import", b"services"):
        assert secret not in answer.body


def test_a_frontend_needs_no_running_silo(get):
    platform = get.platform
    platform.tenant("frontonly", web={"index.html": PAGE}, idle="1s", env={"PROBE": "serve"})
    platform.wait_for_phase("frontonly", "asleep")
    wakes = platform.service("frontonly")["wakes"]
    assert platform.request("frontonly", "/").body == PAGE
    assert platform.service("frontonly")["wakes"] == wakes
    assert platform.service("frontonly")["phase"] == "asleep"


def test_a_new_release_brings_its_frontend_at_once(get):
    platform = get.platform
    platform.tenant("renewed", web={"index.html": b"<html>one</html>"})
    old = platform.request("renewed", "/")
    release = platform.release(web={"index.html": b"<html>two</html>"})
    platform.granary("tenant", "update", "renewed", "--release", release)
    new = platform.request("renewed", "/", headers={"If-None-Match": old.field("ETag")})
    assert (new.status, new.body) == (200, b"<html>two</html>")


def test_two_tenants_see_their_own_frontend_on_one_connection(get):
    platform = get.platform
    with platform.connect() as connection, connection.makefile("rb") as stream:
        for name in ("twin-a", "twin-b"):
            platform.tenant(name, web={"index.html": name.encode()})
        for name in ("twin-a", "twin-b", "twin-a"):
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {platform.host(name)}\r\n\r\n".encode())
            assert read_answer(stream).body == name.encode()
