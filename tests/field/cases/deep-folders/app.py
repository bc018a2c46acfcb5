# Makes 300 folders in each other, and a file in the last. With long names that is more than a path
# may be long: an app gets there by one chdir after another.
import http.server
import os

DEPTH = 300
NAMES = {"deep": "d", "long": "a-folder-with-a-name"}


def down(kind):
    os.chdir("/data")
    for _ in range(DEPTH):
        os.makedirs(NAMES[kind], exist_ok=True)
        os.chdir(NAMES[kind])


def make(kind):
    down(kind)
    with open("leaf", "w", encoding="ascii") as file:
        file.write("at the end")
    return b"made"


def look(kind):
    down(kind)
    with open("leaf", "rb") as file:
        return file.read()


PAGES = {"make": make, "look": look}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        _, what, *kind = self.path.split("/")
        body = PAGES[what](*kind) if what in PAGES else b"nothing is asked"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.HTTPServer(("127.0.0.1", 8080), Handler).serve_forever()
