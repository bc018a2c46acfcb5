"""The example product's handlers under a WSGI server: only the HTTP of its own is left out."""

import posix

from insight.api import Api
from insight.store import Store
from insight.wire import REASONS, HttpError, Request

api = Api(Store(posix.environ[b"DATA_DIR"].decode()))


def application(environ, start_response):
    target = environ["PATH_INFO"]
    if environ["QUERY_STRING"]:
        target += "?" + environ["QUERY_STRING"]
    headers = {b"content-type": environ.get("CONTENT_TYPE", "").encode()}
    request = Request(environ["REQUEST_METHOD"], target, headers, False)
    request.body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    try:
        response = api(request)
    except HttpError as error:
        response = error.response()
    start_response(f"{response.status} {REASONS[response.status]}", [
        ("Content-Type", response.content_type), ("Content-Length", str(len(response.body))),
        *response.headers])
    return [response.body]
