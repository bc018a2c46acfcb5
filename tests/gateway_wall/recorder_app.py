"""A silo's app that records the bytes it gets and reads them without any tolerance.

Copied into releases by wall.py. `GET /api/take` gives all that was recorded since the last time;
`POST /api/say` is answered with the very bytes of its body, `/api/late` well, and with them some
time after that.
"""

import json
import os
import re
import socket
import threading
import time

NAME = os.environ["RECORDER"]
RECORDS = []
LATE_SECONDS = 0.05
HEAD = re.compile(rb"[A-Z][A-Z0-9_-]* /[\x21-\x7e]* HTTP/1\.1\r\n"
                  rb"(?:[A-Za-z0-9-]+: ?[\t\x20-\x7e\x80-\xff]*\r\n)+\r\n")


class Peer:
    def __init__(self, connection):
        self.connection = connection
        self.inbox = b""

    def more(self):
        piece = self.connection.recv(65536)
        if not piece:
            raise EOFError
        self.inbox += piece

    def until(self, mark):
        while mark not in self.inbox:
            self.more()
        return self.take(self.inbox.index(mark) + len(mark))

    def take(self, size):
        while len(self.inbox) < size:
            self.more()
        taken, self.inbox = self.inbox[:size], self.inbox[size:]
        return taken


def fields_of(head):
    lines = head.decode("latin-1").split("\r\n")[1:-2]
    return [(name.lower(), value.strip(" \t"))
            for name, _, value in (line.partition(":") for line in lines)]


def read_body(peer, fields):
    values = dict(fields)
    if values.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(peer.until(b"\r\n"), 16):
            body += peer.take(size)
            assert peer.take(2) == b"\r\n", "a chunk without an end"
        assert peer.take(2) == b"\r\n", "a trailer"
        return body
    return peer.take(int(values.get("content-length", "0")))


def read_request(peer):
    head = peer.until(b"\r\n\r\n")
    record = {"head": head.decode("latin-1"), "body": None, "wrong": None}
    RECORDS.append(record)
    try:
        assert HEAD.fullmatch(head), "not a head of exact HTTP/1.1"
        fields = fields_of(head)
        names = [name for name, _ in fields]
        assert names.count("host") == 1, "not one host"
        framing = names.count("content-length") + names.count("transfer-encoding")
        assert framing <= 1, "framed twice"
        record["body"] = read_body(peer, fields).decode("latin-1")
    except (AssertionError, ValueError) as problem:
        record["wrong"] = str(problem)
        raise
    return record


def well(document):
    body = json.dumps(document).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def answer(peer, record):
    method, target, _ = record["head"].split("\r\n")[0].split(" ")
    told = record["body"].encode("latin-1")
    if target == "/api/take":
        RECORDS.remove(record)
        found, RECORDS[:] = list(RECORDS), []
        peer.connection.sendall(well({"records": found}))
    elif target.startswith("/api/say"):
        peer.connection.sendall(told)
    elif target.startswith("/api/late"):
        peer.connection.sendall(well({"app": NAME}))
        time.sleep(LATE_SECONDS)
        peer.connection.sendall(told)
    else:
        sent = well({"app": NAME})
        peer.connection.sendall(sent.split(b"\r\n\r\n")[0] + b"\r\n\r\n"
                                if method == "HEAD" else sent)


def serve(connection):
    peer = Peer(connection)
    with connection:
        try:
            while True:
                answer(peer, read_request(peer))
        except (EOFError, OSError, AssertionError, ValueError):
            pass  # the record says how far it came


def main():
    listener = socket.socket(fileno=3)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
