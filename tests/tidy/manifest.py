"""docs/manifest.md has every key that the parser of the manifest knows, and no other."""

import re

from house import Finding

DOCUMENT = "docs/manifest.md"
# What the keys of each table in the parser stand below. kKeys: those of kAllKeys that are built.
_PLACES = {"kAllKeys": "", "kServiceKeys": "services.NAME.", "kDataKeys": "data.",
           "kLimitKeys": "services.NAME.limits.", "kFrontendKeys": "frontend."}
# Members of maps whose keys the author of a manifest chooses.
_CHOSEN = {"services.NAME", "services.NAME.env.VARIABLE"}
_TABLE = re.compile(r"std::array<std::string_view, \d+> (k\w*Keys) = \{(.*?)\};", re.DOTALL)


def keys_of_parser(sources):
    """(keys that are built, keys that are refused as not supported yet) out of the parser's tables,
    and a finding for each table that nobody has said the place of."""
    tables = {}
    findings = []
    for path, text in sources.items():
        for name, members in _TABLE.findall(text):
            tables[name] = re.findall(r'"(\w+)"', members)
            if name != "kKeys" and name not in _PLACES:
                findings.append(Finding(path, 1, "manifest", f"{name}: say in tests/tidy"
                                        "/manifest.py which keys it has"))
    built = set(tables.get("kKeys", ()))
    reserved = set(tables.get("kAllKeys", ())) - built
    known = {place + key for name, place in _PLACES.items() for key in tables.get(name, ())}
    return (known - reserved) | _CHOSEN, reserved, findings


def rows_of(document, heading):
    """The cells of the first table below a heading, without its head."""
    section = document.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[1:]]


def check_keys(document, sources):
    known, reserved, findings = keys_of_parser(sources)
    listed = {cells[0].strip("`") for cells in rows_of(document, "All keys")}
    refused = {cells[0].strip("`") for cells in rows_of(document, "Error messages")}
    named = re.search(r'"not supported yet": (.*)\.', document)
    listed_reserved = set(re.findall(r"`(\w+)`", named.group(1))) if named else set()

    def add(key, message):
        findings.append(Finding(DOCUMENT, 1, "manifest", f"{key}: {message}"))

    for key in known - listed:
        add(key, "the parser knows it; give it a row in the table of all keys")
    for key in listed - known:
        add(key, "is in the table of all keys, and the parser does not know it")
    for key in reserved ^ listed_reserved:
        add(key, "is reserved either here or in the parser alone")
    for key in (known | reserved) - refused:
        add(key, "has no row that shows the error of a bad value")
    return findings
