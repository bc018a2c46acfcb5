"""Requests that two programs could read differently, and what a strict reader makes of each.

HOST stands for the tenant's host, @LENGTH@ and @HEX@ for how long SMUGGLED is. A case is what is
sent, which requests the silo may see of it and which answers the client gets; behind each, the test
sends one more request, which must be seen as itself or not at all.
"""

import dataclasses

HOST = b"@HOST@"
SEEN_BY_NOBODY = ()


@dataclasses.dataclass(frozen=True)
class Seen:
    """One request as it reaches the silo."""
    method: str
    target: str
    body: str = ""


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    sent: bytes
    statuses: tuple           # of the answers that are due before the connection is closed
    seen: tuple = ()          # what reached the silo
    goes_on: bool = False     # the connection is kept: what follows is seen and answered
    cut: bool = False         # it was begun before it went bad: part of it may have been seen


CASES = []


def case(name, sent, statuses, seen=SEEN_BY_NOBODY, **more):
    assert all(other.name != name for other in CASES), name
    CASES.append(Case(name, sent, statuses, seen, **more))


def refused(name, sent, status=400):
    case(name, sent, (status,))


def taken(name, sent, seen, status=200):
    case(name, sent, (status,), (seen,), goes_on=True)


def get(*fields, line=b"GET /api/one HTTP/1.1", host=b"Host: " + HOST):
    return b"\r\n".join([line, *([host] if host else []), *fields, b"", b""])


def post(body, *fields):
    return get(*fields, line=b"POST /api/one HTTP/1.1") + body


def chunked(body, *fields):
    return post(body, b"Transfer-Encoding: chunked", *fields)


SMUGGLED = b"GET /api/smuggled HTTP/1.1\r\nHost: " + HOST + b"\r\n\r\n"
ONE = Seen("GET", "/api/one")
POSTED = Seen("POST", "/api/one", "hello")
EMPTY = Seen("POST", "/api/one")
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"


# ---- length and chunked at once

LENGTH = b"Content-Length: 5"
CODING = b"Transfer-Encoding: chunked"
for name, first, second in [
        ("length, then chunked", LENGTH, CODING), ("chunked, then length", CODING, LENGTH),
        ("length 0 and chunked", b"Content-Length: 0", CODING),
        ("lower case length and chunked", b"content-length: 5", b"transfer-encoding: chunked"),
        ("upper case length and chunked", b"CONTENT-LENGTH: 5", b"TRANSFER-ENCODING: CHUNKED"),
        ("length and identity", LENGTH, b"Transfer-Encoding: identity"),
        ("length and an empty coding", LENGTH, b"Transfer-Encoding:"),
        ("length and an unknown coding", LENGTH, b"Transfer-Encoding: x"),
        ("length and a list of codings", LENGTH, b"Transfer-Encoding: gzip, chunked"),
        ("length and chunked with a tab", LENGTH, b"Transfer-Encoding:\tchunked")]:
    refused(name, post(b"0\r\n\r\n" + SMUGGLED, first, second))
refused("length, chunked, length", post(b"0\r\n\r\n" + SMUGGLED, LENGTH, CODING, LENGTH))
taken("length and a field like chunked's",
      post(b"hello", LENGTH, b"Transfer_Encoding: chunked"), POSTED)
taken("length and another field like it",
      post(b"hello", LENGTH, b"X-Transfer-Encoding: chunked"), POSTED)
taken("chunked and a field like length's",
      chunked(CHUNKS, b"Content_Length: 100"), POSTED)
taken("chunked, length named as of this hop",
      chunked(CHUNKS, b"Connection: Content-Length"), POSTED)
taken("length, chunked named as of this hop",
      post(b"hello", LENGTH, b"Connection: Transfer-Encoding"), POSTED)

# ---- lengths

for name, *lengths in [
        ("twice the same", b"5", b"5"), ("two different", b"5", b"6"),
        ("zero, then five", b"0", b"5"),
        ("five, then zero", b"5", b"0"), ("a list of equal ones", b"5, 5"),
        ("a list of different ones", b"5, 6"), ("a list that ends", b"5,"),
        ("a list that begins", b",5"), ("a plus", b"+5"), ("a minus", b"-5"), ("minus zero", b"-0"),
        ("a space within", b"5 5"), ("hexadecimal", b"0x5"), ("letters", b"five"),
        ("an exponent", b"5e0"), ("a point", b"5.0"), ("an underscore", b"5_0"), ("empty", b""),
        ("only spaces", b"   "), ("quoted", b'"5"'), ("a semicolon", b"5;"), ("a NUL", b"5\0"),
        ("a vertical tab", b"\x0b5"), ("a form feed", b"5\x0c"), ("a no-break space", b"\xa05"),
        ("Arabic digits", "\u0665".encode()), ("full-width digits", "\uff15".encode()),
        ("64 bits and one", b"18446744073709551621"), ("63 bits and one", b"9223372036854775813"),
        ("32 bits in 20 digits", b"00000000004294967301"), ("40 digits", b"9" * 40),
        ("a bare CR", b"5\r0"), ("octal with o", b"0o5"), ("binary", b"0b101")]:
    refused(f"length: {name}",
            post(b"hello" + SMUGGLED, *(b"Content-Length: " + text for text in lengths)))
taken("length: leading zeros", post(b"hello", b"Content-Length: 005"), POSTED)
taken("length: tabs around", post(b"hello", b"Content-Length:\t 5\t"), POSTED)
taken("length: no space", post(b"hello", b"Content-Length:5"), POSTED)
taken("length: a smuggled request is the body",
      post(SMUGGLED, b"Content-Length: @LENGTH@"),
      Seen("POST", "/api/one", "@SMUGGLED@"))
taken("length: of a GET", get(LENGTH) + b"hello", Seen("GET", "/api/one", "hello"))
taken("length: zero of a GET", get(b"Content-Length: 0"), ONE)
taken("length: of a DELETE", get(LENGTH, line=b"DELETE /api/one HTTP/1.1") + b"hello",
      Seen("DELETE", "/api/one", "hello"))
refused("length: a terabyte", post(b"", b"Content-Length: 1099511627776"), 413)
refused("length: space before the colon", post(b"hello" + SMUGGLED, b"Content-Length : 5"))
refused("length: tab before the colon", post(b"hello" + SMUGGLED, b"Content-Length\t: 5"))
refused("length: folded", post(b"hello" + SMUGGLED, b"Content-Length:\r\n 5"))
refused("length: a NUL in the name", post(b"hello" + SMUGGLED, b"Content\0-Length: 5"))

# ---- codings

for name, coding in [
        ("xchunked", b"xchunked"), ("chunkedx", b"chunkedx"),
        ("a vertical tab first", b"\x0bchunked"),
        ("a vertical tab last", b"chunked\x0b"), ("a form feed", b"\x0cchunked"),
        ("a NUL", b"chunked\0"), ("gzip, chunked", b"gzip, chunked"),
        ("chunked, gzip", b"chunked, gzip"), ("chunked, chunked", b"chunked, chunked"),
        ("chunked, identity", b"chunked, identity"), ("identity, chunked", b"identity, chunked"),
        ("identity", b"identity"), ("a comma last", b"chunked,"), ("a comma first", b",chunked"),
        ("quoted", b'"chunked"'), ("single quotes", b"'chunked'"), ("a parameter", b"chunked;q=1"),
        ("empty", b""), ("spaces", b"  "), ("a space within", b"chun ked"), ("cow", b"cow"),
        ("a bare CR", b"\rchunked"), ("a no-break space", b"chunked\xa0"),
        ("a Kelvin sign", "chun\u212aed".encode()), ("a long s", "chunked\u017f".encode()),
        ("deflate", b"deflate"), ("compress", b"compress"), ("a byte above 127", b"\xffchunked"),
        ("percent-encoded", b"chunk%65d"), ("a backslash", b"chunked\\")]:
    refused(f"coding: {name}", post(CHUNKS + SMUGGLED, b"Transfer-Encoding: " + coding))
for name, fields in [
        ("twice", [CODING, CODING]),
        ("chunked, then identity", [CODING, b"Transfer-Encoding: identity"]),
        ("identity, then chunked", [b"Transfer-Encoding: identity", CODING]),
        ("cow, then chunked", [b"Transfer-Encoding: cow", CODING]),
        ("empty, then chunked", [b"Transfer-Encoding:", CODING]),
        ("folded", [b"Transfer-Encoding:\r\n chunked"]), ("folded after", [CODING + b"\r\n , cow"]),
        ("space before the colon", [b"Transfer-Encoding : chunked"]),
        ("tab before the colon", [b"Transfer-Encoding\t: chunked"]),
        ("a space before the name", [b" Transfer-Encoding: chunked"]),
        ("behind a bare LF", [b"X: y\nTransfer-Encoding: chunked"]),
        ("behind a bare CR", [b"X: y\rTransfer-Encoding: chunked"]),
        ("a NUL before the name", [b"\0Transfer-Encoding: chunked"])]:
    refused(f"coding: {name}", post(CHUNKS + SMUGGLED, *fields))
refused("coding: in HTTP/1.0",
        get(CODING, line=b"POST /api/one HTTP/1.0") + CHUNKS + SMUGGLED)
taken("coding: in upper case", post(CHUNKS, b"Transfer-Encoding: CHUNKED"), POSTED)
taken("coding: a tab before", post(CHUNKS, b"Transfer-Encoding:\tchunked"), POSTED)
taken("coding: spaces behind", post(CHUNKS, b"Transfer-Encoding: chunked \t "), POSTED)
taken("coding: of a GET", get(CODING) + CHUNKS, Seen("GET", "/api/one", "hello"))
taken("coding: what the client would take", post(b"hello", LENGTH, b"TE: chunked"), POSTED)

# ---- chunks, bad from their first byte on

for name, body in [
        ("0x", b"0x5\r\nhello\r\n0\r\n\r\n"), ("a plus", b"+5\r\nhello\r\n0\r\n\r\n"),
        ("a minus", b"-5\r\nhello\r\n0\r\n\r\n"), ("a space first", b" 5\r\nhello\r\n0\r\n\r\n"),
        ("a space last", b"5 \r\nhello\r\n0\r\n\r\n"), ("a tab", b"5\t\r\nhello\r\n0\r\n\r\n"),
        ("two sizes", b"5 5\r\nhello\r\n0\r\n\r\n"), ("empty", b"\r\nhello\r\n0\r\n\r\n"),
        ("letters", b"xyz\r\nhello\r\n0\r\n\r\n"),
        ("64 bits and more", b"10000000000000005\r\nhello\r\n"),
        ("all ones", b"ffffffffffffffff0\r\nhello\r\n"),
        ("300 zeros", b"0" * 300 + b"5\r\nhello\r\n"),
        ("a bare LF", b"5\nhello\r\n0\r\n\r\n"), ("a bare CR", b"5\rhello\r\n0\r\n\r\n"),
        ("a CR twice", b"5\r\r\nhello\r\n0\r\n\r\n"), ("a NUL", b"5\0\r\nhello\r\n0\r\n\r\n"),
        ("an extension with a bare LF", b"5;x\ny\r\nhello\r\n0\r\n\r\n"),
        ("an extension with a bare CR", b"5;x\ry\r\nhello\r\n0\r\n\r\n"),
        ("an extension with a NUL", b"5;\0\r\nhello\r\n0\r\n\r\n"),
        ("an endless extension", b"5;" + b"x" * 4000 + b"\r\nhello\r\n0\r\n\r\n"),
        ("longer than it says", b"5\r\nhello!\r\n0\r\n\r\n"),
        ("shorter than it says", b"6\r\nhello\r\n0\r\n\r\n"),
        ("no end of line behind it", b"5\r\nhello0\r\n\r\n"),
        ("a bare LF behind it", b"5\r\nhello\n0\r\n\r\n"),
        ("a bare CR behind it", b"5\r\nhello\r0\r\n\r\n"),
        ("a bad size behind it", b"5\r\nhello\r\nz\r\n\r\n"),
        ("an octal prefix", b"0o5\r\nhello\r\n0\r\n\r\n"),
        ("a quote", b'"5"\r\nhello\r\n0\r\n\r\n'),
        ("a comma", b"5,5\r\nhello\r\n0\r\n\r\n"),
        ("a bad trailer", b"0\r\nX : y\r\n\r\n"), ("a trailer folded", b"0\r\nX: y\r\n z\r\n\r\n"),
        ("a trailer without a name", b"0\r\n: y\r\n\r\n"),
        ("a trailer with a NUL", b"0\r\nX: \0\r\n\r\n"),
        ("a trailer with a bare LF", b"0\r\nX: y\nZ: w\r\n\r\n"),
        ("a trailer without a colon", b"0\r\nGET / HTTP/1.1\r\n\r\n"),
        ("a last chunk with a bare LF", b"0\n\n"), ("a last chunk with a bare CR", b"0\r\r")]:
    refused(f"chunk: {name}", chunked(body + SMUGGLED))
case("chunk: endless trailers", chunked(b"0\r\n" + b"X: y\r\n" * 3000 + b"\r\n" + SMUGGLED), (400,),
     cut=True)
case("chunk: bad after 60 KiB", chunked(b"f000\r\n" + b"x" * 0xf000 + b"\r\n0x5\r\nhello\r\n"
                                        + SMUGGLED), (400,), cut=True)
taken("chunk: leading zeros", chunked(b"0005\r\nhello\r\n000\r\n\r\n"), POSTED)
taken("chunk: capitals", chunked(b"A\r\n0123456789\r\n0\r\n\r\n"),
      Seen("POST", "/api/one", "0123456789"))
taken("chunk: an extension", chunked(b'5;a="b";c\r\nhello\r\n0;last\r\n\r\n'), POSTED)
taken("chunk: nothing", chunked(b"0\r\n\r\n"), EMPTY)
taken("chunk: a smuggled request is data",
      chunked(b"@HEX@\r\n" + SMUGGLED + b"\r\n0\r\n\r\n"),
      Seen("POST", "/api/one", "@SMUGGLED@"))
taken("chunk: a trailer with a length", chunked(b"5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n"),
      POSTED)
taken("chunk: a trailer with a host",
      chunked(b"5\r\nhello\r\n0\r\nHost: globex.localhost\r\n\r\n"), POSTED)
taken("chunk: a trailer with a coding",
      chunked(b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"), POSTED)
taken("chunk: a trailer that only the gateway says",
      chunked(b"5\r\nhello\r\n0\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n"), POSTED)

# ---- ends of lines, and bytes that no line has

WHOLE = b"GET /api/one HTTP/1.1\r\nHost: " + HOST + b"\r\nX: y\r\n\r\n"
refused("lines: bare LF everywhere", WHOLE.replace(b"\r\n", b"\n") + SMUGGLED)
refused("lines: bare CR everywhere", WHOLE.replace(b"\r\n", b"\r") + SMUGGLED)
refused("lines: LF CR", WHOLE.replace(b"\r\n", b"\n\r") + SMUGGLED)
refused("lines: a bare LF after the first", WHOLE.replace(b"\r\n", b"\n", 1) + SMUGGLED)
refused("lines: a bare LF after the host", WHOLE.replace(HOST + b"\r\n", HOST + b"\n") + SMUGGLED)
refused("lines: a bare LF ends the head", WHOLE[:-2] + b"\n" + SMUGGLED)
refused("lines: two bare LF end the head", WHOLE[:-4] + b"\n\n" + SMUGGLED)
refused("lines: CR CR LF", WHOLE.replace(b"y\r\n", b"y\r\r\n") + SMUGGLED)
refused("lines: CR CR LF ends the head", WHOLE[:-2] + b"\r\r\n" + SMUGGLED)
refused("lines: a line of one space", get(b" ") + SMUGGLED)
refused("lines: folded by a space", get(b"X: y", b" z") + SMUGGLED)
refused("lines: folded by a tab", get(b"X: y", b"\tz") + SMUGGLED)
refused("lines: the first field folded", get(host=b" Host: " + HOST) + SMUGGLED)
refused("lines: the host folded", get(host=b"Host:\r\n " + HOST) + SMUGGLED)
refused("lines: two empty ones before", b"\r\n\r\n" + get() + SMUGGLED)
refused("lines: a bare LF before", b"\n" + get() + SMUGGLED)
refused("lines: a space before", b" " + get() + SMUGGLED)
refused("lines: a NUL before", b"\0" + get() + SMUGGLED)
refused("lines: a byte order mark before", b"\xef\xbb\xbf" + get() + SMUGGLED)
taken("lines: an empty one before", b"\r\n" + get(), ONE)
for code in [*range(0x00, 0x09), 0x0b, 0x0c, 0x0e, 0x1b, 0x1f, 0x7f]:
    refused(f"lines: byte {code:02x} in a value", get(b"X: a" + bytes([code]) + b"b") + SMUGGLED)
refused("lines: a bare CR in a value", get(b"X: a\rb") + SMUGGLED)
refused("lines: a request in a value behind a bare CR", get(b"X: a\rGET /api/smuggled") + SMUGGLED)
taken("lines: a tab in a value", get(b"X: a\tb"), ONE)
taken("lines: bytes above 127 in a value", get(b"X: \xc3\xa4\xff"), ONE)
taken("lines: an empty value", get(b"X:"), ONE)
taken("lines: what looks like an end, encoded", get(b"X: a%0d%0aContent-Length: 5"), ONE)

# ---- names

for name, field in [
        ("a space", b"X Y: z"), ("a space before the colon", b"X : y"), ("empty", b": y"),
        ("none", b"nonsense"), ("a slash", b"X/Y: z"), ("brackets", b"X[0]: z"),
        ("a quote", b'"X": y'),
        ("parentheses", b"(X): y"), ("an at sign", b"X@Y: z"), ("a comma", b"X,Y: z"),
        ("a semicolon", b"X;Y: z"), ("an equals sign", b"X=Y: z"), ("a brace", b"{X}: y"),
        ("a byte above 127", b"X\xe4: y"), ("a NUL", b"X\0Y: z"), ("a tab", b"X\tY: z"),
        ("a backslash", b"X\\Y: z"), ("a question mark", b"X?: y"), ("a DEL", b"X\x7f: y")]:
    refused(f"name: {name}", get(field) + SMUGGLED)
taken("name: an underscore stays behind", get(b"X_Evil: 1"), ONE)
taken("name: a dot stays behind", get(b"X.Evil: 1"), ONE)

# ---- first lines

for name, line in [
        ("no version", b"GET /api/one"), ("HTTP/0.9", b"GET /api/one HTTP/0.9"),
        ("HTTP/1.2", b"GET /api/one HTTP/1.2"), ("HTTP/2.0", b"GET /api/one HTTP/2.0"),
        ("HTTP/2", b"GET /api/one HTTP/2"), ("HTTP/11", b"GET /api/one HTTP/11"),
        ("HTTP/1.10", b"GET /api/one HTTP/1.10"), ("HTTP/01.1", b"GET /api/one HTTP/01.1"),
        ("HTTP/1.", b"GET /api/one HTTP/1."), ("HTTP/-1.1", b"GET /api/one HTTP/-1.1"),
        ("lower case", b"GET /api/one http/1.1"), ("HTTPS", b"GET /api/one HTTPS/1.1"),
        ("a space in the version", b"GET /api/one HTTP/ 1.1"),
        ("no slash", b"GET /api/one HTTP1.1"),
        ("ICY", b"GET /api/one ICY/1.1"), ("two versions", b"GET /api/one HTTP/1.1 HTTP/1.1"),
        ("a space at the end", b"GET /api/one HTTP/1.1 "),
        ("two spaces", b"GET  /api/one HTTP/1.1"),
        ("a tab", b"GET\t/api/one HTTP/1.1"),
        ("a tab before the version", b"GET /api/one\tHTTP/1.1"),
        ("two targets", b"GET /api/one /api/two HTTP/1.1"), ("no target", b"GET HTTP/1.1"),
        ("an empty target", b"GET  HTTP/1.1"), ("a fragment", b"GET /api/one#x HTTP/1.1"),
        ("a NUL in the target", b"GET /api/one\0 HTTP/1.1"),
        ("a bare CR in the target", b"GET /api/one\rX HTTP/1.1"),
        ("a byte above 127 in the target", b"GET /api/\xe4 HTTP/1.1"),
        ("a DEL in the target", b"GET /api/\x7f HTTP/1.1"),
        ("a relative target", b"GET api/one HTTP/1.1"), ("an asterisk", b"GET * HTTP/1.1"),
        ("OPTIONS of an asterisk", b"OPTIONS * HTTP/1.1"),
        ("an authority", b"GET " + HOST + b" HTTP/1.1"),
        ("a question mark first", b"GET ?x HTTP/1.1"),
        ("a backslash first", b"GET \\api\\one HTTP/1.1"),
        ("a full stop first", b"GET ./api/one HTTP/1.1"), ("no method", b" /api/one HTTP/1.1"),
        ("a method of lower case", b"get /api/one HTTP/1.1"),
        ("head in lower case", b"head /api/one HTTP/1.1"),
        ("a mixed method", b"Get /api/one HTTP/1.1"),
        ("a method with a NUL", b"GE\0T /api/one HTTP/1.1"),
        ("a method with a colon", b"GET: /api/one HTTP/1.1"),
        ("a method with a slash", b"GET/ /api/one HTTP/1.1"),
        ("a method with a sign", b"GET! /api/one HTTP/1.1"),
        ("a method of 100 letters", b"A" * 100 + b" /api/one HTTP/1.1")]:
    refused(f"line: {name}", get(line=line) + SMUGGLED)
refused("line: CONNECT", get(line=b"CONNECT " + HOST + b" HTTP/1.1") + SMUGGLED, 405)
refused("line: CONNECT with a path", get(line=b"CONNECT /api/one HTTP/1.1") + SMUGGLED, 405)
refused("line: TRACE", get(line=b"TRACE /api/one HTTP/1.1") + SMUGGLED, 405)
refused("line: HTTP/0.9 alone", b"GET /api/one\r\n\r\n" + SMUGGLED)
refused("line: HTTP/2 by its preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
refused("line: TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n" + SMUGGLED)
refused("line: a PROXY header", b"PROXY TCP4 6.6.6.6 7.7.7.7 1 2\r\n" + get() + SMUGGLED)
taken("line: a method nobody knows", get(line=b"BREW /api/one HTTP/1.1"), Seen("BREW", "/api/one"))
taken("line: odd letters in the target",
      get(line=b'GET /api/one?a[]={"b":1}|\\^` HTTP/1.1'),
      Seen("GET", '/api/one?a[]={"b":1}|\\^`'))
taken("line: encoded ends of lines in the target", get(line=b"GET /api/one%0d%0aX:%20y HTTP/1.1"),
      Seen("GET", "/api/one%0d%0aX:%20y"))
taken("line: a target within the target", get(line=b"GET /api/http://x/ HTTP/1.1"),
      Seen("GET", "/api/http://x/"))
case("line: HTTP/1.0", get(line=b"GET /api/one HTTP/1.0"), (200,), (ONE,))

# ---- absolute targets

for name, target in [
        ("another host", b"http://globex.localhost/api/one"), ("no host", b"http:///api/one"),
        ("a user", b"http://user@" + HOST + b"/api/one"),
        ("another port", b"http://acme.localhost:1/api/one"),
        ("no port", b"http://acme.localhost/api/one"),
        ("another scheme", b"ftp://" + HOST + b"/api/one"),
        ("a file", b"file:///etc/passwd"), ("one slash", b"http:/" + HOST + b"/api/one"),
        ("javascript", b"javascript:1"),
        ("a fragment", b"http://" + HOST + b"/api/one#x"), ("two of them", b"http://a/ http://b/"),
        ("backslashes", b"http:\\\\" + HOST + b"\\api\\one"),
        ("a host with a list", b"http://" + HOST + b",globex.localhost/api/one"),
        ("an encoded host", b"http://%61cme.localhost/api/one")]:
    refused(f"absolute: {name}", get(line=b"GET " + target + b" HTTP/1.1") + SMUGGLED)
case("absolute: two slashes are a path", get(line=b"GET //globex.localhost/api/one HTTP/1.1"),
     (200,), goes_on=True)
taken("absolute: the same host", get(line=b"GET http://" + HOST + b"/api/one HTTP/1.1"), ONE)
taken("absolute: https", get(line=b"GET https://" + HOST + b"/api/one HTTP/1.1"), ONE)
taken("absolute: in capitals", get(line=b"GET HTTP://" + HOST + b"/api/one HTTP/1.1"), ONE)
refused("absolute: without a Host",
        get(line=b"GET http://" + HOST + b"/api/one HTTP/1.1", host=None) + SMUGGLED)

# ---- hosts

for name, *hosts in [
        ("none",), ("empty", b"Host:"), ("spaces", b"Host:   "),
        ("twice the same", b"Host: " + HOST, b"Host: " + HOST),
        ("two", b"Host: " + HOST, b"Host: globex.localhost"),
        ("two, the other first", b"Host: globex.localhost", b"Host: " + HOST),
        ("two, one empty", b"Host: " + HOST, b"Host:"),
        ("a list", b"Host: " + HOST + b", globex.localhost"),
        ("two in one", b"Host: " + HOST + b" globex.localhost"),
        ("a path", b"Host: " + HOST + b"/x"),
        ("a query", b"Host: " + HOST + b"?x"), ("a fragment", b"Host: " + HOST + b"#x"),
        ("a user", b"Host: user@" + HOST), ("a user and a password", b"Host: a:b@" + HOST),
        ("a scheme", b"Host: http://" + HOST), ("a backslash", b"Host: " + HOST + b"\\x"),
        ("percent-encoded", b"Host: %61cme.localhost"), ("a NUL", b"Host: acme.localhost\0"),
        ("an empty label", b"Host: acme..localhost"),
        ("two dots at the end", b"Host: acme.localhost.."),
        ("a dot first", b"Host: .acme.localhost"), ("an empty port", b"Host: acme.localhost:"),
        ("a port of letters", b"Host: acme.localhost:http"),
        ("a port of 70000", b"Host: acme.localhost:70000"),
        ("a negative port", b"Host: acme.localhost:-1"),
        ("a signed port", b"Host: acme.localhost:+80"),
        ("two ports", b"Host: acme.localhost:80:80"),
        ("a port with a space", b"Host: acme.localhost: 80"),
        ("a port with a path", b"Host: acme.localhost:80/x"),
        ("UTF-8", "Host: \u00e4cme.localhost".encode()),
        ("a full-width dot", "Host: acme\uff0elocalhost".encode()),
        ("a star", b"Host: *.localhost"),
        ("quotes", b'Host: "acme.localhost"'), ("brackets", b"Host: [acme.localhost]"),
        ("an open bracket", b"Host: [::1"), ("a zone", b"Host: [::1%25lo]"),
        ("a name of 300 letters", b"Host: " + b"a" * 300),
        ("space before the colon", b"Host : " + HOST),
        ("a bare CR within", b"Host: acme\r.localhost"),
        ("a tab within", b"Host: acme\t.localhost")]:
    refused(f"host: {name}", get(*hosts, host=None) + SMUGGLED)
taken("host: a field like it", get(b"X-Host: globex.localhost", b"Host-: x"), ONE)
taken("host: what a front end would say", get(b"X-Forwarded-Host: globex.localhost",
                                              b"X-Host: globex.localhost"), ONE)

# ---- upgrades, expectations, this hop's fields

taken("upgrade: h2c", get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c",
                          b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"), ONE)
taken("upgrade: H2C in capitals", get(b"Connection: Upgrade", b"Upgrade: H2C"), ONE)
taken("upgrade: a list with h2c", get(b"Connection: Upgrade", b"Upgrade: websocket, h2c"), ONE)
taken("upgrade: not named in Connection", get(b"Upgrade: websocket"), ONE)
taken("upgrade: with a body", post(b"hello", LENGTH, b"Connection: Upgrade", b"Upgrade: x"), POSTED)
refused("upgrade: twice", get(b"Connection: Upgrade", b"Upgrade: websocket", b"Upgrade: h2c")
        + SMUGGLED)
taken("upgrade: refused by the app", get(b"Connection: Upgrade", b"Upgrade: websocket"), ONE)
refused("expect: something else", post(b"hello", LENGTH, b"Expect: 200-ok"), 417)
refused("expect: a list", post(b"hello", LENGTH, b"Expect: 100-continue, x"), 417)
refused("expect: empty", post(b"hello", LENGTH, b"Expect:"), 417)
refused("expect: an obfuscated one", post(b"hello", LENGTH, b"Expect: y 100-continue"), 417)
taken("expect: continue, with the body at once",
      post(b"hello", LENGTH, b"Expect: 100-continue"), POSTED)
taken("expect: continue, in capitals", post(b"hello", LENGTH, b"Expect: 100-CONTINUE"), POSTED)
taken("expect: continue, without a body", get(b"Expect: 100-continue"), ONE)
taken("hop: the host named as of this hop", get(b"Connection: Host"), ONE)
taken("hop: an empty list", get(b"Connection: , ,,"), ONE)
refused("hop: a hundred names", get(b"Connection: " + b",".join(b"x%d" % n for n in range(100))))
case("hop: close", get(b"Connection: close"), (200,), (ONE,))
case("hop: close among others", get(b"Connection: keep-alive, close"), (200,), (ONE,))
case("hop: close in capitals", get(b"Connection: CLOSE"), (200,), (ONE,))

# ---- pipelines and sizes

case("pipeline: a bad one behind a good one", get() + b"NONSENSE\r\n\r\n" + SMUGGLED, (200, 400),
     (ONE,))
case("pipeline: a body longer than it says is the next request",
     post(b"helloGET", LENGTH) + b" /api/two HTTP/1.1\r\nHost: " + HOST + b"\r\n\r\n", (200, 200),
     (POSTED, Seen("GET", "/api/two")), goes_on=True)
case("pipeline: an answer without a body", get(line=b"HEAD /api/one HTTP/1.1") + get(), (200, 200),
     (Seen("HEAD", "/api/one"), ONE), goes_on=True)
case("pipeline: a body for a page of the gateway's own",
     get(LENGTH, line=b"POST /nothing HTTP/1.1") + b"hello" + SMUGGLED, (405,))
case("pipeline: a smuggled request as the body of a page of the gateway's own",
     get(b"Content-Length: 20", line=b"GET / HTTP/1.1") + SMUGGLED, (200,))
case("pipeline: chunks for a page of the gateway's own",
     get(CODING, line=b"GET / HTTP/1.1") + CHUNKS + SMUGGLED, (200,))
case("pipeline: a body for the tenant's document",
     get(LENGTH, line=b"GET /.well-known/granary/tenant HTTP/1.1") + b"hello" + SMUGGLED, (200,))
refused("size: a target of 9 KiB", get(line=b"GET /api/" + b"x" * 9000 + b" HTTP/1.1"), 414)
refused("size: a target of 1 MiB", get(line=b"GET /api/" + b"x" * (1 << 20) + b" HTTP/1.1"), 414)
refused("size: a field of 1 MiB", get(b"X: " + b"x" * (1 << 20)), 431)
refused("size: a name of 1 MiB", get(b"x" * (1 << 20) + b": y"), 431)
refused("size: 200 fields", get(*(b"X-%d: y" % number for number in range(200))), 431)
refused("size: 100,000 fields", get(*(b"X: y" for _ in range(100_000))), 431)
refused("size: a megabyte of spaces", get(b"X:" + b" " * (1 << 20)), 431)
refused("size: a megabyte of empty lines", b"\r\n" * (1 << 19))
