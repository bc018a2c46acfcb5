"""docs/manifest.md, held to the program: its examples are taken, its defaults are those that a
release has, and each wrong line gives the message and the hint that stand beside it."""

import os
import re
import subprocess

import pytest
from control import GRANARY, ROOT

DOCUMENT = (ROOT / "docs" / "manifest.md").read_text()
SERVICE = {"command": "command: [python3, main.py]", "listen": "listen: 8080",
           "routes": "routes: [/]"}
# Where a default stands in the manifest of a release, and in which unit.
DEFAULTS = {
    "services.NAME.listen": ("port", {"fd": 0}),
    "services.NAME.idle": ("idle_ms", {"ms": 1, "s": 1000, "m": 60_000}),
    "services.NAME.start_timeout": ("start_timeout_ms", {"ms": 1, "s": 1000, "m": 60_000}),
    "services.NAME.stop_timeout": ("stop_timeout_ms", {"ms": 1, "s": 1000, "m": 60_000}),
    "services.NAME.limits.memory": ("limits.memory_bytes", {"Mi": 1 << 20, "Gi": 1 << 30}),
    "services.NAME.limits.cpu": ("limits.cpu_millis", {"": 1000}),
    "services.NAME.limits.processes": ("limits.processes", {"": 1}),
    "services.NAME.limits.in_flight": ("limits.in_flight", {"": 1}),
    "data.quota": ("data.quota_bytes", {"Mi": 1 << 20, "Gi": 1 << 30}),
}


def rows(heading):
    """The cells of the first table below a heading, each row a list."""
    section = DOCUMENT.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[1:]]


def code(cell):
    return cell.strip("`") if cell.startswith("`") else None


def indented(lines, width):
    return [" " * width + line for line in lines]


def manifest_with(key, line):
    """A manifest in which nothing is wrong but `line`, in the place of what `key` names; without
    that line, where it is None."""
    parts = key.split(".")
    top = {"app": ["app: shop"]}
    service = {name: [text] for name, text in SERVICE.items()}
    changed = [] if line is None else [line]
    top["services"] = []
    if len(parts) > 2:
        service[parts[2]] = changed
    elif key != "services":
        top[parts[0]] = changed
    if key == "services":
        top["services"] = changed
    elif key == "services.NAME":
        top["services"] = ["services:", *indented(changed, 2)]
    else:
        members = [text for texts in service.values() for text in texts]
        top["services"] = ["services:", "  web:", *indented(members, 4)]
    return "\n".join(text for texts in top.values() for text in texts) + "\n"


class Releases:
    """Makes releases of small folders."""

    def __init__(self, control, folder):
        self.control = control
        (folder / "web").mkdir(parents=True)
        (folder / "web" / "index.html").write_text("hello")
        (folder / "main.py").write_text("")
        self.folder = folder

    def create(self, manifest, *options):
        (self.folder / "granary.yaml").write_text(manifest)
        return subprocess.run(
            [GRANARY, "--api", f"http://127.0.0.1:{self.control.port}", "--data-dir",
             self.control.data_dir, "release", "create", self.folder, *options],
            check=False, capture_output=True, text=True)

    def refusal(self, manifest):
        """The exit code, message and hint, or what came instead."""
        done = self.create(manifest)
        message = re.search(r"^granary: granary\.yaml:\d+:\d+: (.*)$", done.stderr, re.MULTILINE)
        hint = re.search(r"^  to do:\s*(.*)$", done.stderr, re.MULTILINE)
        if message is None or hint is None:
            return done.returncode, done.stderr, None
        return done.returncode, message.group(1), hint.group(1)


@pytest.fixture
def releases(control, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("preparing a data directory needs root")
    return Releases(control, tmp_path / "app")


def test_each_wrong_line_gives_the_message_beside_it(releases):
    wrong = []
    table = rows("Error messages")
    for key, line, message, hint in table:
        said = releases.refusal(manifest_with(code(key), code(line)))
        expected = (4 if "not supported yet" in message else 2, message, hint)
        if said != expected:
            wrong.append(f"{line}: the document has {expected}, the program {said}")
    assert not wrong, "\n".join(wrong)
    assert len(table) > 50


def test_the_examples_are_taken(releases):
    examples = re.findall(r"^```yaml\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert len(examples) == 2
    for text in examples:
        done = releases.create(text, "--new-app")
        assert done.returncode == 0, text + done.stderr
    for key, _, _, _, example in rows("All keys"):
        line = code(example).replace("./server", "python3").replace("dist", "web")
        done = releases.create(manifest_with(code(key), line), "--new-app")
        assert done.returncode == 0, line + done.stderr


def test_the_defaults_are_those_of_a_release(releases):
    done = releases.create("app: shop\nservices:\n  web: {command: [python3], routes: [/]}\n")
    assert done.returncode == 0, done.stderr
    name = re.search(r"^release:\s+(\S+)", done.stdout, re.MULTILINE).group(1)
    manifest = releases.control.call("GET", f"/v1/releases/{name}").body["manifest"]
    said = {code(key): code(default) for key, _, default, _, _ in rows("All keys")}
    for key, (place, units) in DEFAULTS.items():
        value = manifest if key == "data.quota" else manifest["services"][0]
        for member in place.split("."):
            value = value[member]
        number, unit = re.fullmatch(r"([\d.]*)(\w*)", said[key]).groups()
        assert float(number or 1) * units[unit] == value, key
    with_default = {key for key, default in said.items() if default}
    assert with_default == set(DEFAULTS), "give it a place in DEFAULTS, or none in the document"
