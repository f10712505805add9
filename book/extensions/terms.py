"""Terms and sources explained where they occur: a chapter's first mention of each shows a note on hover and focus.

A term is mentioned in bold, a source by a link to the address under which the page of references lists it.
"""

import html
import json
import re
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from tools import stamp

GLOSSARY, REFERENCES = (stamp.CHAPTERS / name for name in ("glossary.md", "references.md"))
ENTRY = re.compile(r"^### (.+)\n((?:.+\n?)+)", re.MULTILINE)
SOURCE = re.compile(r"^- ((?:.+\n(?:  .*\n)*))", re.MULTILINE)
KOREAN = re.compile(r"\*([\uac00-\ud7a3][^*]*?)\.?\*")
KOREAN_CLASS = "pw-korean"
LINK = re.compile(r"\]\((https?://[^)\s]+)\)")


@dataclass(frozen=True)
class Note:
    """What a note says, and where the words lead that it explains."""

    name: str
    text: str
    link: str


def plain(markdown: str) -> str:
    """Markdown as plain text on one line."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    return " ".join(re.sub(r"[*`$\\]", "", text).split())


def terms(glossary: str) -> dict[str, Note]:
    """The glossary's entries by their names in lower case."""
    anchors = {name: nodes.make_id(name) for name, _ in ENTRY.findall(glossary)}
    return {
        name.lower(): Note(anchors[name], plain(english_first(text)), f"glossary.html#{anchors[name]}")
        for name, text in ENTRY.findall(glossary)
    }


def english_first(entry: str) -> str:
    """An entry's text with its Korean term at the end."""
    korean = KOREAN.match(entry)
    return f"{entry[korean.end() :].strip()} {korean[0]}" if korean else entry


def sources(references: str) -> dict[str, Note]:
    """The references by the address that each links to first."""
    addressed = [(LINK.search(entry), plain(entry)) for entry in SOURCE.findall(references)]
    return {link[1]: Note(source_anchor(link[1]), text, link[1]) for link, text in addressed if link}


def source_anchor(address: str) -> str:
    """The anchor of a source on the page of references, such as "source-1512-03385" for an arXiv number."""
    return nodes.make_id("source-" + address.rstrip("/").rpartition("/")[2])


def annotate(inner: str, note: Note) -> nodes.raw:
    """A link with a note that hover and focus show."""
    kind = "external" if "://" in note.link else "internal"
    link = (
        f'<a class="reference {kind}" href="{html.escape(note.link)}" aria-describedby="note-{note.name}">{inner}</a>'
    )
    tip = f'<span role="tooltip" id="note-{note.name}">{html.escape(note.text)}</span>'
    return nodes.raw("", f'<span class="pw-note">{link}{tip}</span>', format="html")


def note_terms(doctree: nodes.document, known: dict[str, Note]) -> None:
    """A note for the first mention in bold of each term."""
    for bold in list(doctree.findall(nodes.strong)):
        word = " ".join(bold.astext().split()).rstrip(".:,").lower()
        name = next((form for form in (word, word.removesuffix("s"), word.removesuffix("es")) if form in known), None)
        if name and isinstance(bold.parent, nodes.paragraph):
            inner = f"<strong>{html.escape(bold.astext())}</strong>"
            bold.parent.replace(bold, annotate(inner, known.pop(name)))


def note_sources(doctree: nodes.document, known: dict[str, Note]) -> None:
    """A note for the first link to each source; an entry in a chapter's own list of sources says the same already."""
    for link in list(doctree.findall(nodes.reference)):
        in_a_list = isinstance(link.parent.parent, nodes.list_item)
        if not in_a_list and (note := known.pop(link.get("refuri"), None)):
            link.parent.replace(link, annotate(html.escape(link.astext()), note))


def add_notes(app: Sphinx, doctree: nodes.document) -> None:
    if Path(app.env.doc2path(app.env.docname)).suffix != ".ipynb" or not GLOSSARY.is_file():
        return
    note_terms(doctree, terms(GLOSSARY.read_text(encoding="utf-8")))
    note_sources(doctree, sources(REFERENCES.read_text(encoding="utf-8")))


def list_terms(app: Sphinx, doctree: nodes.document) -> None:
    """On the page of the glossary: a bar of letters, all terms by the alphabet, and the Korean ones by theirs."""
    if Path(app.env.doc2path(app.env.docname)) != GLOSSARY:
        return
    entries = ENTRY.findall(GLOSSARY.read_text(encoding="utf-8"))
    korean = [(word[1], name) for name, text in entries if (word := KOREAN.match(text))]
    first = {name[0].upper(): name for name, _ in sorted(entries, key=lambda entry: entry[0].lower(), reverse=True)}
    marks = {name: f' id="letter-{letter}"' for letter, name in first.items()}
    letters = "".join(f'<a href="#letter-{letter}">{letter}</a>' for letter in sorted(first))
    lists = f'<nav class="pw-letters" aria-label="Terms by their first letter">{letters}</nav>'
    for title, terms in (("A–Z", [(name, name) for name, _ in entries]), ("가나다", korean)):
        links = (
            f'<li{marks.get(word, "")}><a href="#{nodes.make_id(name)}">{html.escape(plain(word))}</a></li>'
            for word, name in sorted(terms, key=lambda term: term[0].lower())
        )
        lists += f'<details class="pw-terms"><summary>{title}</summary><ul>{"".join(links)}</ul></details>'
    lead = next(iter(doctree.findall(nodes.paragraph)))
    lead.parent.insert(lead.parent.index(lead) + 1, nodes.raw("", lists, format="html"))


def put_korean_last(app: Sphinx, doctree: nodes.document) -> None:
    """On the page of the glossary: what a term is, then what it is in Korean."""
    if Path(app.env.doc2path(app.env.docname)) != GLOSSARY:
        return
    for paragraph in doctree.findall(nodes.paragraph):
        first = paragraph[0]
        if isinstance(first, nodes.emphasis) and KOREAN.match(f"*{first.astext()}*"):
            first["classes"].append(KOREAN_CLASS)
            paragraph.remove(first)
            paragraph.extend([nodes.Text(" "), first])


def cite_back(app: Sphinx, doctree: nodes.document) -> None:
    """On the page of references: an anchor for each source, and the chapters that link to it."""
    if Path(app.env.doc2path(app.env.docname)) != REFERENCES:
        return
    texts = {path: path.read_text(encoding="utf-8") for path in stamp.notebooks()}
    titles = {path: stamp.title(json.loads(text)).partition(":")[0] for path, text in texts.items()}
    for item in doctree.findall(nodes.list_item):
        if address := next((link["refuri"] for link in item.findall(nodes.reference) if "refuri" in link), None):
            item["ids"].append(source_anchor(address))
            links = [
                f'<a href="{path.stem}.html">{html.escape(titles[path])}</a>'
                for path, text in texts.items()
                if f"({address})" in text
            ]
            if links:
                citations = f' <small class="pw-cited">Cited in {", ".join(links)}.</small>'
                if isinstance(last := item[-1], nodes.Element):
                    last += nodes.raw("", citations, format="html")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("doctree-read", add_notes)
    app.connect("doctree-read", cite_back)
    app.connect("doctree-read", list_terms)
    app.connect("doctree-read", put_korean_last)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
