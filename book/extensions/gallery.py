"""Interactive figures on pages of text: a single one, and a gallery of all.

A figure is taken from the recorded notebook that shows it: the build needs no library that could draw it.
"""

import base64
import html
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from book import toc
from book.extensions import renderings
from book.extensions.explorables import HOST, PICTURE
from tools import stamp

CAPTION = re.compile(r"<figcaption>(.*?)\s*<span", re.DOTALL)
THUMBNAIL = 480


@dataclass(frozen=True)
class Figure:
    """An interactive figure as a chapter's stored output holds it."""

    name: str
    page: str
    host: str

    @property
    def alt(self) -> str:
        """What the still picture shows, escaped as it is in the host."""
        return re.findall(r'\balt="([^"]*)"', self.host)[0]

    @property
    def caption(self) -> str:
        return html.unescape(CAPTION.findall(self.host)[0])


def recorded(pages: list[str], root: Path = stamp.ROOT) -> dict[str, Figure]:
    """The figures in the notebooks among `pages`, in order; where one occurs twice, its first occurrence."""
    figures: dict[str, Figure] = {}
    for page in pages:
        if not (path := root / f"{page}.ipynb").is_file():
            continue
        for cell in stamp.code_cells(json.loads(path.read_text(encoding="utf-8"))):
            for output in cell["outputs"]:
                text = "".join(output.get("data", {}).get("text/html", ""))
                for host in HOST.finditer(text):
                    if not host["own"]:  # a question stands on the wall of questions
                        figures.setdefault(host["kind"], Figure(host["kind"], page, host[0]))
    return figures


def thumbnails(figure: Figure) -> str:
    """The img tags of a figure's still picture, small, for light pages and for dark ones."""
    tags = ""
    with Image.open(io.BytesIO(base64.b64decode(PICTURE.findall(figure.host)[0])), formats=["PNG"]) as picture:
        for kind, small in (("light", picture.convert("RGB")), ("dark", renderings.darken(picture))):
            small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
            file = io.BytesIO()
            small.quantize(256, method=Image.Quantize.FASTOCTREE).save(file, "PNG")
            address = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
            tags += f'<img class="pw-on-{kind}" width="300" alt="{figure.alt}" src="{address}">'
    return tags


class FromNotebooks(SphinxDirective):
    """What the directives share: the recorded figures."""

    def figures(self) -> dict[str, Figure]:
        pages = [page for _, pages in toc.parts(self.config.external_toc_path) for page in pages]
        return recorded(pages, Path(self.env.srcdir))


class Explorable(FromNotebooks):
    """`{explorable} metric-traps`: the interactive figure of that name."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        figures, name = self.figures(), self.arguments[0]
        if name not in figures:
            raise self.error(f"no recorded chapter shows the explorable {name!r}; recorded are {', '.join(figures)}")
        return [nodes.raw("", figures[name].host, format="html")]


class Gallery(FromNotebooks):
    """`{explorables}`: every interactive figure with a small picture and a link to its place in its chapter."""

    def run(self) -> list[nodes.Node]:
        items = []
        for figure in self.figures().values():
            name, _, sentence = figure.caption.partition(": ")
            link = "../" * self.env.docname.count("/") + f"{figure.page}.html#{figure.name}"
            items.append(
                f'<li>{thumbnails(figure)}<a href="{link}">{html.escape(name)}</a>'
                f"<p>{html.escape(sentence[:1].upper() + sentence[1:])}</p></li>"
            )
        return [nodes.raw("", f'<ul class="pw-gallery">{"".join(items)}</ul>', format="html")]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("explorable", Explorable)
    app.add_directive("explorables", Gallery)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
