"""The index of the search: which words stand in which section of the built pages, and how much they count there.

The index is one script, which a page loads when its field of search gets the focus; so it works from a folder as well.
Words of a heading count more than those of a text, and the other names of a thing (synonyms.yml, and the glossary's
Korean terms) count as if they stood there. The texts themselves, of which a result shows a sentence, are a script for
each page, which is loaded when a result lies in it.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import yaml

from book.extensions import terms

SYNONYMS = Path(__file__).with_name("synonyms.yml")
GLOSSARY = "chapters/glossary"
WEIGHTS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # of a word in a section, light to heavy
WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
STOPS = tuple(
    re.findall(
        r"\w+",
        """a an and are as at be but by can do does for from has have how i if in into is it its me my no nor not of on
        one or our should so than that the their them then there these they this to vs was we what when where which
        who why will with you your""",
    )
)
VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
LINES = frozenset({"dd", "div", "figcaption", "li", "p", "tr"})  # after which another sentence begins
CELLS = frozenset({"td", "th"})
# Elements whose words do not count: code and formulas above all, and what stands around a text.
UNSAID = frozenset({"annotation", "button", "form", "nav", "pre", "script", "style", "summary", "svg", "thead"})
UNSAID_CLASSES = frozenset(
    {"headerlink", "pw-at", "pw-cited", "pw-exercise", "pw-facts", "pw-five", "pw-fold", "pw-math", "pw-share"}
    | {"pw-stamp", "pw-take", "pw-terms"}
)
# In a box below a question stands what it tells after a guess, and below a drawing each of its parts.
STILL, DRAWING = "pw-still", "pw-drawing"


@dataclass
class Section:
    """A section of a page, or an object of the library's reference."""

    page: str
    anchor: str
    title: str = ""
    text: str = ""
    """A line for each paragraph, item, row."""
    names: list[str] = field(default_factory=list)
    """What else it is called."""
    keywords: str = ""
    """What it is about, if that is said somewhere else."""
    question: str = ""
    """What it answers, if that is said somewhere else."""

    @property
    def shown(self) -> str:
        """All that a result may quote."""
        return "\n".join(filter(None, (self.question, self.keywords and f"{self.keywords}.", self.text)))


@dataclass
class Element:
    """An element that is open while a page is read: what it is for its section, and what section it begins."""

    tag: str
    classes: frozenset[str] = frozenset()
    heading: bool = False
    section: Section | None = None


class Reader(HTMLParser):
    """Reads the sections of a built page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.sections, self._open = page, list[Section](), list[Element]()
        self._unsaid = 0  # elements that are open in one whose words do not count, and that one

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        if self._unsaid:
            self._unsaid += 1
            return
        values = {key: value or "" for key, value in attrs}
        classes = frozenset(values.get("class", "").split())
        element = Element(tag, classes)
        told = (tag == "span" and STILL in classes) or (tag == "details" and self._inside({STILL, DRAWING}))
        if tag in UNSAID or classes & UNSAID_CLASSES or told or values.get("role") == "tooltip":
            self._unsaid = 1
            return
        if terms.KOREAN_CLASS in classes and (section := self._section()):
            section.names.append("")
        if tag == "section" and "id" in values:
            element.section = self._begin(values["id"])
        elif tag == "dt" and "sig" in classes:
            if "id" in values:
                around = next(one for one in reversed(self._open) if one.tag == "dl")
                around.section = self._begin(values["id"], values["id"].rpartition(".")[2])
            self._unsaid = 1
            return
        elif re.fullmatch("h[1-6]", tag) and (section := self._section()) and not section.title:
            element.heading = True
        self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if self._unsaid:
            self._unsaid -= 1
            return
        if tag in CELLS or (tag == "li" and self._inside({STILL})):
            self._add(" · ")
        elif tag == "dt":
            self._add(": ")
        elif tag in LINES:
            self._add(" " if any(element.tag in CELLS for element in self._open) else "\n")
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        self._add(data.replace("\n", " "))

    def _add(self, data: str) -> None:
        if self._unsaid or not (section := self._section()):
            return
        if any(element.heading for element in self._open):
            section.title += data
        else:
            section.text += data
            if self._inside({terms.KOREAN_CLASS}):
                section.names[-1] += data

    def _inside(self, classes: set[str]) -> bool:
        return any(classes & element.classes for element in self._open)

    def _section(self) -> Section | None:
        return next((element.section for element in reversed(self._open) if element.section), None)

    def _begin(self, anchor: str, title: str = "") -> Section:
        self.sections.append(Section(self.page, anchor, title))
        return self.sections[-1]


def sections(page: str, html: str) -> list[Section]:
    """The sections of a built page, in order."""
    reader = Reader(page)
    reader.feed(html)
    for section in reader.sections:
        section.title = " ".join(section.title.split())
        lines = (" ".join(line.split()).strip(" ·") for line in section.text.splitlines())
        section.text = "\n".join(filter(None, lines))
        section.names = [name for names in section.names for name in re.split(r", | \(|\)$", names.strip(" .")) if name]
    if reader.sections:
        reader.sections[0].names += [page.rpartition("/")[2].replace("_", " ")]
    return [section for section in reader.sections if section.title]


def parted(text: str) -> Iterator[list[str]]:
    """The words of a text, each as the parts that hyphens make of it; search.js does the same to a query."""
    for word in WORD.findall(unicodedata.normalize("NFKC", text).lower().replace("×", "x")):
        parts = [singular(part) for part in re.split("[-'’]", word)]
        if word not in STOPS:
            yield parts


def words(text: str) -> Iterator[str]:
    """The words of a text as the index knows them: a hyphened word counts as one, and its parts count as well."""
    for parts in parted(text):
        yield from dict.fromkeys(["".join(parts), *parts])


def squeezed(name: str) -> str:
    """A name without hyphens and blanks, as a query is compared with it."""
    return "".join("".join(parts) for parts in parted(name))


def singular(word: str) -> str:
    """A word without the s of a plural."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and word[-2] not in "isu" else word


class Synonyms:
    """Names for one thing."""

    def __init__(self, groups: Iterable[list[str]]) -> None:
        self._groups = [[" ".join(words(name)) for name in group] for group in groups]

    def of(self, text: str) -> set[str]:
        """The other names of what a text names."""
        known = f" {' '.join(words(text))} "
        held = [{name for name in group if f" {name} " in known} for group in self._groups]
        return {name for group, names in zip(self._groups, held, strict=True) if names for name in group} - set().union(
            *held
        )


def called(section: Section, synonyms: Synonyms) -> set[str]:
    """What a section is called: as its title, each part of it ("FCN-32s, FCN-16s": both), and in other words."""
    parts = (part for part in re.split("[:,] ", section.title) if not set(part.lower().split()) & set(STOPS))
    return {section.title, *parts, *section.names, *synonyms.of(section.title)} - {""}


def weigh(section: Section, synonyms: Synonyms, usual: float) -> Counter[str]:
    """How much each word counts in a section, from 0 to 25; `usual` is how many words a section has."""
    text = Counter(words(section.shown))
    text.update(word for name in synonyms.of(section.text) for word in joined(name))
    norm = 0.5 + 0.5 * text.total() / usual
    weights = {word: 5 * count / (count + norm) for word, count in text.items()}
    for name in {section.title, section.keywords, *section.names, *synonyms.of(section.title)}:
        inside = set(joined(name))
        for word in inside:
            weights[word] = max(weights.get(word, 0), 10 + 14 / len(inside))
    return Counter({word: min(round(weight), len(WEIGHTS) - 1) for word, weight in weights.items()})


def joined(name: str) -> Iterator[str]:
    """The words of a name, and all of them as one: Korean writes compounds either way."""
    yield from words(name)
    if re.search("[가-힣]", name):
        yield squeezed(name)


def index(found: list[Section], titles: dict[str, str], groups: Iterable[list[str]]) -> dict[str, object]:
    """What search.js reads: pages, sections, names of one thing, words that do not count, and where each word stands.

    `titles` are the pages' by their addresses. Where a word stands is one string: for each section the distance from
    the one before in base 36, in small letters, then the word's weight there as a capital.
    """
    synonyms = Synonyms(groups)
    lengths = [len(section.text.split()) for section in found]
    usual = max(1.0, sum(lengths) / max(1, len(lengths)))
    places: dict[str, list[tuple[int, int]]] = {}
    for place, section in enumerate(found):
        for word, weight in weigh(section, synonyms, usual).items():
            places.setdefault(word, []).append((place, weight))
    pages = list(titles)
    known = sorted(places)
    return {
        "pages": [[page, titles[page]] for page in pages],
        "sections": [
            [
                pages.index(section.page),
                section.anchor,
                section.title,
                *sorted({squeezed(name) for name in called(section, synonyms)}),
            ]
            for section in found
        ],
        "groups": [sorted({squeezed(name) for name in group}) for group in groups],
        "stops": STOPS,
        "words": " ".join(known),
        "places": " ".join(spell(places[word]) for word in known),
    }


def spell(places: list[tuple[int, int]]) -> str:
    """Where a word stands, and how much it counts there, as one string."""
    before, parts = -1, list[str]()
    for place, weight in places:
        parts.append(base36(place - before) + WEIGHTS[weight])
        before = place
    return "".join(parts)


def base36(number: int) -> str:
    """A number in digits and small letters."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return digits[number] if number < 36 else base36(number // 36) + digits[number % 36]


def scripts(site: Path, pages: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The scripts of built pages below the folder `site` by their names: the index, and the texts of each page.

    `pages` says what each is for (`toc.purpose`).
    """
    found, titles, made = list[Section](), dict[str, str](), dict[str, str]()
    groups = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    for page, purpose in pages.items():
        if not (here := sections(page, (site / f"{page}.html").read_text(encoding="utf-8"))):
            continue
        here[0].keywords, here[0].question = purpose.get("keywords", ""), purpose.get("question", "")
        made[f"search/{page.replace('/', '-')}.js"] = call("know", len(titles), [section.shown for section in here])
        titles[page] = here[0].title
        found += here
        if page == GLOSSARY:
            groups += [[section.title, *section.names] for section in here[1:] if section.names]
    return {"search-index.js": call("load", index(found, titles, groups)), **made}


def call(name: str, *values: object) -> str:
    """A script that hands values to search.js."""
    arguments = (json.dumps(value, ensure_ascii=False, separators=(",", ":")) for value in values)
    return f"Search.{name}({','.join(arguments)});\n"
