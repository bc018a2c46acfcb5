"""Calls and constructs that are not used here, each with what to use instead (tools/tidy.toml)."""

import re

import cpp
from house import Finding, within


def check_banned(source, rules):
    findings = []
    for rule in rules:
        if rule.get("headers_only") and not source.is_header:
            continue
        if source.is_test and rule.get("allowed_in_tests"):
            continue
        if within(source.path, rule.get("allowed_in", [])):
            continue
        if any(source.path.endswith(end) for end in rule.get("allowed_ends", [])):
            continue
        for match in re.finditer(rule["pattern"], source.code):
            line = source.line_of(match.start())
            if not source.waived(rule["name"], line):
                findings.append(Finding(source.path, line, rule["name"],
                                        f"`{match.group().strip()}`: use {rule['instead']}"))
    return findings


_SWITCH = re.compile(r"\bswitch\s*\(")
# Enumerators of ours are PascalCase; those of libraries and macros of the kernel are not.
_OUR_ENUMERATOR = re.compile(r"\bcase\s+(?:\w+::)*[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*\s*:")
_DEFAULT = re.compile(r"\bdefault\s*:")


def check_switch(source):
    """No default: in a switch over an enum: the compiler then names the case that was forgotten."""
    findings = []
    code = source.code
    for match in reversed(list(_SWITCH.finditer(code))):  # inner ones first, and out of the way
        opening = code.find("{", match.end())
        if opening < 0:
            continue
        closing = cpp.closing_brace(code, opening)
        body = code[opening:closing]
        found = _DEFAULT.search(body)
        if found and _OUR_ENUMERATOR.search(body):
            line = source.line_of(opening + found.start())
            if not source.waived("enum-default", line):
                findings.append(Finding(source.path, line, "enum-default",
                                        "name every enumerator, so that a new one is noticed"))
        code = code[:opening] + re.sub(r"[^\n]", " ", body) + code[closing:]
    return findings


def check_waivers(source, names, min_reason=12):
    """A waiver names an existing rule and says why. Run after all checks that look at waivers."""
    findings = []
    for line, (rule, reason) in source.waivers.items():
        if rule not in names:
            findings.append(Finding(source.path, line, "waiver", f"there is no rule '{rule}'"))
        elif len(reason) < min_reason:
            findings.append(Finding(source.path, line, "waiver", "say why: allow(rule): reason"))
        elif line not in source.used_waivers:
            findings.append(Finding(source.path, line, "waiver", f"nothing here needs '{rule}'"))
    return findings
