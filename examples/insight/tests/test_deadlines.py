"""Clients that run out of time, on a server whose deadlines have come already."""

import socket
import sys

import pytest

from conftest import APP, read_to_end, readable

sys.path.insert(0, str(APP))
from insight import server  # noqa: E402
from insight.wire import Response  # noqa: E402


class World:
    """A server that runs step by step in this process, and one client."""

    def __init__(self, folder):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / "socket"))
        self.listener.listen()
        self.server = server.Server(self.listener, lambda request: Response(200, b"{}"))
        self.client = socket.socket(socket.AF_UNIX)
        self.client.connect(str(folder / "socket"))
        self.client.settimeout(20)

    def send(self, data):
        self.client.sendall(data)
        self.server.step()

    def close(self):
        self.client.close()
        self.listener.close()


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


def test_a_request_that_does_not_end_in_time_is_refused(world, monkeypatch):
    monkeypatch.setattr(server, "REQUEST_SECONDS", 0)
    world.send(b"GET / HTTP/1.1\r\nHo")
    assert world.client.recv(4096).startswith(b"HTTP/1.1 408 ")


def test_a_request_in_time_is_not(world):
    world.send(b"GET / HTTP/1.1\r\nHo")
    assert not readable(world.client, 0)
    world.send(b"st: x\r\n\r\n")
    assert world.client.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_more_bytes_buy_a_request_no_more_time(world, monkeypatch):
    world.send(b"GET / HTTP/1.1\r\n")
    (connection,) = world.server._connections.values()
    deadline = connection.deadline
    world.send(b"Host: x\r\n")
    assert connection.deadline == deadline


def test_an_idle_connection_is_closed_in_the_end(world, monkeypatch):
    monkeypatch.setattr(server, "IDLE_SECONDS", 0)
    world.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = read_to_end(world.client)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert not world.server._connections


def test_a_client_that_ignores_a_refusal_is_cut_off(world, monkeypatch):
    monkeypatch.setattr(server, "LINGER_SECONDS", 0)
    world.send(b"nonsense\r\n\r\n")
    assert read_to_end(world.client).startswith(b"HTTP/1.1 400 ")
    assert not world.server._connections


def test_draining_ends_even_if_a_request_does_not(world, monkeypatch):
    monkeypatch.setattr(server, "DRAIN_SECONDS", 0)
    world.send(b"GET / HTTP/1.1\r\nHo")
    world.server.stop()
    world.server.step()
    assert read_to_end(world.client) == b""
    assert not world.server._connections


def test_a_request_that_slips_in_just_before_draining_closes_its_connection_is_answered(world):
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    world.send(request)
    assert world.client.recv(4096).startswith(b"HTTP/1.1 200 ")
    world.server.stop()
    world.client.sendall(request)  # after the last wait for events, before the sweep
    world.server._sweep()
    assert read_to_end(world.client).startswith(b"HTTP/1.1 200 ")
