"""How it speaks HTTP, with clients that are slow, wrong, many, or leave."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from conftest import APP, read_to_end, readable, writable

HEALTH = b"GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n"
HEALTH_AND_CLOSE = b"GET /api/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
POST = b"POST /api/scans HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CLOSE = b"Connection: close\r\n"


def status(answer):
    return int(answer.split(b" ", 2)[1])


def test_answers_several_requests_on_one_connection(insight):
    connection = insight.connection()
    for _ in range(3):
        connection.request("GET", "/api/health")
        response = connection.getresponse()
        assert response.status == 200
        response.read()
        assert connection.sock is not None
    connection.close()


def test_answers_pipelined_requests_in_order(insight):
    answer = insight.exchange(
        HEALTH + HEALTH.replace(b"/api/health", b"/nowhere") + HEALTH_AND_CLOSE)
    assert [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]] == [200, 404, 200]


def test_http_1_0_closes_unless_asked_not_to(insight):
    assert status(insight.exchange(b"GET /api/health HTTP/1.0\r\n\r\n")) == 200
    with insight.raw() as plain:
        plain.sendall(b"GET /api/health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert status(plain.recv(4096)) == 200
        plain.sendall(HEALTH)
        assert status(plain.recv(4096)) == 200


def test_head_answers_the_length_and_no_body(insight):
    connection = insight.connection()
    connection.request("HEAD", "/api/health")
    response = connection.getresponse()
    assert response.status == 200
    assert response.headers["Content-Length"] == "25"
    assert response.read() == b""
    connection.request("GET", "/api/health")
    assert len(connection.getresponse().read()) == 25
    connection.close()


def test_takes_a_body_in_chunks(insight):
    chunked = (POST + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n"
               b'8;name=value\r\n{"code":\r\n04\r\n"1"}\r\n0\r\nX-Trailer: 1\r\n\r\n')
    assert status(insight.exchange(chunked)) == 201


def test_takes_a_request_byte_by_byte(insight):
    request = (POST + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n"
               b'4\r\n{"co\r\n8\r\nde":"1"}\r\n0\r\n\r\n')
    with insight.raw() as plain:
        for number in range(len(request)):
            plain.sendall(request[number:number + 1])
        assert status(read_to_end(plain)) == 201


def test_says_continue_to_a_client_that_waits_for_it(insight):
    with insight.raw() as plain:
        plain.sendall(POST + b"Content-Length: 12\r\nExpect: 100-continue\r\n\r\n")
        assert plain.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        plain.sendall(b'{"code":"1"}')
        assert status(plain.recv(4096)) == 201


@pytest.mark.parametrize("request_bytes, expected", [
    (b"GET /\r\n\r\n", 400),
    (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"G(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET api HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    (b"GET / JUNK/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\nC: d\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0\r\n\r\n", 400),
    (POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400),
    (POST + b"Content-Length: +1\r\n\r\nx", 400),
    (POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    (POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 300, 400),
    (POST + b"Expect: miracles\r\nContent-Length: 1\r\n\r\nx", 417),
    (POST + b"Content-Length: 65537\r\n\r\n", 413),
    (POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 413),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n10001\r\n", 413),
    (POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n", 413),
    (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 20000 + b"\r\n\r\n", 431),
    (b"GET /" + b"b" * 20000, 431),
])
def test_refuses_what_is_malformed_or_too_large_and_closes(insight, request_bytes, expected):
    answer = insight.exchange(request_bytes)
    assert status(answer) == expected
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.count(b"HTTP/1.1 ") == 1  # what follows was not taken for a request


def test_a_refusal_reaches_a_client_that_is_still_sending(insight):
    with insight.raw() as plain:
        plain.sendall(POST + b"Content-Length: 1000000\r\n\r\n" + b"x" * 100_000)
        assert status(read_to_end(plain)) == 413


def test_a_slow_client_keeps_nobody_waiting(insight):
    slow = [insight.raw() for _ in range(20)]
    for plain in slow:
        plain.sendall(POST + b"Content-Length: 12\r\n\r\n{")
    assert insight.get("/api/health")["status"] == "ok"
    for plain in slow:
        plain.sendall(b'"code":"1"}')
        assert status(plain.recv(4096)) == 201
        plain.close()


def test_a_client_that_does_not_read_keeps_nobody_waiting(insight):
    insight.scan("x" * 128)
    with insight.raw() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.setblocking(False)
        sent, request = 0, b"GET /api/scans HTTP/1.1\r\nHost: x\r\n\r\n"
        flood = request * 20000
        while writable(plain) and sent < len(flood):
            sent += plain.send(flood[sent:])
        assert sent < len(flood)  # it reads no further than its answers are taken
        assert insight.get("/api/health")["status"] == "ok"
        plain.setblocking(True)
        answered, wanted = 0, sent // len(request)
        while answered < wanted:
            answered += plain.recv(65536).count(b"HTTP/1.1 200 OK")


def test_outlives_clients_that_leave_at_any_point(insight):
    for part in (b"", b"GET", HEALTH, POST + b"Content-Length: 12\r\n\r\n{"):
        for _ in range(20):
            with insight.raw() as plain:
                plain.sendall(part)
    assert insight.get("/api/health")["status"] == "ok"


def test_more_clients_than_it_holds_wait_for_their_turn(insight):
    crowd = []
    for _ in range(256):
        plain = insight.raw()
        plain.sendall(HEALTH)
        assert status(plain.recv(4096)) == 200
        crowd.append(plain)
    with insight.raw() as late:
        late.sendall(HEALTH)
        crowd[0].sendall(HEALTH)
        assert status(crowd[0].recv(4096)) == 200  # it is awake, and yet
        assert not readable(late, 0)
        crowd.pop().close()
        assert status(late.recv(4096)) == 200
    for plain in crowd:
        plain.close()


def test_a_request_made_before_it_runs_is_answered(stopped):
    with stopped.raw() as plain:
        plain.sendall(HEALTH)
        stopped.start()
        assert status(plain.recv(4096)) == 200


def test_stops_at_once_when_nothing_is_in_flight(insight):
    with insight.raw() as plain:
        plain.sendall(HEALTH)
        assert status(plain.recv(4096)) == 200
        assert insight.stop() == 0
        assert plain.recv(4096) == b""
    assert insight.errors == ""


def test_answers_the_request_in_flight_and_then_stops(insight):
    with insight.raw() as plain:
        plain.sendall(POST + b"Content-Length: 12\r\nExpect: 100-continue\r\n\r\n")
        assert b"100" in plain.recv(4096)  # so it has the head
        insight.process.send_signal(signal.SIGTERM)
        plain.sendall(b'{"code":"1"}')
        answer = read_to_end(plain)
    assert status(answer) == 201
    assert insight.wait() == 0
    assert insight.start().get("/api/scans")["total"] == 1


def test_answers_a_request_that_arrives_together_with_the_signal(insight):
    with insight.raw() as plain:
        plain.sendall(HEALTH)
        assert status(plain.recv(4096)) == 200
        insight.process.send_signal(signal.SIGSTOP)
        insight.process.send_signal(signal.SIGTERM)
        plain.sendall(HEALTH)
        insight.process.send_signal(signal.SIGCONT)
        assert status(read_to_end(plain)) == 200
    assert insight.wait() == 0


def test_leaves_connections_that_come_after_the_signal_to_its_successor(insight):
    with insight.raw() as busy:
        busy.sendall(POST + b"Content-Length: 12\r\nExpect: 100-continue\r\n\r\n")
        assert b"100" in busy.recv(4096)
        with insight.raw() as open_before:
            open_before.sendall(HEALTH)
            assert status(open_before.recv(4096)) == 200
            insight.process.send_signal(signal.SIGTERM)
            assert open_before.recv(4096) == b""  # closed: it has seen the signal
        with insight.raw() as late:
            late.sendall(HEALTH)
            busy.sendall(b'{"code":"1"}')
            assert status(read_to_end(busy)) == 201
            assert insight.wait() == 0
            assert not readable(late, 0)
            insight.start()
            assert status(late.recv(4096)) == 200


def test_takes_no_socket_that_was_passed_to_another_process(tmp_path):
    process = start_by_hand(tmp_path, LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
    try:
        assert process.stdout.readline().startswith(b"Insight: http://127.0.0.1:")
    finally:
        finish(process)


def test_by_hand_it_serves_the_frontend_too(tmp_path):
    process = start_by_hand(tmp_path)
    try:
        port = int(process.stdout.readline().split(b":")[-1].rstrip(b"/\n"))
        index = (APP / "web" / "index.html").read_bytes()
        for target in (b"/", b"/index.html", b"/some/page"):
            assert fetch(port, target) == (200, index)
        assert fetch(port, b"/favicon.svg")[0] == 200
        for target in (b"/assets/none.js", b"/../serve.py", b"/../granary.yaml"):
            assert fetch(port, target)[0] == 404
        code, body = fetch(port, b"/api/health")
        assert (code, json.loads(body)["status"]) == (200, "ok")
    finally:
        finish(process)


def start_by_hand(folder, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "insight"], cwd=APP, stdout=subprocess.PIPE,
        env={"PATH": os.defpath, "DATA_DIR": str(folder / "data"), "PORT": "0",
             "PYTHONDONTWRITEBYTECODE": "1", **environment})


def finish(process):
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    process.stdout.close()


def fetch(port, target):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        plain.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        head, _, body = read_to_end(plain).partition(b"\r\n\r\n")
        return status(head), body
