"""The page that segments a reader's photo: the figure, the networks' scripts, and their cards.

The figure is drawn at each build, and the networks are packed, for no chapter shows either.
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

FOLDER = "_static/networks"
HINT = "This is a still picture: with JavaScript this page takes a picture of yours. Nothing is uploaded."
ALONE = "connect-src 'none'; worker-src blob:"
"""What the page's policy says in place of `connect-src 'self'`: it may send nothing, not even to its own server. Nor
may its worker, for one from a Blob stands under the policy of its page."""


class Photo(SphinxDirective):
    """`{photo}`: the figure that takes a picture; its networks lie beside the page, and none is loaded with it."""

    def run(self) -> list[nodes.Node]:
        from pixelwise.explorables import photo  # brings PyTorch, which no other page of text needs

        builder = self.env.app.builder
        if builder.name == "html":
            photo.write_scripts(Path(builder.outdir, FOLDER), photo.available())
        up = "../" * self.env.docname.count("/")
        figure = nodes.raw("", photo.Photo(folder=f"{up}{FOLDER}/").still(HINT), format="html")
        return [figure]


class Cards(SphinxDirective):
    """`{network-cards}`: the cards of the networks that come with the library, each in a box that opens."""

    def run(self) -> list[nodes.Node]:
        from pixelwise.zoo import weights

        boxes: list[nodes.Node] = []
        for file in weights.SHIPPED.values():
            card = file.with_suffix(".md")
            if not file.is_file() or not card.is_file():  # a copy of the book may be without them
                continue
            self.env.note_dependency(str(card))
            title, _, text = card.read_text(encoding="utf-8").partition("\n")
            lines = [f"**{line.lstrip('# ')}**" if line.startswith("#") else line for line in text.splitlines()]
            box = nodes.container(classes=["pw-card"])
            self.state.nested_parse(StringList(lines, str(card)), 0, box)
            summary = title.removeprefix("# ").strip()
            boxes += [
                nodes.raw("", f"<details><summary>{summary}</summary>", format="html"),
                box,
                nodes.raw("", "</details>", format="html"),
            ]
        return boxes


def shut(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Forbid the page of the figure all connections, and let it have a worker."""
    if "pw" in context and 'data-explorable="photo"' in context.get("body", ""):
        context["pw"]["policy"] = context["pw"]["policy"].replace("connect-src 'self'", ALONE)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("photo", Photo)
    app.add_directive("network-cards", Cards)
    app.connect("html-page-context", shut, priority=900)  # after the layout has its policy
    return {"parallel_read_safe": True, "parallel_write_safe": True}
