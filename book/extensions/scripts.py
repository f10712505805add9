"""The scripts of the theme as the site serves them: without comments and indents, which readers of the source need."""

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

SCRIPTS = ("site.js", "code.js", "search.js", "exercises.js", "withheld.js")
COMMENT = re.compile(r"(?:^|(?<=[;{},])) *// .*|/\*\* @type [^*]*\*/ ?", re.MULTILINE)
"""A comment on a line of its own, after a statement, or on a type."""


def bare(script: str) -> str:
    """A script without indents, empty lines, and comments."""
    lines = map(str.strip, COMMENT.sub("", script).splitlines())
    return "".join(f"{line}\n" for line in lines if line)


def strip(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.name != "html":
        return
    for path in (Path(app.outdir, "_static", name) for name in SCRIPTS):
        path.write_text(bare(path.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("build-finished", strip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
