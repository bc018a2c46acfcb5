"""HTTP/1.1 on the wire: requests out of bytes, bytes out of responses. No sockets here.

Strict on purpose: whatever two programs could read differently is refused, and the
connection with it.
"""

import time

MAX_HEAD = 16 * 1024
MAX_BODY = 64 * 1024
MAX_CHUNK_LINE = 256

TOKEN = (
    b"!#$%&'*+-.^_`|~0123456789"
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)
CONTROLS = bytes(range(9)) + bytes(range(10, 32)) + b"\x7f"  # all but the tab
HEX = b"0123456789abcdefABCDEF"
ONLY_ONCE = (b"host", b"content-length", b"transfer-encoding", b"content-type", b"expect")

REASONS = {
    200: "OK", 201: "Created", 304: "Not Modified",
    400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout",
    413: "Content Too Large", 415: "Unsupported Media Type", 417: "Expectation Failed",
    431: "Request Header Fields Too Large", 500: "Internal Server Error",
    501: "Not Implemented", 503: "Service Unavailable", 505: "HTTP Version Not Supported",
    507: "Insufficient Storage",
}


class HttpError(Exception):
    """A request that is answered with an error. `message` is plain ASCII without quotes."""

    def __init__(self, status, message, field=None, headers=()):
        super().__init__(message)
        self.status = status
        self.message = message
        self.field = field
        self.headers = headers

    def response(self):
        field = ',"field":"%s"' % self.field if self.field else ""
        body = '{"error":"%s"%s}' % (self.message, field)
        return Response(self.status, body.encode(), headers=self.headers)


class Request:
    __slots__ = ("method", "path", "query", "headers", "body", "keep_alive")

    def __init__(self, method, target, headers, keep_alive):
        path, _, query = target.partition("?")
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers  # names in lower case, names and values as bytes
        self.body = b""
        self.keep_alive = keep_alive


class Response:
    __slots__ = ("status", "body", "content_type", "headers")

    def __init__(self, status, body, content_type="application/json", headers=()):
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers

    def to_bytes(self, method="GET", keep_alive=False):
        lines = [
            "HTTP/1.1 %d %s" % (self.status, REASONS[self.status]),
            "Date: " + time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()),
            "Content-Type: " + self.content_type,
            "Content-Length: %d" % len(self.body),
        ]
        lines += ["%s: %s" % header for header in self.headers]
        if not keep_alive:
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        return head if method == "HEAD" else head + self.body


def parse_headers(lines):
    headers = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        # A folded line begins with a blank, which no name may hold.
        if not colon or not name or name.translate(None, TOKEN):
            raise HttpError(400, "malformed header")
        name, value = name.lower(), value.strip(b" \t")
        if value.translate(None, CONTROLS) != value:
            raise HttpError(400, "malformed header")
        if name not in headers:
            headers[name] = value
        elif name in ONLY_ONCE:
            raise HttpError(400, "repeated header")
        else:
            headers[name] += b", " + value
    return headers


def parse_head(head):
    lines = head.split(b"\r\n")
    parts = lines[0].split(b" ")
    if len(parts) != 3 or not parts[0] or parts[0].translate(None, TOKEN):
        raise HttpError(400, "malformed request line")
    method, target, version = parts
    if version not in (b"HTTP/1.1", b"HTTP/1.0"):
        known = len(version) == 8 and version.startswith(b"HTTP/")
        raise HttpError(505 if known else 400, "only HTTP 1.1 is spoken here")
    if not target.startswith(b"/") or not target.isascii() or b"\x7f" in target:
        raise HttpError(400, "malformed request target")
    if target.translate(None, CONTROLS + b"\t") != target:
        raise HttpError(400, "malformed request target")
    headers = parse_headers(lines[1:])
    modern = version == b"HTTP/1.1"
    if modern and b"host" not in headers:
        raise HttpError(400, "missing Host")
    if b"transfer-encoding" in headers and (b"content-length" in headers or not modern):
        raise HttpError(400, "ambiguous length")
    wishes = [wish.strip() for wish in headers.get(b"connection", b"").lower().split(b",")]
    keep_alive = b"close" not in wishes and (modern or b"keep-alive" in wishes)
    return Request(method.decode(), target.decode(), headers, keep_alive)


class FixedBody:
    """A body whose length is known."""

    def __init__(self, length):
        self.data = b""
        self._length = length

    def take(self, buffer):
        """Takes its part off the front of `buffer`; True once it is complete."""
        if len(buffer) < self._length:
            return False
        self.data = bytes(buffer[: self._length])
        del buffer[: self._length]
        return True


class ChunkedBody:
    """A body in chunks; it takes each chunk as a whole, and no more than MAX_BODY of them."""

    def __init__(self):
        self.data = bytearray()
        self._size = None  # of the chunk that comes next; None: its size line comes first
        self._trailer = None  # bytes of trailer so far; None: still among the chunks

    def take(self, buffer):
        while self._trailer is None:
            if self._size is None and not self._take_size(buffer):
                return False
            if self._size == 0:
                self._trailer = 0
            elif not self._take_chunk(buffer):
                return False
        return self._take_trailer(buffer)

    def _take_size(self, buffer):
        end = buffer.find(b"\r\n", 0, MAX_CHUNK_LINE)
        if end < 0:
            if len(buffer) >= MAX_CHUNK_LINE:
                raise HttpError(400, "malformed chunk")
            return False
        line = bytes(buffer[:end])
        digits = line.partition(b";")[0].rstrip(b" \t")
        if not digits or digits.translate(None, HEX) or line.translate(None, CONTROLS) != line:
            raise HttpError(400, "malformed chunk")
        self._size = int(digits[-16:], 16) if not digits[:-16].strip(b"0") else MAX_BODY + 1
        if len(self.data) + self._size > MAX_BODY:
            raise HttpError(413, "the body is too large")
        del buffer[: end + 2]
        return True

    def _take_chunk(self, buffer):
        size = self._size
        if len(buffer) < size + 2:
            return False
        if buffer[size : size + 2] != b"\r\n":
            raise HttpError(400, "malformed chunk")
        self.data += buffer[:size]
        del buffer[: size + 2]
        self._size = None
        return True

    def _take_trailer(self, buffer):
        while True:
            end = buffer.find(b"\r\n")
            if self._trailer + max(end, 0) > MAX_HEAD or (end < 0 and len(buffer) > MAX_HEAD):
                raise HttpError(431, "the trailer is too large")
            if end < 0:
                return False
            line = bytes(buffer[:end])
            del buffer[: end + 2]
            if not line:
                return True
            parse_headers([line])  # checked, then ignored
            self._trailer += end


class Parser:
    """The requests of one connection, in order. An HttpError leaves it unusable."""

    def __init__(self):
        self._buffer = bytearray()
        self._request = None  # whose head is complete and whose body is not
        self._body = None
        self.wants_continue = False  # the client waits for "100 Continue"; reset it by sending

    @property
    def idle(self):
        """No byte of a request is here."""
        return not self._buffer and self._request is None

    def feed(self, data):
        self._buffer += data

    def next_request(self):
        """The next complete request, or None until more bytes come."""
        if self._request is None and not self._start():
            return None
        if not self._body.take(self._buffer):
            return None
        request, self._request = self._request, None
        request.body = self._body.data
        self.wants_continue = False
        return request

    def _start(self):
        buffer = self._buffer
        while buffer.startswith(b"\r\n"):  # RFC 9112, 2.2: tolerated before a request
            del buffer[:2]
        end = buffer.find(b"\r\n\r\n", 0, MAX_HEAD)
        if end < 0:
            if len(buffer) >= MAX_HEAD:
                raise HttpError(431, "the request head is too large")
            return False
        request = parse_head(bytes(buffer[:end]))
        del buffer[: end + 4]
        self._body = self._body_of(request.headers)
        self._request = request
        return True

    def _body_of(self, headers):
        expect = headers.get(b"expect")
        if expect is not None:
            if expect.lower() != b"100-continue":
                raise HttpError(417, "unknown expectation")
            self.wants_continue = True
        coding = headers.get(b"transfer-encoding")
        if coding is not None:
            if coding.lower() != b"chunked":
                raise HttpError(501, "unknown transfer coding")
            return ChunkedBody()
        length = headers.get(b"content-length", b"0")
        if not length.isdigit():
            raise HttpError(400, "malformed Content-Length")
        if len(length) > 12 or int(length) > MAX_BODY:
            raise HttpError(413, "the body is too large")
        return FixedBody(int(length))
