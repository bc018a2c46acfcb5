"""Small apps for one test each: a source file, and a manifest that says how it is served."""

import json
import re

SERVICE = {"command": ["python3", "-S", "main.py"], "listen": "8080", "routes": ["/"],
           "idle": "60s"}


def small_app(folder, source, files=None, **service):
    """A folder with this program as main.py and these files beside it. `service`: of the manifest,
    in the place of the defaults above."""
    folder.mkdir()
    (folder / "main.py").write_text(source)
    for name, text in (files or {}).items():
        (folder / name).write_text(text)
    manifest = {"app": "probe", "services": {"web": SERVICE | service}}
    text = json.dumps(manifest, indent=1)  # JSON is YAML; quantities must not be quoted, though
    text = re.sub(r'"(\d+(?:ms|s|Mi|Ki|Gi)|never|fd|\d+)"', r"\1", text)
    (folder / "granary.yaml").write_text(text)
    return folder


def serve_small_app(platform, name, source, **options):
    """A tenant of this name whose release is such an app; returns its name."""
    folder = small_app(platform.folder / f"app-{name}", source, **options)
    release = platform.granary("release", "create", str(folder))["id"]
    platform.granary("tenant", "create", name, "--release", release)
    return name
