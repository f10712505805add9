"""The built site, as a reader meets it: every page in a real browser, every link, every picture."""

import functools
import http.server
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import yaml
from book import check, stamp
from tests.helpers.notebooks import build_book


def pages() -> list[str]:
    """The addresses of the book's pages, from the table of contents."""
    toc = yaml.safe_load((stamp.ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [toc["root"]]

    def gather(entries):
        for entry in entries:
            files.extend([entry["file"]] if "file" in entry else [])
            for part in ("parts", "chapters", "sections"):
                gather(entry.get(part, []))

    gather([toc])
    return [f"{file.removesuffix('.md').removesuffix('.ipynb')}.html" for file in files if file] + ["search.html"]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The site, built afresh with warnings as errors, below a folder that a server shows as /course/book/."""
    folder = tmp_path_factory.mktemp("site")
    build_book(stamp.ROOT, folder / "course/book")
    return folder / "course/book"


@pytest.fixture(scope="session")
def address(site):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    handler = functools.partial(Quiet, directory=str(site.parents[1]))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/course/book/"
    server.shutdown()
    server.server_close()


def visit(browser, address: str, page: str, width: int, scheme: str) -> tuple[list[str], int]:
    """Open a page; return whatever went wrong, and by how many pixels it is wider than the screen."""
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    tab = context.new_page()
    troubles = []

    def asked(request):
        if not request.url.startswith((address, "data:", "blob:")):
            troubles.append(f"asks for {request.url}")

    def answered(response):
        if response.status >= 400:
            troubles.append(f"{response.status} for {response.url}")

    def said(message):
        if message.type in ("error", "warning"):
            troubles.append(f"console: {message.text}")

    tab.on("request", asked)
    tab.on("response", answered)
    tab.on("console", said)
    tab.on("pageerror", lambda error: troubles.append(f"script error: {error}"))
    tab.goto(address + page, wait_until="load")
    tab.wait_for_timeout(200)
    assert tab.evaluate("document.documentElement.dataset.theme") == scheme
    overflow = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    context.close()
    return troubles, overflow


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
@pytest.mark.parametrize("page", pages())
def test_page_in_a_browser(browser, address, page, width, scheme):
    """No script error, no failed or foreign request, nothing wider than the screen."""
    troubles, overflow = visit(browser, address, page, width, scheme)
    assert troubles == []
    assert overflow <= 0, f"{page} is {overflow} px wider than a screen of {width} px"


@pytest.mark.parametrize(
    ("planted", "caught"),
    [
        ("<img src='https://example.org/a.png' alt=''>", "asks for https://example.org/a.png"),
        ("<img src='missing.png' alt=''>", "404"),
        ("<script src='planted.js'></script>", "script error"),
        ("<script>alert(1)</script>", "Content Security Policy"),
        ("<div style='width: 2000px'>wide</div>", "overflow"),
    ],
)
def test_browser_sees_a_planted_fault(browser, address, site, planted, caught):
    text = (site / "index.html").read_text(encoding="utf-8")
    (site / "planted.html").write_text(text.replace("</article>", f"{planted}</article>"), encoding="utf-8")
    (site / "planted.js").write_text("undefinedFunction()")
    try:
        troubles, overflow = visit(browser, address, "planted.html", 360, "light")
    finally:
        (site / "planted.html").unlink()
        (site / "planted.js").unlink()
    assert any(caught in trouble for trouble in troubles) or (caught == "overflow" and overflow > 0), troubles


def test_search_finds_a_term_and_its_page(browser, address):
    tab = browser.new_page()
    tab.goto(f"{address}search.html?q=receptive+field")
    tab.wait_for_selector("#search-results li a[href*='glossary']")
    tab.close()


class Page(HTMLParser):
    """The links, the anchors and the resources of a page."""

    def __init__(self, path: Path):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.anchors |= {attributes[name] for name in ("id", "name") if attributes.get(name)}
        self.links += [attributes[name] for name in ("href", "src") if attributes.get(name)]


def test_links_and_anchors_resolve(site):
    parsed = {path: Page(path) for path in site.rglob("*.html") if "_static" not in path.parts}
    assert {path.relative_to(site).as_posix() for path in parsed} >= set(pages())
    broken = []
    for path, page in parsed.items():
        for link in page.links:
            target = urlsplit(urljoin(path.as_uri(), link))
            if target.scheme != "file":
                continue
            file = Path(unquote(target.path))
            file = file / "index.html" if file.is_dir() else file
            anchored = not target.fragment or file not in parsed or unquote(target.fragment) in parsed[file].anchors
            if not file.is_file() or not anchored:
                broken.append(f"{path.relative_to(site)} → {link}")
    assert broken == []


def test_pictures_are_described(site):
    for page in pages():
        html = (site / page).read_text(encoding="utf-8")
        article = html.partition("<article")[2].partition("</article>")[0]
        assert [alt for alt in check.html_alternatives(article) if not check.describes(alt)] == [], page


def test_chapters_say_how_they_were_recorded(site):
    for path in stamp.notebooks():
        html = (site / "chapters" / f"{path.stem}.html").read_text(encoding="utf-8")
        assert html.count('<details class="pw-stamp">') == 1, path.name
        assert f"/blob/main/chapters/{path.name}" in html, f"{path.name} has no Colab button"
