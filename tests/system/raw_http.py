"""HTTP/1.1 as bytes on a socket: what a client library would not send, and strict reading."""

import contextlib
import json
import socket

CLOSE_SECONDS = 1  # who closes does so at once


class Cut(Exception):
    """The connection ended in the middle of an answer."""


class HttpAnswer:
    def __init__(self, status, fields, body):
        self.status = status
        self.fields = fields  # (name in lower case, value), as they came
        self.body = body

    def field(self, name):
        """The value of a field; None when there is none. It must not stand twice."""
        values = self.all_fields(name)
        assert len(values) <= 1, f"{name} stands {len(values)} times"
        return values[0] if values else None

    def all_fields(self, name):
        return [value for found, value in self.fields if found == name.lower()]

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.fields} {self.body[:300]!r}"


def read_line(stream):
    line = stream.readline(65536)
    if not line.endswith(b"\r\n"):
        raise Cut(f"the line {line!r} has no end")
    return line[:-2].decode("latin-1")


def read_exactly(stream, size):
    data = stream.read(size)
    if len(data) != size:
        raise Cut(f"{len(data)} bytes of {size}")
    return data


def read_chunks(stream):
    pieces = []
    while size := int(read_line(stream), 16):
        pieces.append(read_exactly(stream, size))
        assert read_line(stream) == ""
    while read_line(stream):
        pass
    return b"".join(pieces)


def read_answer(stream, method="GET"):
    """The next answer from a binary file over a socket. Raises Cut."""
    version, _, rest = read_line(stream).partition(" ")
    assert version == "HTTP/1.1", version
    status = int(rest[:3])
    fields = []
    while line := read_line(stream):
        name, colon, value = line.partition(":")
        assert colon, line
        fields.append((name.lower(), value.strip()))
    answer = HttpAnswer(status, fields, b"")
    if method == "HEAD" or status < 200 or status in (204, 304):
        return answer
    if answer.field("transfer-encoding") == "chunked":
        answer.body = read_chunks(stream)
    elif answer.field("content-length") is not None:
        answer.body = read_exactly(stream, int(answer.field("content-length")))
    else:
        answer.body = stream.read()
    return answer


def talk(port, sent, timeout=10):
    """Sends these bytes: the answer, whether the server then closed, and what else it said."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(sent)  # or refused before all of it was sent
        with connection.makefile("rb") as stream:
            answer = read_answer(stream)
            connection.settimeout(CLOSE_SECONDS)
            try:
                return answer, True, stream.read()
            except TimeoutError:
                return answer, False, b""
            except ConnectionResetError:
                return answer, True, b""


def chunked(pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
