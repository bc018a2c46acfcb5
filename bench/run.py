"""`./dev bench`: what Granary takes, beside what the same work takes elsewhere, in one run.

Needs root (silos do), build/granary, and for the comparisons nginx, uWSGI and wrk, which `./dev
bench` installs. Prints a table; writes it and all that lies behind it to bench/results/latest.json.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time

import fairness
import gateway
import measure
import provision
import registry
import sleeping
import tls
import wake
from installation import GRANARY, ROOT

PARTS = {"provision": provision, "wake": wake, "gateway": gateway, "tls": tls,
         "sleeping": sleeping, "registry": registry, "fairness": fairness}
PART_SECONDS = 900  # at most, then a part is cut off
PATIENCE = 400  # s of a part, of waiting until nothing else keeps the machine busy
RESULTS = pathlib.Path(__file__).resolve().parent / "results" / "latest.json"


def machine():
    model = next((line.split(":")[1].strip()
                  for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"],
                            capture_output=True, text=True, check=False).stdout.strip()
    return {"cpu": model, "cores": os.cpu_count(), "memory_mib": memory >> 20,
            "kernel": platform.release(), "python": platform.python_version(),
            "commit": commit, "time": datetime.datetime.now(datetime.UTC).isoformat("T", "seconds")}


def number(value):
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 10 \
        else f"{value:.1f}"


def table(rows):
    """Lines of text with aligned columns."""
    cells = [("", "granary", "beside it", "ratio", "target", "")]
    for row in rows:
        beside = f"{number(row.beside)} {row.beside_what}" if row.beside is not None else ""
        ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
        met = {None: "", True: "met", False: "MISSED"}[row.met]
        cells.append((row.what, f"{number(row.value)} {row.unit}", beside, ratio, row.target, met))
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
             for line in cells]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]


def document_of(row):
    return {"what": row.what, "value": row.value, "unit": row.unit, "beside": row.beside,
            "beside_what": row.beside_what, "ratio": row.ratio, "target": row.target,
            "met": row.met}


def run_part(name, quick):
    """(rows, document). A part that fails says why, and the others go on."""
    patience = measure.Patience(0 if quick else PATIENCE)
    print(f"{name} ...", end=" ", flush=True)
    begun = time.monotonic()
    try:
        with measure.at_most(PART_SECONDS, name):
            rows, details = PARTS[name].run(quick, patience)
    except (measure.Failed, OSError, subprocess.SubprocessError) as problem:
        print(f"failed\n{problem}", flush=True)
        return [], {"failed": str(problem)}
    took = round(time.monotonic() - begun, 1)
    noise = f", {patience.busy} of {patience.samples} samples on a machine that was busy"
    print(f"{took} s" + (noise if patience.busy else ""), flush=True)
    return rows, {"rows": [document_of(row) for row in rows], "details": details,
                  "seconds": took} | patience.document()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--only", action="append", choices=PARTS, help="this part; may be repeated")
    parser.add_argument("--quick", action="store_true",
                        help="few samples, in under a minute: shows that it runs, measures nothing")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("bench: needs root: silos do, and reaching into them", file=sys.stderr)
        return 2
    if not GRANARY.exists():
        print("bench: build/granary is missing: ./dev build", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what runs is cleaned up
    rows, parts = [], {}
    for name in options.only or PARTS:
        found, parts[name] = run_part(name, options.quick)
        rows += found
    print("\n" + "\n".join(table(rows)))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(
        {"machine": machine(), "quick": options.quick, "parts": parts}, indent=1) + "\n")
    print(f"\nAll of it is in {RESULTS.relative_to(ROOT)}")
    return 1 if any("failed" in part for part in parts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
