"""Drawings of networks in the pages: each with its caption, its parts in words, and its file to take away."""

import base64
import html
import itertools
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
COLUMN, PHONE = 900, 400
"""Widths above which a drawing is shown in small: of a page's column by much, of a phone's screen by a little."""
GAP = 10
"""What is left out between the rows of networks and their numbers."""
LARGER = """<button type="button" class="pw-larger" popovertarget="{name}">Larger</button>
<div class="pw-large" id="{name}" popover role="dialog" aria-label="{title}">
<button type="button" autofocus popovertarget="{name}" popovertargetaction="hide">Close</button>{picture}</div>"""
LIST = " From first to last: "  # what separates, in a drawing's <desc>, what to see from the list of its parts


def finish_page(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Make a figure of each picture that is a drawing; a picture of another kind stays as it is."""
    if "body" not in context:
        return
    sources = {name: path for path, name in app.builder.images.items()}
    site = app.builder.name == "html"  # which can open it in a larger form
    names = (f"drawing-{number}" * site for number in itertools.count(1))

    def replace(image: re.Match[str]) -> str:
        file = Path(app.srcdir, sources.get(Path(image[1]).name, ""))
        if not file.is_file():
            return image[0]
        return figure(image[1], file.read_text(encoding="utf-8"), next(names)) or image[0]

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
        larger = f"drawing-{name}" if self.env.app.builder.name == "html" else ""
        return [nodes.raw("", figure(address, found[name], larger), format="html")]


def drawn(root: Path) -> dict[str, str]:
    """The stored SVGs of the atlas by the function that its cell ends with; where one occurs twice, the first."""
    found: dict[str, str] = {}
    for cell in stamp.code_cells(stamp.read(root / ATLAS)):
        call = re.match(r"drawings\.(\w+)\(", stamp.source(cell).splitlines()[-1])
        for output in cell["outputs"]:
            if call and (svg := "".join(output.get("data", {}).get("image/svg+xml", ""))):
                found.setdefault(call[1], svg)
    return found


def figure(address: str, svg: str, larger: str = "") -> str:
    """The figure for a drawing at this address; "" where the SVG is not one of `pixelwise.drawings`.

    `larger` is a name for its form in the width of the window, for a drawing that a phone shows smaller than it is.
    """
    root = ElementTree.fromstring(svg)
    title, description = root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")
    if not title or not description or LIST not in description:
        return ""
    said, parts = description.split(LIST)
    steps = "".join(f"<li>{html.escape(part)}</li>" for part in parts.rstrip(".").split("; "))
    address, said, title = html.escape(address), html.escape(said), html.escape(title)
    width, height = (float(root.get(side, 0)) for side in ("width", "height"))
    picture = (
        f'<img src="{address}" alt="{said}" width="{width:g}" height="{height:g}" loading="lazy" decoding="async">'
    )
    form = LARGER.format(name=larger, title=title, picture=picture) if larger and width > PHONE else ""
    cut, table = numbers(root)
    style = f"--natural: {width / 16:g}rem" + f"; --cut: {cut:g} / {height:g}" * bool(table)
    kind = "pw-drawing" + " pw-wide" * (width > COLUMN) + " pw-numbered" * bool(table)
    return (
        f'<figure class="{kind}" style="{style}">'
        f'<div class="pw-sheet">{picture}</div>{table}'
        f"<figcaption>{said.replace(title, f'<strong>{title}</strong>', 1)}</figcaption>"
        f"<details><summary>In words</summary><ol>{steps}</ol></details>"
        f'<a class="pw-take" href="{address}" download>SVG</a>{form}</figure>'
    )


def numbers(root: ElementTree.Element) -> tuple[float, str]:
    """Where the columns of numbers begin in a drawing with a row for each network, and these as a table; else 0, ""."""
    texts, rows = list(root.iter(f"{SVG}text")), dict[str | None, list[str]]()
    for text, following in itertools.pairwise(texts):
        layer = text.get("data-layer")
        if text.get("data-number") == "year":
            rows[layer] = [following.text or ""]
        elif layer in rows:
            rows[layer].append(text.text or "")
    if not rows:
        return 0, ""
    heads = list(itertools.takewhile(lambda text: not text.get("data-layer"), texts))
    columns = "".join(f'<th scope="col">{html.escape(head.text or "")}</th>' for head in heads)
    lines = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th>'
        + "".join(f"<td>{html.escape(one)}</td>" for one in values)
        + "</tr>"
        for name, *values in rows.values()
    )
    left = float(heads[0].get("x", 0)) - GAP - float(root.get("viewBox", "0").split()[0])
    return left, (
        f'<table class="pw-numbers"><thead><tr><th scope="col">network</th>{columns}</tr></thead>'
        f"<tbody>{lines}</tbody></table>"
    )


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("drawing", Drawing)
    app.connect("html-page-context", finish_page, priority=400)  # before what every picture gets
    return {"parallel_read_safe": True, "parallel_write_safe": True}
