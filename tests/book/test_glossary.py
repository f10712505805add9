"""The glossary explains every term that a chapter prints in bold; the references list every paper that one links to."""

import re
from collections import Counter
from types import SimpleNamespace

import pytest
from docutils import nodes

from book.extensions import terms
from tools import stamp

GLOSSARY = terms.terms(terms.GLOSSARY.read_text(encoding="utf-8"))
BOLD = re.compile(r"(?<!\*)\*\*(?=\S)(.+?)(?<=\S)\*\*(?!\*)", re.DOTALL)
CODE = re.compile(r"```.*?```", re.DOTALL)
PAPER = re.compile(
    r"\]\((https?://(?:arxiv\.org|doi\.org|distill\.pub|papers\.nips\.cc|proceedings\.mlr\.press)/[^)\s]+)\)"
)
ALSO = {  # spellings of a term that has its entry under another one
    "iou": "intersection over union",
    "depthwise": "depthwise convolution",
    "nearest": "nearest-neighbour interpolation",
    "pre-activated": "pre-activation",
    "top-1": "top-1 and top-5 error",
    "top-5": "top-1 and top-5 error",
}
STRESSED = {  # bold for their weight in a sentence, and no terms
    *("add", "adds", "as wide", "backwards", "blurred", "boxes", "branch", "cheaper", "company", "concatenate"),
    *(
        "concatenates features",
        "contains",
        "convolve",
        "detached",
        "diminishing returns",
        "features",
        "gradient",
        "input",
    ),
    *(
        "is",
        "majority",
        "mean square",
        "moves inward",
        "nested",
        "none",
        "not measured here",
        "number",
        "ones",
        "padded",
    ),
    *(
        "picture",
        "place",
        "point",
        "position prior",
        "rarity",
        "ring",
        "scores",
        "shape",
        "side by side",
        "silence",
        "sprint",
        "skip",
    ),
    *(
        "square",
        "stack",
        "stamps",
        "start",
        "sum",
        "test",
        "the same everywhere",
        "this recipe",
        "three",
        "told by place",
    ),
    *("up", "whole data set", "what is here", "where it ends", "without", "zero", "colour and position"),
}


def words(bold: str) -> str:
    """A bold passage as the site looks it up."""
    return " ".join(terms.plain(bold).split()).rstrip(".:,").lower()


def explained(word: str) -> bool:
    forms = (word, word.removesuffix("s"), word.removesuffix("es"))
    return any(form in GLOSSARY or ALSO.get(form) in GLOSSARY for form in forms)


def may_be_a_term(bold: str) -> bool:
    """Up to three words without a figure or a mark: no sentence, question, quotation, formula or network's name."""
    return len(bold.split()) <= 3 and (bold in ALSO or not re.search(r'[.?!:$`"+\d]', bold))


@pytest.mark.parametrize("path", stamp.notebooks(), ids=lambda path: path.stem)
def test_every_term_in_bold_is_in_the_glossary(path):
    cells = [stamp.source(cell) for cell in stamp.read(path)["cells"] if cell["cell_type"] == "markdown"]
    bold = [passage for cell in cells for passage in BOLD.findall(CODE.sub("", cell))]
    unknown = {words(passage) for passage in bold if may_be_a_term(passage)} - STRESSED
    assert {word for word in unknown if not explained(word)} == set()


@pytest.mark.parametrize("path", stamp.notebooks(), ids=lambda path: path.stem)
def test_every_paper_that_a_chapter_links_is_in_the_references(path):
    listed = terms.sources(terms.REFERENCES.read_text(encoding="utf-8"))
    text = "\n".join(stamp.source(cell) for cell in stamp.read(path)["cells"] if cell["cell_type"] == "markdown")
    assert set(PAPER.findall(text)) - listed.keys() == set()


def test_no_term_has_two_entries():
    names = Counter(name.lower() for name, _ in terms.ENTRY.findall(terms.GLOSSARY.read_text(encoding="utf-8")))
    assert [name for name, count in names.items() if count > 1] == []
    assert [other for other in ALSO.values() if other not in GLOSSARY] == []


def test_each_letter_of_the_bar_leads_to_the_first_term_that_begins_with_it():
    app = SimpleNamespace(env=SimpleNamespace(docname="glossary", doc2path=lambda name: terms.GLOSSARY))
    page = nodes.section("", nodes.paragraph("", "What it is."))
    terms.list_terms(app, page)
    letters = re.findall(r'<a href="#letter-(.)">(.)</a>', page[1].astext())
    first = re.findall(r'<li id="letter-(.)"><a href="[^"]*">(.)', page[1].astext())
    assert len(letters) > 20
    assert letters == [(letter, letter) for letter, _ in first]
    assert [letter for letter, word in first if word.upper() != letter] == []
