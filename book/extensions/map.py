"""The map of the book: its chapters with a picture, their names, and the failure that each one starts from."""

import base64
import io
import json
from html import escape
from pathlib import Path

from docutils import nodes
from PIL import Image, ImageOps
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from book import toc
from book.extensions import gallery, renderings
from tools import stamp

ITEM = """<li><a href="{link}">{picture}<small>{number}</small> <strong>{title}</strong>
<em>{keywords}</em> <span>{failure}</span></a></li>"""
SIZE = (480, 270)


class Map(SphinxDirective):
    """`{map}`: every chapter of the contents with its picture and its failure, as book/chapters.yml has them.

    Each part says how many it has, so that short ones share a row.
    """

    def run(self) -> list[nodes.Node]:
        html = ""
        numbers = toc.numbers(Path(self.config.external_toc_path))
        for caption, pages in toc.parts(self.config.external_toc_path):
            items, count = "", 0
            for page in pages:
                if purpose := toc.purpose(page):
                    count += 1
                    notebook = json.loads(Path(self.env.doc2path(page)).read_text(encoding="utf-8"))
                    link = "../" * self.env.docname.count("/") + f"{page}.html"
                    words = {key: escape(str(text)) for key, text in purpose.items()}
                    title, number = escape(stamp.title(notebook)), numbers[page]
                    items += ITEM.format(link=link, number=number, title=title, picture=tag(page, notebook), **words)
            part = f'<h3>{escape(caption)}</h3><ol class="pw-map">{items}</ol>'
            html += f'<section style="--chapters: {count}">{part}</section>' if items else ""
        return [nodes.raw("", f'<div class="pw-parts">{html}</div>', format="html")]


def tag(page: str, notebook: stamp.Json) -> str:
    """The img tags of a chapter's picture, for light pages and for dark ones; empty where it has none."""
    tags = ""
    for kind in ("light", "dark"):
        if small := thumbnail(page, notebook, dark=kind == "dark"):
            file = io.BytesIO()
            small.quantize(128, method=Image.Quantize.FASTOCTREE).save(file, "PNG", optimize=True)
            address = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
            tags += f'<img class="pw-on-{kind}" src="{address}" alt="" aria-hidden="true" width="{SIZE[0]}">'
    return tags


def thumbnail(page: str, notebook: stamp.Json, *, dark: bool = False) -> Image.Image | None:
    """A chapter's picture, small: of its first interactive figure, else of the first figure that it stores."""
    figures = list(gallery.recorded([page]).values())
    outputs = [output.get("data", {}) for cell in stamp.code_cells(notebook) for output in cell["outputs"]]
    stored = ["".join(data["image/png"]) for data in outputs if "image/png" in data]
    if figures:
        stored = [gallery.PICTURE.findall(figures[0].host)[0]]
    if not stored:
        return None
    with Image.open(io.BytesIO(base64.b64decode(stored[0])), formats=["PNG"]) as picture:
        small = renderings.darken(picture) if dark else picture.convert("RGB")
    small = small.crop((0, 0, small.width, min(round(small.width * SIZE[1] / SIZE[0]), small.height)))
    corner = tuple(small.crop((0, 0, 1, 1)).tobytes())
    return ImageOps.pad(small, SIZE, Image.Resampling.LANCZOS, color=corner)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("map", Map)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
