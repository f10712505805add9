"""Drawings of networks in the pages: each with its caption, its parts in words, and its file to take away."""

import base64
import html
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from tools import stamp

SVG = "{http://www.w3.org/2000/svg}"
IMAGE = re.compile(r'<img\b[^>]*\bsrc="([^"]*\.svg)"[^>]*>')
ATLAS = "chapters/atlas.ipynb"
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


class Drawing(SphinxDirective):
    """`{drawing} timeline`: on a page of text, the drawing that the atlas's cell `drawings.timeline(…)` shows."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        found, name = drawn(Path(self.env.srcdir)), self.arguments[0]
        if name not in found:
            raise self.error(f"the atlas shows no drawing {name!r}; it shows {', '.join(found)}")
        self.env.note_dependency(ATLAS)
        address = "data:image/svg+xml;base64," + base64.b64encode(found[name].encode()).decode()
        return [nodes.raw("", figure(address, found[name]), format="html")]


def drawn(root: Path) -> dict[str, str]:
    """The stored SVGs of the atlas by the function that its cell ends with; where one occurs twice, the first."""
    found: dict[str, str] = {}
    for cell in stamp.code_cells(stamp.read(root / ATLAS)):
        call = re.match(r"drawings\.(\w+)\(", stamp.source(cell).splitlines()[-1])
        for output in cell["outputs"]:
            if call and (svg := "".join(output.get("data", {}).get("image/svg+xml", ""))):
                found.setdefault(call[1], svg)
    return found


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
        f'<figure class="pw-drawing" style="--natural: {root.get("width")}px">'
        f'<div class="pw-scroll" role="group" tabindex="0" aria-label="{title}">'
        f'<img src="{address}" alt="{said}" width="{root.get("width")}" height="{root.get("height")}" '
        'loading="lazy" decoding="async"></div>'
        f"<figcaption>{said.replace(title, f'<strong>{title}</strong>', 1)}</figcaption>"
        f"<details><summary>In words</summary><ol>{steps}</ol></details>"
        f'<a class="pw-take" href="{address}" download>SVG</a></figure>'
    )


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("drawing", Drawing)
    app.connect("html-page-context", finish_page, priority=400)  # before what every picture gets
    return {"parallel_read_safe": True, "parallel_write_safe": True}
