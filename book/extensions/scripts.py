"""The scripts of the theme as the site serves them: without comments and indents, which readers of the source need."""

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

SCRIPTS = ("site.js", "code.js", "search.js", "exercises.js", "withheld.js")


def bare(script: str) -> str:
    """A script without indents, empty lines, and lines of comment."""
    lines = map(str.strip, script.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("//"))


def strip(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.name != "html":
        return
    for path in (Path(app.outdir, "_static", name) for name in SCRIPTS):
        path.write_text(bare(path.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("build-finished", strip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
