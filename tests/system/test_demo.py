"""The newcomer's first command, unattended."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_demo_shows_the_product_running():
    done = subprocess.run([sys.executable, ROOT / "tools" / "demo.py", "--once"], check=False,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("demo: all of it worked")
