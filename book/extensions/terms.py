"""Terms and sources explained where they occur: a chapter's first mention of each shows a note on hover and focus."""

import html
import json
import re
from dataclasses import dataclass
from pathlib import Path

from book import stamp
from docutils import nodes

GLOSSARY, REFERENCES = (stamp.CHAPTERS / name for name in ("glossary.md", "references.md"))
ENTRY = re.compile(r"^### (.+)\n((?:.+\n?)+)", re.MULTILINE)
SOURCE = re.compile(r"^- ((?:.+\n(?:  .*\n)*))", re.MULTILINE)
LINK = re.compile(r"\]\((https?://[^)\s]+)\)")
CITED = re.compile(r"\b([A-Z][\w-]+)(?: et al\.| and [A-Z][\w-]+)?,? \(?((?:19|20)\d\d)\b\)?")


@dataclass(frozen=True)
class Note:
    """What a note says, and the anchor of its entry on the page of terms or of sources."""

    anchor: str
    text: str


def plain(markdown: str) -> str:
    """Markdown as plain text on one line."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    return " ".join(re.sub(r"[*`$\\]", "", text).split())


def terms(glossary: str) -> dict[str, Note]:
    """The glossary's entries by their names in lower case."""
    return {name.lower(): Note(nodes.make_id(name), plain(text)) for name, text in ENTRY.findall(glossary)}


def sources(references: str) -> dict[tuple[str, str], Note]:
    """The references by first author and year; one note speaks of all that share them."""
    found = {}
    for entry in SOURCE.findall(references):
        address, text = LINK.search(entry), plain(entry)
        author = re.split(r",| et al", text)[0].split()[-1]
        if address and (years := re.findall(r"\b(?:19|20)\d\d\b", text.replace(address[1], ""))):
            first = found.get((author, years[-1]))
            told = f"{first.text} · {text}" if first else text
            found[author, years[-1]] = Note(first.anchor if first else source_anchor(address[1]), told)
    return found


def source_anchor(address: str) -> str:
    """The anchor of a source on the page of references, such as "source-1512-03385" for an arXiv number."""
    return nodes.make_id("source-" + address.rstrip("/").rpartition("/")[2])


def annotate(inner: str, note: Note, page: str) -> nodes.raw:
    """A link to an entry, with a note that hover and focus show."""
    link = f'<a href="{page}.html#{note.anchor}" aria-describedby="note-{note.anchor}">{inner}</a>'
    tip = f'<span role="tooltip" id="note-{note.anchor}">{html.escape(note.text)}</span>'
    return nodes.raw("", f'<span class="pw-note">{link}{tip}</span>', format="html")


def note_terms(doctree, known: dict[str, Note]):
    """A note for the first mention in bold of each term."""
    for bold in list(doctree.findall(nodes.strong)):
        word = " ".join(bold.astext().split()).rstrip(".:,").lower()
        name = next((form for form in (word, word.removesuffix("s"), word.removesuffix("es")) if form in known), None)
        if name and isinstance(bold.parent, nodes.paragraph):
            inner = f"<strong>{html.escape(bold.astext())}</strong>"
            bold.parent.replace(bold, annotate(inner, known.pop(name), "glossary"))


def note_sources(doctree, known: dict[tuple[str, str], Note]):
    """A note for the first mention of each source as author and year, such as "Veit et al. (2016)"."""
    for text in list(doctree.findall(nodes.Text)):
        cited = CITED.search(text.astext())
        if cited and cited.groups() in known and isinstance(text.parent, nodes.paragraph | nodes.emphasis):
            before, after = text.astext()[: cited.start()], text.astext()[cited.end() :]
            note = annotate(html.escape(cited[0]), known.pop(cited.groups()), "references")
            text.parent.replace(text, [nodes.Text(before), note, nodes.Text(after)])


def add_notes(app, doctree):
    if not app.env.doc2path(app.env.docname).endswith(".ipynb") or not GLOSSARY.is_file():
        return
    for file in (GLOSSARY, REFERENCES):
        app.env.note_dependency(str(file))
    note_terms(doctree, terms(GLOSSARY.read_text(encoding="utf-8")))
    note_sources(doctree, sources(REFERENCES.read_text(encoding="utf-8")))


def cite_back(app, doctree):
    """On the page of references: an anchor for each source, and the chapters that link to it."""
    if Path(app.env.doc2path(app.env.docname)) != REFERENCES:
        return
    texts = {path: path.read_text(encoding="utf-8") for path in stamp.notebooks()}
    titles = {path: stamp.title(json.loads(text)).partition(":")[0] for path, text in texts.items()}
    for path in (app.config.external_toc_path, *texts):
        app.env.note_dependency(str(path))
    for item in doctree.findall(nodes.list_item):
        if address := next((link["refuri"] for link in item.findall(nodes.reference) if "refuri" in link), None):
            item["ids"].append(source_anchor(address))
            links = [
                f'<a href="{path.stem}.html">{html.escape(titles[path])}</a>'
                for path, text in texts.items()
                if f"({address})" in text
            ]
            if links:
                cited = f' <small class="pw-cited">Cited in {", ".join(links)}.</small>'
                item[-1] += nodes.raw("", cited, format="html")


def setup(app):
    app.connect("doctree-read", add_notes)
    app.connect("doctree-read", cite_back)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
