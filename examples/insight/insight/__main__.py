"""Starts Insight by hand: `python3 -m insight`."""

from insight.app import main

main()
