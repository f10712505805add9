"""The built site, as a reader meets it: every page in a real browser, every link, every picture."""

import functools
import gzip
import html
import http.server
import io
import json
import re
import threading
from collections import Counter
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit
from xml.etree import ElementTree

import pytest
import yaml
from axe_playwright_python import sync_playwright as axe
from PIL import Image, ImageChops
from playwright.sync_api import expect

from book import library, toc
from book.extensions import reference
from book.extensions.gallery import recorded
from tests.book.queries import FIRST
from tests.helpers.browser import until
from tests.helpers.notebooks import build_book
from tools import check, questions, reading, repository, stamp

pytestmark = pytest.mark.slow


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


def shared() -> list[str]:
    """The addresses of the pages that questions have of their own."""
    asked = [one["key"] for path in stamp.notebooks() for one in questions.stored(stamp.read(path))]
    return [f"questions/{key}.html" for key in asked]


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


AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
# Axe looks at every element, and of what a page repeats by the hundred it need see each kind but a few times: of code's
# tokens, of formulas, and of what stands in the text at the same place of its tree and has the same kinds of parts.
EACH_KIND_ONCE = """() => {
  const counts = new Map();
  const times = (what) => counts.set(what, (counts.get(what) ?? 0) + 1).get(what);
  for (const token of document.querySelectorAll("pre span"))
    if (!token.className || times(token.className) > 1) token.replaceWith(...token.childNodes);
  [...document.querySelectorAll("math")].slice(3).forEach((formula) => formula.remove());
  const kind = (one) => `${one.tagName} ${one.className} ${one.getAttribute("style") ?? ""}`;
  const way = (one) => (one.matches("article") ? "" : `${way(one.parentElement)} > ${kind(one)}`);
  const parts = (one) => [...new Set([...one.querySelectorAll("*")].map(kind))].sort().join();
  const place = (one) => (one.matches("dl") ? way(one) : `${way(one)} with ${parts(one)}`); // dl: a name of the library
  for (const one of document.querySelectorAll("article :is(p, li, dl, dd, tr, h3):not([id], .pw-explorable *)"))
    if (one.isConnected && times(place(one)) > 2) one.remove();
}"""
# How far things move while the page loads, and while somebody scrolls past figures that are alive.
SHIFT = """async () => {
  let shift = 0;
  const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));
  const add = (list) => list.getEntries().forEach((entry) => (shift += entry.hadRecentInput ? 0 : entry.value));
  const watch = (buffered) => {
    const observer = new PerformanceObserver(add);
    observer.observe({ type: "layout-shift", buffered });
    return observer;
  };
  const loading = watch(true);
  while (document.documentElement.classList.contains("pw-opening")) await pause(10);
  await pause(50);
  loading.disconnect();
  const figures = document.querySelectorAll(".pw-explorable");
  for (const figure of figures) {
    figure.scrollIntoView({ behavior: "instant" });
    while (!figure.querySelector(".pw-live")) await pause(10);
  }
  if (figures.length) await pause(500); // they say their finding 300 ms after they start
  watch(false);
  for (let y = 0; y < document.documentElement.scrollHeight; y += 1500) {
    scrollTo({ top: y, behavior: "instant" });
    await pause(20);
  }
  await pause(50);
  return shift;
}"""
# Where Tab stops on a page: of radio buttons that belong together, at one.
STOPS = """() => {
  const all = (root) => [...root.querySelectorAll("a[href], button, input, select, summary, textarea, [tabindex]")];
  const stop = (one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true });
  const open = all(document).filter(stop);
  return new Set(open.map((one) => (one.type === "radio" ? one.name : one))).size;
}"""
STEPS = {"chapters/resnet.html": 130, "chapters/semantic_segmentation.html": 130, "chapters/attention.html": 155}
KILOBYTE = 1000


@dataclass
class Visit:
    """What a browser found on a page."""

    troubles: list[str]
    overflow: int
    shift: float
    violations: list[str]
    weights: dict[str, int]
    stops: int


def visit(tabs, address: str, page: str, width: int, scheme: str) -> Visit:
    """Open a page for the first time and scroll through it; note what goes wrong and the bytes of each kind of file."""
    with tabs.lend(viewport={"width": width, "height": 800}, color_scheme=scheme) as tab:
        network = tab.context.new_cdp_session(tab)
        network.send("Network.enable")
        network.send("Network.setCacheDisabled", {"cacheDisabled": True})
        seen = look(tab, address, page, scheme)
        network.detach()
    return seen


def look(tab, address: str, page: str, scheme: str) -> Visit:
    troubles, weights = [], Counter()

    def asked(request):
        if not request.url.startswith((address, "data:", "blob:")):
            troubles.append(f"asks for {request.url}")

    def answered(response):
        if response.status >= 400:
            troubles.append(f"{response.status} for {response.url}")
        weights[response.request.resource_type] += int(response.headers.get("content-length", 0))

    def said(message):
        if message.type in ("error", "warning"):
            troubles.append(f"console: {message.text}")

    def failed(error):
        troubles.append(f"script error: {error}")

    heard = {"request": asked, "response": answered, "console": said, "pageerror": failed}
    for event, note in heard.items():
        tab.on(event, note)
    tab.goto(address + page, wait_until="load")
    assert tab.evaluate("document.documentElement.dataset.theme") == scheme
    shift = tab.evaluate(SHIFT)
    overflow = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    stops = tab.evaluate(STOPS)
    tab.evaluate(EACH_KIND_ONCE)
    found = axe.Axe().run(tab, options=AXE).response["violations"]
    violations = [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]
    for event, note in heard.items():
        tab.remove_listener(event, note)
    return Visit(troubles, overflow, shift, violations, weights, stops)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
@pytest.mark.parametrize("page", pages() + shared()[:1])
def test_page_in_a_browser(tabs, address, page, width, scheme):
    """No error, no foreign request, nothing too wide, nothing that jumps, nothing that shuts anybody out, and light."""
    seen = visit(tabs, address, page, width, scheme)
    assert seen.troubles == []
    assert seen.overflow <= 0, f"{page} is {seen.overflow} px wider than a screen of {width} px"
    assert seen.shift < 0.1, f"{page} moves by {seen.shift:.2f} while it loads"
    assert seen.violations == []
    code = sum(seen.weights[kind] for kind in ("script", "stylesheet", "font"))
    assert code <= 600 * KILOBYTE, seen.weights
    assert seen.weights["image"] <= 1000 * KILOBYTE, seen.weights
    if page in STEPS and width == 1280:  # a phone has no Tab, and shows tools that a mouse brings up
        assert seen.stops <= STEPS[page], f"{page} is walked by keys in {seen.stops} steps"


def test_a_page_is_whole_once_its_first_screen_is_painted(browser, address):
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(f"{address}chapters/resnet.html")
    until(tab, "!document.documentElement.classList.contains('pw-opening')")
    sections = "[...document.querySelectorAll('.pw-article section')]"
    assert set(tab.evaluate(f"{sections}.map((section) => getComputedStyle(section).contentVisibility)")) == {"visible"}
    context.close()


def test_a_link_into_a_page_leads_there_though_the_figure_above_comes_alive(browser, address):
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    tab.goto(f"{address}chapters/semantic_segmentation.html#a-network-with-no-fully-connected-layer")
    tab.wait_for_selector("[data-explorable=metric-traps] .pw-live")
    tab.wait_for_timeout(300)
    heading, head = (tab.locator(place).bounding_box() for place in (":target > h2", ".pw-head"))
    assert 0 < heading["y"] - head["height"] < 40
    context.close()


@pytest.mark.parametrize(
    ("planted", "caught"),
    [
        ("<img src='https://example.org/a.png' alt=''>", "asks for https://example.org/a.png"),
        ("<img src='missing.png' alt=''>", "404"),
        ("<script src='planted.js'></script>", "script error"),
        ("<script>alert(1)</script>", "Content Security Policy"),
        ("<div style='width: 2000px'>wide</div>", "overflow"),
        ("<p style='color: #ccc; background: #fff'>pale</p>", "color-contrast"),
    ],
)
def test_browser_sees_a_planted_fault(tabs, address, site, planted, caught):
    text = (site / "index.html").read_text(encoding="utf-8")
    (site / "planted.html").write_text(text.replace("</article>", f"{planted}</article>"), encoding="utf-8")
    (site / "planted.js").write_text("undefinedFunction()")
    try:
        seen = visit(tabs, address, "planted.html", 360, "light")
    finally:
        (site / "planted.html").unlink()
        (site / "planted.js").unlink()
    said = seen.troubles + seen.violations + (["overflow"] if seen.overflow > 0 else [])
    assert any(caught in one for one in said), said


@pytest.fixture(scope="module")
def find(browser, address):
    """Answer a query on the page of the search: the places that are shown, the best first."""
    tab = browser.new_page()
    tab.goto(f"{address}search.html")
    until(tab, "document.activeElement.matches('.pw-search input')")  # the field waits for words
    until(tab, "globalThis.Search.find && document.querySelector('script[src*=search-index]')")

    def find(words):
        tab.locator(".pw-search input").fill(words)
        tab.wait_for_selector("#search-results [role=status]:not(:empty)")
        hrefs = tab.eval_on_selector_all(
            "#search-results a", "(links) => links.map((link) => link.getAttribute('href'))"
        )
        return [f"{urlsplit(href).path.removesuffix('.html')}#{unquote(urlsplit(href).fragment)}" for href in hrefs]

    yield find
    tab.close()


@pytest.mark.parametrize(("words", "place"), FIRST.items())
def test_the_search_shows_the_best_place_first(find, words, place):
    assert find(words)[0].removeprefix("./") == place


def test_the_search_is_answered_below_the_field_and_leads_to_the_words(browser, address):
    """By keyboard alone, from any page; script and index are loaded when the field gets the focus, and not before."""
    tab = browser.new_page()
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(f"{address}chapters/unet.html")
    assert not any("search" in url for url in asked)
    tab.keyboard.press("/")
    tab.keyboard.type("void")
    tab.wait_for_selector("header .pw-hits a")
    tab.keyboard.press("Escape")  # which empties the field as well
    assert tab.locator("header .pw-hits").is_hidden()
    tab.keyboard.type("receptive field")
    assert tab.locator("header .pw-hits").is_visible()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/glossary.html?find=receptive%20field#receptive-field")
    until(tab, "CSS.highlights.has('pw-found')")
    marked = tab.evaluate("[...CSS.highlights.get('pw-found')].map((range) => range.toString().toLowerCase())")
    assert {"receptive", "field"} <= set(marked)
    tab.close()


def test_the_place_of_a_hit_is_seen_on_arrival(browser, address):
    """What hides it is opened; code that is folded stays so, for the index has no code."""
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    tab.goto(f"{address}chapters/fcn.html")
    word = tab.evaluate(
        """() => {
          const words = (text) => text.toLowerCase().match(/[a-z]{7,}/g) ?? [];
          const section = document.getElementById("exercises");
          const boxes = [...section.querySelectorAll("details:not(.pw-fold)")];
          const hidden = boxes.flatMap((box) => [...box.querySelectorAll("p")].flatMap((p) => words(p.textContent)));
          boxes.forEach((box) => box.remove());
          const seen = new Set(words(section.textContent));
          return hidden.find((one) => !seen.has(one) && !one.endsWith("s"));
        }"""
    )
    tab.goto(f"{address}chapters/fcn.html?find={word}#exercises")
    box = tab.locator("#exercises details[open]")
    box.wait_for(timeout=10_000)
    assert word in box.inner_text().lower()
    expect(box.locator("p").filter(has_text=re.compile(word, re.IGNORECASE)).first).to_be_in_viewport()
    assert tab.locator(".pw-fold[open]").count() == 0
    tab.close()


def test_a_result_quotes_what_was_asked_and_says_how_many_there_are(browser, address):
    tab = browser.new_page()
    tab.goto(f"{address}search.html?q=deconvolution")
    tab.locator("#search-results li p mark").first.wait_for()
    status = tab.locator("#search-results [role=status]")
    assert status.inner_text().endswith("the best 20 here")
    field = tab.locator(".pw-search input")
    field.fill("overlaping")
    expect(status).to_contain_text("“overlapping”")
    field.fill("xyzzy")
    expect(status).to_have_text("Nothing found.")
    assert tab.locator("#search-results li").count() == 0, "a term that is not written alike"
    field.fill("hypercolomnic")
    expect(status).to_contain_text("written alike")
    assert tab.locator("#search-results a").first.inner_text() == "Hypercolumn"
    button, list_ = (tab.locator(place).bounding_box() for place in (".pw-search button", "#search-results ol"))
    assert button["x"] + button["width"] <= list_["x"] + list_["width"] + 1
    field.fill("전치 합성곱")
    assert tab.locator("#search-results [lang=ko]").count() > 0
    tab.close()


def test_a_hit_names_its_page_unless_it_is_called_as_the_page(browser, address):
    tab = browser.new_page()
    tab.goto(f"{address}search.html?q=U-Net")
    tab.wait_for_selector("#search-results li")
    hits = [[tab.locator(f"#search-results li:nth-child({place}) {part}").all_inner_texts() for part in ("a", "small")]
            for place in range(1, tab.locator("#search-results li").count() + 1)]  # fmt: skip
    assert any(not pages for _, pages in hits), "no page is found by its own title"
    assert any(pages for _, pages in hits)
    assert not [titles for titles, pages in hits if titles == pages]
    tab.close()


@pytest.mark.survives("Hostile searches")
@pytest.mark.parametrize(
    "words", ["constructor", "__proto__", "hasOwnProperty", "valueOf", "a" * 50_000, "void " * 7_000]
)
def test_any_search_is_answered(browser, address, words):
    tab = browser.new_page()
    troubles = []
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.goto(f"{address}search.html?q={quote(words)}")
    tab.wait_for_selector("#search-results [role=status]:not(:empty)")
    assert "undefined" not in tab.locator("#search-results").inner_text()
    tab.goto(f"{address}chapters/glossary.html?find={quote(words)}#void")
    until(tab, "CSS.highlights.has('pw-found') || document.readyState === 'complete'")
    assert troubles == []
    tab.close()


def test_exercises_are_checked_in_the_page(browser, address):
    """A number and a choice are answered with the checkers' hints, which a screen reader speaks."""
    tab = browser.new_page()
    troubles = []
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.goto(f"{address}chapters/fcn.html")
    number = tab.locator("[data-exercise='fcn.fc6_parameters']")
    number.get_by_label("Your answer to exercise 3").fill("4096 * 512 * 49")
    tab.keyboard.press("Enter")
    verdict = number.get_by_role("status")
    assert verdict.inner_text() == "✗ Not yet. Those are the weights. Each of the 4096 kernels has a bias as well."
    assert number.get_by_label("Your answer").get_attribute("aria-invalid") == "true"
    number.get_by_label("Your answer").fill("102,764,544")
    number.get_by_role("button", name="Check").click()
    assert verdict.inner_text().startswith("✓ Right. 4096 · (512 · 7 · 7 + 1)")
    letters = tab.locator("[data-exercise='fcn.train_mode']")
    assert tab.get_by_text("dropout draws other units").filter(visible=True).count() == 1
    letters.get_by_role("button").click()
    assert letters.get_by_role("status").inner_text() == "✗ Not yet. There is no answer yet."
    letters.get_by_role("group", name="Your answer to exercise 5").get_by_label("b: the mean and variance").check()
    letters.get_by_role("button").click()
    assert letters.get_by_role("status").inner_text().startswith("✓ Right. Batch normalisation")
    found = axe.Axe().run(tab, context=".pw-exercise", options=AXE).response["violations"]
    assert found == []
    assert troubles == []
    tab.close()


def test_exercises_without_a_script_lead_to_the_notebook_and_solutions_are_open_on_paper(browser, address, site):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(f"{address}chapters/fcn.html")
    assert tab.locator(".pw-exercise:has([data-exercise])").first.inner_text() == "Check your answer in the notebook."
    assert tab.get_by_text("dropout draws other units").is_visible()
    solution = tab.locator("details:not(.pw-stamp, .pw-fold) pre").first
    assert not solution.is_visible()
    tab.emulate_media(media="print")
    assert solution.is_visible()
    assert not tab.locator(".pw-exercise").first.is_visible()
    context.close()
    for page in sorted((site / "chapters").glob("*.html")):
        text = page.read_text(encoding="utf-8")
        assert "Not answered yet" not in text, page.name
        assert "run the cell" not in text, page.name


def test_the_first_page_has_little_script(site):
    sources = re.findall(r'<script[^>]* src="([^"?]+)', (site / "index.html").read_text(encoding="utf-8"))
    texts = [(site / source).read_bytes() for source in sources]
    assert sum(len(gzip.compress(text)) for text in texts) <= 12 * KILOBYTE
    assert sum(map(len, texts)) <= 30 * KILOBYTE


def test_scripts_of_search_exercises_and_code_are_small(site):
    sizes = [(site / "_static" / name).stat().st_size for name in ("search.js", "exercises.js", "code.js")]
    assert sum(sizes) <= 24.8 * KILOBYTE, sizes


def test_pages_read_without_javascript_at_400_per_cent(browser, address):
    """1280 px at 400 % are 320 px; formulas, pictures and navigation are there without any script."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 256})
    tab = context.new_page()
    for page in pages():
        tab.goto(address + page)
        overflow = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, f"{page} is {overflow} px too wide"
        assert tab.locator("article h1").is_visible(), page
    tab.goto(f"{address}chapters/resnet.html")
    assert tab.locator("math:visible").first.bounding_box()["width"] > 5
    tab.get_by_role("button", name="Chapters").click()
    tab.get_by_role("link", name="Glossary", exact=True).click()
    assert tab.url.endswith("glossary.html")
    tab.goto(address)
    assert tab.locator(".pw-stack img").first.bounding_box()["height"] > 100
    tab.get_by_text("truth").click()
    assert [image.is_visible() for image in tab.locator(".pw-stack img").all()] == [False] * 4 + [True]
    context.close()


def test_site_opens_from_a_folder(browser, site):
    """By double click: figures come alive, colours change, search finds, and nothing is asked of a server."""
    tab = browser.new_page()
    troubles = []
    tab.on("request", lambda request: request.url.startswith(("file:", "data:")) or troubles.append(request.url))
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("console", lambda message: message.type == "error" and troubles.append(message.text))
    tab.goto((site / "chapters/semantic_segmentation.html").as_uri())
    tab.locator("#metric-traps").scroll_into_view_if_needed()
    tab.wait_for_selector("#metric-traps .pw-live")
    before = tab.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    tab.get_by_role("button", name="Dark colours").click()
    assert tab.evaluate("getComputedStyle(document.documentElement).backgroundColor") != before
    tab.get_by_role("searchbox").fill("void")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#search-results li a[href*='glossary']")
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark", "the choice of colours is forgotten"
    tab.close()
    assert troubles == []


def test_a_photo_is_segmented_from_a_folder_by_a_network_that_comes_when_it_is_wanted(browser, site):
    tab = browser.new_page()
    asked, troubles = [], []
    tab.on("request", lambda request: request.url.startswith("data:") or asked.append(request.url))
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("console", lambda message: message.type == "error" and troubles.append(message.text))
    tab.goto((site / "chapters/segment.html").as_uri())
    tab.wait_for_selector("#photo .pw-live")
    assert not any("networks/" in url for url in asked)
    tab.locator("#photo .scenes button").first.click()
    tab.locator("#photo .pw-finding", has_text="It took").wait_for(timeout=180_000)
    assert [url for url in asked if "networks/" in url] == [(site / "_static/networks/streets.js").as_uri()]
    assert all(url.startswith("file:") for url in asked)
    assert troubles == []
    tab.close()


def test_only_the_page_of_the_photo_has_its_script_and_a_policy_without_connections(site):
    texts = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html") if "_static" not in path.parts}
    here = site / "chapters/segment.html"
    assert [path for path, text in texts.items() if "explorables-photo.js" in text] == [here]
    for own in ("connect-src 'none'", "worker-src blob:"):
        assert [path for path, text in texts.items() if own in text.replace("&#39;", "'")] == [here]
    assert "createImageBitmap" not in (site / "_static/explorables.js").read_text(encoding="utf-8")


def test_landing_page_shows_the_best_level_pressed_and_moves_once_and_not_for_who_wants_stillness(browser, address):
    moving = "document.getAnimations().filter((one) => one.animationName === 'pw-sweep').length"
    for motion, expected in (("no-preference", 1), ("reduce", 0)):
        tab = browser.new_page(viewport={"width": 1280, "height": 720}, reduced_motion=motion)
        tab.goto(address)
        assert tab.get_by_role("radio", name="+ finest").is_checked()
        assert tab.locator(".pw-stack img").nth(3).is_visible()
        assert tab.evaluate(moving) == expected
        box = tab.locator(".pw-stack").bounding_box()
        assert box["y"] + box["height"] < 720
        tab.get_by_role("radio", name="truth").check()
        assert tab.evaluate(moving) == 0, "it goes on though a level is chosen"
        assert [image.is_visible() for image in tab.locator(".pw-stack img").all()] == [False] * 4 + [True]
        tab.close()


def test_the_letters_of_the_first_screen_are_asked_for_in_advance_and_once(browser, address):
    tab = browser.new_page()
    fonts = Counter()
    tab.on("request", lambda request: fonts.update([request.url] * (request.resource_type == "font")))
    tab.goto(address)
    ahead = tab.evaluate("[...document.querySelectorAll('link[rel=preload]')].map((link) => link.href)")
    assert len(ahead) == 2
    first = tab.evaluate("document.querySelector('head > :is(script, link[rel=stylesheet])').src")
    assert "site.js" in first, "styles keep the script, and with it the letters, waiting"
    assert {*ahead} <= fonts.keys()
    assert {*fonts.values()} == {1}
    tab.goto(f"{address}chapters/resnet.html")
    ahead = tab.evaluate("[...document.querySelectorAll('link[rel=preload]')].map((link) => link.href)")
    assert [name for name in ahead if "math" in name], "formulas wait for their letters"
    tab.close()


def test_from_a_folder_the_text_waits_for_its_letters(browser, site):
    """They lie on the disk; without the wait the text had others on some pages and not on the next."""
    tab = browser.new_page()
    tab.goto((site / "chapters/resnet.html").as_uri())
    tab.evaluate("document.fonts.ready")
    faces = tab.evaluate("[...document.fonts].filter((face) => face.display === 'block').map((face) => face.status)")
    assert faces == ["loaded"] * 4
    session = tab.context.new_cdp_session(tab)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    for place in ("h1", ".pw-article p:not(.pw-number)"):
        node = session.send("DOM.querySelector", {"nodeId": root, "selector": place})["nodeId"]
        fonts = session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        assert {font["familyName"] for font in fonts} == {"Pixelwise Sans"}, place
    tab.close()


def test_landing_page_walks_by_keyboard(browser, address):
    tab = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    tab.goto(address)
    tab.keyboard.press("Tab")
    skip = tab.locator(".pw-skip")
    assert skip.bounding_box()["y"] >= 0, "the skip link stays out of sight"
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "main"
    tab.goto(address)
    reached = []
    for _ in range(200):
        tab.keyboard.press("Tab")
        name, outline, inside = tab.evaluate(
            """() => {
              const focused = document.activeElement;
              const box = focused.getBoundingClientRect();
              const name = focused.ariaLabel || focused.innerText || focused.labels?.[0]?.innerText || focused.title;
              const seen = box.bottom > 0 && box.top < innerHeight && box.width > 0;
              return [name?.trim(), getComputedStyle(focused).outlineStyle, seen];
            }"""
        )
        if tab.evaluate("document.activeElement === document.body"):
            break
        assert inside, f"{name!r} has the focus out of sight"
        assert outline != "none", f"{name!r} does not show its focus"
        reached.append(name)
    else:
        pytest.fail(f"the focus never leaves the page: {reached[-5:]}")
    assert {"Search the book", "Dark colours", "How it ran"} <= set(reached), reached
    assert any(name.startswith("+ finest") for name in reached), reached
    tab.close()


@pytest.fixture
def phone(tabs):
    with tabs.lend(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True) as tab:
        yield tab


def test_a_tap_opens_a_note_in_place_and_the_next_follows_the_link(phone, address):
    phone.goto(f"{address}chapters/resnet.html")
    first, second = (phone.locator(".pw-note").nth(i) for i in (0, 1))
    first.locator("a").tap()
    assert phone.url == f"{address}chapters/resnet.html"
    note = first.get_by_role("tooltip")
    assert note.is_visible()
    assert (box := note.bounding_box())["x"] >= 0
    assert box["x"] + box["width"] <= 390
    second.locator("a").tap()
    assert second.get_by_role("tooltip").is_visible()
    assert not note.is_visible()
    phone.locator("h1").tap()
    assert not second.get_by_role("tooltip").is_visible()
    first.locator("a").tap()
    first.locator("a").tap()
    phone.wait_for_url("**/glossary.html#*")


def test_a_key_follows_a_terms_link_at_once(phone, address):
    phone.goto(f"{address}chapters/resnet.html")
    phone.locator(".pw-note a.internal").first.press("Enter")
    phone.wait_for_url("**/glossary.html#*")


def test_the_list_of_sections_closes_when_a_section_is_chosen(phone, address):
    phone.goto(f"{address}chapters/resnet.html")
    phone.get_by_role("button", name="On this page").tap()
    sections = phone.locator(".pw-sections")
    link = sections.locator("ul ul a").nth(1)
    link.tap()
    assert not sections.is_visible()
    assert phone.evaluate("location.hash") == link.get_attribute("href")


def test_a_list_of_contents_that_lies_over_a_phones_page_has_a_button_that_closes_it(phone, address):
    phone.goto(f"{address}chapters/resnet.html")
    assert phone.locator(".pw-close:visible").count() == 0
    for name, kind in (("Chapters", ".pw-chapters"), ("On this page", ".pw-sections")):
        phone.get_by_role("button", name=name, exact=True).tap()
        assert phone.locator(kind).is_visible()
        phone.get_by_role("button", name="Close").tap()
        assert not phone.locator(kind).is_visible()


def test_copy_buttons_show_at_rest_where_nothing_hovers(browser, phone, address):
    laptop = browser.new_page()
    for tab, seen in ((phone, "1"), (laptop, "0")):
        tab.goto(f"{address}chapters/resnet.html")
        copy = tab.locator(".pw-copy").first
        assert copy.evaluate("(button) => getComputedStyle(button).opacity") == seen
    laptop.close()


@pytest.mark.parametrize(("kind", "page"), [("pre", "resnet"), (".pw-scroll", "comparison")])
def test_what_scrolls_sideways_casts_a_shadow_and_nothing_else_does(phone, address, kind, page):
    phone.goto(f"{address}chapters/{page}.html")
    until(phone, "!document.documentElement.classList.contains('pw-opening')")
    phone.wait_for_timeout(300)  # boxes are measured once the page is laid out
    layers = phone.evaluate(
        """(kind) => [...document.querySelectorAll(kind)].filter((box) => box.checkVisibility()).map((box) => [
          box.scrollWidth > box.clientWidth,
          getComputedStyle(box).backgroundImage.split("linear-gradient").length - 1,
        ])""",
        kind,
    )
    assert {shadows for scrolls, shadows in layers if scrolls} == {4}
    assert {shadows for scrolls, shadows in layers if not scrolls} <= {0}


def test_on_a_phone_a_row_of_a_wide_table_of_texts_is_a_card(phone, address):
    for page, kind in (
        ("chapters/comparison.html", ".pw-scroll:has(.pw-cards:not(.pw-table))"),
        ("chapters/runs.html", ".pw-scroll:has(.pw-cards)"),
        ("reference/index.html", ".pw-scroll:has(.pw-cards)"),
    ):
        phone.goto(address + page)
        box = phone.locator(kind).first
        assert box.evaluate("(box) => box.scrollWidth - box.clientWidth") == 0, page
        row = box.locator("tbody tr").first
        value = row.locator("td").first
        head = value.get_attribute("data-head")
        assert head in value.evaluate("(cell) => getComputedStyle(cell, '::before').content"), page
        assert row.get_by_role("rowheader").count() == 1, page
        assert row.bounding_box()["width"] > 340, page
    names = phone.get_by_role("columnheader").all_inner_texts()
    assert names[0].strip() == "Package"


def test_on_a_phone_the_fields_of_the_claims_stand_below_each_other(phone, address):
    phone.goto(f"{address}chapters/claims.html")
    boxes = [field.bounding_box() for field in phone.locator(".pw-filter :is(input, select)").all()]
    assert len(boxes) == 3
    assert len({(round(box["x"]), round(box["width"])) for box in boxes}) == 1


def test_on_a_phone_the_names_in_a_chart_do_not_lie_on_its_line(phone, address):
    phone.goto(f"{address}chapters/comparison.html#pareto-front.budget=100")
    phone.locator("[data-explorable=pareto-front] .pw-live").wait_for()
    on_it = """() => {
      const line = document.querySelector(".pw-pareto-front .steps");
      const points = Array.from({ length: 999 }, (_, i) => line.getPointAtLength((line.getTotalLength() * i) / 998));
      const holds = ({ x, y, width, height }, at) =>
        at.x > x && at.x < x + width && at.y > y + 2 && at.y < y + height - 2;
      const names = [...document.querySelectorAll(".pw-pareto-front .net text")];
      return names.filter((name) => points.some((at) => holds(name.getBBox(), at))).map((name) => name.textContent);
    }"""
    assert phone.locator(".pw-pareto-front .net text").count() == 8
    assert phone.evaluate(on_it) == []


def test_on_a_phone_numbers_scroll_below_whose_they_are(phone, address):
    phone.goto(f"{address}chapters/comparison.html")
    box = phone.locator(".pw-scroll:has(.pw-table)").first
    name = box.locator("tbody th").first
    before = name.bounding_box()["x"]
    box.evaluate("(box) => box.scrollTo(200, 0)")
    assert box.evaluate("(box) => box.scrollLeft") > 100
    assert abs(name.bounding_box()["x"] - before) < 1


def test_on_a_phone_a_figure_is_seen_whole_and_a_tap_opens_its_larger_form(phone, address):
    phone.goto(f"{address}chapters/resnet.html")
    until(phone, "!document.documentElement.classList.contains('pw-opening')")
    sides = """(all) => all.filter((one) => one.checkVisibility()).map((one) => {
      const { left, right } = one.getBoundingClientRect();
      return [left, right];
    })"""
    for kind in (".pw-pane > img", ".pw-sheet > img"):
        found = phone.eval_on_selector_all(kind, sides)
        assert len(found) > 2
        assert min(left for left, _ in found) > -20  # what a figure has bare on its left
        assert max(right for _, right in found) <= 390
        picture = phone.locator(f"{kind}:visible").first
        natural = float(picture.get_attribute("width"))
        picture.click()
        large = phone.locator(".pw-large:popover-open")
        assert large.locator("img:visible").bounding_box()["width"] > natural - 1
        large.get_by_role("button", name="Close").click()
        assert large.count() == 0
    assert phone.evaluate("document.documentElement.scrollWidth") == 390


def test_a_larger_form_opens_at_the_place_that_was_tapped(phone, address):
    phone.goto(f"{address}chapters/unet.html")
    until(phone, "!document.documentElement.classList.contains('pw-opening')")
    drawing = phone.locator(".pw-drawing.pw-wide .pw-sheet img").first
    drawing.scroll_into_view_if_needed()
    whole = drawing.bounding_box()
    for share in (0.1, 0.5, 0.75):
        drawing.click(position={"x": share * whole["width"], "y": 0.5 * whole["height"]})
        large = phone.locator(".pw-large:popover-open")
        inside = large.locator("img:visible").bounding_box()
        where = inside["x"] + share * inside["width"]
        assert where == pytest.approx(195, abs=2) or (where < 195 and share == 0.1)  # nothing lies left of the drawing
        large.locator("img:visible").tap()
        assert large.locator("img:visible").bounding_box()["width"] <= 390, "another tap fits it to the window"
        large.get_by_role("button", name="Close").click()


def test_long_lines_of_code_wrap_until_they_are_unwrapped(phone, address):
    long = """() => [...document.querySelectorAll("div.highlight:not(.cell_output *) > pre")].filter(
      (code) => code.checkVisibility() && code.scrollWidth > code.clientWidth).length"""
    phone.goto(f"{address}chapters/resnet.html")
    until(phone, "!document.documentElement.classList.contains('pw-opening')")
    assert phone.evaluate(long) > 5
    phone.locator(".pw-wrap:visible").first.click()
    assert phone.evaluate(long) == 0
    phone.reload()
    until(phone, "!document.documentElement.classList.contains('pw-opening')")
    assert phone.evaluate(long) == 0, "the choice is forgotten"
    phone.get_by_role("button", name="Wrap", pressed=True).first.click()
    assert phone.evaluate(long) > 5


def test_a_figure_opens_in_the_width_of_the_window_without_a_script(browser, address):
    for width, every in ((1280, False), (390, True)):
        context = browser.new_context(java_script_enabled=False, viewport={"width": width, "height": 844})
        tab = context.new_page()
        tab.goto(f"{address}chapters/unet.html")
        wanted = ".cell_output img.pw-on-light:not(.pw-large *)" + ("" if every else ".pw-wide")
        drawn = ".pw-drawing" + (":has(.pw-larger)" if every else ".pw-wide")
        assert tab.locator(drawn).count() > 0
        assert tab.locator(".pw-larger:visible").count() == tab.locator(f"{wanted}, {drawn}").count() > 2
        tab.locator(".pw-larger:visible").first.click()
        shown = tab.locator(".pw-large:visible")
        assert shown.locator("img:visible").bounding_box()["width"] >= max(0.9 * width, 700)
        shown.get_by_role("button", name="Close").click()
        assert shown.count() == 0
        context.close()


def test_lists_of_contents_are_one_tab_stop_each_where_the_reader_is(browser, address):
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    tab.goto(f"{address}chapters/fcn.html")
    tab.locator(".pw-chapters a[tabindex='-1']").first.wait_for(state="attached")
    stop = tab.locator(".pw-chapters a[tabindex='0']")
    assert stop.get_attribute("aria-current") == "page"
    assert tab.locator(".pw-sections a[tabindex='0']").count() == 1
    stop.focus()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/upsampling.html")
    tab.locator(".pw-chapters a[tabindex='0']").focus()
    tab.keyboard.press("Home")
    assert "GoogLeNet" in tab.evaluate("document.activeElement.textContent")
    tab.close()


def test_what_scrolls_has_a_name_where_keys_stop_at_it(phone, address):
    phone.goto(f"{address}chapters/resnet.html")
    phone.locator("pre[tabindex='0']").first.wait_for(state="attached")
    unnamed = "(boxes) => boxes.filter((box) => !box.role || !box.ariaLabel).map((box) => box.outerHTML.slice(0, 99))"
    assert phone.eval_on_selector_all(":is(pre, .pw-scroll, .pw-math, .output)[tabindex]", unnamed) == []


def test_below_the_head_of_a_narrow_page_stands_the_section_that_is_read(phone, address):
    phone.goto(f"{address}chapters/resnet.html#do-gradients-vanish")
    expect(phone.locator(".pw-here")).to_have_text("Do gradients vanish?")
    here, heading = (phone.locator(place).bounding_box() for place in (".pw-here", ":target > h2"))
    assert heading["y"] >= here["y"] + here["height"] - 1


def test_tab_reaches_what_stands_in_the_text_in_its_order(browser, address):
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    tab.goto(f"{address}chapters/resnet.html")
    until(tab, "!document.documentElement.classList.contains('pw-opening')")
    wanted = "(all) => all.filter((one) => one.checkVisibility()).length"
    kinds = ".pw-article :is(.pw-note a, .pw-fold > summary, .pw-drawing summary, .pw-take, .pw-hold button)"
    tab.locator(f"{kinds} >> visible=true").first.focus()
    reached = set()
    for _ in range(130):
        reached.add(
            tab.evaluate("(kinds) => [...document.querySelectorAll(kinds)].indexOf(document.activeElement)", kinds)
        )
        tab.keyboard.press("Tab")
    assert len(reached - {-1}) == tab.eval_on_selector_all(kinds, wanted) > 40
    tab.close()


def test_a_panel_closes_when_the_focus_leaves_it(browser, address):
    tab = browser.new_page(viewport={"width": 820, "height": 800})
    tab.goto(f"{address}chapters/resnet.html")
    until(tab, "!document.documentElement.classList.contains('pw-opening')")
    tab.get_by_role("button", name="Chapters").click()
    assert tab.locator("#chapters").is_visible()
    tab.locator(".pw-name").focus()
    assert not tab.locator("#chapters").is_visible()
    larger = tab.locator(".pw-larger:visible").first
    larger.focus()
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.closest('.pw-large:popover-open') !== null")
    tab.keyboard.press("Escape")
    assert larger.evaluate("(one) => one === document.activeElement")
    tab.close()


def test_a_link_to_a_heading_is_no_tab_stop_and_not_read_with_the_heading(site):
    for page in ("chapters/resnet.html", "chapters/glossary.html", "reference/ops.html"):
        links = re.findall(r'<a class="headerlink"[^>]*>', (site / page).read_text(encoding="utf-8"))
        assert links, page
        for link in links:
            assert re.search('title="Link to this [a-z]+" aria-hidden="true" tabindex="-1"', link), link


def test_what_comes_alive_in_a_moment_takes_no_focus(browser, address):
    """It would be lost: the element that has it goes."""
    tab = browser.new_page()
    tab.route("**/explorables.js*", lambda route: route.abort())  # the moment lasts
    tab.goto(f"{address}chapters/resnet.html")
    still = "[...document.querySelectorAll('.pw-still summary')].map((one) => getComputedStyle(one).visibility)"
    assert set(tab.evaluate(still)) == {"hidden"}
    tab.close()


def test_pages_and_figures_have_one_blue(site):
    sheet, script = ((site / f"_static/{name}").read_text() for name in ("pixelwise.css", "explorables.js"))
    blue = re.search(r"--road: light-dark\((#\w+), (#\w+)\)", sheet)
    assert f"--fill:light-dark({blue[1]},{blue[2]})" in script
    assert "--link: var(--road)" in sheet


@pytest.mark.parametrize(("width", "medium"), [(1280, "screen"), (390, "screen"), (672, "print")])
def test_a_drawing_is_seen_whole_at_its_own_size_where_it_fits(browser, address, width, medium):
    tab = browser.new_page(viewport={"width": width, "height": 800})
    tab.emulate_media(media=medium)
    for page in ("index.html", "chapters/unet.html", "chapters/upsampling.html"):
        tab.goto(address + page)
        until(tab, "!document.documentElement.classList.contains('pw-opening')")
        measures = """(drawings) => drawings.map((drawing) => [
          drawing.parentElement.clientWidth, drawing.clientWidth, parseFloat(drawing.getAttribute("width")),
        ])"""
        found = tab.eval_on_selector_all(".pw-sheet > img", measures)
        assert found
        for room, shown, natural in found:
            assert shown == pytest.approx(min(room, natural), abs=1), page
    tab.close()


def test_on_a_phone_the_numbers_of_the_networks_drawn_to_one_scale_stand_in_a_table(phone, address):
    phone.goto(address)
    table = phone.locator(".pw-drawing .pw-numbers")
    assert table.is_visible()
    assert table.bounding_box()["width"] <= 380
    assert table.get_by_role("row", name="ResNet-50").get_by_role("cell").count() == 3
    phone.set_viewport_size({"width": 1280, "height": 800})
    assert not table.is_visible()


def test_without_a_script_the_field_of_search_stays_on_the_right(browser, address):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    tab.goto(f"{address}chapters/resnet.html")
    assert tab.locator(".pw-head form").bounding_box()["x"] > 640
    context.close()


def test_a_finger_finds_the_controls_of_a_figure(phone, address):
    phone.goto(f"{address}chapters/hypercolumns.html#hypercolumn-probe.k=20")
    phone.locator("[data-explorable=hypercolumn-probe] .pw-live").wait_for()
    heights = """(all) => all.map((one) => (one.closest("label") ?? one).getBoundingClientRect().height)"""
    found = phone.eval_on_selector_all("[data-explorable=hypercolumn-probe] .pw-live :is(button, input)", heights)
    assert len(found) > 5
    assert min(found) >= 40


def test_a_finger_finds_what_a_drawing_and_code_offer(phone, address):
    phone.goto(f"{address}chapters/unet.html")
    until(phone, "!document.documentElement.classList.contains('pw-opening')")
    offers = ".pw-drawing summary, .pw-take, .pw-larger, .pw-tools button"
    heights = "(all) => all.filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect().height)"
    found = phone.eval_on_selector_all(offers, heights)
    assert len(found) > 20
    assert min(found) >= 40


def test_drawings_stand_in_panels_of_one_width_at_their_own_size(browser, address):
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    tab.goto(f"{address}chapters/fcn.html")
    drawings = tab.locator(".pw-sheet")
    assert drawings.count() > 3
    panels, insides = [], []
    for panel in drawings.all():
        inside = panel.locator("img")
        outer, inner = panel.bounding_box(), inside.bounding_box()
        panels.append(round(outer["width"]))
        if inner["width"] < outer["width"]:
            insides.append(inner["width"] / float(inside.get_attribute("width")))
            assert abs(inner["x"] - outer["x"] - (outer["width"] - inner["width"]) / 2) < 2
    assert len(set(panels)) == 1
    assert insides
    assert insides == pytest.approx([1] * len(insides), abs=0.01)
    tab.close()


def test_a_term_explains_itself_on_hover_and_focus(browser, address):
    tab = browser.new_page()
    tab.goto(f"{address}chapters/resnet.html")
    link, note = tab.locator(".pw-note a").first, tab.locator(".pw-note [role=tooltip]").first
    assert not note.is_visible()
    link.hover()
    assert note.is_visible()
    tab.keyboard.press("Escape")
    assert not note.is_visible()
    tab.mouse.move(0, 0)
    link.focus()
    assert note.is_visible()
    assert link.get_attribute("aria-describedby") == note.get_attribute("id")
    tab.close()


def test_code_is_put_away_on_every_page_until_it_is_asked_for(browser, address):
    context = browser.new_context()
    tab = context.new_page()
    code = tab.locator(".cell_input:not(.pw-fold *)").first
    tab.goto(f"{address}chapters/resnet.html")
    assert code.is_visible()
    tab.get_by_role("button", name="Text", exact=True).click()
    assert not code.is_visible()
    tab.goto(f"{address}chapters/fcn.html")
    assert not code.is_visible(), "the choice is forgotten"
    for _ in range(2):
        tab.get_by_role("button", name="Text + code").click()
        assert code.is_visible(), "what is pressed is pressed"
    context.close()


def test_the_chapter_that_is_read_lies_in_sight_in_the_list(browser, address):
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    tab.goto(f"{address}chapters/attention.html")
    expect(tab.locator("#chapters [aria-current]")).to_be_in_viewport()
    assert tab.evaluate("scrollY") == 0
    tab.close()


def test_claims_are_narrowed_by_words_chapter_and_kind(browser, address):
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(f"{address}chapters/claims.html")
    rows = tab.locator(".pw-claimed tbody tr:visible")
    every = rows.count()
    assert tab.locator(".pw-surprises li").count() >= 6
    fields, first = (tab.locator(kind).bounding_box()["y"] for kind in (".pw-filter", ".pw-surprises"))
    assert fields < first, "the fields stand below a list that they do not narrow"
    tab.get_by_label("Words").fill("checkerboard nowhere")
    assert not tab.locator(".pw-surprises").is_visible()
    assert (rows.count(), tab.locator(".pw-claimed:visible").count()) == (0, 0)
    tab.get_by_label("Words").fill("camvid")
    assert 0 < rows.count() < every
    listed = tab.locator(".pw-sections a:visible").count()
    assert listed == tab.locator(".pw-claimed:visible").count(), "a chapter is listed that the page does not show"
    tab.get_by_label("Words").fill("")
    tab.get_by_label("Kind").select_option("exact")
    tab.locator("select[name=chapter]").select_option("claims-fcn")
    assert 0 < rows.count() == tab.locator("#claims-fcn tr[data-kind=exact]").count()
    assert tab.locator(".pw-filter output").inner_text() == f"{rows.count()} of {every}"
    context.close()


def test_the_page_of_claims_is_walked_in_few_steps_and_arrows_lead_through_its_rows(browser, address):
    tab = browser.new_page()
    tab.goto(f"{address}chapters/claims.html")
    rows = tab.locator(".pw-claims a")
    stop = tab.locator(".pw-claims a[tabindex='0']")
    stop.wait_for()
    assert rows.count() > 100
    assert stop.count() == 1
    tab.get_by_label("Words").fill("camvid")
    assert stop.is_visible(), "the row that is the stop is put away"
    stop.focus()
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate("document.activeElement.matches('.pw-claims a')")
    assert tab.evaluate("document.activeElement.checkVisibility()")
    reached = "[...document.querySelectorAll('a, button, input, select, summary')]"
    assert tab.evaluate(f"{reached}.filter((one) => one.tabIndex >= 0 && one.checkVisibility()).length") < 90
    tab.close()


def test_dark_mode_leaves_pictures_as_they_are(browser, address):
    shots = []
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        tab = context.new_page()
        tab.goto(f"{address}chapters/semantic_segmentation.html")
        picture = tab.locator(".cell_output img:visible").first
        picture.scroll_into_view_if_needed()
        until(tab, "image => image.complete", arg=picture.element_handle())
        with Image.open(io.BytesIO(picture.screenshot())) as shot:
            shots.append(shot.convert("RGB").crop((45, 20, 150, 100)))  # of the first photograph
        context.close()
    assert ImageChops.difference(*shots).getbbox() is None


class Page(HTMLParser):
    """The links, the anchors and the resources of a page."""

    def __init__(self, path: Path):
        super().__init__()
        self.links, self.anchors, self.unsafe, self.policies = [], set(), [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.anchors |= {attributes[name] for name in ("id", "name") if attributes.get(name)}
        self.links += [attributes[name] for name in ("href", "src") if attributes.get(name)]
        self.unsafe += [f"<{tag} {name}>" for name in attributes if name.startswith("on")]
        self.unsafe += [f"<{tag}>"] if tag in ("script", "style") and "src" not in attributes else []
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policies.append(attributes["content"])


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


def test_every_public_name_stands_in_the_reference(site):
    places = dict.fromkeys(library.entries())
    for room in library.rooms():
        text = (site / f"reference/{room}.html").read_text(encoding="utf-8")
        for heading in re.findall(r'<dt class="sig[^>]* id="(pixelwise[^"]+)">(.*?)</dt>', text, re.DOTALL):
            places[heading[0]] = re.sub("<[^>]+>", "", heading[1]).strip()
    for path, entry in library.entries().items():
        assert places[path], f"{path} is not in the reference"
        start = r"(class |exception |property )?" + entry.name.rpartition(".")[2]
        assert re.match(start + (r"\(" if entry.signature.startswith("(") else ""), places[path]), places[path]
    assert places.keys() == library.entries().keys()


def test_shown_source_leads_to_its_entry(site):
    for path in stamp.notebooks():
        cells = [stamp.source(cell) for cell in stamp.code_cells(json.loads(path.read_text(encoding="utf-8")))]
        imported = library.imports([text for text in cells if "from pixelwise" in text])
        wanted = [library.resolve(name, imported) for text in cells for name in reference.shown(text)]
        html = (site / f"chapters/{path.stem}.html").read_text(encoding="utf-8")
        linked = re.findall(r'class="pw-entry">In the reference: <a [^>]*href="\.\./reference/\w+\.html#([^"]+)"', html)
        assert linked == wanted, path.name


def test_pictures_are_described(site):
    for page in pages():
        html = (site / page).read_text(encoding="utf-8")
        article = html.partition("<article")[2].partition("</article>")[0]
        assert [alt for alt in check.html_alternatives(article) if not check.describes(alt)] == [], page


def test_chapters_say_how_they_were_recorded(site):
    for path in stamp.notebooks():
        html = (site / "chapters" / f"{path.stem}.html").read_text(encoding="utf-8")
        assert html.count('<details class="pw-stamp">') == 1, path.name
        assert html.count(f"/blob/main/chapters/{path.name}") >= 2, f"{path.name} has no buttons for Colab and Kaggle"
        minutes = reading.measure(stamp.read(path)).minutes
        assert f"<strong>{minutes} min</strong> to read" in html, path.name


def test_every_page_has_a_policy_and_nothing_that_it_would_forbid(site):
    for path in site.rglob("*.html"):
        if "_static" in path.parts:
            continue
        page = Page(path)
        assert page.unsafe == [], path.name
        assert len(page.policies) == 1, path.name
        assert page.policies[0].startswith("default-src 'none'"), path.name
        assert not re.search(r"script-src[^;]*unsafe|https?:|\*", page.policies[0]), path.name


def test_downloads_are_the_chapters_themselves(site):
    for path in stamp.notebooks():
        page = Page(site / "chapters" / f"{path.stem}.html")
        link = next(link for link in page.links if link.endswith(".ipynb") and "://" not in link)
        assert (site / "chapters" / link).read_bytes() == path.read_bytes()


def test_sitemap_and_cards_cover_every_page(site):
    places = [place.text for place in ElementTree.parse(site / "sitemap.xml").iter() if place.tag.endswith("loc")]
    owner, name = repository.address().removeprefix("https://github.com/").split("/")
    root = f"https://{owner}.github.io/{name}/"
    assert {place.removeprefix(root) for place in places} == {*pages(), *shared()} - {"search.html"}
    for page in {*pages(), *shared()} - {"search.html"}:
        text = (site / page).read_text(encoding="utf-8")
        card, name, words = (
            re.search(f'property="og:{kind}" content="([^"]*)"', text)[1] for kind in ("image", "title", "image:alt")
        )
        assert name, page
        assert name in re.search("<title>(.+)</title>", text)[1], page
        assert words.startswith(f"{name}: "), page
        with Image.open(site / card.removeprefix(root)) as picture:
            assert picture.size == (1200, 630), page
    assert f'href="{root}"' in (site / "404.html").read_text(encoding="utf-8")


def test_gallery_and_map_show_what_there_is(site):
    gallery = (site / "chapters/explorables.html").read_text(encoding="utf-8")
    chapters = [page for _, names in toc.parts() for page in names]
    figures = recorded(chapters)
    assert figures, "no chapter shows an explorable"
    for name, figure in figures.items():
        assert f'href="../{figure.page}.html#{name}"' in gallery
    landing = (site / "index.html").read_text(encoding="utf-8")
    assert "void" in landing.partition('class="pw-key"')[2].partition("</ul>")[0], "black has no name"
    wall = (site / "chapters/questions.html").read_text(encoding="utf-8")
    filters = json.loads(html.unescape(re.search('data-chapters="([^"]*)"', wall)[1]))
    notebooks = [path for page in chapters if (path := stamp.ROOT / f"{page}.ipynb").is_file()]
    titles = [stamp.title(stamp.read(path)) for path in notebooks]
    assert filters == [title for title in titles if title in filters], "chapters to choose from, out of order"
    for page in [page for part, names in toc.parts() for page in names if part != "Reference"]:
        if (stamp.ROOT / f"{page}.ipynb").is_file():
            assert {"failure", "question", "keywords"} <= set(toc.purpose(page)), (
                f"book/chapters.yml says nothing of {page}"
            )
            link = landing.rpartition(f'<li><a href="{page}.html">')[2].partition("</a>")[0]
            assert "<img" in link, page
            assert toc.purpose(page)["keywords"] in link
