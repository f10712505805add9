"""What an e-book wants: pages that are XML, links between them, and no notes that only a pointer could open."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

PAGE = re.compile(r"(?!\w+:)([^#]*)\.html(#.*)?")  # on the site; elsewhere are other books


def make_xml(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if app.builder.name != "epub" or "body" not in context:
        return
    from bs4 import BeautifulSoup

    # MyST-NB puts its style sheet into sites only, and names it everywhere.
    context["css_files"] = [file for file in context["css_files"] if "mystnb" not in file.filename]
    body = BeautifulSoup(context["body"], "html.parser")
    for note in body.select('[role="tooltip"]'):
        note.decompose()
    for link in body.select("[aria-describedby]"):
        del link["aria-describedby"]
    for link in body.select("a[href]"):
        if page := PAGE.fullmatch(str(link["href"])):
            link["href"] = f"{page[1]}.xhtml{page[2] or ''}"
    context["body"] = str(body)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("html-page-context", make_xml, priority=900)  # after what others do to the body
    return {"parallel_read_safe": True, "parallel_write_safe": True}
