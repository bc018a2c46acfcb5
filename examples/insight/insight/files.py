"""Serves the frontend's files, for whoever runs Insight by hand. In production the web
server in front does it, and this module is never imported."""

import os

from insight.wire import HttpError, Response

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FALLBACK = "index.html"


class Files:
    def __init__(self, root):
        self._root = os.path.realpath(root)

    def __call__(self, request):
        if request.method not in ("GET", "HEAD"):
            raise HttpError(405, "not allowed here", headers=(("Allow", "GET, HEAD"),))
        path = os.path.realpath(self._root + request.path)
        inside = os.path.commonpath((path, self._root)) == self._root
        kind = TYPES.get(os.path.splitext(path)[1])
        if not inside or kind is None or not os.path.isfile(path):
            if os.path.splitext(path)[1] and path != self._root:
                raise HttpError(404, "no such file")
            path, kind = os.path.join(self._root, FALLBACK), TYPES[".html"]
        with open(path, "rb") as file:
            return Response(200, file.read(), kind, (("Cache-Control", "no-cache"),))
