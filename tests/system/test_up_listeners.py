"""The gateway's listeners outlive it, and the network that it lives in is empty."""

import os
import pathlib
import signal
import socket
import threading
import time

import pytest
from platform_up import needs_root, wait_for
from raw_http import Cut, read_answer

pytestmark = needs_root

CLIENTS = 8
DEATHS = 4


class Traffic:
    """Clients that ask again and again, each time on a new connection."""

    def __init__(self, platform, tenant):
        self.platform = platform
        self.tenant = tenant
        self.over = threading.Event()
        self.done = []  # (when it began, when it ended, its status or what went wrong)
        self.threads = [threading.Thread(target=self.ask) for _ in range(CLIENTS)]

    def ask(self):
        while not self.over.is_set():
            began = time.monotonic()
            try:
                outcome = self.platform.request(self.tenant, "/api/who").status
            except (OSError, Cut) as problem:
                outcome = problem
            self.done.append((began, time.monotonic(), outcome))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *problem):
        self.over.set()
        for thread in self.threads:
            thread.join()


def test_no_connection_is_refused_while_the_gateway_dies_and_comes_back(platform):
    platform.tenant("up")
    deaths = []
    with Traffic(platform, "up") as traffic:
        for _ in range(DEATHS):
            before = len(traffic.done)
            wait_for(lambda: len(traffic.done) > before + 20, 30, "requests are served")
            began = time.monotonic()
            old = platform.kill("gateway")
            deaths.append((began, time.monotonic()))
            platform.back("gateway", old)
    refused = [outcome for _, _, outcome in traffic.done
               if isinstance(outcome, ConnectionRefusedError)]
    assert refused == []
    # What was under way at a death is cut; what came while there was no gateway has waited for it.
    lost = [request for request in traffic.done if request[2] != 200
            and not any(request[0] <= end and start <= request[1] for start, end in deaths)]
    assert lost == []
    waited = [request for request in traffic.done if request[2] == 200
              and any(start < request[0] < end + 0.1 for start, end in deaths)]
    assert waited, "no request came while there was no gateway: nothing was shown"


def test_the_gateway_and_the_agent_have_no_network(platform):
    own = os.readlink("/proc/self/ns/net")
    for role in ("gateway", "agent"):
        pid = platform.pid(role)
        assert os.readlink(f"/proc/{pid}/ns/net") != own
        interfaces = pathlib.Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]
        assert [line.split(":")[0].strip() for line in interfaces] == ["lo"]
    for role in ("control", "egress"):
        assert os.readlink(f"/proc/{platform.pid(role)}/ns/net") == own


def test_listeners_of_a_service_manager_are_served_on(platform):
    """As systemd's socket units pass them. The address is taken: `up` cannot have bound it anew."""
    assert platform.stop() == 0
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        platform.gateway_port = listener.getsockname()[1]
        environment = dict(os.environ, LISTEN_FDS="1", LISTEN_FDNAMES="http")
        platform.start(through=["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh"], env=environment,
                       pass_fds=[3], preexec_fn=lambda: os.dup2(listener.fileno(), 3))
        platform.tenant("up")
        assert platform.request("up", "/api/who").status == 200
        assert platform.stop() == 0


def test_an_address_that_is_taken_is_said_before_anything_starts(platform):
    assert platform.stop() == 0
    size = platform.log.stat().st_size
    with socket.socket() as other:
        # Connections that the gateway has answered may linger on its port.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", platform.gateway_port))
        other.listen()
        with pytest.raises(AssertionError, match="granary up ended"):
            platform.start()
    said = platform.log.read_text()[size:]
    assert f"cannot listen on 127.0.0.1:{platform.gateway_port}" in said
    assert "is process" not in said
    platform.start()


def test_what_connects_while_the_roles_stop_is_refused_at_once(platform):
    """Nobody would take it any more: it must not wait for `up` to end."""
    platform.tenant("up")
    with platform.connect() as slow:
        slow.sendall(f"GET /api/sleep?s=2 HTTP/1.1\r\nHost: {platform.host('up')}\r\n\r\n".encode())
        time.sleep(0.3)  # so that it is under way
        platform.process.send_signal(signal.SIGTERM)
        wait_for(lambda: "up info stopping" in platform.log.read_text(), 5, "it is about to stop")
        with pytest.raises(ConnectionRefusedError):
            platform.connect()
        assert platform.process.poll() is None
        with slow.makefile("rb") as stream:
            assert read_answer(stream).status == 200
    assert platform.stop() == 0
