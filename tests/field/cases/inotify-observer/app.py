# Sees by watchdog, which uses inotify, that a file was made in its data.
import http.server
import json
import queue
import traceback

from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer


def watch():
    seen = queue.Queue()

    class Keep(FileSystemEventHandler):
        def on_created(self, event):
            seen.put(event.src_path)

    observer = Observer()
    observer.schedule(Keep(), "/data", recursive=True)
    observer.start()
    try:
        with open("/data/hello", "w", encoding="ascii") as file:
            file.write("x")
        return seen.get(timeout=5)
    finally:
        observer.stop()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        try:
            status, found = 200, watch() if self.path == "/watch" else "nothing is asked"
        except (OSError, queue.Empty):
            status, found = 500, traceback.format_exc()
        body = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.HTTPServer(("127.0.0.1", 8080), Handler).serve_forever()
