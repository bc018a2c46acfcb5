"""`./dev sim`: the simulation of the control plane (src/lifecycle/testing/simulation/).

Without --seed: a crash at every boundary of every kind of operation, then 1,000 seeds from a random
one on, on all cores. With --seed: that one again. What fails prints its seed and the command that
repeats it, and leaves its trace in build/sim/.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import tally
import test as suites

PROGRAM = suites.ROOT / "build" / "granary_sim"
TRACES = suites.ROOT / "build" / "sim"
# Seeds that one process runs: long enough that starting it costs nothing.
CHUNK = 20
PASSED_ON = ("tenants", "operations", "customers")


class Runs:
    """What all processes found, added up."""

    def __init__(self):
        self.lock = threading.Lock()
        self.totals = {}
        self.failed = []  # what a process that failed printed
        self.started = time.monotonic()

    def add(self, code, output):
        with self.lock:
            for line in output.splitlines():
                if line.startswith("SUMMARY "):
                    for name, value in json.loads(line.removeprefix("SUMMARY ")).items():
                        self.totals[name] = self.totals.get(name, 0) + value
            if code != 0:
                self.failed.append("\n".join(line for line in output.splitlines()
                                             if not line.startswith(("SUMMARY ", "PROGRESS "))))

    def seconds(self):
        return time.monotonic() - self.started

    def line(self):
        get = self.totals.get
        rate = get("operations", 0) / max(self.seconds(), 0.001) * 60
        return (f"{get('runs', 0)} seeds, {get('operations', 0)} operations in "
                f"{self.seconds():.0f} s ({rate:,.0f} a minute)")

    def details(self):
        get = self.totals.get
        crashes = sum(get(name, 0) for name in
                      ("crashes_at_writes", "crashes_at_calls", "crashes_at_any_time"))
        return "\n".join((
            f"  control died {crashes} times: {get('crashes_at_writes', 0)} at a write, "
            f"{get('crashes_at_calls', 0)} at a call, {get('crashes_at_any_time', 0)} at some "
            "moment",
            f"  faults: {get('store_faults', 0)} of the store, {get('lost_answers', 0)} lost "
            f"answers, {get('full_disks', 0)} full disks, {get('clock_jumps', 0)} clock jumps, "
            f"{get('reboots', 0)} reboots, "
            f"{get('repeated_calls', 0)} repeated and {get('hung_calls', 0)} hung calls",
            f"  {get('kept', 0)} destructions were to wait, and did",
            f"  all invariants were checked {get('checks', 0)} times, over "
            f"{get('virtual_hours', 0)} simulated hours"))


def simulate(arguments, runs=None):
    """Runs the program. Returns its exit status and what it printed."""
    with subprocess.Popen([PROGRAM, *arguments], cwd=suites.ROOT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as program:
        output, _ = program.communicate()
    for folder in (pathlib.Path("/dev/shm"), pathlib.Path(tempfile.gettempdir())):
        for left in folder.glob(f"granary-sim-{program.pid}-*"):  # of one that was aborted
            shutil.rmtree(left, ignore_errors=True)
    if runs is not None:
        runs.add(program.returncode, output)
    return program.returncode, output


def run_many(first, count, jobs, options, minutes=0.0):
    """`count` seeds from `first` on in `jobs` processes, or as many as fit into `minutes`."""
    TRACES.mkdir(parents=True, exist_ok=True)
    runs = Runs()

    def chunk(start):
        over = minutes > 0 and runs.seconds() > minutes * 60
        if not runs.failed and not over:
            length = min(CHUNK, first + count - start)
            left = ["--minutes", str(minutes - runs.seconds() / 60)] if minutes > 0 else []
            simulate(["--seed", str(start), "--runs", str(length), "--traces", str(TRACES),
                      *left, *options], runs)
        return start

    told = 0.0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for _ in pool.map(chunk, range(first, first + count, CHUNK)):
            if runs.seconds() - told > 10 and not runs.failed:
                told = runs.seconds()
                print(runs.line(), flush=True)
    for output in runs.failed:
        print(output)
    print(runs.line())
    print(runs.details(), flush=True)
    return runs


def crash_at_every_boundary(jobs):
    parts = [["--boundaries", "--part", f"{part}/{jobs}"] for part in range(jobs)]
    well = True
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for code, output in pool.map(simulate, parts):
            print(output, end="", flush=True)
            well = well and code == 0
    return well


# `./dev test` is the same every time; what random seeds find belongs to `./dev sim`.
SMOKE_FIRST = 1
SMOKE_SEEDS = 120


def suite(seconds=30):
    """The smoke test in `./dev test`: the same seeds each time, for half a minute at most."""
    count = tally.Tally()
    if not suites.build("dev", "granary_sim"):
        count.fail("the build failed")
        return count
    runs = run_many(SMOKE_FIRST, SMOKE_SEEDS, os.cpu_count() or 1, [], seconds / 60)
    if runs.failed or runs.totals.get("runs", 0) == 0:
        count.fail("a seed breaks an invariant (see above)")
    else:
        count.passed += 1
    return count


def main():
    parser = argparse.ArgumentParser(prog="./dev sim", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, help="the first seed; by default a random one")
    parser.add_argument("--runs", type=int, help="how many seeds (1,000, or 1 with --seed)")
    parser.add_argument("--minutes", type=float, default=0, help="as many seeds as fit into these")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at once")
    parser.add_argument("--trace", help="of one seed: what happens, to this file; - for the screen")
    parser.add_argument("--calm", action="store_true", help="without faults")
    for name in PASSED_ON:
        parser.add_argument("--" + name, type=int, help="instead of what the seed draws")
    arguments = parser.parse_args()
    if not suites.build("dev", "granary_sim"):
        return 1
    options = ["--calm"] if arguments.calm else []
    for name in PASSED_ON:
        if getattr(arguments, name) is not None:
            options += ["--" + name, str(getattr(arguments, name))]
    if arguments.seed is not None and (arguments.runs or 1) == 1 and not arguments.minutes:
        TRACES.mkdir(parents=True, exist_ok=True)
        trace = ["--trace", arguments.trace] if arguments.trace else ["--traces", str(TRACES)]
        return subprocess.run([PROGRAM, "--seed", str(arguments.seed), *trace, *options],
                              cwd=suites.ROOT, check=False).returncode
    well = arguments.seed is not None or crash_at_every_boundary(arguments.jobs)
    first = arguments.seed if arguments.seed is not None else secrets.randbelow(1 << 31)
    count = arguments.runs or (1 << 20 if arguments.minutes > 0 else 1_000)
    runs = run_many(first, count, arguments.jobs, options, arguments.minutes)
    return 0 if well and not runs.failed else 1


if __name__ == "__main__":
    sys.exit(main())
