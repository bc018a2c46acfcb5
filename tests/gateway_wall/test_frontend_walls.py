"""A tenant's files through the gateway: by their own names alone, and no other tenant's."""

import pytest
from platform_up import needs_root

pytestmark = needs_root

PAGE = "the page of acme"

# Each leads out of the frontend, to another file or around a rule, for some server or other.
TARGETS = [
    "/../index.html", "/../../etc/passwd", "/../../../../../../../../etc/passwd", "/./index.html",
    "/x/../index.html", "/x/../../index.json", "/..", "/.", "/../", "/...", "/....//index.json",
    "/%2e%2e/index.json", "/%2e%2e%2findex.json", "/..%2findex.json", "/..%2Findex.json",
    "/%2e%2e/%2e%2e/etc/passwd", "/.%2e/index.json", "/%2e./index.json", "/%2e/app.js",
    "/%252e%252e/index.json", "/%252e%252e%252findex.json", "/..%252findex.json", "/%25%32%65x.js",
    "/%c0%ae%c0%ae/index.json", "/%c0%ae%c0%ae%c0%afindex.json", "/..%c0%afindex.json",
    "/..%c1%9cindex.json", "/%e0%80%ae%e0%80%ae/index.json", "/%f0%80%80%ae/index.json",
    "/..%ef%bc%8findex.json", "/..%e2%88%95index.json", "/%uff0e%uff0e/index.json", "/%u002e/x.js",
    "/..\\index.json", "/..%5cindex.json", "/..%5Cindex.json", "/..%255cindex.json",
    "/\\index.json",
    "/%5c%5cserver%5cx.js", "/C:/windows/win.ini", "/C:%5cwindows%5cwin.ini",
    "/index.html::$DATA.x",
    "/..;/index.json", "/x;/../index.json", "/app.js;x", "/app.js;.css", "/app.js/",
    "/app.js/x.css",
    "/app.js%00", "/app.js%00.css", "/%00/app.js", "/app.js%0a", "/app.js%0d%0aSet-Cookie:x.y",
    "/app.js%20", "/app.js.", "/app.js..", "/app.js~", "/.app.js", "/APP.JS", "/App.js", "//app.js",
    "///app.js", "/%2fapp.js", "/%2Fetc/passwd.txt", "//etc/passwd.txt", "/etc/passwd.txt",
    "/blobs/x.js", "/../blobs/x.js", "/index.json", "/only-globex.js", "/../only-globex.js",
    "/..%2fglobex%2fonly-globex.js", "/granary.yaml", "/main.py", "/web/app.js", "/web/../main.py",
    "/.git/config.x", "/.env.x", "/.well-known/granary/../../app.js", "/.well-known/granary/x.js",
    "/%", "/%x.js", "/%4.js", "/%zz.js", "/%%2e.js", "/app.js%", "/app.js%2", "/app%2ejs%3fx.css",
    "/~root/x.y", "/*.js", "/app.js*", "/{app}.js", "/$(id).js", "/`id`.js", "/|id.js",
    "/" + "../" * 500 + "etc/passwd", "/" + "a/" * 1000 + "x.js", "/" + "%2e%2e/" * 500 + "x.js",
    "/" + "x" * 4000 + ".js", "/" + "%41" * 1000 + ".js", "/?../../app.js&x=/etc/passwd",
]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target[:60])
def test_no_target_leads_out_of_the_tenants_files(wall, target):
    answer = get(wall, "acme", target)
    assert answer.status in (200, 404), answer
    text = answer.body.decode()
    if answer.status == 200:  # only the app's own page, as for whatever a person might go to
        assert PAGE in text
        assert answer.field("Content-Type").startswith("text/html")
    for secret in ("root:x:", "globex", "assets", "recorder", "const only", "const whose"):
        assert secret not in text
    assert wall.nothing_taken()


def get(wall, tenant, target, *fields):
    lines = [f"GET {target} HTTP/1.1", f"Host: {tenant}.localhost", *fields, "Connection: close"]
    [answer] = wall.talk("\r\n".join([*lines, "", ""]).encode("latin-1"))
    return answer


def test_a_target_too_long_is_refused(wall):
    assert get(wall, "acme", "/" + "../" * 3000).status == 414
    assert get(wall, "acme", "/" + "%2e" * 3000).status == 414


def test_equal_paths_of_two_tenants_are_two_files(wall):
    for _ in range(2):
        for name, other in (("acme", "globex"), ("globex", "acme")):
            for path in ("/", "/app.js", f"/only-{name}.js"):
                text = get(wall, name, path).body.decode()
                assert name in text
                assert other not in text
        for encoding in ("gzip", "br", "identity"):
            answers = [get(wall, name, "/app.js", f"Accept-Encoding: {encoding}")
                       for name in ("acme", "globex")]
            assert answers[0].body != answers[1].body
            assert answers[0].field("ETag") != answers[1].field("ETag")


def test_what_one_tenants_client_has_is_not_what_anothers_has(wall):
    tags = {name: get(wall, name, "/app.js").field("ETag") for name in ("acme", "globex")}
    for name, other in (("acme", "globex"), ("globex", "acme")):
        answer = get(wall, name, "/app.js", f"If-None-Match: {tags[other]}")
        assert answer.status == 200
        assert name in answer.body.decode()
        assert get(wall, name, "/app.js", f"If-None-Match: {tags[name]}").status == 304


def test_a_cache_is_told_what_an_answer_depends_on(wall):
    for encoding in ("br", "gzip", "identity", "*;q=0"):
        answer = get(wall, "acme", "/app.js", f"Accept-Encoding: {encoding}")
        assert answer.field("Vary") == "Accept-Encoding"
    for target in ("/none.js", "/.well-known/granary/x"):
        assert get(wall, "acme", target).field("Cache-Control") == "no-store"
    # It may be kept, and is asked for each time all the same.
    assert get(wall, "acme", "/.well-known/granary/tenant").field("Cache-Control") == "no-cache"
    assert get(wall, "nobody", "/").field("Cache-Control") == "no-store"


def test_a_field_that_no_answer_depends_on_does_not_change_it(wall):
    """What a cache does not know of must not poison it."""
    plain = get(wall, "acme", "/")
    for field in ("X-Forwarded-Host: evil.example", "X-Forwarded-Proto: evil", "Cookie: evil=1",
                  "X-Original-URL: /only-acme.js", "Origin: http://evil.example",
                  "Range: bytes=0-1",
                  "X-HTTP-Method-Override: POST", "Accept-Language: evil", "If-Range: evil"):
        answer = get(wall, "acme", "/", field)
        assert (answer.status, answer.body) == (200, plain.body)
        assert "evil" not in str(answer.fields)
