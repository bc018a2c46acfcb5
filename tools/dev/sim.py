"""`./dev sim [--seed N] [--runs N]`: the simulation tests (*_sim_test.cc) over many seeds.

The tests read GRANARY_SIM_SEED (the first seed) and GRANARY_SIM_RUNS (how many from there on), and
print seed and command of a run that failed.
"""

import argparse
import os
import secrets
import subprocess
import sys

import test as suites


def main():
    parser = argparse.ArgumentParser(prog="./dev sim", description=__doc__)
    parser.add_argument("--seed", type=int, help="the first seed; by default a random one")
    parser.add_argument("--runs", type=int, help="how many seeds (100, or 1 with --seed)")
    parser.add_argument("--filter", default="*", help="only these tests, as --gtest_filter")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(1 << 31)
    runs = arguments.runs or (1 if arguments.seed is not None else 100)
    if not suites.build("dev", "unit_tests"):
        return 1
    build_dir = suites.ROOT / "build"
    programs = suites.programs_of(build_dir, "sim")
    if not programs:
        print("./dev sim: there are no simulation tests (*_sim_test.cc)")
        return 1
    print(f"seeds {seed} to {seed + runs - 1}", flush=True)
    environment = {**os.environ, "GRANARY_SIM_SEED": str(seed), "GRANARY_SIM_RUNS": str(runs)}
    failed = [program for program in programs
              if subprocess.run([build_dir / program, f"--gtest_filter={arguments.filter}"],
                                cwd=suites.ROOT, env=environment, check=False).returncode]
    for program in failed:
        print(f"FAILED: {program}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
