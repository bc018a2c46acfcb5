"""HTTP through the gateway to a real silo, byte by byte."""

import socket
import time
from threading import Thread

import pytest
from platform_up import needs_root
from probe_app import pattern
from raw_http import chunked, read_answer, talk

pytestmark = needs_root

FIVE_MEBIBYTES = 5 << 20


@pytest.fixture(scope="module")
def site(shared):
    """A tenant of the shared platform; `site.port`, `site.name`, `site.host`."""
    class Site:
        platform = shared
        name = shared.tenant("http")
        port = shared.gateway_port
        host = shared.host("http")

        @classmethod
        def head(cls, target="/api/who", method="GET", *fields):
            lines = [f"{method} {target} HTTP/1.1", f"Host: {cls.host}", *fields]
            return "\r\n".join(lines).encode() + b"\r\n\r\n"

        @classmethod
        def talk(cls, sent):
            return talk(cls.port, sent, timeout=3)
    assert shared.who("http")
    return Site


# ---- connections


def test_a_connection_serves_many_requests(site):
    with site.platform.connect() as connection, connection.makefile("rb") as stream:
        for _ in range(3):
            connection.sendall(site.head())
            assert read_answer(stream).status == 200


def test_pipelined_requests_are_answered_in_order(site):
    with site.platform.connect() as connection, connection.makefile("rb") as stream:
        connection.sendall(b"".join(site.head(f"/api/seen?{number}") for number in range(8)))
        paths = [read_answer(stream).json()["path"] for _ in range(8)]
    assert paths == [f"/api/seen?{number}" for number in range(8)]


def test_a_client_that_has_said_all_still_gets_its_answer(site):
    with site.platform.connect() as connection, connection.makefile("rb") as stream:
        connection.sendall(site.head("/api/sleep?s=0.3"))
        connection.shutdown(socket.SHUT_WR)
        assert read_answer(stream).status == 200


def test_connection_close_is_honoured(site):
    answer, closed, rest = site.talk(site.head("/api/who", "GET", "Connection: close"))
    assert (answer.status, closed, rest) == (200, True, b"")
    assert answer.field("Connection") == "close"


def test_an_http_1_0_client_is_answered_and_the_connection_closed(site):
    sent = f"GET /api/who HTTP/1.0\r\nHost: {site.host}\r\n\r\n".encode()
    answer, closed, _ = site.talk(sent)
    assert (answer.status, closed) == (200, True)
    assert answer.field("Transfer-Encoding") is None


def test_a_head_that_arrives_byte_by_byte_is_one_request(site):
    with site.platform.connect() as connection, connection.makefile("rb") as stream:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in site.head():
            connection.sendall(bytes([byte]))
            time.sleep(0.001)
        assert read_answer(stream).status == 200


# ---- bodies


def test_a_chunked_upload_of_5_mib_comes_back_whole_while_it_is_sent(site):
    pieces = [pattern(65536, offset) for offset in range(0, FIVE_MEBIBYTES, 65536)]
    head = site.head("/api/echo", "POST", "Transfer-Encoding: chunked")
    with site.platform.connect() as connection, connection.makefile("rb") as stream:
        sender = Thread(target=connection.sendall, args=(head + chunked(pieces),))
        sender.start()
        answer = read_answer(stream)
        sender.join()
    assert answer.status == 200
    assert answer.body == b"".join(pieces)


def test_an_upload_of_5_mib_with_a_length_comes_back_whole(site):
    body = pattern(FIVE_MEBIBYTES, 0)
    with site.platform.connect() as connection, connection.makefile("rb") as stream:
        head = site.head("/api/echo", "POST", f"Content-Length: {len(body)}")
        sender = Thread(target=connection.sendall, args=(head + body,))
        sender.start()
        answer = read_answer(stream)
        sender.join()
    assert answer.body == body


def test_a_download_of_5_mib_is_whole(site):
    answer = site.platform.request(site.name, f"/api/download?bytes={FIVE_MEBIBYTES}")
    assert answer.body == pattern(FIVE_MEBIBYTES, 0)


def test_a_slow_reader_gets_all_of_a_long_answer(site):
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", site.port))
        connection.sendall(site.head(f"/api/download?bytes={FIVE_MEBIBYTES}"))
        time.sleep(1)
        with connection.makefile("rb") as stream:
            assert read_answer(stream).body == pattern(FIVE_MEBIBYTES, 0)


def test_expect_continue_is_answered_before_the_body(site):
    head = site.head("/api/echo", "POST", "Content-Length: 5", "Expect: 100-continue")
    with site.platform.connect() as connection, connection.makefile("rb") as stream:
        connection.sendall(head)
        assert stream.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert stream.readline() == b"\r\n"
        connection.sendall(b"hello")
        assert read_answer(stream).body == b"hello"


def test_a_head_request_has_no_body(site):
    with site.platform.connect() as connection, connection.makefile("rb") as stream:
        connection.sendall(site.head("/api/who", "HEAD") + site.head("/api/seen"))
        answer = read_answer(stream, "HEAD")
        assert int(answer.field("Content-Length")) > 0
        assert read_answer(stream).json()["path"] == "/api/seen"


def test_a_websocket_is_carried_both_ways(site):
    head = site.head("/api/upgrade", "GET", "Connection: Upgrade", "Upgrade: websocket",
                     "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    with site.platform.connect() as connection, connection.makefile("rb") as stream:
        connection.sendall(head + b"early ")
        answer = read_answer(stream)
        assert answer.status == 101
        assert answer.field("Upgrade") == "websocket"
        for text in (b"hello ", b"there ", b"\x81\x00\xff "):
            connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        assert stream.read() == b"EARLY HELLO THERE \x81\x00\xff "


# ---- what is said to whom


def seen(site, *fields):
    """The fields that the app got, by name in lower case."""
    answer, _, _ = site.talk(site.head("/api/seen", "GET", *fields, "Connection: close"))
    assert answer.status == 200, answer
    found = {}
    for name, value in answer.json()["headers"]:
        assert name.lower() not in found, f"{name} came twice"
        found[name.lower()] = value
    return found


def test_what_only_the_gateway_may_say_is_not_believed_of_a_client(site):
    got = seen(site, "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Real-IP: 6.6.6.6",
               "X-Forwarded-Host: evil.example", "X-Request-Id: mine", "Forwarded: for=6.6.6.6",
               "X_Forwarded_For: 6.6.6.6")
    assert got["x-forwarded-for"] == "127.0.0.1"
    assert got["x-real-ip"] == "127.0.0.1"
    assert got["x-forwarded-proto"] == "http"
    assert got["x-forwarded-host"] == site.host
    assert got["x-request-id"] != "mine"
    assert "6.6.6.6" not in str(got)


def test_fields_of_one_hop_do_not_go_on(site):
    got = seen(site, "Connection: close, X-Secret", "X-Secret: 1", "Keep-Alive: 5",
               "Proxy-Connection: keep-alive", "TE: trailers", "X-Kept: 1")
    assert got["x-kept"] == "1"
    assert not {"x-secret", "keep-alive", "proxy-connection", "te"} & set(got)


def test_an_app_knows_the_host_that_was_asked_for(site):
    assert seen(site)["host"] == site.host


@pytest.mark.parametrize(("tenant", "path", "status"), [
    ("http", "/api/who", 200), ("http", "/api/none", 404), ("http", "/elsewhere", 404),
    ("nobody", "/", 404), ("http", "/.well-known/granary/tenant", 200)])
def test_every_answer_has_a_request_id_and_leaks_nothing(site, tenant, path, status):
    answers = [site.platform.request(tenant, path) for _ in range(2)]
    ids = {answer.field("X-Request-Id") for answer in answers}
    assert len(ids - {None}) == 2
    for answer in answers:
        assert answer.status == status
        assert "granary" not in str(answer.fields).lower().replace("/granary/", "")
        assert answer.field("X-Powered-By") is None
        if status == 404:
            assert answer.field("Server") in (None, "probe")


def test_refusals_have_a_request_id_and_no_server(site):
    answer, _, _ = site.talk(b"nonsense\r\n\r\n")
    assert answer.field("X-Request-Id")
    assert answer.field("Server") is None


# ---- what is refused, with the connection closed


def get(host, *more):
    return "\r\n".join(["GET /api/who HTTP/1.1", *([f"Host: {host}"] if host else []),
                        *more, "", ""]).encode("latin-1")


def post(host, body, *more):
    return "\r\n".join(["POST /api/echo HTTP/1.1", f"Host: {host}", *more, "", ""]).encode() + body


MALFORMED = {
    "no host": lambda host: get(None),
    "an empty host": lambda host: b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "two hosts": lambda host: get(host, f"Host: {host}"),
    "another host beside": lambda host: get(host, "Host: other.localhost"),
    "a host with a path": lambda host: get(host + "/x"),
    "a host with a user": lambda host: get("user@" + host),
    "a host and the target's other": lambda host: (
        f"GET http://other.localhost/ HTTP/1.1\r\nHost: {host}\r\nHost: x\r\n\r\n".encode()),
    "length and chunked": lambda host: post(host, b"0\r\n\r\n", "Content-Length: 5",
                                            "Transfer-Encoding: chunked"),
    "chunked and length": lambda host: post(host, b"0\r\n\r\n", "Transfer-Encoding: chunked",
                                            "Content-Length: 5"),
    "two lengths": lambda host: post(host, b"hello", "Content-Length: 5", "Content-Length: 6"),
    "a list of lengths": lambda host: post(host, b"hello", "Content-Length: 5, 6"),
    "a negative length": lambda host: post(host, b"", "Content-Length: -1"),
    "a signed length": lambda host: post(host, b"hello", "Content-Length: +5"),
    "a hexadecimal length": lambda host: post(host, b"hello", "Content-Length: 0x5"),
    "a length beyond 64 bits": lambda host: post(host, b"", "Content-Length: 99999999999999999999"),
    "an unknown coding": lambda host: post(host, b"", "Transfer-Encoding: gzip, chunked"),
    "chunked not last": lambda host: post(host, b"0\r\n\r\n", "Transfer-Encoding: chunked, gzip"),
    "chunked, spelled oddly": lambda host: post(host, b"0\r\n\r\n", "Transfer-Encoding: xchunked"),
    "chunked in HTTP/1.0": lambda host: post(host, b"0\r\n\r\n", "Transfer-Encoding: chunked")
    .replace(b"HTTP/1.1", b"HTTP/1.0"),
    "a space before the colon": lambda host: get(host, "X-Field : 1"),
    "a folded line": lambda host: get(host, "X-Field: 1", " more"),
    "a field without a name": lambda host: get(host, ": 1"),
    "a field without a colon": lambda host: get(host, "nonsense"),
    "a NUL in a value": lambda host: get(host, "X-Field: a\0b"),
    "a bare CR in a value": lambda host: get(host, "X-Field: a\rb"),
    "a space in the target": lambda host: get(host).replace(b"/api/who", b"/api/who /x"),
    "a control character in the target": lambda host: get(host).replace(b"/who", b"/wh\x01o"),
    "no target": lambda host: get(host).replace(b"/api/who ", b""),
    "nonsense": lambda host: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "HTTP/2": lambda host: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9": lambda host: get(host).replace(b"HTTP/1.1", b"HTTP/9.9"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_the_malformed_and_ambiguous_is_refused_and_the_connection_closed(site, case):
    """A second request behind it would be a smuggled one: it must not be answered."""
    answer, closed, rest = site.talk(MALFORMED[case](site.host) + site.head())
    assert answer.status == 400, answer
    assert closed
    assert rest == b""


@pytest.mark.parametrize("size_line", [b"xyz", b"-1", b"", b"5 5", b"0x5", b"+5", b"\t5",
                                       b"fffffffffffffffff", b"5;" + b"x" * 5000],
                         ids=["letters", "negative", "empty", "two", "0x", "signed", "tab",
                              "beyond 64 bits", "a long extension"])
def test_a_bad_chunk_size_is_refused_and_the_connection_closed(site, size_line):
    sent = (site.head("/api/seen", "POST", "Transfer-Encoding: chunked") + size_line
            + b"\r\nhello\r\n0\r\n\r\n" + site.head())
    answer, closed, rest = site.talk(sent)
    assert answer.status == 400, answer
    assert closed
    assert rest == b""


def test_a_chunk_that_is_longer_than_it_says_is_refused(site):
    sent = site.head("/api/seen", "POST", "Transfer-Encoding: chunked")
    answer, closed, rest = site.talk(sent + b"5\r\nhello-and-more\r\n0\r\n\r\n" + site.head())
    assert (answer.status, closed, rest) == (400, True, b"")


@pytest.mark.parametrize("fields", [
    [f"X-Field-{number}: {'x' * 10000}" for number in range(100)],
    [f"X-{number}: 1" for number in range(20000)],
    ["X-Field: " + "x" * (1 << 20)]], ids=["long ones", "many", "one"])
def test_a_mebibyte_of_header_is_refused(site, fields):
    answer, closed, rest = site.talk(site.head("/api/who", "GET", *fields))
    assert answer.status == 431, answer
    assert closed
    assert rest == b""


def test_a_target_too_long_is_refused(site):
    answer, closed, _ = site.talk(site.head("/api/" + "x" * 20000))
    assert (answer.status, closed) == (414, True)


def test_a_body_too_large_is_refused_before_it_is_sent(site):
    sent = site.head("/api/echo", "POST", f"Content-Length: {1 << 40}")
    answer, closed, _ = site.talk(sent)
    assert (answer.status, closed) == (413, True)


def test_nobody_can_tell_an_unknown_host_from_another(site):
    answers = [site.platform.request("", "/", host=host)
               for host in ("nobody.localhost", "example.com", "127.0.0.1", "http.example.com",
                            "x.http.localhost")]
    assert {answer.status for answer in answers} == {404}
    assert len({answer.body for answer in answers}) == 1


def test_a_host_is_known_in_any_case_and_without_its_port(site):
    for host in ("HTTP.LocalHost", "http.localhost:1", "http.localhost."):
        assert site.platform.request("", "/api/who", host=host).status == 200
