"""The printed book: contents with pages, bookmarks, links inside and outside, and one line where it can't be."""

import os
import subprocess
import sys

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from book import pdf
from tests.helpers.notebooks import save, sound_notebook, write_book
from tools import stamp

TOC = """format: jb-book
root: index
parts:
  - caption: The only part
    chapters:
      - file: chapters/one
      - file: other
        sections:
          - file: below
"""
INDEX = """# A small book

To [maths](other.md#maths), to [elsewhere](https://example.org/), [here](#end).

## End

<details><summary>Answer</summary>

It was folded.

</details>
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A book of four pages with the book's own settings."""
    folder = tmp_path_factory.mktemp("sources")
    write_book(folder, TOC, INDEX)
    (folder / "other.md").write_text("# Another page\n\n## Maths\n\n$x^2$\n\n## End\n\nTo [it](index.md#end).\n")
    (folder / "below.md").write_text("# A page below\n\nNothing else.\n")
    (folder / "chapters").mkdir()
    notebook = sound_notebook()
    del notebook["metadata"]["pixelwise"]
    save(notebook, folder / "chapters/one.ipynb")
    return folder


def make(source, output, **environment):
    """`make pdf` in a process of its own: its status and what it said of its failure."""
    command = [sys.executable, "-m", "book.pdf", "--source", str(source), "--output", str(output)]
    given = {"env": os.environ | environment, "capture_output": True, "text": True, "check": False}
    done = subprocess.run(command, cwd=stamp.ROOT, **given)
    return done.returncode, done.stderr


@pytest.fixture(scope="module")
def printed(browser, sources):
    """The PDF of that book; `browser` skips or fails where there is none."""
    assert make(sources, sources / "out/book.pdf") == (0, "")
    assert [path.name for path in (sources / "out").iterdir()] == ["book.pdf"]
    return PdfReader(sources / "out/book.pdf")


def words(page):
    """The text of a page on one line: its running title, its number, then what stands on it."""
    return " ".join(page.extract_text().split())


def opens_with(printed, title):
    """The number, from 0, of the page on which a part of the book begins."""
    openings = [f"{title} {number} {title}" for number in range(1, len(printed.pages) + 1)]
    return next(n for n, page in enumerate(printed.pages) if words(page).startswith(openings[n]))


def links(printed):
    """(page, where to) for every link: the number of a page, or an address."""
    places = {name: printed.get_destination_page_number(one) for name, one in printed.named_destinations.items()}
    for number, page in enumerate(printed.pages):
        for link in (note.get_object() for note in page.get("/Annots", ())):
            yield number, places[link["/Dest"]] if "/Dest" in link else link["/A"]["/URI"]


def bookmarks(printed, outline, level=0):
    for one in outline:
        if isinstance(one, list):
            yield from bookmarks(printed, one, level + 1)
        else:
            yield level, one.title, printed.get_destination_page_number(one)


def test_bookmarks_lead_to_the_pages(printed):
    found = list(bookmarks(printed, printed.outline))
    assert (0, "The only part") in [(level, title) for level, title, _ in found]
    assert [title for level, title, _ in found if level == 1][-3:] == ["A chapter", "Another page", "A page below"]
    for _, title, number in found:
        assert title in words(printed.pages[number])


def test_contents_say_the_page_on_which_each_begins(printed):
    text = words(printed.pages[1])
    assert text.startswith("2 Contents")
    for title in ("A small book", "A chapter", "Another page", "A page below"):
        assert f"{title} {opens_with(printed, title) + 1}" in text


def test_every_page_but_the_first_is_numbered_and_says_its_chapter(printed):
    for number, page in enumerate(printed.pages[1:], 2):
        assert str(number) in words(page).split(), number
    assert words(printed.pages[-1]).startswith("A page below")


def test_links_lead_to_their_place_and_outside(printed):
    first, other = opens_with(printed, "A small book"), opens_with(printed, "Another page")
    assert "It was folded" in words(printed.pages[first])
    found = set(links(printed))
    assert {(first, other), (first, first), (other, first), (first, "https://example.org/")} <= found
    assert all(isinstance(place, int) or place.startswith("https://") for _, place in found), found


@pytest.mark.slow
def test_without_a_browser_it_says_what_to_install(sources, tmp_path):
    status, said = make(sources, tmp_path / "book.pdf", PATH="/nowhere")
    assert status == 1
    assert len(said.splitlines()) == 1
    assert "apt-get install chromium" in said
    assert not (tmp_path / "book.pdf").exists()


def test_ids_stay_the_only_ones_and_references_follow_them():
    page = """<link rel="canonical" href="https://a.org/b/chapters/fcn.html"><article><h1>FCN</h1><p id="end">
    <a href="#end">a</a> <a href="../other.html#end">b</a> <a href="../_sources/fcn.ipynb">c</a>
    <svg><path clip-path="url(#end)"/></svg> <img loading="lazy" src="../_images/x.png"></article>"""
    files = {"chapters/fcn.html": "chapters-fcn", "other.html": "other"}
    article, title = pdf.bound_article(BeautifulSoup(page, "html.parser"), "chapters/fcn", files)
    assert title == "FCN"
    assert article["id"] == "chapters-fcn"
    assert article.p["id"] == "chapters-fcn--end"
    addresses = ["#chapters-fcn--end", "#other--end", "https://a.org/b/_sources/fcn.ipynb"]
    assert [link["href"] for link in article.find_all("a")] == addresses
    assert article.path["clip-path"] == "url(#chapters-fcn--end)"
    assert article.img.attrs == {"src": "_images/x.png"}
    assert article.h1 is None
    assert article.h2.text == "FCN"
