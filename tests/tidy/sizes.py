"""How long lines, functions and files may be. Limits and their exceptions: tools/tidy.toml."""

import ast
import re
import subprocess

from house import ROOT, Finding


def check_columns(path, text, limit):
    findings = []
    for number, line in enumerate(text.splitlines(), 1):
        # What has no place to break (an address, a hash) may stick out.
        if len(line) > limit and len(max(line.split(), key=len)) < limit - 20:
            findings.append(Finding(path, number, "columns", f"{len(line)} of {limit} columns"))
    return findings


def check_file(path, text, limits, waivers):
    lines = text.count("\n")
    kind = "header" if path.endswith(".h") else "source"
    limit = limits[kind]
    if path in waivers:
        limit = min(waivers[path]["lines"], limits[kind + "_at_most"])
    if lines > limit:
        return [Finding(path, 1, "file-size", f"{lines} of {limit} lines: split it by topic")]
    return []


def check_file_waivers(files, waivers, limits):
    """An exception that is no longer needed goes, so that sizes only ever shrink."""
    findings = []
    for path, waiver in waivers.items():
        kind = "header" if path.endswith(".h") else "source"
        if path not in files:
            findings.append(Finding(path, 1, "file-size", "waived in tidy.toml, but not there"))
        elif files[path].count("\n") <= limits[kind]:
            findings.append(Finding(path, 1, "file-size", "needs its waiver no more"))
        if len(waiver.get("why", "")) < 12:
            findings.append(Finding(path, 1, "file-size", "its waiver in tidy.toml says no reason"))
    return findings


def python_functions(path, text):
    """(path, line, name, length) of every function."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield path, node.lineno, node.name, node.end_lineno - node.lineno + 1


def cpp_functions(paths):
    """The same of C++, as universal-ctags sees it."""
    if not paths:
        return
    listing = subprocess.run(
        ["ctags", "-x", "--c++-kinds=f", "--language-force=C++", "--fields=+ne",
         "-I", "ASSERT+", "--_xformat=%n\t%e\t%N\t%F", "-L", "-"],
        cwd=ROOT, input="\n".join(paths), capture_output=True, text=True, check=True).stdout
    for row in listing.splitlines():
        start, end, name, path = row.split("\t")
        if end.isdigit():
            yield path, int(start), name, int(end) - int(start) + 1


def check_functions(functions, limit, waivers):
    """`waivers`: "path name" of functions that may be longer, with the reason."""
    findings = []
    needed = set()
    for path, line, name, length in functions:
        if length <= limit:
            continue
        if f"{path} {name}" in waivers:
            needed.add(f"{path} {name}")
            continue
        findings.append(Finding(path, line, "function-size",
                                f"{name}: {length} of {limit} lines: split it into named steps"))
    for waiver in set(waivers) - needed:
        findings.append(Finding(waiver.split()[0], 1, "function-size",
                                f"needs its waiver no more: {waiver}"))
    return findings


_TEST = re.compile(r"^TEST(_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.MULTILINE)


def gtest_cases(source):
    """(line, name, body) of each TEST in a source; ctags does not see these as functions."""
    from cpp import closing_brace
    for match in _TEST.finditer(source.code):
        opening = source.code.find("{", match.end())
        closing = closing_brace(source.code, opening)
        yield source.line_of(match.start()), match.group(3), source.code[opening:closing]
