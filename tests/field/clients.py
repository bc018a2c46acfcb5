"""Three clients that are not ours, or read every byte: each puts questions and tells what is wrong.

A question is an Ask with the Answer that it must get, status, type and all bytes of the body.
"""

import http.client
import socket
import subprocess

from asks import Answer
from raw_http import Cut, read_answer

ANSWER_SECONDS = 20  # a cold start included
ENOUGH = 2  # so many are broken: to go on would only take time


def by_http_client(port, host, questions):
    """Python's own client, on one connection for as long as the server keeps it."""
    wrong = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    for ask, expected in questions:
        if len(wrong) == ENOUGH:
            break
        try:
            connection.request(ask.method, ask.path, body=ask.body or None,
                               headers={"Host": host, **dict(ask.fields)})
            came = connection.getresponse()
            found = Answer(came.status, came.getheader("Content-Type"), came.read())
            if found != expected:
                wrong.append(f"http.client: {ask.method} {ask.path}: {found}, not {expected}")
        except (OSError, http.client.HTTPException) as problem:
            wrong.append(f"http.client: {ask.method} {ask.path}: {problem!r}")
            connection.close()
    connection.close()
    return wrong


def by_curl(port, host, questions, folder):
    """All of them by one process, that keeps its connection."""
    lines = []
    for number, (ask, _) in enumerate(questions):
        body = folder / f"asked-{number}"
        body.write_bytes(ask.body)
        lines += [f'url = "http://{host}{ask.path}"', f'output = "{folder}/answer-{number}"',
                  f'connect-to = "::127.0.0.1:{port}"', f'request = "{ask.method}"',
                  'write-out = "%{http_code} %{content_type}\\n"', "silent", "http1.1", "globoff",
                  "path-as-is", "fail-early", f"max-time = {ANSWER_SECONDS}"]
        lines += [f'header = "{name}: {value}"' for name, value in ask.fields]
        if ask.body:
            lines += [f'data-binary = "@{body}"', 'header = "Expect:"']
        lines.append("next")
    done = subprocess.run(["curl", "--config", "-"], input="\n".join(lines[:-1]), text=True,
                          capture_output=True, check=False,
                          timeout=ANSWER_SECONDS * 2)
    said = done.stdout.splitlines()
    if done.returncode != 0 or len(said) != len(questions):
        return [f"curl: ended with {done.returncode} after {len(said)} answers: {said[-1:]}"]
    wrong = []
    for number, (ask, expected) in enumerate(questions):
        status, _, kind = said[number].partition(" ")
        file = folder / f"answer-{number}"
        found = Answer(int(status), kind or None, file.read_bytes() if file.exists() else b"")
        if found != expected:
            wrong.append(f"curl: {ask.method} {ask.path}: {found}, not {expected}")
    return wrong


def by_socket(port, host, questions):
    """Bytes on a socket, strictly read: an answer ends where its framing says, and no byte follows.

    Every tenth closes, so that what comes until the end of the connection is seen as well.
    """
    wrong = []
    connection = None
    for number, (ask, expected) in enumerate(questions):
        if len(wrong) == ENOUGH:
            break
        closing = number % 10 == 9 or number == len(questions) - 1
        try:
            if connection is None:
                connection = socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS)
                stream = connection.makefile("rb")
            connection.sendall(ask.head(host, close=closing) + ask.body)
            came = read_answer(stream, ask.method)
            found = Answer(came.status, came.field("content-type"), came.body)
            if found != expected:
                wrong.append(f"socket: {ask.method} {ask.path}: {found}, not {expected}")
            closing = closing or came.field("connection") == "close"
            if closing and (more := stream.read()):
                wrong.append(f"socket: {ask.method} {ask.path}: after the answer: {more[:200]!r}")
        except (OSError, ValueError, AssertionError, Cut) as problem:
            wrong.append(f"socket: {ask.method} {ask.path}: {problem!r}")
            closing = True
        if closing and connection is not None:
            stream.close()
            connection.close()
            connection = None
    return wrong

