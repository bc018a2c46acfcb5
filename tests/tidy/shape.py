"""What each file and folder must have: a README per room, a paragraph per header, a use, a test."""

import ast
import re

from house import Finding
from layers import room_of
from sizes import gtest_cases


def check_readme(rooms, files):
    """`files`: {path: text}. A room with code explains itself."""
    findings = []
    with_code = {room_of(path, rooms) for path in files if path.endswith((".cc", ".h"))}
    for room in (room for name, room in rooms.items() if name in with_code):
        readme = room["dir"] + "/README.md"
        if readme not in files:
            findings.append(Finding(readme, 1, "readme", "every room has one: role, words, states, "
                                    "invariants, rules for changes"))
        elif len(files[readme].split()) < 40:
            findings.append(Finding(readme, 1, "readme", "says too little to help a newcomer"))
    return findings


def check_header(source):
    findings = []
    lead = []
    for line in source.lines:
        if not line.startswith("//"):
            break
        lead.append(line.lstrip("/ "))
    # limits.h needs no more than its subject: each bound in it gives its own reason.
    if len(" ".join(lead)) < (15 if source.path.endswith("/limits.h") else 40):
        findings.append(Finding(source.path, 1, "header", "begins with a paragraph: what it is "
                                "for, who owns it, where it runs, what it is not for"))
    if not re.search(r"^#pragma once$", source.text, re.MULTILINE):
        findings.append(Finding(source.path, 1, "header", "needs #pragma once"))
    return findings


_SHARED_MEMBER = re.compile(r"\bshared_ptr<[^;{}()]*>\s+\w+_?\s*(\{\}|=[^;]*)?;")


def check_shared_ownership(source):
    """A shared_ptr member comes with a comment that names its owners."""
    findings = []
    for match in _SHARED_MEMBER.finditer(source.code) if source.is_header else ():
        line = source.line_of(match.start())
        if not ("//" in source.lines[line - 1]
                or source.lines[line - 2].lstrip().startswith("//")):
            findings.append(Finding(source.path, line, "shared",
                                    "who shares it? Name the owners, or use unique_ptr"))
    return findings


def check_dead_headers(sources, waived):
    """A header that only its own .cc and tests include is not used by the product."""
    users = {}
    for source in sources:
        for _, spelling, _ in source.includes():
            users.setdefault("src/" + spelling, set()).add(source.path)
    findings = []
    for source in sources:
        if not source.is_header or not source.path.startswith("src/") or source.path in waived:
            continue
        own = re.compile(re.escape(source.path[:-2]) + r"(_\w*test)?\.cc$")
        if not any(not own.match(user) for user in users.get(source.path, ())):
            findings.append(Finding(source.path, 1, "dead",
                                    "nobody includes it but its own source and test"))
    return findings


def check_dead_sources(paths, rooms):
    """A .cc that lies in no room is never compiled."""
    return [Finding(path, 1, "dead", "lies in no room of tools/layers.toml: never compiled")
            for path in paths
            if path.startswith("src/") and path.endswith(".cc") and room_of(path, rooms) is None]


# Helpers named like these may hold the expectations of a test.
_CAN_FAIL = re.compile(r"\b(EXPECT_|ASSERT_|FAIL\(|ADD_FAILURE)|"
                       r"\b\w*(expect|check|verify|assert|must|contract)\w*\s*(<[^<>]*>)?\(",
                       re.IGNORECASE)


def check_gtest(source):
    if not source.path.endswith("_test.cc"):
        return []
    cases = list(gtest_cases(source))
    if not cases and "TYPED_TEST" not in source.code and "INSTANTIATE_" not in source.code:
        return [Finding(source.path, 1, "test", "a test file without a test")]
    findings = [Finding(source.path, line, "test", f"{name} expects nothing: it cannot fail")
                for line, name, body in cases if not _CAN_FAIL.search(body)]
    findings += [Finding(source.path, line, "test", f"{name}: name it as a sentence of behaviour")
                 for line, name, _ in cases
                 if not re.fullmatch(r"(DISABLED_)?[A-Z][A-Za-z0-9]{7,}", name)]
    return findings


def check_pytest(path, text):
    """Each test_ function can fail: it asserts, or calls a helper named as one that does."""
    findings = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
            continue
        called = [ast.unparse(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)]
        if not (any(isinstance(inner, (ast.Assert, ast.Raise)) for inner in ast.walk(node))
                or any(re.search(r"raises|expect|check|verify|assert|report|wait|fail", name)
                       for name in called)):
            findings.append(Finding(path, node.lineno, "test",
                                    f"{node.name} asserts nothing: it cannot fail"))
    return findings
