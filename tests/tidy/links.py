"""Links and paths in documents lead to something that is there."""

import posixpath
import re

from house import Finding

_FENCE = re.compile(r"^( *)(```|~~~).*?^ *\2", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(`+)((?:(?!\1|\n *\n).)+)\1", re.DOTALL)
_LINK = re.compile(r"!?\[[^\]\n]*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
# One path: no spaces, no options, not absolute; * stands for any part of a name.
_PATH = re.compile(r"\.?[\w*][\w.*/-]*")
# A test by its name alone: tests/system/test_up_tls, host_launcher_root_test, data_archive_fuzz.
_TEST = re.compile(r"test_\w+|\w+_(test|fuzz)")
_SOURCE = (".h", ".cc")
_PAGE = re.compile(r"(?<![\w./-])[\w-]+/[\w./-]*\.md\b")
# A function or type, and the file that has it.
_WORD_IN = re.compile(r"`(\w+(?:::\w+)*)` in\s+`([\w./-]+)`")
# Made by programs, and not committed.
_MADE = ("bench/results/",)


class Tree:
    """The repository's files, by path, folder and name."""

    def __init__(self, files):
        self.files = set(files)
        self.folders = {""}
        for name in files:
            while name := posixpath.dirname(name):
                self.folders.add(name)
        self.names = {posixpath.basename(name) for name in files}
        self.tops = {name.split("/")[0] for name in files if "/" in name}

    def has(self, path):
        path = posixpath.normpath(path)
        if path in self.files or path in self.folders or path == ".":
            return True
        return self._matches(path, self.files | self.folders)

    def has_name(self, name):
        return name in self.names or self._matches(name, self.names)

    def has_below(self, folder, path):
        """Whether a file below the folder has a path that ends like this."""
        below = [name for name in self.files if name.startswith(folder + "/")]
        ends = {name.split("/", depth)[-1] for name in below
                for depth in range(name.count("/") + 1)}
        return path in ends or self._matches(path, ends)

    @staticmethod
    def _matches(path, names):
        return any(one.fullmatch(name) for one in patterns(path) for name in names)


def spelled_out(path):
    """The paths that `a_{x,y}.h` stands for."""
    braces = re.search(r"\{([^{}]*)\}", path)
    if not braces:
        return [path]
    return [one for word in braces.group(1).split(",")
            for one in spelled_out(path[:braces.start()] + word + path[braces.end():])]


def patterns(path):
    """`*_test.cc` and `NAME_fuzz.cc` as patterns of files; none for a plain path."""
    pattern = re.sub(r"\b(?!README|LICENSE)[A-Z]{2,}(?=[_./]|$)|\bX(?=_)", "*", path)
    if "*" not in pattern:
        return []
    return [re.compile("[^/]*".join(re.escape(part) for part in pattern.split("*")))]


def prose_of(text):
    """The text without blocks of code, line by line in the same places."""
    text = _FENCE.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)
    lines = text.splitlines()
    return ["" if line.startswith("    ") and not line.lstrip().startswith(("-", "*", "|"))
            else line for line in lines]


def anchors_of(text):
    """The anchors that GitHub makes of headings."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in _HEADING.findall("\n".join(prose_of(text)))}


def places(document, path):
    """Where a path may be meant to lie: at the root, in src/, beside the document."""
    return [path, "src/" + path, posixpath.join(posixpath.dirname(document), path)]


def fault_of_code(document, text, tree):
    """What is wrong with one piece of inline code, or None; also where it is no path of ours."""
    faults = [fault_of_path(document, path, tree) for path in spelled_out(text.removeprefix("./"))]
    return next((fault for fault in faults if fault), None)


def fault_of_path(document, path, tree):
    if _TEST.fullmatch(path):
        program = "src/" + path.removesuffix("_test").replace("_", "/")  # of a whole module
        found = tree.has_name(path + ".cc") or tree.has_name(path + ".py")
        return None if found or program in tree.folders else "no test of this name"
    if not _PATH.fullmatch(path) or ".." in path or path.startswith(_MADE):
        return None
    ours = "/" in path and path.split("/")[0] in tree.tops
    source = path.endswith(_SOURCE)
    page = path.endswith(".md") and "/" not in path
    if not (ours or source or page) or any(tree.has(one) for one in places(document, path)):
        return None
    # A README of a module may leave out folders below it, another document those above.
    folder = posixpath.dirname(document) if document.startswith("src/") else "src"
    return None if source and tree.has_below(folder, path) else "no such file"


def fault_of_link(document, target, tree, texts):
    if re.match(r"[a-z]+:", target):
        return None
    path, _, anchor = target.partition("#")
    there = posixpath.normpath(posixpath.join(posixpath.dirname(document), path))
    if not path:
        there = document
    if not tree.has(there):
        return "no such file"
    if anchor and there in texts and anchor not in anchors_of(texts[there]):
        return f"no heading #{anchor} there"
    return None


def check_document(document, texts, tree):
    """`texts`: {path: text} of all documents."""
    findings = []
    prose = "\n".join(prose_of(texts[document]))

    def add(offset, named, fault):
        if fault:
            findings.append(Finding(document, prose.count("\n", 0, offset) + 1, "links",
                                    f"{named}: {fault}"))

    for match in _INLINE.finditer(prose):
        add(match.start(), match.group(2), fault_of_code(document, match.group(2), tree))
    # Links may have code as their text, but code holds no links.
    for match in _LINK.finditer(_INLINE.sub(lambda code: "x" * len(code.group(0)), prose)):
        add(match.start(), match.group(1), fault_of_link(document, match.group(1), tree, texts))
    return findings


def check_words(document, text, tree, read):
    """`Accounts::apply` in `src/agent/accounts.cc`: it has that word. `read`: from path to text."""
    prose = "\n".join(prose_of(text))
    return [Finding(document, prose.count("\n", 0, match.start()) + 1, "links",
                    f"{match.group(2)} has no {match.group(1)}")
            for match in _WORD_IN.finditer(prose)
            if match.group(2) in tree.files
            and match.group(1).split("::")[-1] not in re.findall(r"\w+", read(match.group(2)))]


def check_comments(source, text, tree):
    """Documents that comments of C++ refer to."""
    return [Finding(source, number, "links", f"{one}: no such file")
            for number, line in enumerate(text.splitlines(), 1)
            for one in _PAGE.findall(line.partition("//")[2])
            if not tree.has(one) and not tree.has_below("src", one)]
