"""Just enough of C++ to check text rules on it: code without its comments and literals."""

import bisect
import re

# Order matters: what starts first wins, and a raw string is not a string with an R before it.
_TOKEN = re.compile(
    r"""
    (?P<comment> //[^\n]* | /\*.*?\*/ )
  | (?P<raw> R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)" )
  | (?P<include> ^[ \t]*\#[ \t]*include[^\n]* )
  | (?P<string> "(?:\\.|[^"\\\n])*" )
  | (?P<char> (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+' )
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)

_WAIVER = re.compile(r"//\s*tidy: allow\(([\w-]+)\)(?::\s*(.*))?")
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def _spaces(text):
    return re.sub(r"[^\n]", " ", text)


def _blank(text):
    """`text` with comments, includes and the insides of literals as spaces, in the same places."""

    def replace(match):
        found = match.group(0)
        if match.lastgroup == "comment" or match.group("include"):
            return _spaces(found)
        return found[0] + _spaces(found[1:-1]) + found[-1]

    return _TOKEN.sub(replace, text)


class Source:
    """One file: `path` relative to the repository, `text`, and `code` (see _blank)."""

    def __init__(self, path, text):
        self.path = str(path)
        self.text = text
        self.code = _blank(text)
        self.lines = text.splitlines()
        self._starts = [0] + [match.end() for match in re.finditer("\n", text)]
        self.waivers = {}  # line -> (rule, reason)
        for number, line in enumerate(self.lines, 1):
            found = _WAIVER.search(line)
            if found:
                self.waivers[number] = (found.group(1), (found.group(2) or "").strip())
        self.used_waivers = set()

    @property
    def is_header(self):
        return self.path.endswith(".h")

    @property
    def is_test(self):
        return self.path.endswith("_test.cc") or "/testing/" in self.path

    def line_of(self, offset):
        return bisect.bisect_right(self._starts, offset)

    def waived(self, rule, line):
        """Whether a waiver for `rule` stands on the line, or alone in the comment above it."""
        while line > 0:
            if self.waivers.get(line, ("",))[0] == rule:
                self.used_waivers.add(line)
                return True
            line -= 1
            if not self.lines[line - 1].lstrip().startswith("//"):
                return False
        return False

    def includes(self):
        """(line, spelling, whether in angle brackets) of each include."""
        return [(self.line_of(match.start()), match.group(2), match.group(1) == "<")
                for match in _INCLUDE.finditer(self.text)]


def closing_brace(code, opening):
    """Offset of the brace that closes the one at `opening`; the end of the text if none does."""
    depth = 0
    for match in re.compile(r"[{}]").finditer(code, opening):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return match.start()
    return len(code)
