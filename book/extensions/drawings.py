"""Drawings of networks in the pages: each with its caption, its parts in words, and its file to take away."""

import html
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

SVG = "{http://www.w3.org/2000/svg}"
IMAGE = re.compile(r'<img\b[^>]*\bsrc="([^"]*\.svg)"[^>]*>')
LIST = " From first to last: "  # what separates, in a drawing's <desc>, what to see from the list of its parts


def finish_page(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Make a figure of each picture that is a drawing; a picture of another kind stays as it is."""
    if "body" not in context:
        return
    sources = {name: path for path, name in app.builder.images.items()}

    def replace(image: re.Match[str]) -> str:
        file = Path(app.srcdir, sources.get(Path(image[1]).name, ""))
        return figure(image[1], file.read_text(encoding="utf-8")) or image[0] if file.is_file() else image[0]

    context["body"] = IMAGE.sub(replace, context["body"])


def figure(address: str, svg: str) -> str:
    """The figure for a drawing at this address; "" where the SVG is not one of `pixelwise.drawings`."""
    root = ElementTree.fromstring(svg)
    title, description = root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")
    if not title or not description or LIST not in description:
        return ""
    said, parts = description.split(LIST)
    steps = "".join(f"<li>{html.escape(part)}</li>" for part in parts.rstrip(".").split("; "))
    address, said, title = html.escape(address), html.escape(said), html.escape(title)
    return (
        f'<figure class="pw-drawing"><div class="pw-scroll" role="region" tabindex="0" aria-label="{title}">'
        f'<img src="{address}" alt="{said}" width="{root.get("width")}" height="{root.get("height")}" '
        'loading="lazy" decoding="async"></div>'
        f"<figcaption>{said.replace(title, f'<strong>{title}</strong>', 1)}</figcaption>"
        f"<details><summary>In words</summary><ol>{steps}</ol></details>"
        f'<a class="pw-take" href="{address}" download>SVG</a></figure>'
    )


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("html-page-context", finish_page, priority=400)  # before what every picture gets
    return {"parallel_read_safe": True, "parallel_write_safe": True}
