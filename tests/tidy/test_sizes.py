import house
import pytest
import sizes

TABLE = house.table("tidy.toml")
LIMITS = TABLE["sizes"]
MEASURED = (".cc", ".h", ".py", ".ts", ".tsx", ".sh", ".cmake")


def texts(*ends):
    return {path: (house.ROOT / path).read_text() for path in house.files() if path.endswith(ends)}


def test_lines_fit_the_columns():
    findings = []
    for path, text in {**texts(*MEASURED), "dev": (house.ROOT / "dev").read_text()}.items():
        findings += sizes.check_columns(path, text, TABLE["columns"]["limit"])
    house.report(findings)


def test_files_keep_to_their_size():
    files = texts(*MEASURED)
    findings = sizes.check_file_waivers(files, TABLE["file_waivers"], LIMITS)
    for path, text in files.items():
        findings += sizes.check_file(path, text, LIMITS, TABLE["file_waivers"])
    house.report(findings)


def test_functions_keep_to_their_size():
    functions = list(sizes.cpp_functions([source.path for source in house.sources()]))
    for source in house.sources():
        functions += [(source.path, line, name, body.count("\n") + 1)
                      for line, name, body in sizes.gtest_cases(source)]
    for path, text in texts(".py").items():
        functions += sizes.python_functions(path, text)
    house.report(sizes.check_functions(functions, LIMITS["function"], TABLE["function_waivers"]))


def test_a_long_line_is_found_unless_it_cannot_be_broken():
    assert sizes.check_columns("a.cc", "x " * 51, 100)[0].line == 1
    assert sizes.check_columns("a.cc", "x" * 100, 100) == []
    assert sizes.check_columns("a.cc", "// https://example.com/" + "x" * 100, 100) == []


@pytest.mark.parametrize("path, lines", [("a.cc", 501), ("a.h", 251), ("a.py", 501)])
def test_a_long_file_is_found(path, lines):
    assert sizes.check_file(path, "\n" * lines, LIMITS, {}) != []
    assert sizes.check_file(path, "\n" * (lines - 1), LIMITS, {}) == []


def test_a_waiver_lets_a_file_grow_to_the_hard_limit_only():
    waivers = {"a.cc": {"lines": 5000, "why": "one table of all the codes"}}
    assert sizes.check_file("a.cc", "\n" * 800, LIMITS, waivers) == []
    assert sizes.check_file("a.cc", "\n" * 801, LIMITS, waivers) != []


def test_a_file_waiver_that_is_not_needed_or_gives_no_reason_is_found():
    waiver = {"a.cc": {"lines": 600, "why": "one table of all the codes"}}
    assert sizes.check_file_waivers({"a.cc": "\n" * 550}, waiver, LIMITS) == []
    assert sizes.check_file_waivers({"a.cc": "\n" * 400}, waiver, LIMITS) != []
    assert sizes.check_file_waivers({}, waiver, LIMITS) != []
    assert sizes.check_file_waivers({"a.cc": "\n" * 550}, {"a.cc": {"lines": 600}}, LIMITS) != []


def test_a_long_cpp_function_is_found_in_a_class_a_namespace_and_as_a_coroutine(tmp_path):
    body = "  f();\n" * 71
    sample = tmp_path / "sample.cc"
    sample.write_text("namespace a {\nvoid plain() {\n" + body + "}\n"
                      "base::Task<base::Result<void>> Waker::wake(Id id) {\n" + body + "}\n"
                      "class C {\n int inline_one() const {\n" + body + "}\n};\n"
                      "void short_one() { f(); }\n}\n")
    functions = list(sizes.cpp_functions([str(sample)]))
    found = sizes.check_functions(functions, 70, {})
    assert sorted(finding.message.split(":")[0] for finding in found) == [
        "inline_one", "plain", "wake"]


def test_a_long_test_case_and_a_long_python_function_are_found():
    from cpp import Source
    source = Source("a_test.cc", "TEST(A, Long) {\n" + "  f();\n" * 71 + "}\n")
    ((_, name, body),) = sizes.gtest_cases(source)
    assert (name, body.count("\n")) == ("Long", 72)
    python = "def long():\n" + "    f()\n" * 71
    assert sizes.check_functions(sizes.python_functions("a.py", python), 70, {}) != []


def test_a_function_waiver_is_needed_or_it_goes():
    long = [("a.cc", 1, "table", 90)]
    assert sizes.check_functions(long, 70, {"a.cc table": "one row per code"}) == []
    assert sizes.check_functions([], 70, {"a.cc table": "one row per code"}) != []
