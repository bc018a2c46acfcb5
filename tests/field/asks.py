"""What is asked of each application, and what it is asked to keep and to give back."""

import dataclasses
import pathlib

APPS = pathlib.Path(__file__).parent / "apps"


@dataclasses.dataclass(frozen=True)
class Ask:
    path: str
    method: str = "GET"
    body: bytes = b""
    fields: tuple = ()  # (name, value)

    def head(self, host, *, close=False):
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {host}",
                 *(f"{name}: {value}" for name, value in self.fields)]
        if self.body or self.method in ("POST", "PUT"):
            lines.append(f"Content-Length: {len(self.body)}")
        if close:
            lines.append("Connection: close")
        return "\r\n".join(lines).encode() + b"\r\n\r\n"


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    kind: str  # its Content-Type
    body: bytes

    def __repr__(self):
        return f"{self.status} {self.kind} {len(self.body)} bytes {self.body[:200]!r}"


@dataclasses.dataclass(frozen=True)
class App:
    name: str
    asks: tuple  # each answers the same every time, here and bare
    writes: tuple  # each is taken: 2xx, or 3xx to a page that says so
    read: Ask  # gives back what the writes kept
    like: str = ""  # the application whose files it has, with another manifest

    @property
    def folders(self):
        """Where its files are; the last has its manifest."""
        return [APPS / name for name in (self.like, self.name) if name]


TEXT = (("Content-Type", "text/plain"),)
JSON = (("Content-Type", "application/json"),)
ECHO = Ask("/echo", "POST", b"a line of the body\n" * 500, TEXT)
NOTES = (Ask("/notes", "POST", b"first\n", TEXT), Ask("/notes", "POST", b"second\n" * 2000, TEXT))


def ordinary(name, *more, like=""):
    """Our own few lines in somebody else's framework: all have the same pages."""
    return App(name, (Ask("/"), Ask("/big"), Ask("/stream"), ECHO, Ask("/missing"), *more), NOTES,
               Ask("/notes"), like)


EVENT = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//example//field//EN\r
BEGIN:VEVENT\r
UID:one\r
DTSTAMP:20260101T000000Z\r
DTSTART:20260102T100000Z\r
SUMMARY:A meeting\r
END:VEVENT\r
END:VCALENDAR\r
"""
MAKE_CALENDAR = b"""<?xml version="1.0" encoding="utf-8" ?>
<mkcalendar xmlns="urn:ietf:params:xml:ns:caldav" xmlns:d="DAV:">
<d:set><d:prop><d:displayname>Meetings</d:displayname></d:prop></d:set></mkcalendar>"""
FLOWS = b"""[{"id": "tab", "type": "tab", "label": "Field"},
{"id": "in", "z": "tab", "type": "http in", "url": "/hello", "method": "get", "wires": [["out"]]},
{"id": "out", "z": "tab", "type": "http response", "wires": []}]"""
DEPTH = (("Depth", "1"),)

FIELD = (
    ordinary("flask"),
    ordinary("gunicorn", like="flask"),
    ordinary("django"),
    ordinary("django-runserver", like="django"),
    ordinary("fastapi", Ask("/openapi.json")),
    ordinary("uvicorn"),
    ordinary("aiohttp"),
    App("radicale", (Ask("/.web/"), Ask("/.web/index.html"), Ask("/.web/css/main.css"),
                     Ask("/nobody/", "PROPFIND", fields=DEPTH)),
        (Ask("/ann/", "MKCOL"),
         Ask("/ann/meetings/", "MKCALENDAR", MAKE_CALENDAR, (("Content-Type", "text/xml"),)),
         Ask("/ann/meetings/one.ics", "PUT", EVENT, (("Content-Type", "text/calendar"),))),
        Ask("/ann/meetings/one.ics")),
    App("datasette", (Ask("/-/versions.json"), Ask("/-/static/app.css"), Ask("/-/settings.json"),
                      Ask("/notes.json?sql=select+42&_shape=array"), Ask("/nowhere")),
        (Ask("/notes/make_table", "POST", b"{}", JSON),
         Ask("/notes/add_note", "POST", b'{"text": "a note"}', JSON)),
        Ask("/notes/note.json?_shape=array")),
    App("wsgidav", (Ask("/:dir_browser/style.css"), Ask("/", "OPTIONS"),
                    Ask("/:dir_browser/favicon.ico")),
        (Ask("/folder", "MKCOL"), Ask("/folder/file.bin", "PUT", bytes(range(256)) * 400)),
        Ask("/folder/file.bin")),
    ordinary("express"),
    App("node-red", (Ask("/red/style.min.css"), Ask("/settings"), Ask("/red/red.min.js"),
                     Ask("/missing")),
        (Ask("/flows", "POST", FLOWS, JSON),), Ask("/flows")),
    ordinary("go", Ask("/fields")),
    ordinary("php"),
    ordinary("java"),
)
BY_NAME = {app.name: app for app in FIELD}
