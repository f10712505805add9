"""Print the book as one PDF, with contents, bookmarks and links that lead to pages: `make pdf`.

The site's own pages are bound into one, which the browser prints until the contents name the pages on which things
begin: that is known only after the first time, and contents of another length would move them.
"""

import argparse
import html
import os
import re
import sys
import time
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag
from pypdf import PdfReader

import pixelwise
from book import browser, toc
from book.build import BuildError, renew, workshop
from tools import stamp

PDF = stamp.ROOT / "_build" / "pdf" / "Pixelwise.pdf"
STYLE = stamp.ROOT / "book" / "theme" / "pdf.css"
SHEET = """<!DOCTYPE html>
<html lang="{language}" data-theme="light">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="stylesheet" href="_static/pixelwise.css">
<style>{style}</style>
</head>
<body>
<header class="pw-cover">
<img src="_static/logo.svg" alt="">
<p class="pw-title">{title}</p>
<p>{tagline}</p>
<p>Version {version}</p>
<p><a href="{site}">{site}</a></p>
</header>
<nav class="pw-contents" aria-label="Contents">
<p class="pw-title">Contents</p>
{contents}
</nav>
<main>
{articles}
</main>
</body>
</html>
"""
PRINTS = 4
ADDRESS = "link[rel=canonical]"
HEADING = re.compile(r"h[1-5]")
ROW = '<li class="{kind}"><a href="#{name}">{title}</a> <span data-page-of="{name}">0</span></li>'
REFERRING = ("for", "aria-labelledby", "aria-controls")
FILL = """pages => {
  for (const place of document.querySelectorAll("[data-page-of]")) place.textContent = pages[place.dataset.pageOf];
}"""


def slug(page: str) -> str:
    """The name of a page's part of the book: "chapters-fcn" for "chapters/fcn"."""
    return page.replace("/", "-")


def bind(site: Path, contents: Path = stamp.ROOT / "_toc.yml") -> str:
    """The pages of a built site as one HTML page, in the order of the contents.

    Every id is preceded by the name of its page, so that it stays the only one; links among the pages lead to these.
    """
    first, below = toc.root(contents), toc.below(contents)
    parts = [
        (caption, [name for page in pages for name in (page, *below.get(page, ()))])
        for caption, pages in [("", [first]), *toc.parts(contents)]
    ]
    files = {f"{page}.html": slug(page) for _, pages in parts for page in pages}
    lists: list[str] = []
    articles: list[str] = []
    styles = [STYLE.read_text(encoding="utf-8")]
    for number, (caption, pages) in enumerate(parts):
        rows = []
        if caption:
            articles.append(f'<h1 class="pw-part" id="part-{number}">{html.escape(caption)}</h1>')
        for page in pages:
            article, title = bound_article(read(site, page), page, files)
            indent = "" if page in below or page == first else "pw-below"
            rows.append(ROW.format(kind=indent, name=slug(page), title=html.escape(title)))
            articles.append(str(article))
            words = title.replace("\\", r"\\").replace('"', r"\"")
            styles.append(f'@page {slug(page)} {{ @top-right {{ content: "{words}"; }} }}')
            styles.append(f"#{slug(page)} {{ page: {slug(page)}; }}")
        heading = f"<p>{html.escape(caption)}</p>" if caption else ""
        lists.append(f"{heading}<ul>{''.join(rows)}</ul>")
    front = read(site, first)
    return SHEET.format(
        language=one(front, "html")["lang"],
        title=one(front, "title").text,
        tagline=one(front, "meta[name=description]")["content"],
        version=pixelwise.__version__,
        site=str(one(front, ADDRESS)["href"]).removesuffix(f"{first}.html"),
        style="\n".join(styles),
        contents="\n".join(lists),
        articles="\n".join(articles),
    )


def one(page: Tag, selector: str) -> Tag:
    """The first such element of a page; BuildError where it has none."""
    if (found := page.select_one(selector)) is None:
        raise BuildError(f"a page of the site has no {selector}")
    return found


def read(site: Path, page: str) -> BeautifulSoup:
    return BeautifulSoup((site / f"{page}.html").read_text(encoding="utf-8"), "html.parser")


def bound_article(soup: BeautifulSoup, page: str, files: dict[str, str]) -> tuple[Tag, str]:
    """The article of a built page, ready to stand beside the others, and its title."""
    address = str(one(soup, ADDRESS)["href"])
    article, name = one(soup, "article"), slug(page)
    for unprinted in article.select(".headerlink, [role=tooltip], .pw-facts ul, script"):
        unprinted.decompose()
    for link in article.select("[aria-describedby]"):  # by such a note
        del link["aria-describedby"]
    for fold in article.select("details:not(.pw-stamp)"):
        fold["open"] = ""
    title = one(article, "h1").text
    for tag in article.find_all(True):
        if HEADING.fullmatch(tag.name):
            tag.name = f"h{int(tag.name[1]) + 1}"
        for key, value in tag.attrs.items():
            if isinstance(value, str):
                tag[key] = within(key, value, name)
        del tag["loading"]
        if link := tag.get("href"):
            tag["href"] = follow(str(link), page, address, files)
        elif (source := str(tag.get("src", ""))) and ":" not in source:
            tag["src"] = urljoin(f"/{page}.html", source).lstrip("/")
    article["id"] = name
    return article, title


def within(key: str, value: str, name: str) -> str:
    """An attribute of an element on the page `name`, in which each id is followed into the bound page."""
    if key == "id":
        return f"{name}--{value}"
    if key in REFERRING:
        return " ".join(f"{name}--{word}" for word in value.split())
    return re.sub(r"url\((['\"]?)#", rf"url(\1#{name}--", value)


def follow(link: str, page: str, address: str, files: dict[str, str]) -> str:
    """Where a link of a page leads in the bound page; to the public site for what is not bound in."""
    if urlsplit(link).scheme:
        return link
    target = urlsplit(urljoin(f"/{page}.html", link))
    if place := files.get(unquote(target.path).lstrip("/")):
        return f"#{place}--{unquote(target.fragment)}" if target.fragment else f"#{place}"
    return urljoin(address, link)


def begins(printed: PdfReader) -> dict[str, int]:
    """The page, from 1, on which what the links lead to stands."""
    places = printed.named_destinations
    numbers = {name.lstrip("/"): printed.get_destination_page_number(place) for name, place in places.items()}
    return {name: number + 1 for name, number in numbers.items() if number is not None}


def print_page(page: Path, pdf: Path, executable: str) -> int:
    """Print a bound page as a PDF with a browser; return how many sheets it has. BuildError where that fails."""
    from playwright.sync_api import Error, sync_playwright

    options = {"outline": True, "tagged": True, "prefer_css_page_size": True, "print_background": True}
    with sync_playwright() as playwright:
        try:
            with playwright.chromium.launch(executable_path=executable, args=browser.FLAGS) as chromium:
                tab = chromium.new_page()
                tab.set_default_timeout(0)
                tab.goto(page.as_uri())
                said: dict[str, int] = {}
                for _ in range(PRINTS):
                    tab.pdf(path=pdf, **options)
                    if (found := begins(PdfReader(pdf))) == said:
                        break
                    said = found
                    tab.evaluate(FILL, said)
                else:
                    raise BuildError("the contents and the pages that they name do not settle")
        except Error as error:
            raise BuildError(f"{executable} could not print: {error}") from error
    return len(PdfReader(pdf).pages)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make pdf", description="Print the book as one PDF.")
    parser.add_argument("--source", type=Path, default=stamp.ROOT)
    parser.add_argument("--output", type=Path, default=PDF, help="the file")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    output = options.output.resolve()
    try:
        if (executable := browser.find()) is None:
            raise BuildError(f"a browser prints the book, and there is {browser.ADVICE}")
        with workshop(output) as folder:
            renew(options.source, folder / "site")
            sheet, printed = folder / "site" / "book.html", folder / "book.pdf"
            sheet.write_text(bind(folder / "site", options.source / "_toc.yml"), encoding="utf-8")
            count = print_page(sheet, printed, executable)
            printed.replace(output)
    except (BuildError, OSError) as error:
        print(f"The book was not printed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("The build was interrupted.", file=sys.stderr)
        return 130
    size, seconds = output.stat().st_size / 1e6, time.perf_counter() - start
    print(f"The book is in {os.path.relpath(output)}: {count} pages, {size:.1f} MB ({seconds:.0f} s).")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
