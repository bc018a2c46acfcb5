"""How long each application takes from nothing to its first answer: woken, and bare."""

import json
import statistics


class Starts:
    def __init__(self, file):
        self.file = file
        self.found = {}

    def add(self, name, woken, bare):
        """Seconds of each turn; the two were taken in turns."""
        self.found[name] = {"wake_ms": [round(1000 * one, 1) for one in woken],
                            "bare_ms": [round(1000 * one, 1) for one in bare]}

    def rows(self):
        for name, turns in self.found.items():
            woken, bare = (statistics.median(turns[of]) for of in ("wake_ms", "bare_ms"))
            yield name, woken, bare, woken / bare

    def table(self):
        """Lines for people; none when nothing was measured."""
        rows = list(self.rows())
        if not rows:
            return []
        lines = ["", "from nothing to the first answer, median of the turns",
                 f"{'app':18}{'woken ms':>10}{'bare ms':>10}{'ratio':>8}"]
        return lines + [f"{name:18}{woken:10.0f}{bare:10.0f}{ratio:8.2f}"
                        for name, woken, bare, ratio in rows]

    def write(self):
        if not self.found:
            return
        document = {name: self.found[name] | {"wake": woken, "bare": bare, "ratio": round(ratio, 3)}
                    for name, woken, bare, ratio in self.rows()}
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text(json.dumps(document, indent=1) + "\n")
