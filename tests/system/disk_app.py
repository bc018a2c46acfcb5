"""An app that makes on its disk whatever the kernel lets it make. Besides, it is a probe_app.

POST /api/make?kind=K makes a kind of it, GET /api/lines says what there is.
"""

import hashlib
import os
import socket
import stat
import struct

import probe

ROOT = "/data/disk"


def at_root(name):
    return os.path.join(os.fsencode(ROOT), os.fsencode(name))


def make_nest(depth=300, name="d"):
    """Folders in folders, by descriptors: no path of it is short enough for the kernel."""
    folder = os.open(ROOT, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=folder)
        below = os.open(name, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    leaf = os.open("leaf", os.O_WRONLY | os.O_CREAT, dir_fd=folder)
    os.write(leaf, b"at the bottom")
    os.close(leaf)
    os.close(folder)


def make_deep():
    make_nest(4000, "x")


def make_hard():
    with open(at_root("h0"), "wb") as file:
        file.write(b"x")
    os.symlink("nowhere", at_root("l0"))
    for number in range(1, 5001):
        os.link(at_root("h0"), at_root(f"h{number}"))
        os.link(at_root("l0"), at_root(f"l{number}"), follow_symlinks=False)


def make_names():
    for name in (b"n" * 255, b"\xff\xfe", b"new\nline", b"%41", b"-rf", b" ", b"data", b"...",
                 b"\xed\xa0\x80", b"a\\b\"c", b"lost+found", b"._x", b"GNUSparseFile.0"):
        with open(at_root(name), "wb") as file:
            file.write(name)


def make_links():
    for number, target in enumerate(("t" * 4000, "/etc/passwd", "loop", "../../..", ".")):
        try:
            os.symlink(target, at_root(f"s{number}"))
        except OSError:  # an encrypted disk takes shorter ones
            os.symlink(target[:3000], at_root(f"s{number}"))
    os.symlink("loop", at_root("loop"))


def make_holes():
    for number, size in enumerate(((1 << 44) - 4096, 1 << 40, 1 << 30, 4097)):
        with open(at_root(f"sparse{number}"), "wb") as file:
            file.seek(size // 2)
            file.write(b"middle")
            os.ftruncate(file.fileno(), size)
    with open(at_root("comb"), "wb") as file:
        for block in range(500):
            file.seek(block * 8192)
            file.write(b"x")


def make_odd():
    """Modes, times, attributes and access lists."""
    os.mkdir(at_root("odd"), 0o755)
    for number, mode in enumerate((0, 0o111, 0o777, 0o4755, 0o2755, 0o1777)):
        path = at_root(f"odd/mode{number}")
        with open(path, "wb") as file:
            file.write(b"x")
        os.chmod(path, mode)
        os.utime(path, ns=(0, (number - 3) * 1_000_000_000_000_000_123))
    os.mkdir(at_root("odd/closed"), 0o755)
    with open(at_root("odd/closed/in"), "wb") as file:
        os.setxattr(file.fileno(), "user.plain", b"\0value")
        os.setxattr(file.fileno(), b"user.a=b%41\xff", b"")
        for number in range(80):
            os.setxattr(file.fileno(), f"user.n{number}", b"v")
    acl = struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", tag, perm, who)
        for tag, perm, who in ((1, 7, 0xFFFFFFFF), (2, 5, os.getuid()), (4, 5, 0xFFFFFFFF),
                               (16, 7, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF)))
    for name in ("system.posix_acl_access", "system.posix_acl_default"):
        os.setxattr(at_root("odd/closed"), name, acl)
    os.utime(at_root("odd/closed"), ns=(0, 1))


def make_left_out():
    for name in ("app.sock", "other.sock"):
        server = socket.socket(socket.AF_UNIX)
        server.bind(f"{ROOT}/{name}")
        server.close()
    os.mkfifo(at_root("pipe"))


def make_full():
    """Not one more file, and not one more byte, has room."""
    os.mkdir(at_root("full"))
    number = 0
    try:
        while True:
            with open(at_root(f"full/{number:x}"), "wb") as file:
                file.write(b"x" * 5000)
            number += 1
    except OSError:
        pass
    try:
        while True:
            os.close(os.open(at_root(f"full/e{number:x}"), os.O_WRONLY | os.O_CREAT))
            number += 1
    except OSError:
        pass


def attributes(path):
    """By name; the account's own user is another one elsewhere."""
    found = {}
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError:
        return found
    for name in names:
        value = os.getxattr(path, name, follow_symlinks=False)
        if name.startswith("system."):
            value = value.replace(struct.pack("<I", os.getuid()), b"self")
        found[os.fsencode(name)] = value
    return sorted(found.items())


def content(folder, name, status):
    """Where a file stores something, and what, where its owner may read it at all."""
    try:
        file = os.open(name, os.O_RDONLY, dir_fd=folder)
    except PermissionError:
        return "closed"
    digest = hashlib.sha256()
    at = 0
    while True:
        try:
            at = os.lseek(file, at, os.SEEK_DATA)
        except OSError:
            break
        end = os.lseek(file, at, os.SEEK_HOLE)
        digest.update(b"%d %d" % (at, end))
        while at < end:
            piece = os.pread(file, min(end - at, 1 << 20), at)
            digest.update(piece)
            at += len(piece)
    os.close(file)
    return f"{status.st_size} {digest.hexdigest()}"


def is_left_out(mode):
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode))


def lines():
    """One for each entry, however deep it lies; what no archive holds is skipped."""
    seen = {}
    folder = os.open(ROOT, os.O_RDONLY)
    levels = [sorted(os.fsencode(name) for name in os.listdir(folder))]
    while True:
        if not levels[-1]:
            levels.pop()
            if not levels:
                break
            above = os.open("..", os.O_RDONLY, dir_fd=folder)
            os.close(folder)
            folder = above
            continue
        name = levels[-1].pop()
        status = os.lstat(name, dir_fd=folder)
        if is_left_out(status.st_mode):
            continue
        line = [len(levels), name, oct(status.st_mode & ~0o6000), status.st_mtime_ns]
        if stat.S_ISDIR(status.st_mode):
            below = os.open(name, os.O_RDONLY, dir_fd=folder)
            line.append(attributes(f"/proc/self/fd/{below}"))
            os.close(folder)
            folder = below
            levels.append(sorted(os.fsencode(name) for name in os.listdir(folder)))
        elif status.st_ino in seen:
            line = [*line[:3], "is", seen[status.st_ino]]
        elif stat.S_ISLNK(status.st_mode):
            line.append(os.readlink(name, dir_fd=folder))
        else:
            path = b"/proc/self/fd/%d/%s" % (folder, name)
            line += [content(folder, name, status), attributes(path)]
        seen.setdefault(status.st_ino, len(seen))
        yield repr(line)
    os.close(folder)


class Handler(probe.Handler):
    def page_make(self):
        os.makedirs(ROOT, exist_ok=True)
        for kind in self.asked["kind"].split(","):
            globals()["make_" + kind]()
        self.answer({})

    def page_lines(self):
        self.answer({"lines": list(lines())})


if __name__ == "__main__":
    probe.Handler = Handler
    probe.main()
