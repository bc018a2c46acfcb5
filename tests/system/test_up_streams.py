"""Streams, tunnels, queues and early answers through real sockets to real silos, and what is told
of requests that fail because of the app."""

import contextlib
import time
from threading import Thread

import pytest
from platform_up import needs_root, together, wait_for
from raw_http import Cut, read_answer
from small_apps import serve_small_app

pytestmark = needs_root

# Where it listens: at its port, or on the socket that it inherited.
LISTEN = '''
import http.server, os, socket, socketserver, sys, time

class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def address_string(self): return ""
    def say(self, text, status=200):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

def serve(server_class, handler):
    class Server(server_class):
        daemon_threads = True
        request_queue_size = 64
        def get_request(self):
            return self.socket.accept()[0], ("gateway", 0)
    if "LISTEN_FDS" in os.environ:
        server = Server(("", 0), handler, bind_and_activate=False)
        server.socket.close()
        server.socket = socket.socket(fileno=3)
    else:
        server = Server(("127.0.0.1", int(os.environ["PORT"])), handler)
    server.serve_forever()
'''

EARLY = '''
        self.say("too large", 413)
        self.close_connection = True
'''

STREAMS = LISTEN + '''
class Handler(Quiet):
    def do_GET(self):
        if self.path == "/events":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\\r\\nhello\\r\\n")
            time.sleep(600)
        elif self.path == "/garbage":
            self.wfile.write(b"HTTP/1.1 200 OK\\r\\nX : y\\r\\n\\r\\n")
            self.close_connection = True
        else:
            self.say("ok")
    def do_POST(self):  # answers without having read the body, and closes
''' + EARLY + '''
serve(http.server.ThreadingHTTPServer, Handler)
'''

# One request at a time, each on a connection of its own: as a gunicorn with one worker.
ONE_WORKER = LISTEN + '''
class Handler(Quiet):
    protocol_version = "HTTP/1.0"
    def do_GET(self):
        if self.path.startswith("/slow"):
            time.sleep(float(self.path.split("=")[1]))
        self.say(self.path)

serve(http.server.HTTPServer, Handler)
'''

DEAF = "import time; time.sleep(600)"

BOTH_MODES = pytest.mark.parametrize("mode", ["fd", "8080"])
FEW = {"in_flight": 2}


def limits(**more):
    return {"memory": "64Mi", "cpu": 1, "processes": 64, **more}


@pytest.fixture(scope="module", params=["fd", "8080"])
def streams(request, shared):
    return serve_small_app(shared, f"streams-{request.param}", STREAMS, listen=request.param,
                           limits=limits(**FEW))


def ask(platform, tenant, path, *fields):
    lines = [f"GET {path} HTTP/1.1", f"Host: {platform.host(tenant)}", *fields, "", ""]
    connection = platform.connect()
    connection.sendall("\r\n".join(lines).encode())
    return connection, connection.makefile("rb")


def test_a_client_that_leaves_a_stream_gives_its_place_back(shared, streams):
    for _ in range(6):
        connection, stream = ask(shared, streams, "/events")
        while stream.readline() != b"hello\r\n":
            pass
        stream.close()
        connection.close()
        time.sleep(2)  # two have places: the third needs one that was given back
    assert shared.request(streams, "/").status == 200


def test_open_websockets_take_no_place_of_requests(shared):
    tenant = shared.tenant("sockets", in_flight=2)
    fields = ("Connection: Upgrade", "Upgrade: websocket")
    open_ones = [ask(shared, tenant, "/api/upgrade", *fields) for _ in range(1)]
    for _ in range(5):
        assert read_answer(open_ones[-1][1]).status == 101
        open_ones.append(ask(shared, tenant, "/api/upgrade", *fields))
    assert read_answer(open_ones[-1][1]).status == 101
    answers = together(2, lambda _: shared.request(tenant, "/api/sleep?s=0.3").status)
    assert answers == [200, 200]
    for connection, stream in open_ones:
        connection.sendall(b"still there")
        assert stream.read(11) == b"STILL THERE"
        stream.close()
        connection.close()


def test_an_early_answer_reaches_a_client_that_sends_all_of_its_body_first(shared, streams):
    size = 8 << 20
    head = (f"POST / HTTP/1.1\r\nHost: {shared.host(streams)}\r\n"
            f"Content-Length: {size}\r\n\r\n").encode()
    for _ in range(5):
        with shared.connect() as connection, connection.makefile("rb") as stream:
            connection.sendall(head)
            connection.sendall(b"x" * size)
            answer = read_answer(stream)
            assert (answer.status, answer.body) == (413, b"too large")


@BOTH_MODES
def test_a_busy_worker_is_a_queue_and_no_failed_start(shared, mode):
    tenant = serve_small_app(shared, f"one-worker-{mode}", ONE_WORKER, listen=mode,
                             start_timeout="2s")
    slow = []
    thread = Thread(target=lambda: slow.append(shared.request(tenant, "/slow?s=6")))
    thread.start()
    time.sleep(0.5)
    begun = time.monotonic()
    answer = shared.request(tenant, "/")
    thread.join()
    assert (answer.status, slow[0].status) == (200, 200)
    assert time.monotonic() - begun > 4, "it did not wait for its turn"


def test_a_request_that_cannot_be_sent_twice_survives_what_the_app_closes_while_idle(shared):
    """A server that closes idle connections after 0.5 s, each time just before the next POST."""
    source = STREAMS.replace("class Handler(Quiet):", "class Handler(Quiet):\n    timeout = 1.5")
    source = source.replace(EARLY, """
        self.rfile.read(int(self.headers["Content-Length"]))
        self.say("taken")
""")
    tenant = serve_small_app(shared, "impatient", source)
    for number in range(12):
        answer = shared.request(tenant, "/", "POST", body=b"x" * 100_000)
        assert (answer.status, answer.body) == (200, b"taken"), number
        time.sleep(1.45 + number * 0.01)


def reason(platform, tenant, text):
    """Waits until the operator is told, in both places; returns the line of the log."""
    wait_for(lambda: text in platform.service(tenant)["last_failure"], 5, "it is shown")
    lines = [line for line in platform.logs(tenant).splitlines() if text in line]
    assert lines, platform.logs(tenant)
    return lines[-1]


def test_why_an_answer_was_refused_is_told_to_the_operator_alone(shared, streams):
    answer = shared.request(streams, "/garbage")
    assert (answer.status, answer.body) == (502, b"502 Bad Gateway\n")
    line = reason(shared, streams, "malformed: a field's name")
    assert answer.field("X-Request-Id") in line


def test_that_nobody_accepts_on_descriptor_3_is_told(shared):
    tenant = "nobody-accepts"
    folder_options = {"listen": "fd", "start_timeout": "1s"}
    with contextlib.suppress(Exception):  # its check fails
        serve_small_app(shared, tenant, DEAF, **folder_options)
    assert shared.request(tenant, "/").status == 503
    reason(shared, tenant, "descriptor 3")


def test_the_access_log_is_shown_and_searched_by_request(shared):
    tenant = shared.tenant("logged")
    ids = [shared.request(tenant, f"/api/seen?{number}").field("X-Request-Id")
           for number in range(3)]
    shown = wait_for(lambda: shared.run("tenant", "logs", tenant, "--access").stdout, 5, "lines")
    wait_for(lambda: ids[-1] in shared.run("tenant", "logs", tenant, "--access").stdout, 5, "all")
    assert '"GET /api/seen?0 HTTP/1.1" 200 ' in shown
    found = shared.run("tenant", "logs", tenant, "--access", "--request", ids[1]).stdout
    assert found.splitlines()[0].endswith(ids[1])
    assert len(found.splitlines()) == 1
    assert shared.run("tenant", "logs", tenant, "--request", "0" * 32).stdout == ""


def test_a_stream_that_the_app_cuts_is_told(shared):
    tenant = shared.tenant("cut-short")
    with pytest.raises(Cut):
        shared.request(tenant, "/api/die-in-body")
    wait_for(lambda: "within its answer" in shared.logs(tenant), 5, "it is told")
