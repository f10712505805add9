"""The page "What this book asserts": every claim of every recorded chapter, in one place.

The directive `{claims}` reads the claims that the chapters' stored outputs carry as data, so the page shows what was
measured in the recorded runs and nothing else. Each sentence leads to the place in its chapter where it is asserted.

The lines of the directive's body lead the page: each is the name of a claim and, after a colon, what is often said
instead. A name that no chapter asserts stops the build. The fields that narrow the list need the site's script.
"""

import json
import re
from collections import Counter
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from book import toc
from tools import stamp
from tools.reading import CLAIM as MIME

Claim = dict[str, Any]  # as `pixelwise.notebook.claims` stores it
HEAD = "".join(f'<th scope="col">{title}</th>' for title in ("Holds", "Claim", "Measured", "Bound", "Kind"))
FILTER = """<form class="pw-filter" hidden><label>Words <input type="search" name="words" autocomplete="off"></label>
<label>Chapter <select name="chapter"><option value="">all</option>{chapters}</select></label>
<label>Kind <select name="kind"><option value="">all</option>{kinds}</select></label>
<output aria-live="polite"></output></form>"""
BOX = re.compile(r'<div (?=class="pw-claim )')
ELSEWHERE = re.compile(r"^([✓✗]) .*; camvid\]$", re.MULTILINE)
"""A line of a chapter's table of what became of its trained claims on CamVid."""
GOES_ON = re.compile(r"(?:… )?(?:(?:and|but|yet|there|their|without it)\b|.* that energy$)", re.IGNORECASE)
"""How a sentence begins that needs the one before it."""


def stored_claims(notebook: stamp.Json) -> list[Claim]:
    """The claims in a notebook's stored outputs, one for each box on its page."""
    outputs = [output.get("data", {}) for cell in stamp.code_cells(notebook) for output in cell["outputs"]]
    return [data[MIME] for data in outputs if MIME in data]


def read_claims(notebook: stamp.Json) -> list[Claim]:
    """The claims of a notebook, in order; of a claim made twice the last one counts."""
    return list({claim["name"]: claim for claim in stored_claims(notebook)}.values())


def held_elsewhere(notebook: stamp.Json) -> Counter[str]:
    """By mark, ✓ or ✗, what became of a chapter's trained claims on CamVid, as its stored table tells it."""
    outputs = [output.get("data", {}) for cell in stamp.code_cells(notebook) for output in cell["outputs"]]
    return Counter(mark for data in outputs for mark in ELSEWHERE.findall("".join(data.get("text/plain", ""))))


def spell(value: float) -> str:
    """Three digits, and whole numbers from a thousand on."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def tabulate(claims: list[Claim], page: str, dataset: str) -> str:
    """The claims of one chapter as an HTML table; `page` is its address, `dataset` what it ran on."""
    rows = []
    for claim, before in zip(claims, befores(claims), strict=True):
        kind = f"trained, {len(claim['measured'])} seeds" if claim["kind"] == "trained" else claim["kind"]
        if claim["where"] != dataset:
            kind = f"{kind}, {claim['where']}"
        measured, bound = ", ".join(map(spell, claim["measured"])), claim["bound"].removesuffix(" for every seed")
        link = f'<a href="{escape(page)}#{anchor(claim)}">{escape(whole(claim["sentence"], before))}</a>'
        cells = "\n".join(f"<td>{escape(text)}</td>" for text in (measured, bound, kind))
        state = '<span role="img" aria-label="holds">✓</span>' if claim["state"] == "holds" else escape(claim["state"])
        rows.append(
            f'<tr data-kind="{escape(claim["kind"])}"><td>{state}</td>\n<th scope="row">{link}</th>\n{cells}</tr>'
        )
    body = "\n".join(rows)  # line ends keep the words of two cells apart in the excerpts of the search
    return f'<table class="pw-claims"><thead><tr>{HEAD}</tr></thead><tbody>{body}</tbody></table>'


def anchor(claim: Claim) -> str:
    """The id of a claim's box on the page of its chapter."""
    return f"claim-{escape(claim['name'])}"


def name_boxes(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give each claim's box in a chapter an id, so that the page of all claims can lead there."""
    source = Path(app.env.doc2path(pagename) if doctree else "")
    if source.suffix != ".ipynb":
        return
    claims = stored_claims(json.loads(source.read_text(encoding="utf-8")))
    if len(BOX.findall(context["body"])) != len(claims):
        raise ExtensionError(f"{pagename} stores {len(claims)} claims, but its page does not show as many")
    names, identifiers = iter(claims), set[str]()

    def name(box: re.Match[str]) -> str:
        if (identifier := anchor(next(names))) in identifiers:
            return box[0]
        identifiers.add(identifier)
        return f'<div id="{identifier}" '

    context["body"] = BOX.sub(name, context["body"])


def whole(sentence: str, before: str) -> str:
    """A claim's sentence as it can stand alone: one that goes on from the claim before it, after that one's."""
    if not GOES_ON.match(sentence):
        return sentence
    rest = sentence.removeprefix("… ")
    return f"{before}{', ' if rest[0].islower() else '. '}{rest}"


def befores(claims: list[Claim]) -> list[str]:
    """For each claim the one before it, as it can stand alone; nothing for the first."""
    sentences = [""]
    for claim in claims[:-1]:
        sentences.append(whole(claim["sentence"], sentences[-1]))
    return sentences


def surprise(said: str, claim: Claim, before: str, page: str, chapter: str) -> str:
    """An entry of the list that leads the page: what is often said, and what was measured."""
    measured = ", ".join(map(spell, claim["measured"]))
    link = f'<a href="{escape(page)}#{anchor(claim)}">{escape(whole(claim["sentence"], before))}</a>'
    note = f"<small>{escape(chapter)}. Measured: {escape(measured)}; bound: {escape(claim['bound'])}</small>"
    return f"<li><q>{escape(said)}</q> <strong>{link}</strong> {note}</li>"


class Claims(SphinxDirective):
    """All claims, counted, then chapter by chapter in the order of the table of contents."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        pages_in_order = [page for _, pages in toc.parts(self.config.external_toc_path) for page in pages]
        order = {page: place for place, page in enumerate(pages_in_order)}
        chapters = sorted(stamp.notebooks(), key=lambda path: order.get(f"chapters/{path.stem}", len(order)))
        sections: list[nodes.Node] = []
        leading = dict(line.split(": ", 1) for line in self.content if line)
        surprises, choices = dict.fromkeys(leading, ""), ""
        kinds, states, there = Counter[str](), Counter[str](), Counter[str]()
        for path in chapters:
            notebook = json.loads(Path(path).read_text(encoding="utf-8"))
            claims, recording = read_claims(notebook), notebook["metadata"].get("pixelwise")
            if not claims or not recording:
                continue
            kinds.update(claim["kind"] for claim in claims)
            states.update(claim["state"] for claim in claims)
            there += held_elsewhere(notebook)
            page = self.env.app.builder.get_relative_uri(self.env.docname, f"chapters/{path.stem}")
            title = stamp.title(notebook)
            section = nodes.section(ids=[f"claims-{path.stem}"], classes=["pw-claimed"])
            section += nodes.title("", title)
            choices += f'<option value="claims-{path.stem}">{escape(title)}</option>'
            for claim, before in zip(claims, befores(claims), strict=True):
                if claim["name"] in leading:
                    surprises[claim["name"]] = surprise(leading[claim["name"]], claim, before, page, title)
            how = (
                recording["date"],
                f"budget {recording['budget']}",
                recording["device"],
                f"torch {recording['versions']['torch']}",
            )
            note = f"Recorded {', '.join(how)}. "
            section += nodes.paragraph("", note, nodes.reference("", "Read the chapter", refuri=page))
            section += nodes.raw("", tabulate(claims, page, recording["dataset"]), format="html")
            sections.append(section)
        if missing := [name for name, entry in surprises.items() if not entry]:
            raise self.error(f"no chapter claims {', '.join(missing)}")
        total = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
        others = "; ".join(f"{number} {state}" for state, number in sorted(states.items()) if state != "holds")
        counts = f"{kinds.total()} claims: {total}. {others or 'All of them hold where they were made'}."
        if there:
            counts += (
                f" Held against CamVid by the same bounds were {there.total()} trained ones: {there['✓']} hold there,"
            )
            counts += f" {there['✗']} do not. The tables near the chapters' ends say which."
        lead = f'<ul class="pw-surprises">{"".join(surprises.values())}</ul>' if surprises else ""
        options = "".join(f"<option>{escape(kind)}</option>" for kind in sorted(kinds))
        head = nodes.raw("", FILTER.format(chapters=choices, kinds=options) + lead, format="html")
        return [nodes.paragraph("", counts), head, *sections]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("claims", Claims)
    app.connect("html-page-context", name_boxes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
