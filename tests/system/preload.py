"""Libraries that a test puts before a role's own functions (LD_PRELOAD)."""

import contextlib
import os
import pathlib
import subprocess
import tempfile


@contextlib.contextmanager
def preloaded(name):
    """Compiled from NAME.c beside this file, where the roles' own users can read it (pytest's
    folders are root's alone)."""
    source = pathlib.Path(__file__).with_name(f"{name}.c")
    with tempfile.TemporaryDirectory(prefix="granary-preload-") as folder:
        os.chmod(folder, 0o755)
        library = pathlib.Path(folder, f"{name}.so")
        subprocess.run(["clang-19", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o",
                        str(library), str(source)], check=True)
        yield library
