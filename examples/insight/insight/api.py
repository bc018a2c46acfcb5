"""What Insight answers under /api/: takes scans in, lists the recent ones, counts them."""

import time

import _sqlite3 as sqlite

from insight.store import StoreFull
from insight.wire import HttpError, Response

MAX_CODE = 128
MAX_DEVICE = 64
DEFAULT_DEVICE = "unnamed"
DEFAULT_LIMIT = 50
MAX_LIMIT = 500
NO_STORE = (("Cache-Control", "no-store"),)


class Api:
    """Called with a Request, returns a Response or raises HttpError."""

    def __init__(self, store, clock=time.time):
        self.store = store
        self.fallback = None  # asked for what is not below /api/
        self._clock = clock
        self._routes = {
            "/api/health": {"GET": self._health},
            "/api/scans": {"GET": self._recent, "POST": self._add},
            "/api/stats": {"GET": self._stats},
        }

    def __call__(self, request):
        methods = self._routes.get(request.path)
        if methods is None:
            if self.fallback is not None and not request.path.startswith("/api/"):
                return self.fallback(request)
            raise HttpError(404, "no such resource")
        handler = methods.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            allowed = list(methods) + ["HEAD"]
            raise HttpError(405, "not allowed here", headers=(("Allow", ", ".join(allowed)),))
        status, text = handler(request)
        return Response(status, text.encode(), headers=NO_STORE)

    def _health(self, _request):
        try:
            return 200, '{"status":"ok","scans":%d}' % self.store.count()
        except (OSError, sqlite.Error) as error:
            raise HttpError(503, "the database does not answer") from error

    def _recent(self, request):
        limit = integer(request.query, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
        after = integer(request.query, "after", 0, 0, 2**62)
        return 200, self.store.recent(limit, after)

    def _stats(self, _request):
        return 200, self.store.stats(self._now())

    def _add(self, request):
        kind = request.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if kind != b"application/json":
            raise HttpError(415, "send application/json")
        text = self._json_object(request.body)
        code = self._text(text, "code", MAX_CODE)
        if code is None:
            raise HttpError(400, "is missing", "code")
        device = self._text(text, "device", MAX_DEVICE) or DEFAULT_DEVICE
        try:
            return 201, self.store.add(code, device, self._now())
        except StoreFull as error:
            raise HttpError(507, "the storage is full") from error

    def _json_object(self, body):
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise HttpError(400, "the body is not UTF-8") from error
        # SQLite ends a text at NUL: it must not see one, be it written or escaped.
        if "\0" in text or "\\u0000" in text or not self.store.is_json_object(text):
            raise HttpError(400, "the body is not a JSON object")
        return text

    def _text(self, text, field, longest):
        """The field's text without blanks around it, None if it is absent or null."""
        try:
            kind, value = self.store.json_field(text, field)
        except sqlite.OperationalError as error:  # half a surrogate pair is no text
            raise HttpError(400, "is not text", field) from error
        if kind in (None, "null"):
            return None
        if kind != "text":
            raise HttpError(400, "is not text", field)
        value = value.strip()
        if not value:
            raise HttpError(400, "is empty", field)
        if len(value) > longest:
            raise HttpError(400, "is longer than %d characters" % longest, field)
        if not value.isprintable():
            raise HttpError(400, "has characters that cannot be printed", field)
        return value

    def _now(self):
        return int(self._clock() * 1000)


def integer(query, name, default, lowest, highest):
    """An integer out of a query string."""
    found = [part[len(name) + 1 :] for part in query.split("&") if part.startswith(name + "=")]
    if not found:
        return default
    digits = found[0]
    if len(found) > 1 or not digits.isdigit() or len(digits) > 18:
        raise HttpError(400, "is not a number", name)
    if not lowest <= int(digits) <= highest:
        raise HttpError(400, "is not between %d and %d" % (lowest, highest), name)
    return int(digits)
