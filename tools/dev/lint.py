"""`./dev lint [FILE...]`: formatting and clang-tidy over our C++; `./dev fmt`: formats it in place.

clang-tidy takes seconds a file, so what was clean is remembered in build/tidy-cache under a hash of
all that the verdict rests on: the file, the headers of ours it reaches, its compile command, the
checks and the tool.
"""

import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "tidy-cache"
CLANG_TIDY = "clang-tidy-19"
CLANG_FORMAT = "clang-format-19"
INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)


def our_sources():
    return sorted(path for folder in ("src", "bench") for path in (ROOT / folder).rglob("*")
                  if path.suffix in (".cc", ".h"))


@functools.cache
def content(path):
    return path.read_bytes()


def reached_from(source, root=ROOT / "src"):
    """`source` and all our headers that it includes, directly or not."""
    reached, open_ends = set(), [source]
    while open_ends:
        path = open_ends.pop()
        if path in reached or not path.is_file():
            continue
        reached.add(path)
        open_ends += [root / spelling.decode() for spelling in INCLUDE.findall(content(path))]
    return sorted(reached)


def verdict_key(source, command, common):
    digest = hashlib.sha256(common)
    digest.update(shlex.join(command).encode())
    for path in reached_from(source):
        digest.update(str(path).encode() + b"\0" + content(path) + b"\0")
    return digest.hexdigest()


def compile_commands():
    """{source: its command}; the entry of the precompiled header itself is not one of ours."""
    database = json.loads((ROOT / "build" / "compile_commands.json").read_text())
    return {pathlib.Path(entry["file"]): shlex.split(entry["command"]) for entry in database
            if pathlib.Path(entry["file"]).is_relative_to(ROOT / "src")
            or pathlib.Path(entry["file"]).is_relative_to(ROOT / "bench")}


def tidy_one(source):
    done = subprocess.run([CLANG_TIDY, "-p", str(ROOT / "build"), "--quiet", str(source)],
                          cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout.strip() or done.stderr.strip()


def tidy(wanted):
    """Runs clang-tidy where the verdict is not known yet. Returns how many files have findings."""
    common = content(ROOT / ".clang-tidy") + content(ROOT / "src" / "base" / "pch.h")
    common += subprocess.run([CLANG_TIDY, "--version"], capture_output=True, check=True).stdout
    CACHE.mkdir(parents=True, exist_ok=True)
    commands = compile_commands()
    keys = {source: verdict_key(source, command, common) for source, command in commands.items()
            if not wanted or source in wanted}
    todo = [source for source, key in keys.items() if not (CACHE / key).exists()]
    print(f"clang-tidy: {len(todo)} of {len(keys)} files to look at", flush=True)
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        running = {pool.submit(tidy_one, source): source for source in todo}
        for number, done in enumerate(concurrent.futures.as_completed(running), 1):
            source = running[done]
            clean, output = done.result()
            print(f"[{number}/{len(todo)}] {source.relative_to(ROOT)}", flush=True)
            if clean:
                (CACHE / keys[source]).touch()
            else:
                bad += 1
                print(output, flush=True)
    return bad


def main():
    parser = argparse.ArgumentParser(prog="./dev lint", description=__doc__)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--fix-format", action="store_true", help="format in place, and no more")
    arguments = parser.parse_args()
    wanted = {path.resolve() for path in arguments.files}
    sources = [str(path) for path in our_sources() if not wanted or path in wanted]
    if arguments.fix_format:
        return subprocess.run([CLANG_FORMAT, "-i", *sources], check=False).returncode
    formatted = subprocess.run([CLANG_FORMAT, "--dry-run", "-Werror", *sources], check=False)
    # clang-tidy reads the precompiled header, which the build makes.
    prepared = subprocess.run(["bash", "-c", "source tools/dev/build.sh && build_preset dev pch"],
                              cwd=ROOT, check=False)
    if prepared.returncode:
        return 1
    bad = tidy(wanted)
    print(f"lint: {bad} files with findings of clang-tidy, "
          f"formatting {'fine' if formatted.returncode == 0 else 'not as ./dev fmt leaves it'}")
    return 1 if bad or formatted.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
