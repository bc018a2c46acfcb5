"""An ASGI application without any framework."""

import os

NOTES = os.path.join(os.environ["DATA_DIR"], "notes.txt")


async def body_of(receive):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def notes():
    with open(NOTES, "rb") as file:
        return file.read()


def add_note(text):
    with open(NOTES, "ab") as file:
        file.write(text)


async def pieces_to(send, pieces, *, status=200, fields=()):
    await send({"type": "http.response.start", "status": status, "headers": list(fields)})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = await body_of(receive)
    asked = scope["method"], scope["path"]
    if asked == ("GET", "/stream"):
        await pieces_to(send, (b"piece %d\n" % number for number in range(20)))
        return
    if asked == ("POST", "/notes"):
        add_note(body)
        await pieces_to(send, [], status=204)
        return
    answers = {("GET", "/"): lambda: b"hello from uvicorn\n", ("POST", "/echo"): lambda: body,
               ("GET", "/big"): lambda: b"0123456789abcdef" * 8192, ("GET", "/notes"): notes}
    answer = answers[asked]() if asked in answers else b"no such page\n"
    await pieces_to(send, [answer], status=200 if asked in answers else 404,
                    fields=[(b"content-length", b"%d" % len(answer)),
                            (b"content-type", b"text/plain")])
