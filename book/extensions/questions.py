"""The wall of questions: all that the chapters ask, to be answered on one page, with the reader's own score.

The directive `{questions}` takes them from the chapters' stored outputs; with `:only:` it takes those that are named,
without headings, and nothing for a name that no chapter has recorded yet. Each is the same figure as in its chapter, so
a guess made at one place counts at the other; the script of the figures (wall.mjs) keeps the score.
"""

import json
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from book import toc
from book.extensions.explorables import HOST
from tools import stamp

NONE = "No chapter has asked a question yet."


def hosts(notebook: stamp.Json) -> list[tuple[str, str]]:
    """Address and HTML of each question in a notebook's stored outputs, in order."""
    outputs = [output.get("data", {}) for cell in stamp.code_cells(notebook) for output in cell["outputs"]]
    found = [host for data in outputs for host in HOST.finditer("".join(data.get("text/html", "")))]
    return [(host["own"], host[0]) for host in found if host["own"]]


class Questions(SphinxDirective):
    """All questions, chapter by chapter in the order of the table of contents, or those that `:only:` names."""

    option_spec: ClassVar = {"only": str.split}

    def run(self) -> list[nodes.Node]:
        only = self.options.get("only")
        root = Path(self.env.srcdir)
        pages = [page for _, pages in toc.parts(self.config.external_toc_path) for page in pages]
        sections: list[nodes.Node] = []
        asked: dict[str, nodes.Node] = {}
        for page in pages:
            if not (path := root / f"{page}.ipynb").is_file():
                continue
            notebook = json.loads(path.read_text(encoding="utf-8"))
            if not (found := hosts(notebook)):
                continue
            uri = self.env.app.builder.get_relative_uri(self.env.docname, page)
            section = nodes.section(ids=[f"questions-{path.stem}"])
            section += nodes.title("", stamp.title(notebook))
            for address, host in found:
                link = nodes.reference("", "Where the chapter asks this", refuri=f"{uri}#{address}")
                place = nodes.paragraph("", "", link)
                box = nodes.container("", nodes.raw("", host, format="html"), place, classes=["pw-asks"])
                asked[address.removeprefix("question-")] = box
                section += box
            sections.append(section)
        if missing := set(only or ()) - asked.keys():
            raise self.error(f"no chapter asks {', '.join(sorted(missing))}; they ask {', '.join(asked)}")
        if only is not None:
            return [asked[name] for name in only]
        head = nodes.raw("", '<div class="pw-wall"></div>', format="html")
        return [head, *sections] if sections else [nodes.paragraph("", NONE)]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("questions", Questions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
