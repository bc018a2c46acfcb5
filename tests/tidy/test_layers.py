import house
import layers
from cpp import Source

TABLE = house.table("layers.toml")
ROOMS = TABLE["rooms"]


def test_rooms_include_only_what_is_below_them():
    findings = []
    for source in house.sources():
        findings += layers.check_layers(source, ROOMS)
        findings += layers.check_libraries(source, ROOMS, TABLE["libraries"])
    house.report(findings)


def test_cmake_links_what_may_be_included():
    house.report(layers.check_cmake((house.ROOT / "CMakeLists.txt").read_text(), ROOMS))


def test_the_page_of_the_architecture_has_these_modules():
    with_code = {layers.room_of(source.path, ROOMS) for source in house.sources()} - {None}
    text = (house.ROOT / "ARCHITECTURE.md").read_text()
    house.report(layers.check_architecture(text, ROOMS, with_code))


def test_arrows_point_down_only():
    def reaches(start, goal, seen):
        below = ROOMS[start]["may_include"]
        return goal in below or any(
            other not in seen and reaches(other, goal, seen | {other}) for other in below)

    assert [name for name in ROOMS if reaches(name, name, {name})] == []
    assert [name for name in ROOMS if "app" in ROOMS[name]["may_include"]] == []


def found(path, text):
    return [finding.message for finding in layers.check_layers(Source(path, text), ROOMS)]


def test_an_arrow_that_points_up_is_found():
    assert found("src/base/x.cc", '#include "store/db.h"\n') != []
    assert found("src/gateway/x.cc", '#include "store/db.h"\n') != []
    assert found("src/store/x.cc", '#include "base/result.h"\n#include <vector>\n') == []


def test_the_innermost_room_counts():
    assert layers.room_of("src/cloud/host/driver.cc", ROOMS) == "cloud_host"
    assert layers.room_of("src/cloud/driver.h", ROOMS) == "cloud"
    assert layers.room_of("src/nowhere/x.cc", ROOMS) is None
    assert found("src/cloud/x.cc", '#include "cloud/host/driver.h"\n') != []


def test_fakes_are_for_tests_and_tests_may_reach_further():
    include = '#include "store/testing/memory.h"\n'
    assert found("src/registry/x.cc", include) != []
    assert found("src/registry/x_test.cc", include) == []
    assert found("src/registry/testing/fake.h", include) == []
    assert found("src/lifecycle/x_test.cc", '#include "cloud/sim/sim.h"\n') == []
    assert found("src/lifecycle/x.cc", '#include "cloud/sim/sim.h"\n') != []


def test_an_include_that_is_not_spelled_from_src_is_found():
    assert found("src/base/x.cc", '#include "result.h"\n') != []


def test_a_library_outside_its_room_is_found():
    libraries = TABLE["libraries"]

    def stray(path, text):
        return layers.check_libraries(Source(path, text), ROOMS, libraries)

    assert stray("src/registry/x.cc", "#include <soci/soci.h>\n") != []
    assert stray("src/store/x.cc", "#include <soci/soci.h>\n") == []
    assert stray("src/agent/x.cc", "#include <boost/beast/http.hpp>\n") != []
    assert stray("src/api/x.cc", "#include <boost/beast.hpp>\n") == []
    assert stray("src/registry/x.cc", "#include <unistd.h>\n") != []
    assert stray("src/registry/x_test.cc", "#include <unistd.h>\n") == []


def test_a_room_that_cmake_links_differently_or_not_at_all_is_found():
    rooms = {"base": {"dir": "src/base", "may_include": []},
             "wire": {"dir": "src/wire", "may_include": ["base"]}}
    good = "granary_room(base DIR src/base LIBS x)\ngranary_room(wire DIR src/wire\n  DEPS base)\n"
    assert layers.check_cmake(good, rooms) == []
    assert layers.check_cmake(good.replace("DEPS base", ""), rooms) != []
    assert layers.check_cmake(good.replace("DIR src/wire", "DIR src/wires"), rooms) != []
    assert layers.check_cmake(good.splitlines()[0] + "\n", rooms) != []
    assert layers.check_cmake(good + "granary_room(x DIR src/x)\n", rooms) != []


def test_a_page_of_the_architecture_that_differs_is_found():
    rooms = {"base": {"dir": "src/base", "may_include": []},
             "wire": {"dir": "src/wire", "may_include": ["base"]},
             "app": {"dir": "src/app", "may_include": ["base"]},
             "usage": {"dir": "src/usage", "may_include": ["base"]}}
    page = ("| `base` | `src/base` | ids | |\n| `wire` | `src/wire` | frames | base |\n"
            "| `app` | `src/app` | mains | all but wire |\n\n"
            "Declared, and without code yet: `usage`.\n")

    def check(text):
        return layers.check_architecture(text, rooms, {"base", "wire", "app"})

    assert check(page) == []
    assert check(page.replace("| frames | base |", "| frames | |")) != []
    assert check(page.replace("all but wire", "all but base")) != []
    assert check(page.replace("`src/wire`", "`src/wires`")) != []
    assert check(page.replace("| `base`", "| `case`")) != []
    assert check(page.replace("`usage`", "`wire`")) != []
