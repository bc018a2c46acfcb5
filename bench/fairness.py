"""What neighbours notice while one customer's program does its worst.

Two neighbours answer a steady stream of small requests, first in quiet, then while the attacker's
silo is at it, in the same run; each attack begins on a fresh start of the attacker. Besides the
neighbours' times: what the attacker itself got, and what a person sees of it.
"""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import sys
import threading
import time

import measure
from installation import running
from measure import Failed, Row

APP = pathlib.Path(__file__).resolve().parent / "attackers"
NEIGHBOURS = ("calm", "quiet")
RATE = 100  # requests a second, to both neighbours in turn
SECONDS = 10
SECONDS_QUICK = 1
MOST_RATIO = 3
# Attacks of the program itself, begun by one request.
INSIDE = ("fork_bomb", "memory_bomb", "fill_bytes", "fill_inodes", "log_flood",
          "log_without_newline", "spin", "open_files", "sockets")


@contextlib.contextmanager
def as_other_machines():
    """The neighbours' clients stand for other machines: they get a CPU when they need one, and only
    what Granary, its silos and the kernel do is measured. Without the right to it, they compete."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def stream(installation, seconds):
    """(latencies in ms, errors) of the neighbours, at a fixed rate whatever the answers take."""
    times, errors, threads = [], [], []
    lock = threading.Lock()

    def ask(tenant, due):
        try:
            status = measure.get(installation.gateway, installation.host(tenant), "/health")
            took = (time.monotonic() - due) * 1000
            with lock:
                times.append(took)
                if status != 200:
                    errors.append(status)
        except OSError as problem:
            with lock:
                errors.append(str(problem))

    with as_other_machines():  # threads inherit it
        run_stream(ask, seconds, threads)
    return times, errors


def run_stream(ask, seconds, threads):
    begun = time.monotonic()
    for number in range(int(RATE * seconds)):
        due = begun + number / RATE
        time.sleep(max(0, due - time.monotonic()))
        thread = threading.Thread(target=ask, args=(NEIGHBOURS[number % 2], due), daemon=True)
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join(30)


def begin(installation, name):
    status = measure.get(installation.gateway, installation.host("attacker"), "/" + name)
    if status != 200:
        raise Failed(f"the attacker answered {status} to {name}")


@contextlib.contextmanager
def inside(installation, name):
    begin(installation, name)
    time.sleep(0.3)  # it is well under way
    yield


@contextlib.contextmanager
def clients(installation, count, first, step):
    """`count` connections to the attacker's tenant, which say `first`, then go on by `step`."""
    held, stop = [], threading.Event()

    def run():
        for _ in range(count):
            if stop.is_set():
                return
            with contextlib.suppress(OSError):
                client = socket.create_connection(installation.gateway, timeout=5)
                client.setblocking(False)
                held.append(client)
                client.send(first)
        while not stop.wait(0.05):
            for client in held:
                with contextlib.suppress(OSError):
                    step(client)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    time.sleep(0.5)
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
        for client in held:
            client.close()


def head(installation, method, path, more=""):
    return (f"{method} {path} HTTP/1.1\r\nHost: {installation.host('attacker')}\r\n{more}\r\n"
            ).encode()


def outside(installation):
    """Attacks by clients of the attacker's tenant: {name: context}."""
    nothing = lambda client: None  # noqa: E731
    return {
        "thousands_of_connections": lambda: clients(installation, 2000, b"GET ", nothing),
        "slow_readers": lambda: clients(
            installation, 40, head(installation, "GET", "/large"), lambda client: client.recv(1)),
        "slow_writers": lambda: clients(
            installation, 200,
            head(installation, "POST", "/", "Content-Length: 100000\r\n"),
            lambda client: client.send(b"x")),
        "never_answers": lambda: clients(
            installation, 300, head(installation, "GET", "/never"), nothing),
    }


@contextlib.contextmanager
def dying(installation):
    """It starts and dies, over and over, because somebody keeps asking."""
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            with contextlib.suppress(OSError, Failed, ValueError):
                measure.get(installation.gateway, installation.host("attacker"), "/die")
            time.sleep(0.01)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)


@contextlib.contextmanager
def deaf(installation):
    """It is told to stop and ignores that, until it is killed."""
    begin(installation, "health")
    thread = threading.Thread(target=installation.put_to_sleep, args=(["attacker"],), daemon=True)
    thread.start()
    yield
    thread.join(30)


def seen(api):
    """What a person sees of the attacker."""
    shown = api.call("GET", "/v1/tenants/attacker")
    service = shown["services"][0]
    words = [service["phase"], f"{service.get('memory_bytes', 0) >> 20} MiB"]
    if service.get("last_failure"):
        words.append(service["last_failure"].split("\n")[0][:80])
    words.append(f"disk {(shown.get('disk_used_bytes') or 0) >> 20} MiB")
    return ", ".join(words)


def fresh(installation, api):
    """The attacker, stopped and with an empty disk: its tenant made anew."""
    with contextlib.suppress(Failed):
        gone = api.call("POST", "/v1/tenants/attacker/offboard", {"retain": "0s"})
        api.finished(gone["id"])
    release = installation.attacker_release
    installation.settle(installation.create(["attacker"], release, clients=1))


def one(installation, api, name, attack, seconds, patience):
    print(f"\n  {name}", end="", file=sys.stderr, flush=True)
    fresh(installation, api)
    patience.wait()
    quiet, quiet_errors = stream(installation, seconds)
    with attack():
        times, errors = stream(installation, seconds)
        what = seen(api)
    return {"attack": name, "quiet_p50": measure.percentile(quiet, 0.5),
            "quiet_p99": measure.percentile(quiet, 0.99),
            "p50": measure.percentile(times, 0.5), "p99": measure.percentile(times, 0.99),
            "errors": len(errors), "quiet_errors": len(quiet_errors), "some_errors": errors[:3],
            "seen": what}


def attacks(installation):
    all_attacks = {name: (lambda name=name: inside(installation, name)) for name in INSIDE}
    all_attacks |= outside(installation)
    all_attacks["starts_and_dies"] = lambda: dying(installation)
    all_attacks["ignores_sigterm"] = lambda: deaf(installation)
    return all_attacks


def run(quick, patience):
    seconds = SECONDS_QUICK if quick else SECONDS
    with running() as installation, contextlib.closing(installation.api()) as api:
        folder = installation.folder / "attackers"
        shutil.copytree(APP, folder, ignore=shutil.ignore_patterns("__pycache__"))
        installation.attacker_release = installation.release(folder)
        installation.settle(installation.create(NEIGHBOURS, installation.attacker_release))
        results = [one(installation, api, name, attack, seconds, patience)
                   for name, attack in attacks(installation).items()]
    worst = max(results, key=lambda result: result["p99"] / result["quiet_p99"])
    rows = [Row(what=f"neighbours' p99 under {result['attack']}", value=result["p99"], unit="ms",
                beside=result["quiet_p99"], beside_what="ms in quiet",
                target=f"< {MOST_RATIO}, no errors",
                met=result["p99"] < MOST_RATIO * result["quiet_p99"] and not result["errors"])
            for result in results]
    return rows, {"results": results, "worst": json.loads(json.dumps(worst))}
