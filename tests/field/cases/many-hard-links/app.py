# 5,000 names of one file, on a small disk.
import http.server
import os

LINKS = 5000


def make():
    with open("/data/first", "w", encoding="ascii") as file:
        file.write("one")
    for number in range(1, LINKS):
        os.link("/data/first", f"/data/name-{number}")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.startswith("/make"):
            make()
        made = os.path.exists("/data/first")
        body = b"%d" % (os.stat("/data/first").st_nlink if made else 0)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.HTTPServer(("127.0.0.1", 8080), Handler).serve_forever()
