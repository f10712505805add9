"""The wall of questions, from a chapter's stored output to the reader's score."""

import re
import shutil

import pytest
from axe_playwright_python import sync_playwright as axe
from nbformat.v4 import new_code_cell, new_output

from book.extensions.gallery import recorded
from pixelwise import explorables
from tests.explorables.explorables import QUESTION
from tests.helpers.notebooks import build_book, save, sound_notebook
from tools import stamp


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A book of a chapter that asks two questions, one that asks none, and the wall."""
    folder = tmp_path_factory.mktemp("book")
    shutil.copy(stamp.ROOT / "_config.yml", folder)
    (folder / "book").symlink_to(stamp.ROOT / "book")
    (folder / "_toc.yml").write_text(
        "format: jb-book\nroot: index\nchapters: [{file: asks}, {file: asks_not}, {file: questions}]\n"
    )
    (folder / "index.md").write_text("# Contents\n\n```{questions}\n:only: two\n```\n")
    (folder / "questions.md").write_text("# What do you believe?\n\n```{questions}\n```\n")
    notebook = sound_notebook()
    del notebook["metadata"]["pixelwise"]  # a stamp shows on the page, which is no matter here
    save(notebook, folder / "asks_not.ipynb")
    for count, key in enumerate(("one", "two"), 4):
        element = explorables.Question(key, f"How much is {key}?", **QUESTION).still("A hint.")
        shown = dict(new_output("display_data", {"text/html": element, "text/plain": "."}))
        notebook["cells"].append(dict(new_code_cell("ask()", execution_count=count, outputs=[shown])))
    save(notebook, folder / "asks.ipynb")
    build_book(folder, folder / "html")
    return folder / "html"


def test_every_question_stands_on_the_wall_and_in_its_chapter_at_its_own_address(site):
    wall, chapter = ((site / page).read_text(encoding="utf-8") for page in ("questions.html", "asks.html"))
    for key in ("one", "two"):
        for page in (wall, chapter):
            assert page.count(f'id="question-{key}"') == 1
        assert f'href="asks.html#question-{key}"' in wall
    assert wall.count('<section id="questions-') == 1
    chosen = (site / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'id="question-(\w+)"', chosen) == ["two"]
    assert "explorables.js" in wall
    assert re.search(r'<img [^>]*loading="lazy"', wall)
    assert recorded(["asks"], site.parent) == {}, "a question is no figure of the gallery"


def test_the_wall_keeps_the_readers_score(browser, site):
    context = browser.new_context(viewport={"width": 360, "height": 800})
    tab = context.new_page()
    troubles = []
    tab.on("console", lambda message: troubles.append(message.text))
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.goto((site / "questions.html").as_uri())
    score = tab.locator(".pw-score")
    assert score.inner_text() == "2 questions, and you have not answered any yet."
    first, second = (tab.locator(f"#question-{key}") for key in ("one", "two"))
    first.get_by_role("slider").fill("10")
    first.get_by_role("button", name="Commit").click()
    assert score.inner_text() == "You have answered 1 of 2 questions, 1 of them as it was measured."
    second.scroll_into_view_if_needed()
    second.get_by_role("button", name="Commit").click()  # in the middle, at 30
    assert score.inner_text() == "You have answered 2 of 2 questions, 1 of them as it was measured."
    second.get_by_role("button", name="Take my guess back").click()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    assert troubles == []
    found = axe.Axe().run(tab, context="main").response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []
    troubles.clear()  # axe asks a file for its style sheets, which a browser refuses
    tab.get_by_label("only what I have not answered").check()
    assert (first.is_visible(), second.is_visible()) == (False, True)
    tab.goto((site / "asks.html").as_uri() + "#question-one")
    first.get_by_text("You said 10 (points of pole IoU)").wait_for()
    assert troubles == []
    context.close()


def test_the_wall_needs_no_script(browser, site):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto((site / "questions.html").as_uri() + "#question-two")
    answer = tab.locator("#question-two").get_by_text("Ten times as many poles bring less")
    assert not answer.is_visible()
    tab.locator("#question-two summary").click()
    assert answer.is_visible()
    context.close()
