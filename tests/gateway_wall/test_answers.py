"""Real silos that answer what is no answer, too much, or too early: nobody else gets any of it."""

import time

import pytest
from platform_up import needs_root

pytestmark = needs_root

OK = b"HTTP/1.1 200 OK\r\n"
EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
BAD = {
    "a bare CR in a value": OK + b"X: a\rSet-Cookie: evil=1\r\nContent-Length: 0\r\n\r\n",
    "a bare LF in a value": OK + b"X: a\nSet-Cookie: evil=1\r\nContent-Length: 0\r\n\r\n",
    "a NUL in a value": OK + b"X: evil\0\r\nContent-Length: 0\r\n\r\n",
    "a NUL in a name": OK + b"X\0: evil\r\nContent-Length: 0\r\n\r\n",
    "a space before the colon": OK + b"Set-Cookie : evil=1\r\nContent-Length: 0\r\n\r\n",
    "a bare CR in the reason": b"HTTP/1.1 200 evil\rX: y\r\nContent-Length: 0\r\n\r\n",
    "bare LF everywhere": b"HTTP/1.1 200 OK\nX: evil\nContent-Length: 0\n\n",
    "two lengths": OK + b"Content-Length: 4\r\nContent-Length: 0\r\n\r\nevil",
    "two equal lengths": OK + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nevil",
    "a list of lengths": OK + b"Content-Length: 4, 4\r\n\r\nevil",
    "a signed length": OK + b"Content-Length: +4\r\n\r\nevil",
    "length and chunked": OK + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\nevil",
    "chunked and length": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "an unknown coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "HTTP/2": b"HTTP/2 200 OK\r\nX: evil\r\n\r\n",
    "HTTP/0.9": b"<html>evil</html>\r\n\r\n",
    "a status of 99": b"HTTP/1.1 99 evil\r\n\r\n", "of 600": b"HTTP/1.1 600 evil\r\n\r\n",
    "of four digits": b"HTTP/1.1 2000 evil\r\n\r\n", "of none": b"HTTP/1.1 evil\r\n\r\n",
    "an upgrade that nobody asked for": b"HTTP/1.1 101 X\r\nUpgrade: evil\r\n\r\n",
    "an endless field": OK + b"X: " + b"evil" * 10_000 + b"\r\n\r\n",
    "endless interim answers": b"HTTP/1.1 100 Continue\r\n\r\n" * 50 + OK + b"\r\n",
}


def post(wall, tenant, path, body):
    [answer] = wall.talk(
        f"POST {path} HTTP/1.1\r\nHost: {wall.host(tenant)}\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n".encode() + body)
    return answer


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_answer_is_a_bad_gateway(wall, name):
    answer = post(wall, "acme", "/api/say", BAD[name])
    assert answer.status == 502
    assert b"evil" not in answer.body
    assert "evil" not in str(answer.fields)
    wall.taken("acme")


def apps(wall, *tenants):
    """Which app answers each of them now, on connections of their own."""
    found = []
    for name in tenants:
        answer = wall.platform.request(name, "/api/one")
        assert answer.status == 200
        found.append(answer.json()["app"])
        wall.taken(name)
    return found


@pytest.mark.parametrize("extra", [EVIL, b"HTTP/1.1 100 Continue\r\n\r\n" + EVIL, b"evil", b"\r\n",
                                   b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"], ids=repr)
def test_what_is_said_behind_an_answer_reaches_no_other_client(wall, extra):
    good = OK + b"Content-Length: 4\r\n\r\ngood"
    for _ in range(3):
        assert post(wall, "acme", "/api/say", good + extra).body == b"good"
        assert apps(wall, "globex", "acme", "globex") == ["globex", "acme", "globex"]


@pytest.mark.parametrize("extra", [EVIL, b"evil", b"\r\n"], ids=repr)
def test_what_is_said_some_time_after_an_answer_reaches_no_other_client(wall, extra):
    for _ in range(3):
        assert post(wall, "acme", "/api/late", extra).json()["app"] == "acme"
        time.sleep(0.2)  # the silo's own delay is the case
        assert apps(wall, "globex", "acme", "acme") == ["globex", "acme", "acme"]


@pytest.mark.parametrize("bodiless", [b"204 No Content", b"304 Not Modified"])
def test_a_body_where_none_may_be_reaches_no_other_client(wall, bodiless):
    said = b"HTTP/1.1 " + bodiless + b"\r\nContent-Length: %d\r\n\r\n" % len(EVIL) + EVIL
    answer = post(wall, "acme", "/api/say", said)
    assert answer.status == int(bodiless[:3])
    assert answer.body == b""
    assert apps(wall, "acme", "globex") == ["acme", "globex"]


def test_a_cookie_for_all_tenants_is_not_passed_on(wall):
    said = (OK + b"Set-Cookie: evil=1; Domain=localhost\r\n"
            b"Set-Cookie: evil=2; Path=/; domain=.LOCALHOST\r\n"
            b"Set-Cookie: own=1; Path=/\r\nContent-Length: 0\r\n\r\n")
    answer = post(wall, "acme", "/api/say", said)
    assert answer.all_fields("Set-Cookie") == ["own=1; Path=/"]
    wall.taken("acme")


def test_what_names_a_request_is_the_gateways_own(wall):
    said = OK + b"X-Request-Id: evil\r\nContent-Length: 0\r\nKeep-Alive: timeout=9\r\n\r\n"
    answer = post(wall, "acme", "/api/say", said)
    assert answer.status == 200
    assert len(answer.field("X-Request-Id")) == 32
    assert answer.field("Keep-Alive") is None
    wall.taken("acme")
