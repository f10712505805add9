"""The map of the book: its chapters by the failure that each one starts from."""

import json
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from book import toc
from tools import stamp

ITEM = """<li><a href="{link}"><small>{title}</small>
<strong>{failure}</strong> <span>{question}</span></a></li>"""


class Map(SphinxDirective):
    """`{map}`: every chapter of the contents with its failure and its question, as book/chapters.yml has them."""

    def run(self) -> list[nodes.Node]:
        items = []
        for _, pages in toc.parts(self.config.external_toc_path):
            for page in pages:
                if purpose := toc.purpose(page):
                    path = Path(self.env.doc2path(page))
                    title = stamp.title(json.loads(path.read_text(encoding="utf-8")))
                    link = "../" * self.env.docname.count("/") + f"{page}.html"
                    words = {key: escape(text) for key, text in (purpose | {"title": title}).items()}
                    items.append(ITEM.format(link=link, **words))
        return [nodes.raw("", f'<ol class="pw-map">{"".join(items)}</ol>', format="html")]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("map", Map)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
