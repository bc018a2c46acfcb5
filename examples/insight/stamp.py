"""Names the frontend's assets after their content: `app.js` becomes `app.3f2a91c4.js`.

Run it after a change in web/: it renames what changed and mends the references, so that
whoever delivers the files may let browsers keep them for ever. There is nothing else to
build. `--check` changes nothing and fails if it would have.
"""

import hashlib
import pathlib
import re
import sys

WEB = pathlib.Path(__file__).resolve().parent / "web"
NAME = re.compile(r"\b([a-z]+)(?:\.[0-9a-f]{8})?\.(js|css)\b")


def plain(name):
    """The name without its stamp."""
    return NAME.sub(r"\1.\2", name)


class Stamper:
    def __init__(self, files):
        """`files` maps the names in web/assets, stamped or not, to their text."""
        self._texts = {plain(name): text for name, text in files.items()}
        if len(self._texts) != len(files):
            raise SystemExit("stamp: two files in web/assets differ in their stamp only")
        self._stamped = {}
        self._open = []

    def mend(self, text):
        """The text with each reference to an asset stamped."""
        return NAME.sub(lambda match: self._reference(plain(match[0]), match[0]), text)

    def files(self):
        """The assets under their stamped names."""
        return {self.name(asset): self.mend(text) for asset, text in self._texts.items()}

    def name(self, asset):
        if asset in self._open:
            raise SystemExit("stamp: %s refer to each other" % " and ".join(self._open))
        if asset not in self._stamped:
            self._open.append(asset)
            digest = hashlib.sha256(self.mend(self._texts[asset]).encode()).hexdigest()[:8]
            self._open.pop()
            stem, kind = asset.split(".")
            self._stamped[asset] = "%s.%s.%s" % (stem, digest, kind)
        return self._stamped[asset]

    def _reference(self, asset, as_written):
        return self.name(asset) if asset in self._texts else as_written


def main():
    assets = WEB / "assets"
    before = {path.name: path.read_text("utf-8") for path in sorted(assets.iterdir())}
    stamper = Stamper(before)
    after = stamper.files()
    index = (WEB / "index.html").read_text("utf-8")
    mended = stamper.mend(index)
    if (before, index) == (after, mended):
        return 0
    if "--check" in sys.argv[1:]:
        print("stamp: web/ has changed since; run python3 stamp.py", file=sys.stderr)
        return 1
    for name in before.keys() - after.keys():
        (assets / name).unlink()
    for name, text in after.items():
        (assets / name).write_text(text, "utf-8")
    (WEB / "index.html").write_text(mended, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
