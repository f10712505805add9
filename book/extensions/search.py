"""The search of the site: its page, and an index of sections in the place of Sphinx's, which knows pages only."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util.typing import ExtensionMetadata

from book import search_index, toc


def replace_own(app: Sphinx) -> None:
    if isinstance(app.builder, StandaloneHTMLBuilder) and app.builder.name == "html":
        app.builder.search = False


def add_page(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    if app.builder.name == "html":
        yield "search", {}, "search.html"


def write_index(app: Sphinx, error: Exception | None) -> None:
    """Make the index of what the pages show, once they are all written."""
    if error or app.builder.name != "html":
        return
    pages = {page: toc.purpose(page) for page in sorted(app.env.found_docs)}
    for name, script in search_index.scripts(Path(app.outdir), pages).items():
        path = Path(app.outdir, "_static", name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(script, encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_js_file("search.js", loading_method="defer")
    app.connect("builder-inited", replace_own)
    app.connect("html-collect-pages", add_page)
    app.connect("build-finished", write_index)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
