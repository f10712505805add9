"""The wall of questions, from a chapter's stored output to the reader's score."""

import json
import re
from xml.etree import ElementTree

import pytest
from axe_playwright_python import sync_playwright as axe
from nbformat.v4 import new_code_cell, new_output
from PIL import Image

from book.extensions import questions
from book.extensions.gallery import recorded
from pixelwise import explorables
from tests.explorables.explorables import QUESTION, Claim
from tests.helpers.notebooks import build_small_book, save, sound_notebook, write_book
from tools import reading


def asking(**questions):
    """A notebook that makes a claim and then asks these questions, each of which rests on it."""
    notebook = sound_notebook()
    del notebook["metadata"]["pixelwise"]  # a stamp shows on the page, which is no matter here
    box = '<div class="pw-claim pw-holds">.</div>'
    claim = {"name": Claim.name, "sentence": Claim.sentence, "state": Claim.state}
    shown = [{reading.CLAIM: claim, "text/html": box, "text/plain": "."}]
    shown += [
        {"text/html": explorables.Question(key, text, **QUESTION).still("A hint."), "text/plain": "."}
        for key, text in questions.items()
    ]
    for count, data in enumerate(shown, 4):
        outputs = [dict(new_output("display_data", data))]
        notebook["cells"].append(dict(new_code_cell("ask()", execution_count=count, outputs=outputs)))
    return notebook


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A book of a chapter that asks three questions, one that asks none, and the wall."""
    folder = tmp_path_factory.mktemp("book")
    (folder / "chapters").mkdir()
    files = "".join(f"{{file: chapters/{name}}}, " for name in ("asks", "asks_not", "questions"))
    write_book(
        folder,
        f"format: jb-book\nroot: index\nchapters: [{files}]\n",
        "# Contents\n\n```{questions}\n:only: two\n```\n",
    )
    (folder / "chapters/questions.md").write_text("# What do you believe?\n\n```{questions}\n:first: three\n```\n")
    save(asking(), folder / "chapters/asks_not.ipynb")
    asks = asking(one="How much is ten times one?", two="How much is ten times two?", three="Is ten < 4 & > 2?")
    save(asks, folder / "chapters/asks.ipynb")
    build_small_book(folder, folder / "html")
    return folder / "html"


def test_every_question_stands_on_the_wall_and_in_its_chapter_at_its_own_address(site):
    wall, chapter = ((site / f"chapters/{page}.html").read_text(encoding="utf-8") for page in ("questions", "asks"))
    for key in ("one", "two", "three"):
        for page in (wall, chapter):
            assert page.count(f'id="question-{key}"') == 1
            assert f'href="../questions/{key}.html"' in page
        assert f'href="asks.html#question-{key}"' in wall
    assert re.findall('<section id="(questions-[^"]+)', wall) == ["questions-first", "questions-asks"]
    assert wall.index('id="question-three"') < wall.index('id="question-one"'), "a surprise is not first"
    chosen = (site / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'id="question-(\w+)"', chosen) == ["two"]
    assert 'href="questions/two.html"' in chosen
    assert "questions-wall.js" in wall
    assert "questions.js" in chosen
    assert "wall" not in "".join(re.findall("<script[^>]*>", chosen))
    assert "explorables.js" not in wall
    assert re.search(r'<img [^>]*loading="lazy"', wall)
    assert recorded(["chapters/asks"], site.parent) == {}, "a question is no figure of the gallery"


def test_a_question_is_shared_by_a_page_whose_card_withholds_the_answer(site):
    places = [place.text for place in ElementTree.parse(site / "sitemap.xml").iter() if place.tag.endswith("loc")]
    text = (site / "questions/three.html").read_text(encoding="utf-8")
    head = text.partition("</head>")[0]
    card, title, description, address = (
        re.search(f'property="og:{kind}" content="([^"]*)"', head)[1]
        for kind in ("image", "title", "description", "url")
    )
    assert title == "Is ten &lt; 4 &amp; &gt; 2?"
    assert description == "Guess, then see what was measured: a number from 0 to 60."
    assert QUESTION["verdict"] not in head
    assert address in places
    assert address.endswith("/questions/three.html")
    assert "http-equiv=refresh" not in head.replace('"', "")
    with Image.open(site / "_static/cards" / card.rpartition("/")[2]) as picture:
        assert picture.size == (1200, 630)
    assert 'href="../chapters/asks.html#question-three"' in text
    assert 'href="two.html"' in text, "it does not lead to the question before"


def test_a_question_that_says_more_than_its_chapter_asserts_stops_the_build(tmp_path):
    notebook = asking(one="How much is ten times one?")
    assert [one.name for one in questions.read(save_book(notebook, tmp_path), tmp_path / "_toc.yml")] == ["one"]
    notebook["cells"] = [cell for cell in notebook["cells"] if reading.CLAIM not in json.dumps(cell)]
    with pytest.raises(ValueError, match=r"asks\.ipynb: code cell 4 asks 'one', but no cell above it claims"):
        questions.read(save_book(notebook, tmp_path), tmp_path / "_toc.yml")


def save_book(notebook, folder):
    """A folder with one chapter."""
    (folder / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters: [{file: asks}]\n")
    save(notebook, folder / "asks.ipynb")
    return folder


def test_a_question_is_answered_on_its_own_page_and_the_guess_counts_on_the_wall(browser, site):
    context = browser.new_context(viewport={"width": 360, "height": 800})
    tab = context.new_page()
    troubles = []
    tab.on("console", lambda message: troubles.append(message.text))
    tab.goto((site / "questions/one.html").as_uri())
    assert tab.locator("h1").inner_text() == "How much is ten times one?"
    tab.get_by_role("group", name="How much is ten times one?").get_by_role("slider").fill("10")
    tab.get_by_role("button", name="Commit").click()
    tab.get_by_text("You said 10; measured").wait_for()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    assert troubles == []
    found = axe.Axe().run(tab, context="main").response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []
    tab.get_by_role("link", name="one page").click()
    tab.get_by_text("You have answered 1 of 3, 1 of them as it was measured.").wait_for()
    context.close()


def test_the_wall_keeps_the_readers_score(browser, site):
    context = browser.new_context(viewport={"width": 360, "height": 800})
    tab = context.new_page()
    troubles = []
    tab.on("console", lambda message: troubles.append(message.text))
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.goto((site / "chapters/questions.html").as_uri())
    score = tab.locator(".pw-score")
    assert score.inner_text() == "You have not answered any yet."
    first, second = (tab.locator(f"#question-{key}") for key in ("one", "two"))
    first.get_by_role("slider").fill("10")
    first.get_by_role("button", name="Commit").click()
    assert score.inner_text() == "You have answered 1 of 3, 1 of them as it was measured."
    second.scroll_into_view_if_needed()
    second.get_by_role("slider").fill("30")
    second.get_by_role("button", name="Commit").click()
    assert score.inner_text() == "You have answered 2 of 3, 1 of them as it was measured."
    second.get_by_role("button", name="Take my guess back").click()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    assert troubles == []
    found = axe.Axe().run(tab, context="main").response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []
    troubles.clear()  # axe asks a file for its style sheets, which a browser refuses
    tab.get_by_label("only what I have not answered").check()
    assert (first.is_visible(), second.is_visible()) == (False, True)
    tab.get_by_label("Show").select_option("A chapter")
    assert second.is_visible()
    tab.goto((site / "chapters/asks.html").as_uri() + "#question-one")
    first.get_by_text("You said 10; measured").wait_for()
    assert troubles == []
    context.close()


def test_neither_the_wall_nor_a_questions_page_needs_a_script(browser, site):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    for page in ("chapters/questions", "questions/two"):
        tab.goto(f"{(site / page).as_uri()}.html#question-two")
        answer = tab.locator("#question-two").get_by_text("Ten times as many poles bring less")
        assert not answer.is_visible()
        tab.locator("#question-two summary").click()
        assert answer.is_visible()
    context.close()
