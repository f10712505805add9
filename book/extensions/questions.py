"""The questions of the chapters: a wall of all of them, and for each a page of its own, with a card to share it by.

The directive `{questions}` takes them from the chapters' stored outputs; with `:only:` it takes those that are named,
without headings, and with `:first:` it puts those that are named in front of all others. Each is the same figure as in
its chapter, so a guess made at one place counts at the other; the script of the figures (wall.mjs) keeps the score. A
build stops at a question whose verdict says more than its chapter asserts (tools/questions.py).

An address that is shared has to be that of a page: other sites fetch it to show its card, and never see an anchor. So
each question has a page at questions/NAME.html, where it can be answered. Neither its card nor its description holds
the answer.
"""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from book import toc
from book.extensions.explorables import HOST
from tools import questions, stamp

FOLDER = "questions"  # of the questions' own pages
WALL = "chapters/questions"
FIRST = "Surprises first"
BOX = """<div class="pw-asks" data-chapter="{chapter}">{host}<p class="pw-at"><a href="{place}">Its place in the
chapter</a></p></div>"""
SHARE = '<p class="pw-at pw-share"><a href="{page}">Share this question</a></p>'
PAGE = """<section class="pw-alone"><p class="pw-number">Question {number} of {count}: {chapter}</p><h1>{question}</h1>
{host}
<p>It is asked where it belongs in <a href="{place}">{chapter}</a>, with the code of the experiment{wall}.</p></section>
"""
INVITATION = "Guess, then see what was measured"


@dataclass(frozen=True)
class Asked:
    """A question as a chapter's stored output holds it."""

    state: dict[str, Any]
    host: str
    page: str
    chapter: str

    @property
    def name(self) -> str:
        """What names it in the whole book."""
        return self.state["key"]

    @property
    def choices(self) -> list[str]:
        """What there is to choose from, in words."""
        if along := self.state.get("over"):
            return [f"a curve over {along[0]}"]
        low, high, *_ = self.state["scale"] or (0, 0)
        return self.state["answers"] or [f"a number from {low:g} to {high:g}"]


def read(root: Path, contents: Path) -> list[Asked]:
    """The questions of all chapters, in the order of the table of contents; ValueError for one that is not settled."""
    found: list[Asked] = []
    for page in [page for _, pages in toc.parts(contents) for page in pages]:
        if not (path := root / f"{page}.ipynb").is_file():
            continue
        notebook = json.loads(path.read_text(encoding="utf-8"))
        if faults := questions.faults(notebook):
            raise ValueError(f"{path.name}: {'; '.join(faults)}")
        title = stamp.title(notebook)
        found += [Asked(questions.states(host)[0], host, page, title) for host in hosts(notebook)]
    return found


def hosts(notebook: stamp.Json) -> list[str]:
    """The HTML of each question in a notebook's stored outputs, in order."""
    outputs = [output.get("data", {}) for cell in stamp.code_cells(notebook) for output in cell["outputs"]]
    found = [host for data in outputs for host in HOST.finditer("".join(data.get("text/html", "")))]
    return [host[0] for host in found if host["own"]]


def gather(app: Sphinx) -> list[Asked]:
    """The questions of the book that is built."""
    return read(Path(app.srcdir), Path(app.config.external_toc_path))


class Questions(SphinxDirective):
    """All questions, chapter by chapter in the order of the table of contents, or those that `:only:` names."""

    option_spec: ClassVar = {"only": str.split, "first": str.split}

    def run(self) -> list[nodes.Node]:
        try:
            asked = {one.name: one for one in gather(self.env.app)}
        except ValueError as fault:
            raise self.error(str(fault)) from fault
        only, first = self.options.get("only"), self.options.get("first", [])
        if missing := {*(only or ()), *first} - asked.keys():
            raise self.error(f"no chapter asks {', '.join(sorted(missing))}; they ask {', '.join(asked)}")
        if only is not None:
            return [nodes.container("", *(self.box(asked[name]) for name in only), classes=["pw-board"])]
        chosen = [asked[name] for name in first]
        groups = {(FIRST, "questions-first"): chosen} if chosen else {}
        for one in asked.values():
            if one not in chosen:
                groups.setdefault((one.chapter, f"questions-{Path(one.page).name}"), []).append(one)
        sections = []
        for (title, anchor), group in groups.items():
            section = nodes.section(ids=[anchor])
            section += nodes.title("", title)
            section += nodes.container("", *map(self.box, group), classes=["pw-board"])
            sections.append(section)
        count = f"<p><b>{len(asked)}</b> questions from {len({one.page for one in asked.values()})} chapters</p>"
        told = count if asked else "No chapter asks yet."
        chapters = html.escape(json.dumps(list(dict.fromkeys(one.chapter for one in asked.values()))))
        head = nodes.raw("", f'<div class="pw-wall" data-chapters="{chapters}">{told}</div>', format="html")
        return [head, *sections]

    def box(self, one: Asked) -> nodes.Node:
        """A question, and where its chapter asks it."""
        uri = self.env.app.builder.get_relative_uri(self.env.docname, one.page)
        place = f"{uri}#question-{one.name}"
        return nodes.raw("", BOX.format(chapter=html.escape(one.chapter), host=one.host, place=place), format="html")


def make_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The page of each question, which names the question before and the one after."""
    if app.builder.name != "html":
        return
    asked = gather(app)
    pages = [f"{FOLDER}/{one.name}" for one in asked]
    turns = [{"link": f"{one.name}.html", "title": html.escape(one.state["question"])} for one in asked]
    to_the_wall = f', and stands with {len(asked) - 1} others on <a href="../{WALL}.html">one page</a>'
    for number, (one, page) in enumerate(zip(asked, pages, strict=True), 1):
        question, chapter = html.escape(one.state["question"]), html.escape(one.chapter)
        body = PAGE.format(
            number=number, count=len(asked), chapter=chapter, question=question, host=one.host,
            place=f"../{one.page}.html#question-{one.name}", wall=to_the_wall if WALL in app.env.found_docs else "",
        )  # fmt: skip
        yield (
            page,
            {
                "title": question,
                "body": body,
                "asked": one,
                "description": f"{INVITATION}: {'; '.join(one.choices)}.",
                "prev": turns[number - 2] if number > 1 else None,
                "next": turns[number] if number < len(asked) else None,
            },
            "page.html",
        )


def link_pages(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Lead from each question to its own page."""
    if app.builder.name != "html" or "asked" in context or "data-explorable" not in context.get("body", ""):
        return

    def link(host: re.Match[str]) -> str:
        if not host["own"]:
            return host[0]
        page = context["pathto"](f"{FOLDER}/{host['own'].removeprefix('question-')}")
        return host[0] + SHARE.format(page=page)

    context["body"] = HOST.sub(link, context["body"])


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("questions", Questions)
    app.connect("html-collect-pages", make_pages)
    app.connect("html-page-context", link_pages, priority=400)  # before figures get their anchors
    return {"parallel_read_safe": True, "parallel_write_safe": True}
