# VACUUM and an index need temporary files as large as the database: 80 MB.
import http.server
import os
import sqlite3
import traceback


def vacuum():
    database = sqlite3.connect("/data/big.db")
    database.execute("CREATE TABLE t (a, b)")
    for number in range(80):
        database.executemany("INSERT INTO t VALUES (?, ?)",
                             [(number, os.urandom(1000)) for _ in range(1000)])
    database.commit()
    database.execute("VACUUM")
    database.execute("CREATE INDEX i ON t (b)")
    return os.path.getsize("/data/big.db")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        try:
            status, found = 200, str(vacuum()) if self.path == "/vacuum" else "nothing is asked"
        except sqlite3.Error:
            status, found = 500, traceback.format_exc()
        self.send_response(status)
        self.send_header("Content-Length", str(len(found.encode())))
        self.end_headers()
        self.wfile.write(found.encode())


http.server.HTTPServer(("127.0.0.1", 8080), Handler).serve_forever()
