"""The applications' folders as a user would have them: with what they need from registries.

What is installed lies in .cache/field, in a folder named by the hash of all it depends on, and is
there for the next run. It is linked, not copied, into the folder that a release is made of, which
stays as well: to delete 20,000 small files takes a minute on some disks.
"""

import functools
import hashlib
import os
import pathlib
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".cache" / "field"
PYTHON = "/usr/bin/python3"
INSTALL_SECONDS = 300  # Node-RED: 280 packages


def in_ci():
    return os.environ.get("CI") == "true"


def missing(what):
    """Fails where all must be there, and says so elsewhere."""
    if in_ci():
        pytest.fail(what)
    pytest.skip(what)


def run(command, folder, **environment):
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False, timeout=INSTALL_SECONDS,
                          env={**os.environ, **environment})
    if done.returncode != 0:
        raise OSError(f"{' '.join(map(str, command))}: {(done.stderr or done.stdout)[-800:]}")


def install_python(app, folder):
    run([PYTHON, "-m", "pip", "install", "-q", "--no-input", "--target", folder / "vendor", "-r",
         app / "requirements.txt"], folder)


def install_node(app, folder):
    for name in ("package.json", "package-lock.json"):
        shutil.copy(app / name, folder / name)
    run(["/usr/bin/npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder)


def build_go(app, folder):
    for path in [*app.glob("*.go"), app / "go.mod"]:
        shutil.copy(path, folder / path.name)
    run(["/usr/bin/go", "build", "-o", "server", "."], folder, CGO_ENABLED="0", GOFLAGS="",
        GOTOOLCHAIN="local", GOCACHE=str(CACHE / "go-build"))


def build_java(app, folder):
    run(["/usr/bin/javac", "-d", folder / "classes", *app.glob("*.java")], folder)
    run(["/usr/bin/jar", "--create", "--file", "notes.jar", "--main-class", "Notes", "-C",
         "classes", "."], folder)
    shutil.rmtree(folder / "classes")


# By the file that says what is needed: its program, and what it makes.
KINDS = {
    "requirements.txt": (PYTHON, install_python),
    "package-lock.json": ("/usr/bin/npm", install_node),
    "go.mod": ("/usr/bin/go", build_go),
    "Notes.java": ("/usr/bin/javac", build_java),
}


def is_pin(path):
    return path.name in ("requirements.txt", "package.json", "package-lock.json", "go.mod") or (
        path.suffix in (".go", ".java"))


def hash_of(folders, *more, chosen=lambda path: True):
    """Of the names and the contents of the chosen files."""
    digest = hashlib.sha256(pathlib.Path(__file__).read_bytes())
    for text in more:
        digest.update(text.encode() + b"\0")
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and chosen(path)):
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def installed(app):
    """The folder of what the application needs, installed if need be; None: it needs nothing."""
    for name, (program, install) in KINDS.items():
        if not (app / name).exists():
            continue
        if not os.path.exists(program):
            missing(f"{program} is not installed: tools/debian-packages-field.txt")
        folder = CACHE / f"needs-{hash_of([app], os.path.realpath(program), chosen=is_pin)}"
        if not folder.is_dir():
            work = CACHE / f"{folder.name}.new-{os.getpid()}"
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            try:
                install(app, work)
            except (OSError, subprocess.SubprocessError) as problem:
                shutil.rmtree(work, ignore_errors=True)
                missing(f"what {app.name} needs cannot be installed: {problem}")
            work.rename(folder)
        return folder
    return None


def link_tree(source, target):
    shutil.copytree(source, target, symlinks=True, copy_function=os.link, dirs_exist_ok=True)


def app_folder(sources, name):
    """A folder to make a release of: the application's own files and what they need."""
    needs = installed(sources[0])
    folder = CACHE / f"app-{name}-{hash_of(sources, needs.name if needs else '')}"
    if folder.is_dir():
        return folder
    work = CACHE / f"app-{name}.new"
    for stale in CACHE.glob(f"app-{name}[.-]*"):
        if stale == work or stale.name.rpartition("-")[0] == f"app-{name}":
            shutil.rmtree(stale)
    for source in sources:
        shutil.copytree(source, work, dirs_exist_ok=True)
    for path in needs.iterdir() if needs else ():
        if path.is_dir():
            link_tree(path, work / path.name)
        elif not (work / path.name).exists():
            os.link(path, work / path.name)
    work.rename(folder)
    return folder
