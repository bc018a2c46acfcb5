"""Checks of the code's form. Each test_*.py holds the whole repository to one set of rules, and
shows on a small bad sample that every rule can fail."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "dev"))
