import pytest
import tally


def gtest_file(path, *cases):
    path.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")


GOOD = '<testcase classname="Waker" name="Wakes" status="run" result="completed"/>'
BAD = '<testcase classname="Waker" name="Joins" status="run"><failure message="no"/></testcase>'
SKIPPED = ('<testcase classname="Waker" name="Mounts" status="run" result="skipped">'
           '<skipped message="waker_test.cc:7&#x0A;needs root"/></testcase>')
DISABLED = '<testcase classname="Waker" name="Sleeps" status="notrun" result="suppressed"/>'


def test_gtest_cases_are_counted_one_by_one(tmp_path):
    gtest_file(tmp_path / "a.xml", GOOD, BAD, SKIPPED, DISABLED)
    count = tally.from_junit(tmp_path / "a.xml")
    assert count.line() == "1 passed, 1 failed, 2 skipped"
    assert count.problems == ["Waker.Joins"]
    assert count.skips == ["Waker.Mounts: needs root", "Waker.Sleeps: disabled"]


@pytest.mark.parametrize("text", [None, "", "<testsuites>"])
def test_a_missing_or_broken_result_is_a_failure(tmp_path, text):
    path = tmp_path / "result"
    if text is not None:
        path.write_text(text)
    assert tally.from_junit(path).failed == 1
    assert tally.from_ctest(path, tmp_path).failed == 1


def test_pytest_cases_are_counted_one_by_one(tmp_path):
    path = tmp_path / "junit.xml"
    path.write_text("""<testsuites><testsuite>
        <testcase classname="a" name="good"/>
        <testcase classname="a" name="bad"><failure/></testcase>
        <testcase classname="a" name="broken"><error/></testcase>
        <testcase classname="a" name="left"><skipped message="needs root"/></testcase>
        </testsuite></testsuites>""")
    count = tally.from_junit(path)
    assert count.line() == "1 passed, 2 failed, 1 skipped"
    assert count.skips == ["a.left: needs root"]


def ctest_file(path, **statuses):
    cases = "".join(f'<testcase name="{name}" status="{status}"/>'
                    for name, status in statuses.items())
    path.write_text(f"<testsuite>{cases}</testsuite>")


def test_ctest_adds_up_its_programs(tmp_path):
    ctest_file(tmp_path / "ctest.xml", a_test="run", b_test="fail")
    gtest_file(tmp_path / "a_test.xml", GOOD, GOOD)
    gtest_file(tmp_path / "b_test.xml", GOOD, BAD)
    count = tally.from_ctest(tmp_path / "ctest.xml", tmp_path)
    assert count.line() == "3 passed, 1 failed, 0 skipped"


def test_ctest_that_ran_nothing_is_a_failure(tmp_path):
    ctest_file(tmp_path / "ctest.xml")
    assert tally.from_ctest(tmp_path / "ctest.xml", tmp_path).failed == 1


def test_a_program_that_fails_after_its_last_case_is_a_failure(tmp_path):
    ctest_file(tmp_path / "ctest.xml", a_test="fail")
    gtest_file(tmp_path / "a_test.xml", GOOD)
    assert tally.from_ctest(tmp_path / "ctest.xml", tmp_path).failed == 1


def test_a_program_that_crashed_before_writing_its_result_is_a_failure(tmp_path):
    ctest_file(tmp_path / "ctest.xml", a_test="fail")
    assert tally.from_ctest(tmp_path / "ctest.xml", tmp_path).failed == 1


def test_adding_keeps_numbers_and_names():
    total = tally.Tally(passed=1)
    other = tally.Tally(passed=2)
    other.fail("b")
    other.skip("c")
    total.add(other)
    assert (total.line(), total.problems, total.skips) == (
        "3 passed, 1 failed, 1 skipped", ["b"], ["c"])
