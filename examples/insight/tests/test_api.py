"""What the product does: takes scans in, lists them, counts them."""

import json
import sqlite3
import time

import pytest


def test_is_healthy_before_the_first_scan_and_leaves_no_file(insight):
    assert insight.get("/api/health") == {"status": "ok", "scans": 0}
    assert not insight.data.exists()


def test_is_empty_before_the_first_scan(insight):
    assert insight.get("/api/scans") == {"total": 0, "scans": []}
    stats = insight.get("/api/stats")
    assert stats["total"] == stats["last_hour"] == 0
    assert stats["per_minute"] == [0] * 60
    assert stats["top_codes"] == stats["devices"] == []


def test_gives_back_the_scan_it_took(insight):
    before = int(time.time() * 1000)
    scan = insight.scan(" 4006381333931 ", "dock-1")
    assert scan["code"] == "4006381333931"
    assert scan["device"] == "dock-1"
    assert before <= scan["at"] <= int(time.time() * 1000)
    assert insight.get("/api/scans") == {"total": 1, "scans": [scan]}


def test_a_scan_without_a_device_is_from_an_unnamed_one(insight):
    assert insight.scan("1")["device"] == "unnamed"
    status, scan = insight.request("POST", "/api/scans", {"code": "2", "device": None})
    assert (status, scan["device"]) == (201, "unnamed")


def test_lists_the_newest_first_and_no_more_than_asked_for(insight):
    ids = [insight.scan("code-%d" % number)["id"] for number in range(5)]
    scans = insight.get("/api/scans?limit=3")["scans"]
    assert [scan["id"] for scan in scans] == ids[:1:-1]


def test_lists_only_what_came_after_a_scan(insight):
    first, second, third = (insight.scan(code)["id"] for code in "abc")
    scans = insight.get("/api/scans?limit=10&after=%d" % first)["scans"]
    assert [scan["id"] for scan in scans] == [third, second]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "limit=", "limit=1&limit=2",
                                   "limit=-1", "after=-1", "limit=" + "9" * 5000])
def test_refuses_a_limit_that_makes_no_sense(insight, query):
    status, problem = insight.request("GET", "/api/scans?" + query)
    assert status == 400
    assert problem["field"] in ("limit", "after")


@pytest.mark.parametrize("document, field", [
    ({}, "code"),
    ({"code": None}, "code"),
    ({"code": ""}, "code"),
    ({"code": "  "}, "code"),
    ({"code": 12}, "code"),
    ({"code": ["1"]}, "code"),
    ({"code": "a\nb"}, "code"),
    ({"code": "x" * 129}, "code"),
    ({"code": "1", "device": ""}, "device"),
    ({"code": "1", "device": {"a": 1}}, "device"),
    ({"code": "1", "device": "x" * 65}, "device"),
    ({"code": "\ud800"}, "code"),
])
def test_refuses_a_scan_that_makes_no_sense(insight, document, field):
    status, problem = insight.request("POST", "/api/scans", document)
    assert (status, problem["field"]) == (400, field)
    assert insight.get("/api/scans")["total"] == 0


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b'"code"', b"null", b'{"code":"1"} x', b'{"code":"1"}\0', b"\xff\xfe",
    b'{"code":"a\\u0000b"}', b"{'code':'1'}", b"{" * 5000, b'{"a":' * 5000,
])
def test_refuses_a_body_that_is_no_json_object(insight, body):
    connection = insight.connection()
    connection.request("POST", "/api/scans", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    assert response.status == 400
    assert json.loads(response.read())["error"]
    connection.close()


@pytest.mark.parametrize("code", [
    '"; DROP TABLE scans; --', "</script><b>", "Grün ✓ 条码", "\\", "'",
])
def test_keeps_any_printable_text_as_it_is(insight, code):
    assert insight.scan(code, code)["code"] == code
    scan = insight.get("/api/scans")["scans"][0]
    assert (scan["code"], scan["device"]) == (code, code)


def test_wants_to_be_told_that_it_is_json(insight):
    status, _ = insight.request("POST", "/api/scans", {"code": "1"}, {"Content-Type": "text/plain"})
    assert status == 415


def test_counts_what_was_scanned(insight):
    for code, device in (("a", "one"), ("b", "one"), ("a", "two")):
        insight.scan(code, device)
    stats = insight.get("/api/stats")
    assert stats["total"] == stats["last_hour"] == stats["last_day"] == 3
    assert stats["codes"] == 2
    assert sum(stats["per_minute"]) == sum(stats["per_hour"]) == 3
    assert sum(stats["per_minute"][-2:]) == 3  # two, for a minute may end meanwhile
    assert stats["top_codes"] == [{"code": "a", "count": 2}, {"code": "b", "count": 1}]
    assert [(row["device"], row["count"]) for row in stats["devices"]] == [("one", 2), ("two", 1)]
    assert stats["devices"][1]["last"] <= stats["now"]


def test_counts_a_scan_in_the_minute_and_hour_it_was_made_in(stopped):
    stopped.start().scan("recent")
    assert stopped.stop() == 0
    now = int(time.time() * 1000)
    minute = 60_000
    ages = (30 * minute, 90 * minute, 30 * 60 * minute)  # half an hour, 1.5 hours, 30 hours
    with sqlite3.connect(stopped.data / "insight.db") as db:
        db.executemany("INSERT INTO scans (code, device, at) VALUES ('old', 'd', ?)",
                       [(now - age,) for age in ages])
    db.close()
    stats = stopped.start().get("/api/stats")
    assert (stats["total"], stats["last_hour"], stats["last_day"]) == (4, 2, 3)
    made_in = (now - 30 * minute) // minute - stats["now"] // minute
    assert stats["per_minute"][made_in - 1] == 1
    assert sum(stats["per_minute"]) == 2
    assert sum(stats["per_hour"]) == 3


def test_keeps_its_scans_over_a_restart(stopped):
    scan = stopped.start().scan("kept")
    assert stopped.stop() == 0
    assert sorted(path.name for path in stopped.data.iterdir()) == ["insight.db"]
    assert stopped.start().get("/api/scans")["scans"] == [scan]


def test_keeps_every_answered_scan_when_it_is_killed(stopped):
    stopped.start().scan("kept")
    stopped.process.kill()
    stopped.wait()
    assert stopped.start().get("/api/scans")["scans"][0]["code"] == "kept"


def test_says_that_it_is_not_well_when_its_database_is_broken(stopped):
    stopped.data.mkdir()
    (stopped.data / "insight.db").write_bytes(b"no database at all" * 100)
    status, problem = stopped.start().request("GET", "/api/health")
    assert (status, problem) == (503, {"error": "the database does not answer"})
    status, problem = stopped.request("GET", "/api/scans")
    assert (status, problem) == (500, {"error": "something went wrong on our side"})


def test_unknown_resources_are_not_found(insight):
    for target in ("/api/", "/api/scans/", "/api/scan", "/", "/index.html"):
        assert insight.request("GET", target)[0] == 404


def test_refuses_other_methods_and_names_the_ones_it_has(insight):
    connection = insight.connection()
    connection.request("DELETE", "/api/scans")
    response = connection.getresponse()
    assert response.status == 405
    assert response.headers["Allow"] == "GET, POST, HEAD"
    response.read()
    connection.close()
