import house
import shape
from cpp import Source

ROOMS = house.table("layers.toml")["rooms"]


def python_tests():
    return {path: (house.ROOT / path).read_text() for path in house.files()
            if path.rsplit("/", 1)[-1].startswith("test_") and path.endswith(".py")}


def test_every_room_has_a_readme():
    files = {path: (house.ROOT / path).read_text() if path.endswith("README.md") else ""
             for path in house.files() if path.startswith("src/")}
    house.report(shape.check_readme(ROOMS, files))


def test_headers_say_their_purpose_and_who_shares_what():
    findings = []
    for source in house.sources():
        if source.is_header:
            findings += shape.check_header(source)
            findings += shape.check_shared_ownership(source)
    house.report(findings)


def test_nothing_is_dead():
    waived = house.table("tidy.toml")["unused_headers"]
    findings = shape.check_dead_headers(house.sources(), waived)
    findings += shape.check_dead_sources([source.path for source in house.sources()], ROOMS)
    house.report(findings)


def test_every_test_can_fail():
    findings = []
    for source in house.sources():
        findings += shape.check_gtest(source)
    for path, text in python_tests().items():
        findings += shape.check_pytest(path, text)
    house.report(findings)


def test_a_room_without_a_readme_is_found():
    rooms = {"base": {"dir": "src/base"}, "wire": {"dir": "src/wire"}}
    files = {"src/base/x.cc": "", "src/base/README.md": "word " * 50}
    assert shape.check_readme(rooms, files) == []
    assert shape.check_readme(rooms, {"src/base/x.cc": ""}) != []
    assert shape.check_readme(rooms, {**files, "src/base/README.md": "Base."}) != []


def test_a_header_without_a_paragraph_or_pragma_is_found():
    good = "// Wakes sleeping services; one wake per service at a time.\n#pragma once\n"
    assert shape.check_header(Source("a.h", good)) == []
    assert shape.check_header(Source("a.h", "// Waker.\n#pragma once\n")) != []
    assert shape.check_header(Source("a/limits.h", "// Bounds of the waker.\n#pragma once\n")) == []
    assert shape.check_header(Source("a/limits.h", "#pragma once\n")) != []
    assert shape.check_header(Source("a.h", "#pragma once\n" + good)) != []
    assert shape.check_header(Source("a.h", good.splitlines()[0] + "\n")) != []


def test_a_shared_member_without_its_owners_is_found():
    member = "  std::shared_ptr<const Snapshot> current_;"
    assert shape.check_shared_ownership(Source("a.h", member + "\n")) != []
    assert shape.check_shared_ownership(Source("a.h", member + "  // router, requests\n")) == []
    assert shape.check_shared_ownership(Source("a.h", "  // by both\n" + member + "\n")) == []


def test_a_header_that_only_its_own_source_and_test_include_is_found():
    header = Source("src/a/x.h", "")
    include = '#include "a/x.h"\n'
    own = [header, Source("src/a/x.cc", include), Source("src/a/x_test.cc", include)]
    assert shape.check_dead_headers(own, {}) != []
    assert shape.check_dead_headers(own, {"src/a/x.h": "entry"}) == []
    assert shape.check_dead_headers([*own, Source("src/a/y.cc", include)], {}) == []


def test_a_source_in_no_room_is_found():
    assert shape.check_dead_sources(["src/attic/x.cc"], ROOMS) != []
    assert shape.check_dead_sources(["src/base/x.cc", "src/agent/init/main.cc"], ROOMS) == []


def test_a_gtest_file_without_tests_or_a_test_without_expectation_is_found():
    def check(text):
        return shape.check_gtest(Source("src/a/x_test.cc", text))

    assert check("TEST(Waker, JoinsTheWakeInFlight) {\n  EXPECT_EQ(1, f());\n}\n") == []
    assert check("TEST_F(Waker, HoldsItsContract) {\n  check_contract<Waker>();\n}\n") == []
    assert check("int helper() { return 1; }\n") != []
    assert check("TEST(Waker, JoinsTheWakeInFlight) {\n  f();  // EXPECT_EQ(1, 1)\n}\n") != []
    assert check("TEST(Waker, Test1) {\n  EXPECT_EQ(1, f());\n}\n") != []


def test_a_python_test_that_asserts_nothing_is_found():
    assert shape.check_pytest("test_a.py", "def test_a():\n    f()\n") != []
    assert shape.check_pytest("test_a.py", "def test_a():\n    assert f()\n") == []
    raising = "def test_a():\n    with raises(E):\n        f()\n"
    assert shape.check_pytest("test_a.py", raising) == []
