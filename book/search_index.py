"""The index of the search: which words stand in which section of the built pages, and how much they count there.

The index is one script, which a page loads when its field of search gets the focus; so it works from a folder as well.
A section is known by its heading, its page and its first words. Words of a heading count more than those of a text,
and the other names of a thing (synonyms.yml, and the glossary's Korean terms) count as if they stood there.
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

SYNONYMS = Path(__file__).with_name("synonyms.yml")
GLOSSARY = "chapters/glossary"
EXCERPT = 130  # letters of a section that a result shows, about
WEIGHTS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # of a word in a section, light to heavy
WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
STOPS = tuple(
    re.findall(
        r"\w+",
        """a an and are as at be but by can do does for from has have if in into is it its no nor not of on one or
        our so than that the their them then there these they this to was we what when where which who will with you
        your""",
    )
)
VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
BLOCKS = frozenset({"dd", "div", "dt", "figcaption", "li", "p", "td", "th"})  # after which another word begins
# Elements whose words do not count: code above all, and what stands around a text.
UNSAID = frozenset({"annotation", "button", "form", "nav", "pre", "script", "style", "svg"})
UNSAID_CLASSES = frozenset({"headerlink", "pw-cited", "pw-exercise", "pw-facts", "pw-five", "pw-fold", "pw-stamp"})


@dataclass
class Section:
    """A section of a page, or an object of the library's reference."""

    page: str
    anchor: str
    title: str = ""
    text: str = ""
    names: list[str] = field(default_factory=list)
    """What else it is called."""
    keywords: str = ""
    """What it is about, if that is said somewhere else."""

    @property
    def excerpt(self) -> str:
        if len(self.text) <= EXCERPT:
            return self.text
        return self.text[:EXCERPT].rsplit(" ", 1)[0] + " …"


@dataclass
class Element:
    """An element that is open while a page is read: whether it is its section's heading, and what section it begins."""

    tag: str
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
        classes = set(values.get("class", "").split())
        element = Element(tag)
        if tag in UNSAID or classes & UNSAID_CLASSES or values.get("role") == "tooltip":
            self._unsaid = 1
            return
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
        if tag in BLOCKS:
            self.handle_data(" ")
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._unsaid or not (section := self._section()):
            return
        if any(element.heading for element in self._open):
            section.title += data
        else:
            section.text += data

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
        section.title, section.text = " ".join(section.title.split()), " ".join(section.text.split())
        if page == GLOSSARY and (korean := re.match(r"([^.]*[가-힣][^.]*)\. ", section.text)):
            section.names += korean[1].split(", ")
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


def weigh(section: Section, synonyms: Synonyms, usual: float) -> Counter[str]:
    """How much each word counts in a section, from 0 to 25; `usual` is how many words a section has."""
    text = Counter(words(section.text))
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
    """What search.js reads: pages, sections, words that do not count, all words, and for each where it stands.

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
                section.excerpt,
                *sorted({squeezed(name) for name in (section.title, *section.names, *synonyms.of(section.title))}),
            ]
            for section in found
        ],
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


def script(site: Path, pages: Mapping[str, str]) -> str:
    """The index of built pages below the folder `site` as a script that hands it to search.js.

    `pages` holds the keywords of each.
    """
    found, titles = list[Section](), dict[str, str]()
    for page, keywords in pages.items():
        if here := sections(page, (site / f"{page}.html").read_text(encoding="utf-8")):
            titles[page], here[0].keywords = here[0].title, keywords
            found += here
    groups = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    made = json.dumps(index(found, titles, groups), ensure_ascii=False, separators=(",", ":"))
    return f"Search.load({made});\n"
