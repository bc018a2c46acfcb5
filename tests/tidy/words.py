"""Words that do not belong into what is committed."""

import re

from house import Finding

# Written so that this file does not find itself.
_UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X])\b(?!\(#\d+\))")
# Paths of one developer's machine mean nothing on another's.
_PRIVATE_PATHS = re.compile(r"(?<![\w.$}/-])(/wor[k]/|/tmp/[w]\b)")


# What people read is in the words of the field: a string with a space in it is a sentence.
_SENTENCE = re.compile(r'"((?:[^"\\\n]|\\.)* (?:[^"\\\n]|\\.)*)"')
_OWN_WORDS = {re.compile(pattern): instead for pattern, instead in {
    r"\bmend(s|ed|ing)?\b": "repair, correct, add",
    r"\bwalls\b": "isolation",
    r"\b(is|are|not) well\b": "healthy, unhealthy, works",
}.items()}


def check_own_words(path, text):
    return [Finding(path, number, "own-word", f"{pattern.search(said).group()}: say {instead}")
            for number, line in enumerate(text.splitlines(), 1)
            for said in _SENTENCE.findall(line)
            for pattern, instead in _OWN_WORDS.items() if pattern.search(said)]


def check_unfinished(path, text):
    return [Finding(path, number, "unfinished", "give it an issue, as in TO" + "DO(#12), or do it")
            for number, line in enumerate(text.splitlines(), 1) if _UNFINISHED.search(line)]


def check_private_paths(path, text):
    return [Finding(path, number, "private-path", "names a folder of one machine")
            for number, line in enumerate(text.splitlines(), 1) if _PRIVATE_PATHS.search(line)]
