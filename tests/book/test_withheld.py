"""What a chapter says below a question, withheld until the reader commits: from stored outputs to a reader's keys."""

import re
import zipfile

import pytest
from axe_playwright_python import sync_playwright as axe
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from book.extensions import withheld
from pixelwise import explorables
from tests.explorables.explorables import QUESTION, Claim, make
from tests.helpers.notebooks import ALT, PIXEL, build_small_book, save, sound_notebook, write_book
from tools import folds, reading

pytestmark = pytest.mark.slow
PHONE = {"viewport": {"width": 390, "height": 800}, "reduced_motion": "reduce"}


def ask(key):
    host = explorables.Question(key, f"How much is ten times {key}?", **QUESTION).still("A hint.")
    return folded("question", {"text/html": host, "text/plain": "."})


def folded(label, data):
    cell = new_code_cell(f"{label}()", metadata={"tags": ["hide-input", label]}, outputs=shown(data))
    cell.metadata["mystnb"] = {"image": {"alt": ALT}}
    folds.mark(cell)
    return cell


def shown(data):
    return [new_output("display_data", data)]


def text(*paragraphs):
    return new_markdown_cell("\n\n".join(paragraphs))


def chapter():
    """Questions followed by what chapters have below theirs; "held" is what the reader is not to see, "open" is not."""
    notebook = sound_notebook()
    del notebook["metadata"]["pixelwise"]
    claim = {"name": Claim.name, "sentence": Claim.sentence, "state": Claim.state}
    box = '<div class="pw-claim pw-holds">.</div>'
    picture = {"image/png": PIXEL}
    cells = [
        new_code_cell("claim()", outputs=shown({reading.CLAIM: claim, "text/html": box, "text/plain": "."})),
        ask("one"),
        text("Held 1: <a href='#held-place'>ten</a>.", "> 🙌 **Held 2?** Yes, giraffes.", "## Open 3", "Open 4."),
        ask("two"),
        folded("figure", picture),
        text("*Held caption.*", "Held 5.", "Open 6 leads up to:"),
        new_code_cell("shown()", outputs=shown({"text/plain": "open 7"})),
        text("Open 8.", "## Open 9"),
        ask("three"),
        ask("four"),
        text("Held 10.", "Open 11 leads up to this. *Predict: how many zebras?* Open 12.", "## Open 13"),
        ask("five"),
        new_code_cell("FcnSkips()", outputs=shown({"text/html": make("FcnSkips").still("."), "text/plain": "."})),
        text('<a id="held-place"></a>Held 14.', "Held 15."),
        folded("table", picture),
        text("Open 16 leads up to:"),
        ask("six"),
        text("### Open 17", "Open 18. " * 400),
    ]
    notebook["cells"] += [dict(cell) for cell in cells]
    for count, cell in enumerate((one for one in notebook["cells"] if one["cell_type"] == "code"), 1):
        cell["execution_count"] = count
    return notebook


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    write_book(
        folder, "format: jb-book\nroot: index\nchapters: [{file: chapter}]\n", "# Contents\n\nNothing is asked here.\n"
    )
    save(chapter(), folder / "chapter.ipynb")
    build_small_book(folder, folder / "html")
    return folder


@pytest.fixture
def tab(tabs, source):
    """The chapter in a browser that keeps nothing yet."""
    with tabs.lend(**PHONE) as tab:
        if not hasattr(tab, "troubles"):  # it is new
            tab.on("console", lambda message: tab.troubles.append(message.text))
            tab.on("pageerror", lambda error: tab.troubles.append(str(error)))
        tab.troubles = []
        tab.address = (source / "html/chapter.html").as_uri()
        tab.goto(tab.address)
        yield tab
        assert tab.troubles == []


def commit(tab, name):
    question = tab.locator(f"#question-{name}")
    question.scroll_into_view_if_needed()
    question.get_by_role("slider").fill("30")
    question.get_by_role("button", name="Commit").click()
    question.get_by_text("You said 30").wait_for()


def test_what_follows_a_question_is_marked_up_to_what_is_no_part_of_the_finding(source):
    page = (source / "html/chapter.html").read_text(encoding="utf-8")
    boxes = dict(re.findall(r'<pw-withheld data-of="([^"]*)">(.*?)</pw-withheld>', page, re.DOTALL))
    inside = {names: re.findall(r"(?:Held|Open) \w+", box) for names, box in boxes.items()}
    assert inside == {
        "one": ["Held 1", "Held 2"],
        "two": ["Held caption", "Held 5"],
        "three four": ["Held 10"],
        "five": ["Held 14", "Held 15"],
    }
    assert "<img" in boxes["two"]
    assert "Code of this figure" in boxes["two"]
    assert "Code of this question" not in "".join(boxes.values())


def test_it_shows_once_the_reader_commits_and_goes_with_the_guess(tab):
    held = tab.get_by_text("Held 1:")
    assert not held.is_visible()
    assert tab.get_by_text("Open 4").is_visible()
    commit(tab, "one")
    assert held.is_visible()
    assert tab.evaluate("document.activeElement.innerText") == "Take my guess back"
    assert not tab.get_by_text("Held 5").is_visible(), "another question's finding shows"
    tab.reload()
    assert held.is_visible(), "the guess that is kept does not count"
    tab.locator("#question-one").get_by_role("button", name="Take my guess back").click()
    held.wait_for(state="hidden")


def test_who_does_not_answer_reads_on_by_a_key_and_keeps_the_place(tab):
    tab.locator("#question-two").scroll_into_view_if_needed()
    button = tab.get_by_role("button", name="Read on without answering").nth(1)
    button.focus()
    tab.keyboard.press("Enter")
    assert tab.get_by_text("Held 5").is_visible()
    assert "Held 5" in tab.evaluate("document.activeElement.innerText"), "the focus is lost with the button"
    tab.reload()
    assert tab.get_by_text("Held 5").is_visible()
    assert not tab.get_by_text("Held 1:").is_visible()


def test_of_two_questions_in_a_row_both_are_answered_first(tab):
    commit(tab, "three")
    assert not tab.get_by_text("Held 10").is_visible()
    commit(tab, "four")
    assert tab.get_by_text("Held 10").is_visible()


def test_nothing_withheld_is_read_out_or_reached_by_a_key(tab):
    assert "Held 1" not in tab.locator("main").aria_snapshot()
    stops = set()
    for _ in range(60):
        tab.keyboard.press("Tab")
        stops.add(tab.evaluate("document.activeElement.innerText"))
    assert "ten" not in stops
    assert "Read on without answering" in stops
    found = axe.Axe().run(tab, context=".pw-article").response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []
    tab.troubles.clear()  # axe asks a file for its style sheets, which a browser refuses


def test_a_link_into_it_and_a_search_open_it(tab):
    tab.evaluate("location.hash = 'held-place'")
    place = tab.get_by_text("Held 14")
    place.wait_for()
    assert place.bounding_box()["y"] < 800
    for where, words in (("#held-place", "Held 14"), ("?find=giraffes#a-chapter", "giraffes")):
        tab.goto("about:blank")
        tab.goto(tab.address + where)
        tab.get_by_text(words).wait_for()
        assert not tab.get_by_text("Held 5").is_visible()


def test_nothing_moves_while_the_page_loads_whatever_is_kept(browser, source):
    context = browser.new_context(**PHONE)
    tab = context.new_page()
    tab.goto((source / "html/chapter.html").as_uri())
    # no figure comes alive, which moves a little
    tab.add_init_script("IntersectionObserver = class { observe() {} }; requestIdleCallback = undefined")
    tab.evaluate("localStorage.setItem('question-one', '30'); scrollTo(0, 600)")
    tab.reload()
    shift = tab.evaluate(
        """async () => {
          let shift = 0;
          const text = document.querySelector(".pw-article");
          const inside = ({ sources }) => sources.some(({ node }) => text.contains(node));
          const add = (list) => list.getEntries().filter(inside).forEach((entry) => (shift += entry.value));
          new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
          await new Promise((resolve) => setTimeout(resolve, 800));
          return shift;
        }"""
    )
    context.close()
    assert shift < 0.01


def test_where_nothing_may_be_kept_it_opens_all_the_same(browser, source):
    context = browser.new_context()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no'); } })"
    )
    tab = context.new_page()
    tab.goto((source / "html/chapter.html").as_uri())
    assert not tab.get_by_text("Held 1:").is_visible()
    commit(tab, "one")
    assert tab.get_by_text("Held 1:").is_visible()
    context.close()


def test_without_a_script_on_paper_and_in_an_e_book_all_of_it_stands_there(browser, tab, source):
    assert not tab.get_by_text("Held 5").is_visible()
    tab.emulate_media(media="print")
    assert tab.get_by_text("Held 5").is_visible()
    assert not tab.get_by_role("button", name="Read on without answering").first.is_visible()
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(tab.address)
    assert plain.get_by_text("Held 5").is_visible()
    context.close()
    build_small_book(source, source / "epub", "--epub")
    with zipfile.ZipFile(source / "epub/Pixelwise.epub") as book:
        text = book.read("chapter.xhtml").decode()
    assert "Held 5" in text
    assert withheld.ELEMENT not in text


def test_only_pages_that_withhold_have_the_script(source):
    first, asking = ((source / f"html/{page}.html").read_text(encoding="utf-8") for page in ("index", "chapter"))
    assert "withheld.js" not in first
    assert re.search(r'<script src="_static/withheld\.js[^>]*>', asking.partition('<link rel="stylesheet"')[0])
