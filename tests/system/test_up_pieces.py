"""What is read in pieces, through real sockets to real silos, means what it means in one."""

import socket
import time

import pytest
from platform_up import needs_root
from raw_http import read_answer
from small_apps import serve_small_app

pytestmark = needs_root

# Answers with this head and "ok", in two pieces: cut behind N bytes, N from the path (/17).
SPLIT = '''
import socket
import time

HEAD = b"HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: 2\\r\\n\\r\\nok"
INTERIM = b"HTTP/1.1 103 Early Hints\\r\\nLink: </a.css>\\r\\n\\r\\n"
LONG = HEAD.replace(b"Content-Type", b"X-Long: " + b"x" * 9000 + b"\\r\\nContent-Type")
ANSWERS = {b"plain": HEAD, b"interim": INTERIM + HEAD, b"long": LONG}

listener = socket.create_server(("127.0.0.1", 8080))
while True:
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    asked = connection.recv(65536).split(b" ")[1]
    _, kind, cut = (b"/plain/0" if asked == b"/" else asked).split(b"/")  # "/": a deployment asks
    answer = ANSWERS[kind]
    if int(cut):
        connection.sendall(answer[:int(cut)])
        time.sleep(0.01)
    connection.sendall(answer[int(cut):])
    connection.close()
'''

# The standard library's own server for WSGI apps, which writes each line of a head by itself.
WSGI = '''
import os
from wsgiref.simple_server import make_server

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"served ", environ["PATH_INFO"].encode()]

make_server("127.0.0.1", int(os.environ["PORT"]), app).serve_forever()
'''


@pytest.fixture(scope="module")
def split(shared):
    return serve_small_app(shared, "split-head", SPLIT)


class Visitor:
    """One client with one connection for as long as it is kept."""

    def __init__(self, platform, tenant):
        self.platform, self.tenant = platform, tenant
        self.connection = self.stream = None

    def get(self, path):
        if self.stream is None:
            self.connection = self.platform.connect(timeout=5)
            self.stream = self.connection.makefile("rb")
        host = self.platform.host(self.tenant)
        self.connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        answer = read_answer(self.stream)
        while answer.status // 100 == 1:
            answer = read_answer(self.stream)
        if answer.field("Connection") == "close":
            self.stream = None
        return answer


@pytest.mark.parametrize("kind", ["plain", "interim"])
def test_the_head_of_an_answer_may_be_cut_anywhere(shared, split, kind):
    length = 66 + (44 if kind == "interim" else 0)
    visitor = Visitor(shared, split)
    for cut in range(length):
        answer = visitor.get(f"/{kind}/{cut}")
        assert (answer.status, answer.body) == (200, b"ok"), (cut, answer)
        assert answer.field("Content-Type") == "text/plain", (cut, answer)


def test_a_long_head_of_an_answer_may_be_cut_anywhere(shared, split):
    visitor = Visitor(shared, split)
    for cut in [*range(1, 40), 4095, 4096, 4097, 8191, 8192, 8193, *range(9020, 9080)]:
        answer = visitor.get(f"/long/{cut}")
        assert (answer.status, answer.body) == (200, b"ok"), (cut, answer)
        assert len(answer.field("X-Long")) == 9000, cut


def test_an_app_that_writes_its_head_line_by_line_is_served_without_a_broken_answer(shared):
    visitor = Visitor(shared, serve_small_app(shared, "wsgi", WSGI))
    for number in range(200):
        answer = visitor.get(f"/{number}")
        assert (answer.status, answer.body) == (200, b"served /%d" % number), answer


def test_a_request_may_be_cut_anywhere(shared):
    tenant = shared.tenant("cut-requests")
    head = f"POST /api/echo HTTP/1.1\r\nHost: {shared.host(tenant)}\r\nContent-Length: 5\r\n\r\n"
    sent = head.encode() + b"hello"
    for cut in range(1, len(sent)):
        with shared.connect() as connection, connection.makefile("rb") as stream:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(sent[:cut])
            time.sleep(0.001)
            connection.sendall(sent[cut:])
            answer = read_answer(stream)
            assert (answer.status, answer.body) == (200, b"hello"), cut
