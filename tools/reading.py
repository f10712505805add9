"""How much a chapter asks of its reader: words, code, figures, questions, and the minutes and screens that this makes.

A reader sees the code that is not folded: lines with more than a comment, of every cell but the first, which the site
leaves out, and of the library's source where a cell shows it. Words are those of the text and of the claims' sentences;
what a box hides until it is opened, solutions and folded claims above all, is not counted. Exercises are read here,
and not solved.
"""

import re
from dataclasses import dataclass

from tools import folds, stamp

# Who reads to learn takes in about 200 words a minute (Carver, Reading rate, 1990; 238 who just follows: Brysbaert,
# How many words do we read per minute?, 2019); who reviews code finds little beyond 500 lines an hour (Cohen, Best
# kept secrets of peer code review, 2006). medium.com counts 12 seconds for a picture. The half minute to think is ours.
SECONDS = {"words": 60 / 200, "lines": 3600 / 500, "figures": 12, "questions": 30}
# Pixels in height: a fit to eleven built pages in a window of 1440 pixels, which it meets within two screens.
PIXELS = {"words": 3.5, "lines": 22, "figures": 560, "claims_seen": 80, "folds": 48}
SCREEN = 1000
BAR = {"lines": 250, "screens": 30, "claims": 15}
GALLERIES = {"atlas"}  # where one looks something up, and nobody reads from end to end: as long as what it collects

CLAIM = "application/vnd.pixelwise.claim+json"  # as pixelwise.notebook.claim stores it, which would import torch
QUESTION = 'data-name="question-'  # in the HTML of one, as pixelwise.explorables.host stores it
FENCE = re.compile(r"^([ >]*)(`{3,}|~{3,})(.*?)^\1\2[ \t]*$", re.M | re.S)
TARGET = re.compile(r"\]\([^()]*(?:\([^()]*\)[^()]*)*\)|<https?://[^>]*>")
TYPED = re.compile(r"\b[Rr]eading takes\b")


@dataclass(frozen=True)
class Reading:
    """What a reader of a chapter meets; `folded` lines and what stands in boxes that open are beside all else."""

    words: int
    lines: int
    folded: int
    figures: int
    claims: int
    claims_seen: int
    questions: int
    folds: int

    @property
    def minutes(self) -> int:
        """To the next five, for nobody reads to the minute."""
        seconds = sum(second * getattr(self, name) for name, second in SECONDS.items())
        return max(5, 5 * round(seconds / 300))

    @property
    def screens(self) -> int:
        return round(sum(pixels * getattr(self, name) for name, pixels in PIXELS.items()) / SCREEN)

    def over(self) -> list[str]:
        """What there is too much of, by `BAR`."""
        return [
            f"{getattr(self, name)} {name}, the bar is {most}"
            for name, most in BAR.items()
            if getattr(self, name) > most
        ]


def measure(notebook: stamp.Json) -> Reading:
    prose = [stamp.source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    cells = stamp.code_cells(notebook)[1:]
    folded = [folds.is_folded(cell) for cell in cells]
    lines = [count_lines(folds.untitled(stamp.source(cell))) for cell in cells]
    shown = [[output.get("data", {}) for output in cell.get("outputs", [])] for cell in cells]
    claims = [[data[CLAIM]["sentence"] for data in outputs if CLAIM in data] for outputs in shown]
    seen = [one for cell, found in zip(cells, claims, strict=True) if not folds.is_away(cell) for one in found]
    listings = ["".join(data.get("text/markdown", "")) for outputs in shown for data in outputs]
    return Reading(
        words=sum(map(count_words, [*prose, *seen])),
        lines=sum(n for n, away in zip(lines, folded, strict=True) if not away) + sum(map(count_listed, listings)),
        folded=sum(n for n, away in zip(lines, folded, strict=True) if away),
        figures=sum(
            any(map(is_figure, outputs)) for cell, outputs in zip(cells, shown, strict=True) if not folds.is_away(cell)
        ),
        claims=sum(map(len, claims)),
        claims_seen=len(seen),
        questions=sum(text.count("🙌") + text.count("*Predict") for text in prose)
        + sum(is_question(data) for outputs in shown for data in outputs),
        folds=sum(folded),
    )


def count_lines(code: str) -> int:
    """Lines of Python with more on them than a comment."""
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in code.splitlines())


def count_listed(markdown: str) -> int:
    """Lines of code in the fenced blocks of a text."""
    return sum(count_lines(block[3].partition("\n")[2]) for block in FENCE.finditer(markdown))


def count_words(markdown: str) -> int:
    """Words of a text without code blocks, addresses, marks and whatever is in a box that has to be opened."""
    text = re.sub(r"<details\b.*?</details>", "", FENCE.sub("", markdown), flags=re.S)
    text = re.sub(r"<[^>]+>", "", TARGET.sub("]", text))
    return sum(bool(re.search(r"\w", word)) for word in text.split())


def is_question(data: stamp.Json) -> bool:
    """Whether an output asks for a guess before it shows what was measured."""
    return QUESTION in "".join(data.get("text/html", ""))


def is_figure(data: stamp.Json) -> bool:
    """Whether an output is a picture, an interactive figure or a table; a claim's box and a question are none."""
    if CLAIM in data or is_question(data):
        return False
    return "text/html" in data or any(kind.startswith("image/") for kind in data)


def describe(name: str, notebook: stamp.Json) -> list[str]:
    """A line that says how much a chapter asks of its reader, and one for each thing that its author should change."""
    found = measure(notebook)
    ids = [cell.get("id") for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    texts = [stamp.source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    return [
        f"{name}: {found.lines} lines of code in sight, {found.folded} folded; {found.words:,} words, {found.figures} "
        f"figures, {found.questions} questions, {found.claims} claims: {found.minutes} minutes, about {found.screens} "
        "screens",
        *(f"{name}: warning: {much}" for much in found.over() if not (name in GALLERIES and "screens" in much)),
        *(
            f"{name}: warning: cell {cell} states a reading time, which the site computes"
            for cell, text in zip(ids, texts, strict=True)
            if TYPED.search(text)
        ),
    ]
