"""What a tenant may take, and that its neighbour notices nothing when it takes more."""

import errno
import os
import socket
import struct
import threading
import time

import pytest
from platform_up import needs_root, together, wait_for

pytestmark = needs_root

NOTICED_SECONDS = 2  # of a neighbour's request, on a busy machine


@pytest.fixture(scope="module")
def neighbour(shared):
    """Checks that the tenant next door is served by the same process, soon."""
    shared.tenant("neighbour")
    nonce = shared.who("neighbour").nonce

    def well():
        begun = time.monotonic()
        assert shared.who("neighbour").nonce == nonce
        assert time.monotonic() - begun < NOTICED_SECONDS
    return well


def in_background(call):
    """Starts it in a thread; the returned function joins it and gives the result."""
    results = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()

    def join():
        thread.join(60)
        return results[0]
    return join


def test_a_full_disk_is_the_tenants_own(shared, neighbour):
    shared.tenant("hoarder", quota="16Mi")
    filled = shared.request("hoarder", "/api/fill-disk", "POST").json()
    assert filled["errno"] == errno.ENOSPC
    assert 4 << 20 < filled["written"] <= 16 << 20
    neighbour()
    kept = shared.request("neighbour", "/api/keep", "PUT", body=b"x" * 100_000)
    assert kept.status == 200
    assert shared.show("hoarder")["disk_quota_bytes"] == 16 << 20
    assert shared.request("hoarder", "/api/keep", "PUT", body=b"room again").status == 200


def test_who_takes_more_memory_than_its_limit_is_killed_alone(shared, neighbour):
    shared.tenant("glutton", memory="48Mi")
    before = shared.who("glutton")
    eaten = in_background(lambda: shared.request("glutton", "/api/eat-memory", "POST"))
    neighbour()
    assert eaten().status == 502
    neighbour()
    wait_for(lambda: "48 MiB of memory" in shared.service("glutton")["last_failure"], 5,
             "its operator is told why")
    after = wait_for(lambda: served(shared, "glutton"), 10, "it is served again")
    assert after["nonce"] != before.nonce


def served(platform, tenant):
    answer = platform.request(tenant, "/api/who")
    return answer.json() if answer.status == 200 else None


def test_a_fork_bomb_ends_at_the_limit_of_processes(shared, neighbour):
    shared.tenant("rabbit", processes=24, memory="128Mi")
    bomb = in_background(lambda: shared.request("rabbit", "/api/fork-bomb?s=1", "POST").json())
    for _ in range(5):
        neighbour()
        time.sleep(0.2)
    result = bomb()
    assert result["errno"] == errno.EAGAIN
    assert 10 < result["children"] <= 24
    neighbour()
    assert shared.who("rabbit")


def test_a_busy_loop_takes_no_more_than_its_share(shared, neighbour):
    """More at once than the tenant has cores' worth of: the neighbour still answers soon."""
    shared.tenant("spinner")
    bomb = in_background(lambda: together(
        8, lambda _: shared.request("spinner", "/api/download?bytes=20000000").status))
    for _ in range(5):
        neighbour()
    assert bomb() == [200] * 8


def test_more_than_in_flight_is_refused_at_once_and_the_neighbour_notices_nothing(shared,
                                                                                   neighbour):
    shared.tenant("popular", in_flight=4)
    shared.who("popular")
    flood = in_background(lambda: together(
        16, lambda _: shared.request("popular", "/api/sleep?s=0.7")))
    time.sleep(0.2)
    neighbour()
    answers = flood()
    assert sorted(answer.status for answer in answers) == [200] * 4 + [429] * 12
    for answer in answers:
        if answer.status == 429:
            assert int(answer.field("Retry-After")) >= 1
    assert shared.request("popular", "/api/who").status == 200


def test_in_flight_holds_while_a_service_starts(shared):
    shared.tenant("besieged", in_flight=4, idle="1s", env={"SLOW_START": "0.5"})
    shared.wait_for_phase("besieged", "asleep")
    answers = together(16, lambda _: shared.request("besieged", "/api/who"))
    assert sorted(answer.status for answer in answers) == [200] * 4 + [429] * 12


def test_a_client_that_leaves_does_not_keep_its_place(shared):
    shared.tenant("left-alone", in_flight=1)
    shared.who("left-alone")
    with shared.connect() as connection:
        head = f"GET /api/sleep?s=30 HTTP/1.1\r\nHost: {shared.host('left-alone')}\r\n\r\n"
        connection.sendall(head.encode())
        # Closing resets it: a client that only ends its half may still be waiting.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wait_for(lambda: shared.request("left-alone", "/api/who").status == 429, 5,
                 "its place is taken")
    wait_for(lambda: shared.request("left-alone", "/api/who").status == 200, 5,
             "its place is free again")


def test_a_flood_of_lines_leaves_the_disk_and_the_log_bounded(shared):
    shared.tenant("chatty")
    text = "x" * 6000
    for _ in range(600):
        shared.request("chatty", f"/api/say?text={text}")
    folder = f"{shared.data_dir}/accounts/chatty/logs"
    sizes = [os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)]
    assert 0 < sum(sizes) <= 2 << 20
