"""`./dev fuzz [--seconds N] [TARGET...]`: the fuzz targets (src/ROOM/testing/*_fuzz.cc).

Each starts from tests/fuzz/corpus/TARGET/, which is committed, and from what earlier runs found,
which is not: build/fuzz/TARGET/. What breaks one is written to build/fuzz/TARGET-crash-...; run
build/asan/TARGET with that file to see it again. `--seconds 0` only goes through the committed
corpus. How to add to it: docs/DEVELOPING.md.
"""

import argparse
import concurrent.futures
import os
import subprocess
import sys

import tally
import test as suites

CORPUS = suites.ROOT / "tests" / "fuzz" / "corpus"
FINDS = suites.ROOT / "build" / "fuzz"
PROGRAMS = suites.ROOT / "build" / "asan"
CI_SECONDS = 30
DEFAULT_SECONDS = 60
ONE_INPUT_SECONDS = 10  # a single input that takes longer is a finding
MEMORY_MIB = 2048
GRACE_SECONDS = 120  # beyond its time: the corpus is read first, on a busy machine


def targets():
    return sorted(path.stem for path in (suites.ROOT / "src").glob("*/testing/*_fuzz.cc"))


def command(target, seconds):
    words = [PROGRAMS / target, f"-timeout={ONE_INPUT_SECONDS}", f"-rss_limit_mb={MEMORY_MIB}",
             f"-artifact_prefix={FINDS}/{target}-", "-print_final_stats=1"]
    if seconds == 0:
        return [*words, "-runs=0", CORPUS / target]
    return [*words, f"-max_total_time={seconds}", FINDS / target, CORPUS / target]


def run_one(target, seconds):
    """What is wrong, or nothing; and a line for people."""
    (FINDS / target).mkdir(parents=True, exist_ok=True)
    if not list((CORPUS / target).glob("*")):
        return "it has no corpus", ""
    log = FINDS / f"{target}.log"
    with log.open("wb") as file:
        try:
            done = subprocess.run(
                command(target, seconds), stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                check=False, cwd=suites.ROOT, timeout=seconds + GRACE_SECONDS,
                env={**os.environ, "ASAN_SYMBOLIZER_PATH": suites.SYMBOLIZER,
                     "UBSAN_OPTIONS": "print_stacktrace=1"})
        except (OSError, subprocess.TimeoutExpired) as problem:
            return str(problem), ""
    text = log.read_text(errors="replace")
    stats = [line.removeprefix("stat::").split(":")[-1].strip() for line in text.splitlines()
             if line.startswith("stat::number_of_executed_units")]
    if done.returncode != 0:
        return f"exit code {done.returncode}, see {log.relative_to(suites.ROOT)}", text[-4000:]
    return None, f"{stats[0] if stats else 'no'} inputs"


def run_all(names, seconds):
    """Each target is one case of the tally."""
    count = tally.Tally()
    if not suites.build("asan", *names):
        count.fail("the asan build of the fuzz targets failed")
        return count
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        running = {name: pool.submit(run_one, name, seconds) for name in names}
    for name, done in running.items():
        problem, text = done.result()
        print(f"{name}: {problem or 'held'} {text}", flush=True)
        if problem:
            count.fail(f"{name}: {problem}")
        else:
            count.passed += 1
    return count


def suite():
    """In CI each target for half a minute; elsewhere the committed corpus."""
    return run_all(targets(), CI_SECONDS if os.environ.get("CI") == "true" else 0)


def main():
    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=int, default=DEFAULT_SECONDS, help="for each target")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(targets()))
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.targets) - set(targets()))
    if unknown:
        parser.error(f"no target {unknown[0]!r}; there are: {', '.join(targets())}")
    count = run_all(arguments.targets or targets(), arguments.seconds)
    print(count.line())
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(main())
