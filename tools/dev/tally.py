"""Adds up the results of test suites of different kinds into one count.

Reads the JUnit XML that pytest, gtest and ctest write. A suite that was to run and left no
readable result counts as one failure: silence is never a pass.
"""

import dataclasses
import pathlib
import xml.etree.ElementTree


@dataclasses.dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    problems: list = dataclasses.field(default_factory=list)  # one line for people each
    skips: list = dataclasses.field(default_factory=list)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.problems += other.problems
        self.skips += other.skips

    def fail(self, problem):
        self.failed += 1
        self.problems.append(problem)

    def skip(self, reason):
        self.skipped += 1
        self.skips.append(reason)

    def line(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def from_junit(path):
    """The cases of one pytest run (--junitxml) or gtest program (--gtest_output=xml)."""
    tally = Tally()
    try:
        root = xml.etree.ElementTree.parse(path).getroot()
    except (OSError, xml.etree.ElementTree.ParseError) as problem:
        tally.fail(f"{path}: no readable result ({problem})")
        return tally
    for case in root.iter("testcase"):
        name = f"{case.get('classname', '')}.{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            tally.fail(name)
        elif skipped is not None:
            tally.skip(f"{name}: {_last_line(skipped.get('message', ''))}")
        elif case.get("status") == "notrun":
            tally.skip(f"{name}: disabled")
        else:
            tally.passed += 1
    return tally


def _last_line(message):
    """gtest puts file and line before the reason."""
    return ([line.strip() for line in message.splitlines() if line.strip()] or ["no reason"])[-1]


def from_ctest(path, results):
    """The single cases of all gtest programs that ctest ran.

    `path` is ctest's --output-junit file; `results` the folder with one <program>.xml each. A
    program that ctest calls failed although all its cases passed (it crashed at exit, leaked, or
    ran out of time) is one more failure.
    """
    tally = Tally()
    try:
        root = xml.etree.ElementTree.parse(path).getroot()
    except (OSError, xml.etree.ElementTree.ParseError) as problem:
        tally.fail(f"{path}: no readable result ({problem})")
        return tally
    programs = list(root.iter("testcase"))
    if not programs:
        tally.fail(f"{path}: ctest ran nothing")
    for program in programs:
        name = program.get("name")
        result = pathlib.Path(results) / f"{name}.xml"
        if not result.exists():
            tally.fail(f"{name}: ended without a result: it crashed or ran out of time")
            continue
        cases = from_junit(result)
        if program.get("status") != "run" and cases.failed == 0:
            cases.fail(f"{name}: all cases passed, but the program failed")
        tally.add(cases)
    return tally
