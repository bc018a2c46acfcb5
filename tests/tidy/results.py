"""Results of coroutines that nobody looks at: neither the compiler nor clang-tidy sees them through
co_await."""

import re

from house import Finding

_RETURN_TYPE = re.compile(r"\b(?:Task|awaitable)<")
_NAME = re.compile(r"\s+(?:\w+::)*(\w+)\s*\(")
# A statement that begins with co_await; `if (x) co_await f();` as well, `(void)co_await f();` not.
_STATEMENT = re.compile(r"(?:[;{}]|(?<!\(void)\)|\belse\b)\s*(?P<await>co_await\s+)")
_LINK = re.compile(r"[\s*]*(?:\w+::)*(\w+)\s*")


def _closing_angle(code, opening):
    depth = 0
    for offset in range(opening, min(len(code), opening + 400)):
        if code[offset] in "<>":
            depth += 1 if code[offset] == "<" else -1
            if depth == 0:
                return offset
    return -1


def coroutines(source):
    """(name, whether it returns a Result) of each coroutine that a source declares."""
    for match in _RETURN_TYPE.finditer(source.code):
        closing = _closing_angle(source.code, match.end() - 1)
        name = _NAME.match(source.code, closing + 1)
        if closing > 0 and name:
            inner = source.code[match.end():closing]
            yield name.group(1), re.match(r"\s*(\w+::)*Result<", inner) is not None


def names_with_results(sources):
    """Names whose every declaration returns a Result: for the others the text cannot tell."""
    seen = {}
    for source in sources:
        for name, has_result in coroutines(source):
            seen.setdefault(name, set()).add(has_result)
    return {name for name, kinds in seen.items() if kinds == {True}}


def _last_call(code, offset):
    """Of `a.b(1).c->d(2);` at `offset`, the name of the last call: d."""
    name = None
    while link := _LINK.match(code, offset):
        name, offset = link.group(1), link.end()
        while offset < len(code) and code[offset] in "([":
            offset = _closing_bracket(code, offset) + 1
        step = re.compile(r"\s*(\.|->)").match(code, offset)
        if not step:
            break
        offset = step.end()
    return name


def _closing_bracket(code, opening):
    depth = 0
    for offset in range(opening, len(code)):
        depth += (code[offset] in "([") - (code[offset] in ")]")
        if depth == 0:
            return offset
    return len(code)


def check_lost_results(source, names):
    findings = []
    for match in _STATEMENT.finditer(source.code):
        name = _last_call(source.code, match.end())
        line = source.line_of(match.start("await"))
        if name in names and not source.waived("lost-result", line):
            findings.append(Finding(source.path, line, "lost-result",
                                    f"{name}: look at its Result, or say (void) and why"))
    return findings
