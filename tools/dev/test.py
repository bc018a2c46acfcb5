"""`./dev test`: runs the suites and ends with one line that counts all their cases.

usage: test.py [SUITE...], by default tidy unit sim system egress walls gateway_wall insight
field, and asan and fuzz where CI=true.
"""

import importlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import tally

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = ROOT / "build" / "test-results"
PYTHON = "/usr/bin/python3"
SYMBOLIZER = "/usr/bin/llvm-symbolizer-19"  # names the lines in the sanitizers' reports
# Longer than any honest run of one suite; a suite that hangs must still end in a failure.
SUITE_DEADLINE_SECONDS = 45 * 60


def run(command, **options):
    """Runs a command of a suite, its output passed through. Returns whether it ended well."""
    print("+", " ".join(str(word) for word in command), flush=True)
    try:
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False,
                              timeout=SUITE_DEADLINE_SECONDS, **options)
    except (OSError, subprocess.TimeoutExpired) as problem:
        print(f"./dev: {problem}", flush=True)
        return False
    return done.returncode == 0


def build(preset, *targets):
    return run(["bash", "-c", 'source tools/dev/build.sh && build_preset "$@"', "build", preset,
                *targets])


def pytest_suite(folder):
    count = tally.Tally()
    if not list((ROOT / folder).glob("**/test_*.py")):
        count.fail(f"{folder}: there are no tests")  # a suite that vanished is no pass
        return count
    report = RESULTS / (folder.replace("/", "-") + ".xml")
    report.unlink(missing_ok=True)
    # A folder of tests of its own, with its own imports: run where its conftest.py expects it.
    well = run([PYTHON, "-m", "pytest", "-q", "-rfEs", "-p", "no:cacheprovider", folder,
                f"--junitxml={report}"],
               env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    count = tally.from_junit(report)
    if not well and count.failed == 0:
        count.fail(f"{folder}: pytest failed although no case of it did")
    return count


def ctest_suite(build_dir, label, prefix=(), jobs=1):
    results = build_dir / "test-results"
    for stale in results.glob("*_test.xml"):
        if label == "root" or not stale.name.endswith("_root_test.xml"):
            stale.unlink()
    report = results / f"ctest-{label}.xml"
    report.unlink(missing_ok=True)
    well = run([*prefix, "ctest", "--test-dir", str(build_dir), "-L", f"^{label}$", "-j", str(jobs),
                "--output-on-failure", "--output-junit", str(report)],
               env={**os.environ,
                    "ASAN_OPTIONS": "detect_stack_use_after_return=1",
                    "UBSAN_OPTIONS": "print_stacktrace=1",
                    "ASAN_SYMBOLIZER_PATH": SYMBOLIZER,
                    "TSAN_OPTIONS": f"external_symbolizer_path={SYMBOLIZER}"})
    count = tally.from_ctest(report, results)
    if not well and count.failed == 0:
        count.fail(f"ctest -L {label}: failed although no case of it did")
    return count


def programs_of(build_dir, label):
    listing = subprocess.run(["ctest", "--test-dir", str(build_dir), "-N", "-L", f"^{label}$"],
                             cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return re.findall(r"^\s*Test\s+#\d+: (\S+)", listing, re.MULTILINE)


def cases_of(program):
    listing = subprocess.run([program, "--gtest_list_tests"], cwd=ROOT, capture_output=True,
                             text=True, check=True).stdout
    return sum(line.startswith("  ") for line in listing.splitlines())


def root_suite(build_dir):
    """The tests that need root: as root, else through a sudo that does not ask, else skipped."""
    programs = programs_of(build_dir, "root")
    if not programs:
        return tally.Tally()
    if os.geteuid() == 0:
        return ctest_suite(build_dir, "root")
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], check=False,
                                               capture_output=True).returncode == 0:
        count = ctest_suite(build_dir, "root", prefix=("sudo", "-n"))
        # What root wrote there, the next run must be able to replace.
        run(["sudo", "-n", "chown", "-R", f"{os.getuid()}:{os.getgid()}",
             str(build_dir / "Testing"), str(build_dir / "test-results")])
        return count
    count = tally.Tally()
    for program in programs:
        for _ in range(cases_of(build_dir / program)):
            count.skip(f"{program}: needs root")
    return count


def unit_suite():
    count = tally.Tally()
    if not build("dev"):
        count.fail("the build failed")
        return count
    count.add(ctest_suite(ROOT / "build", "unit", jobs=os.cpu_count() or 1))
    count.add(root_suite(ROOT / "build"))
    return count


def sanitizer_suite(preset):
    count = tally.Tally()
    if not build(preset, "unit_tests"):
        count.fail(f"the {preset} build failed")
        return count
    count.add(ctest_suite(ROOT / "build" / preset, "unit", jobs=os.cpu_count() or 1))
    return count


SUITES = {
    "tidy": lambda: pytest_suite("tests/tidy"),
    "unit": unit_suite,
    "sim": lambda: importlib.import_module("sim").suite(),  # which imports this
    "system": lambda: pytest_suite("tests/system"),
    "egress": lambda: pytest_suite("tests/egress"),
    "walls": lambda: pytest_suite("tests/walls"),
    "gateway_wall": lambda: pytest_suite("tests/gateway_wall"),
    "insight": lambda: pytest_suite("examples/insight/tests"),
    "field": lambda: pytest_suite("tests/field"),
    "asan": lambda: sanitizer_suite("asan"),
    "tsan": lambda: sanitizer_suite("tsan"),
    "fuzz": lambda: importlib.import_module("fuzz").suite(),  # which imports this
}


def main(names):
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        print(f"./dev test: no suite {unknown[0]!r}; there are: {', '.join(SUITES)}")
        return 2
    if not names:
        names = ["tidy", "unit", "sim", "system", "egress", "walls", "gateway_wall", "insight",
                 "field"]
        if os.environ.get("CI") == "true":
            names += ["asan", "fuzz"]
    RESULTS.mkdir(parents=True, exist_ok=True)
    total = tally.Tally()
    for name in names:
        print(f"== {name}", flush=True)
        start = time.monotonic()
        try:
            count = SUITES[name]()
        except (OSError, subprocess.SubprocessError) as problem:
            count = tally.Tally()
            count.fail(f"{name}: could not run: {problem}")
        print(f"== {name}: {count.line()} ({time.monotonic() - start:.1f} s)", flush=True)
        count.problems = [f"{name}: {problem}" for problem in count.problems]
        count.skips = [f"{name}: {reason}" for reason in count.skips]
        total.add(count)
    for reason in total.skips:
        print(f"skipped: {reason}")
    for problem in total.problems:
        print(f"FAILED: {problem}")
    print(total.line(), flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
