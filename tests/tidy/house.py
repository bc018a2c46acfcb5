"""The repository as the checks see it: its files, and the tables they are held to."""

import dataclasses
import functools
import os
import pathlib
import subprocess
import tomllib

import cpp

ROOT = pathlib.Path(__file__).resolve().parents[2]
IGNORED_FOLDERS = {".git", "build", "node_modules", ".venv", "__pycache__", ".cache",
                   ".pytest_cache"}


@dataclasses.dataclass(frozen=True)
class Finding:
    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


def report(findings):
    """Fails the calling test with one line per finding."""
    found = sorted(findings, key=lambda finding: (finding.path, finding.line))
    assert not found, "\n" + "\n".join(str(finding) for finding in found)


@functools.cache
def files():
    """Paths of all files that are, or without further ado would be, committed."""
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT,
                             capture_output=True, check=False) if _has_git() else None
    if listing is not None and listing.returncode == 0:
        names = sorted(name for name in listing.stdout.decode().split("\0") if name)
        return [name for name in names if (ROOT / name).is_file()]
    return sorted(_walk())


def _has_git():
    return any(os.access(pathlib.Path(folder) / "git", os.X_OK)
               for folder in os.environ.get("PATH", "").split(":"))


def _walk():
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in IGNORED_FOLDERS]
        for name in names:
            yield str((pathlib.Path(folder) / name).relative_to(ROOT))


@functools.cache
def sources():
    """All C++ of ours."""
    return [cpp.Source(path, (ROOT / path).read_text())
            for path in files() if path.endswith((".cc", ".h"))]


@functools.cache
def table(name):
    return tomllib.loads((ROOT / "tools" / name).read_text())


def within(path, prefixes):
    """Whether `path` is one of, or lies under one of, `prefixes` (folders end with a slash)."""
    return any(path == prefix or (prefix.endswith("/") and path.startswith(prefix))
               for prefix in prefixes)
