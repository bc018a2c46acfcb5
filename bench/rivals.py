"""What a wake is measured beside: the same program started bare, and uWSGI's Emperor.

Neither has a sandbox, limits or a disk of its own for each tenant; both run as root.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

import measure
from measure import Failed

BENCH = pathlib.Path(__file__).resolve().parent
EMPEROR_LOOK = 1.2
SCANS = 3  # in each tenant's database


def add_scans(address, host):
    for number in range(SCANS):
        status = measure.post_json(address, host, "/api/scans", f'{{"code": "scan-{number}"}}')
        if status != 201:
            raise Failed(f"a scan was answered with {status}")


class Bare:
    """The floor: the example product as a silo starts it, from the same files, forked and executed
    when a request comes to its unix socket. Nothing else is done."""

    def __init__(self, folder, release_folder, name):
        self.data = folder / name
        self.data.mkdir(parents=True)
        self.address = str(folder / f"{name}.sock")
        self.listener = measure.socket.socket(measure.socket.AF_UNIX)
        self.listener.bind(self.address)
        self.listener.listen(128)
        self.argv = ["/usr/bin/python3", "-S", str(release_folder / "serve.py")]
        self.pid = None

    def start(self):
        environment = {"LISTEN_FDS": "1", "DATA_DIR": str(self.data), "PATH": "/usr/bin:/bin"}
        self.pid = os.posix_spawn(
            self.argv[0], self.argv, environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, self.listener.fileno(), 3)])

    def stop(self):
        if self.pid is not None:
            os.kill(self.pid, signal.SIGTERM)
            os.waitpid(self.pid, 0)
            self.pid = None

    def close(self):
        self.stop()
        self.listener.close()


class Emperor:
    """uWSGI's Emperor with on-demand vassals: it listens for each, starts it on its first request,
    and the vassal ends when it was idle for a second. It runs the example's own handlers through
    insight_wsgi.py, since uWSGI has an HTTP server of its own."""

    def __init__(self, folder, release_folder, names):
        self.folder = folder
        self.names = names
        vassals = folder / "vassals"
        vassals.mkdir(parents=True)
        for name in names:
            (vassals / f"{name}.ini.socket").write_text(self.address(name))
            (vassals / f"{name}.ini").write_text(self._vassal(release_folder, folder / name))
        self.log = folder / "emperor.log"
        program = shutil.which("uwsgi-core") or shutil.which("uwsgi")
        if program is None:
            raise Failed("uWSGI is missing: ./dev bench installs it")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program, "--emperor", vassals, "--emperor-on-demand-extension", ".socket"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        measure.wait_for(self._listens, 30, "the Emperor listens")

    @staticmethod
    def _vassal(release_folder, data):
        # One process without threads, as the example is; no site packages, as it does.
        return "\n".join([
            "[uwsgi]", "plugin = python3", "protocol = http", "processes = 1", "no-site = true",
            f"chdir = {release_folder}", f"pythonpath = {release_folder}",
            f"wsgi-file = {BENCH / 'insight_wsgi.py'}", f"env = DATA_DIR={data}",
            "env = PYTHONDONTWRITEBYTECODE=1", "idle = 1", "die-on-idle = true",
            "disable-logging = true", "need-app = true", ""])

    def address(self, name):
        return str(self.folder / f"{name}.sock")

    def _listens(self):
        if self.process.poll() is not None:
            raise Failed("the Emperor ended:\n" + self.log.read_text(errors="replace")[-2000:])
        return all(os.path.exists(self.address(name)) for name in self.names)

    def _descendants(self):
        found, todo = [], [self.process.pid]
        while todo:
            children = measure.children_of(todo.pop())
            found += children
            todo += children
        return found

    def vassals(self):
        """Processes of vassals: the Emperor's own are those with its arguments."""
        found = []
        for pid in self._descendants():
            with contextlib.suppress(OSError):
                command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
                if b".ini" in command:
                    found.append(pid)
        return found

    def wait_until_asleep(self):
        measure.wait_for(lambda: not self.vassals(), 30, "uWSGI's vassals end", pause=0.1)
        # Once a second the Emperor looks after those that ended; asked before that, it is late.
        time.sleep(EMPEROR_LOOK)

    def close(self):
        pids = self._descendants()
        measure.end_process(self.process)
        for pid in pids:
            with contextlib.suppress(OSError):
                if pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)
