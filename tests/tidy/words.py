"""Words that do not belong into what is committed."""

import re

from house import Finding

# Written so that this file does not find itself.
_UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X])\b(?!\(#\d+\))")
# Paths of one developer's machine mean nothing on another's.
_PRIVATE_PATHS = re.compile(r"(?<![\w.$}/-])(/wor[k]/|/tmp/[w]\b)")


def check_unfinished(path, text):
    return [Finding(path, number, "unfinished", "give it an issue, as in TO" + "DO(#12), or do it")
            for number, line in enumerate(text.splitlines(), 1) if _UNFINISHED.search(line)]


def check_private_paths(path, text):
    return [Finding(path, number, "private-path", "names a folder of one machine")
            for number, line in enumerate(text.splitlines(), 1) if _PRIVATE_PATHS.search(line)]
