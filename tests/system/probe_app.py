"""The app of the whole-system tests: it shows, does and breaks what a test asks it to.

Copied into releases by platform_up.py. It serves on the inherited socket, or on $PORT.
"""

import hashlib
import json
import mmap
import os
import socket
import sqlite3
import stat
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

NONCE = os.urandom(8).hex()  # of this life: equal answers come from one process
PIECE = 64 * 1024
MEBIBYTE = 1 << 20


def note_start():
    with open("/data/starts", "a", encoding="ascii") as file:
        file.write(NONCE + "\n")


def starts():
    with open("/data/starts", encoding="ascii") as file:
        return len(file.readlines())


def pattern(size, offset):
    """Bytes that tell where they belong, so that a lost or doubled piece shows."""
    first = offset // 8
    return b"".join(b"%08d" % (first + n) for n in range(size // 8))


def fill_tree(files):
    """Data of every kind that an app may leave on its disk."""
    os.makedirs("/data/tree/deep/er", exist_ok=True)
    for number in range(files):
        path = f"/data/tree/deep/file-{number}"
        with open(path, "wb") as file:
            file.write(os.urandom(number * 997))
        os.chmod(path, 0o600 + number % 64)
        os.utime(path, ns=(number, 1_700_000_000_123_456_789 + number))
    with open("/data/tree/sparse", "wb") as file:
        file.seek(3 * MEBIBYTE)
        file.write(b"end")
    with open("/data/tree/\xe4\u20ac \n'\"", "wb") as file:
        file.write(b"an odd name")
    os.symlink("deep/file-1", "/data/tree/link")
    os.symlink("/etc/hostname", "/data/tree/absolute")
    os.symlink("nowhere", "/data/tree/dangling")
    os.link("/data/tree/deep/file-2", "/data/tree/hard")
    os.mkdir("/data/tree/empty", 0o711)


def tree():
    """All below /data, but for what each start of this app writes."""
    found = {}
    for folder, folders, files in os.walk("/data/tree"):
        for name in [*folders, *files]:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            item = {"mode": stat.S_IMODE(status.st_mode), "links": status.st_nlink,
                    "time": status.st_mtime_ns}
            if stat.S_ISLNK(status.st_mode):
                item = {"kind": "link", "to": os.readlink(path)}
            elif stat.S_ISDIR(status.st_mode):
                item |= {"kind": "folder"}
            else:
                with open(path, "rb") as file:
                    item |= {"kind": "file", "size": status.st_size,
                             "sha256": hashlib.sha256(file.read()).hexdigest()}
            found[os.path.relpath(path, "/data")] = item
    return found


ROWS = threading.Lock()  # one connection, as an app would have it


def rows_database():
    database = sqlite3.connect("/data/rows.db", isolation_level=None, timeout=30)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE IF NOT EXISTS row (number integer PRIMARY KEY, text text)")
    return database


def fill_disk():
    """Writes until the disk refuses; says why and how much fitted, then frees it again."""
    written = 0
    try:
        with open("/data/fill", "wb", buffering=0) as file:
            while True:
                written += file.write(b"x" * MEBIBYTE)
    except OSError as refused:
        return {"errno": refused.errno, "written": written}
    finally:
        os.unlink("/data/fill")


def eat_memory():
    held = []
    while True:
        piece = mmap.mmap(-1, 4 * MEBIBYTE)
        for at in range(0, len(piece), mmap.PAGESIZE):
            piece[at] = 1
        held.append(piece)


def fork_bomb(hold_seconds):
    """Forks until it may not; says how many children there were."""
    children = []
    refused = 0
    while not refused and len(children) < 5000:
        try:
            child = os.fork()
        except OSError as error:
            refused = error.errno
            continue
        if child == 0:
            time.sleep(60)
            os._exit(0)
        children.append(child)
    time.sleep(hold_seconds)
    for child in children:
        os.kill(child, 9)
        os.waitpid(child, 0)
    return {"children": len(children), "errno": refused}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "probe"
    sys_version = ""

    def do_GET(self):
        address = urlsplit(self.path)
        self.asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        name = "page_" + address.path.removeprefix("/api/").replace("-", "_")
        page = getattr(self, name, None)
        if page is None:
            return self.answer({"error": "no such page"}, status=404)
        return page()

    do_POST = do_PUT = do_HEAD = do_OPTIONS = do_GET

    def page_who(self):
        self.answer({"nonce": NONCE, "pid": os.getpid(), "uid": os.getuid(), "starts": starts(),
                     "release": os.environ.get("APP_RELEASE")})

    def page_health(self):
        self.answer({"ok": True})

    def page_seen(self):
        self.answer({"method": self.command, "path": self.path, "headers": self.headers.items()})

    def page_config(self):
        with open("/run/config.json", encoding="utf-8") as file:
            self.answer(json.load(file))

    def page_sleep(self):
        time.sleep(float(self.asked["s"]))
        self.answer({"nonce": NONCE})

    def page_spin(self):
        end = time.monotonic() + float(self.asked["s"])
        while time.monotonic() < end:
            pass
        self.answer({"nonce": NONCE})

    def page_echo(self):
        """Sends back what arrives, while it arrives."""
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in self.body():
            self.send_chunk(piece)
        self.send_chunk(b"")

    def page_download(self):
        size = int(self.asked["bytes"])
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for offset in range(0, size, PIECE):
            self.send_chunk(pattern(min(PIECE, size - offset), offset))
        self.send_chunk(b"")

    def page_keep(self):
        """PUT keeps a text on the tenant's disk, GET gives it back."""
        if self.command == "PUT":
            with open("/data/kept", "wb") as file:
                file.write(b"".join(self.body()))
        try:
            with open("/data/kept", encoding="utf-8") as file:
                self.answer({"kept": file.read()})
        except FileNotFoundError:
            self.answer({"kept": None})

    def page_say(self):
        print(self.asked["text"], flush=True)
        self.answer({})

    def page_die(self):
        os._exit(3)

    def page_die_in_body(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"half")
        self.wfile.flush()
        os._exit(3)

    def page_fill_tree(self):
        fill_tree(int(self.asked["files"]))
        self.answer({})

    def page_tree(self):
        self.answer(tree())

    def page_row(self):
        with ROWS:
            database = rows_database()
            database.execute("INSERT INTO row VALUES (?, ?)",
                             (int(self.asked["number"]), "x" * 500))
            database.close()
        self.answer({})

    def page_rows(self):
        with ROWS:
            database = rows_database()
            count = database.execute("SELECT count(*) FROM row").fetchone()[0]
            database.close()
        self.answer({"rows": count})

    def page_secrets(self):
        """Each file's contents and mode, and what the environment says of them."""
        folder = os.environ["SECRETS_DIR"]
        found = {}
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                found[name] = {"value": file.read(), "mode": os.stat(file.fileno()).st_mode & 0o777}
        try:
            with open(os.path.join(folder, "OWN"), "w", encoding="utf-8") as file:
                file.write("x")
            writable = True
        except OSError:
            writable = False
        self.answer({"files": found, "writable": writable, "environment": dict(os.environ)})

    def page_limits(self):
        with open("/proc/self/limits", encoding="utf-8") as file:
            self.answer({"limits": file.read()})

    def page_fill_disk(self):
        self.answer(fill_disk())

    def page_eat_memory(self):
        eat_memory()

    def page_fork_bomb(self):
        self.answer(fork_bomb(float(self.asked["s"])))

    def page_upgrade(self):
        """Says 101, then sends back each byte in upper case until the client has said all."""
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", self.headers["Upgrade"])
        self.end_headers()
        self.close_connection = True
        while piece := self.rfile.read1(PIECE):
            self.wfile.write(piece.upper())

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length", "0"))
        while left > 0:
            piece = self.rfile.read1(min(left, PIECE))
            if not piece:
                return
            left -= len(piece)
            yield piece

    def send_chunk(self, piece):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def answer(self, document, status=200):
        if self.command != "PUT":
            for _ in self.body():
                pass
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def get_request(self):
        connection, _ = self.socket.accept()
        return connection, ("gateway", 0)


def main():
    mode = os.environ.get("PROBE", "serve")
    if mode == "crash":
        print("the reason is 9c1f", file=sys.stderr, flush=True)
        sys.exit(7)
    if mode == "deaf":
        time.sleep(600)
    note_start()
    time.sleep(float(os.environ.get("SLOW_START", "0")))
    if "LISTEN_FDS" in os.environ:
        server = Server(("", 0), Handler, bind_and_activate=False)
        server.socket.close()
        server.socket = socket.socket(fileno=3)
    else:
        server = Server(("127.0.0.1", int(os.environ["PORT"])), Handler)
    threading.stack_size(256 * 1024)
    server.serve_forever()


if __name__ == "__main__":
    main()
