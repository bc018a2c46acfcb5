"""Each ambiguous request against a real gateway and a real silo: refused, or read in one way."""

import pytest
from corpus import CASES, HOST, SMUGGLED, Seen
from platform_up import needs_root

pytestmark = needs_root

NEXT = Seen("GET", "/api/next")
LAST = Seen("GET", "/api/last")


def test_the_corpus_is_large_enough():
    assert len(CASES) >= 120


def with_host(text, host):
    smuggled = len(SMUGGLED.replace(HOST, host.encode()))
    for name, value in ((HOST, host), (b"@LENGTH@", f"{smuggled}"), (b"@HEX@", f"{smuggled:x}")):
        text = text.replace(name, value.encode())
    return text


def seen_of(record):
    method, target, _ = record["head"].split("\r\n")[0].split(" ")
    return Seen(method, target, record["body"])


def follow(host):
    """What stands behind each case: one more request, and one that ends the connection."""
    line = "GET {} HTTP/1.1\r\nHost: {}\r\n{}\r\n"
    return (line.format(NEXT.target, host, "")
            + line.format(LAST.target, host, "Connection: close\r\n")).encode()


def assert_seen(case, records, host):
    smuggled = with_host(SMUGGLED, host).decode()
    expected = [Seen(seen.method, seen.target, seen.body.replace("@SMUGGLED@", smuggled))
                for seen in (*case.seen, *((NEXT, LAST) if case.goes_on else ()))]
    if case.cut:
        assert len(records) <= 1, "more than was begun"
        assert all(record["body"] is None for record in records), "taken for a whole"
        return
    assert [record["wrong"] for record in records] == [None] * len(records)
    assert [seen_of(record) for record in records] == expected
    for record in records:
        assert f"\r\nHost: {host}\r\n" in record["head"]
        assert "evil" not in record["head"].lower()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_request_is_refused_or_means_one_thing(wall, case):
    host = wall.host(wall.acme)
    answers = wall.talk(with_host(case.sent, host) + follow(host))
    statuses = (*case.statuses, *((200, 200) if case.goes_on else ()))
    assert tuple(answer.status for answer in answers) == statuses
    for answer in answers:
        assert answer.field("X-Request-Id")
    assert answers[-1].field("Connection") == "close"
    assert_seen(case, wall.taken(wall.acme), host)
    assert wall.taken(wall.globex) == []
