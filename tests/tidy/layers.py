"""Which room may include which, and which library stays in which room (tools/layers.toml)."""

import re

from house import Finding


def room_of(path, rooms):
    """The room that a path below src/ belongs to: the one with the longest matching folder."""
    best = None
    for name, room in rooms.items():
        if path.startswith(room["dir"] + "/"):
            if best is None or len(room["dir"]) > len(rooms[best]["dir"]):
                best = name
    return best


def _may_include(source, rooms, own):
    allowed = {own, *rooms[own]["may_include"]}
    if source.is_test:
        allowed |= set(rooms[own].get("tests_may_include", []))
    return allowed


def check_layers(source, rooms):
    own = room_of(source.path, rooms)
    if own is None:
        return []
    findings = []
    for line, spelling, angled in source.includes():
        target = "src/" + spelling
        other = room_of(target, rooms)
        if other is None:
            if not angled:
                findings.append(Finding(source.path, line, "layers",
                                        f'"{spelling}": spell it from src/, as "room/file.h"'))
            continue
        if other not in _may_include(source, rooms, own):
            findings.append(Finding(source.path, line, "layers",
                                    f"{own} may not include {other} ({spelling})"))
        if "/testing/" in target and not source.is_test:
            findings.append(Finding(source.path, line, "layers",
                                    f"fakes are for tests only ({spelling})"))
    return findings


def check_libraries(source, rooms, libraries):
    own = room_of(source.path, rooms)
    if own is None:
        return []
    return [Finding(source.path, line, "layers",
                    f"<{spelling}> stays in {', '.join(library['rooms'])}: {library['why']}")
            for line, spelling, _ in source.includes()
            for library in libraries
            if (library.get("tests_too", True) or not source.is_test)
            and any(spelling.startswith(prefix) for prefix in library["headers"])
            and own not in library["rooms"]]


_ROOM = re.compile(r"^granary_room\((\w+)\s+DIR\s+(\S+)([^)]*)\)", re.MULTILINE)


def rooms_of_cmake(text):
    """{room: (folder, dependencies, further ones of its tests)} as CMakeLists.txt declares them."""
    rooms = {}
    for name, folder, rest in _ROOM.findall(text):
        lists = {"DEPS": [], "TEST_DEPS": [], "LIBS": []}
        current = None
        for word in rest.split():
            if word in lists:
                current = lists[word]
            elif current is not None:
                current.append(word)
        rooms[name] = (folder, set(lists["DEPS"]), set(lists["TEST_DEPS"]))
    return rooms


def check_cmake(text, rooms):
    """What is linked is what may be included."""
    declared = rooms_of_cmake(text)
    findings = []
    for name, room in rooms.items():
        if room.get("own_cmake"):
            continue
        if name not in declared:
            findings.append(Finding("CMakeLists.txt", 1, "layers", f"no granary_room({name} ...)"))
            continue
        expected = (room["dir"],
                    {dep for dep in room["may_include"] if not rooms[dep].get("own_cmake")},
                    set(room.get("tests_may_include", [])))
        if declared[name] != expected:
            findings.append(Finding("CMakeLists.txt", 1, "layers",
                                    f"{name}: linked {declared[name]}, allowed {expected}"))
    findings += [Finding("CMakeLists.txt", 1, "layers", f"{name} is not in tools/layers.toml")
                 for name in declared.keys() - rooms.keys()]
    return findings


_MODULE = re.compile(r"^\| `(\w+)` \| `([\w/]+)` \| .* \| ?([\w, ]*) \|$", re.MULTILINE)


def check_architecture(text, rooms, with_code):
    """The table of modules in ARCHITECTURE.md is that of tools/layers.toml. Those without code are
    in a line of their own, and in no row."""
    listed = {}
    for name, folder, included in _MODULE.findall(text):
        if included.startswith("all but "):
            names = set(rooms) - {name} - set(re.split(r", | and ", included[8:].strip()))
        else:
            names = {one for one in included.strip().split(", ") if one}
        listed[name] = (folder, names & with_code)
    expected = {name: (room["dir"], set(room["may_include"]) & with_code)
                for name, room in rooms.items() if name in with_code}
    findings = [Finding("ARCHITECTURE.md", 1, "layers",
                        f"{name}: {listed.get(name)} here, {expected.get(name)} in layers.toml")
                for name in sorted(listed.keys() | expected.keys())
                if listed.get(name) != expected.get(name)]
    empty = re.search(r"^Declared, and without code yet: (.*)\.$", text, re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", empty.group(1))) if empty else set()
    findings += [Finding("ARCHITECTURE.md", 1, "layers", f"{name}: is without code here or there")
                 for name in sorted(named ^ (set(rooms) - with_code))]
    return findings
