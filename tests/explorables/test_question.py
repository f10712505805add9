"""Question: what it takes and refuses, its verdict against Python's, and committing by keys, with the guess kept."""

import html
import json
import re

import pytest
from axe_playwright_python import sync_playwright as axe
from traitlets import TraitError

from pixelwise import explorables
from tests.explorables.explorables import QUESTION, Claim, make

CHOICE = {
    "measured": {"as they come": [12.1, 13.0, 11.4], "ten times as often": [20.3, 21.1, 19.8], "wider": [48, 50.5, 47]},
    "answers": ("yes, mostly", "partly", "no"),
    "right": "partly",
    "scale": None,
}


def question(**changes):
    return explorables.Question("poles-rare", "Do poles fail because they are rare?", **QUESTION | CHOICE | changes)


@pytest.fixture(scope="module")
def call(functions):
    return functions("question", "read", "isRight", "finding", "ticks")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": (0, 60)}, "either answers to choose from or a scale"),
        ({"answers": (), "right": ""}, "either answers to choose from or a scale"),
        ({"answers": (), "right": "", "scale": (0, 60)}, "measured is a list"),
        ({"answers": (), "right": "", "scale": (60, 0), "measured": [1]}, "expected \\(low, high\\)"),
        ({"right": "maybe"}, "two to five different answers, one of them right"),
        ({"answers": ("partly",)}, "two to five different answers"),
        ({"answers": ("no", "no", "partly")}, "two to five different answers"),
        ({"claims": []}, "needs a claim that settles it"),
        ({"verdict": ""}, "needs a claim that settles it, a verdict"),
        ({"not_shown": ""}, "what is not shown"),
        ({"measured": {"x" * 41: [1]}}, "labels of more than 40 signs"),
        ({"measured": {"one": [float("nan")], "two": []}}, "nothing that is a finite number"),
    ],
)
def test_a_question_that_contradicts_itself_is_refused(changes, message):
    with pytest.raises(ValueError, match=message) as caught:
        question(**changes)
    assert "\n" not in str(caught.value)


def test_a_guess_is_one_of_the_answers_or_lies_on_the_scale():
    assert question(guess="no").guess == "no"
    with pytest.raises(TraitError, match="expected one of yes, mostly, partly, no"):
        question(guess="perhaps")
    assert make("Question", guess="12").guess == "12"
    for wrong in ("61", "nan", "many"):
        with pytest.raises(TraitError, match="expected a number from 0 to 60"):
            make("Question", guess=wrong)


def test_values_that_do_not_exist_are_left_out():
    assert question(measured={"one": [0.123456, float("nan")], "two": []}).measured == [["one", [0.1235]], ["two", []]]


@pytest.mark.parametrize(("scale", "step"), [((0, 60), 0.5), ((0, 100), 1), ((-1, 1), 0.02), ((0, 2000), 20)])
def test_a_scale_has_a_hundred_places_or_more_and_a_round_step(scale, step):
    assert make("Question", scale=scale).scale == [*scale, step]


def test_the_record_holds_the_answer_in_a_box_that_opens_and_the_state():
    asked = question()
    element = asked.still("A hint.")
    assert element.startswith('<div class="pw-explorable" data-explorable="question" data-name="question-poles-rare" ')
    assert json.loads(html.unescape(re.search(r'data-state="([^"]*)"', element)[1])) == asked.state
    closed, box = element.split("<details>")
    assert "Do poles fail" in closed
    assert "ten times as often" not in re.sub('data-state="[^"]*"', "", closed)
    for words in (
        "Partly. Ten times as many poles bring",
        "another network",
        "(measured 8.5, 9.2, 7.9; at most 12",
        "<img",
    ):
        assert words in box


def test_a_run_that_settles_nothing_has_no_verdict(call):
    for state in ("not checked at this budget", "does not hold"):
        asked = question(claims=[Claim(), Claim(state=state)])
        assert "Ten times as many" not in re.sub('data-state="[^"]*"', "", asked.still(""))
        assert "This run does not settle it" in asked.still("")
        words = call("finding", "partly", asked.state)
        assert words == f"You said partly. This run does not settle it: “{Claim.sentence}” is {state}."


def test_the_front_end_reads_and_judges(call):
    choice, scale = question().state, make("Question").state
    assert [call("read", text, choice) for text in ("partly", "Partly", "", "__proto__")] == ["partly", "", "", ""]
    texts = ("12", "12.4", "1e9", "-3", "", " ", "NaN", "0x10", "twelve")
    assert [call("read", text, scale) for text in texts] == ["12", "12.5", "60", "0", "", "", "", "16", ""]
    assert [call("isRight", text, choice) for text in ("partly", "no")] == [True, False]
    # a tenth of the scale is six points, the seeds are 7.9 to 9.2
    assert [call("isRight", text, scale) for text in ("1.5", "2", "9", "15", "15.5")] == [
        False,
        True,
        True,
        True,
        False,
    ]


def test_what_it_says_ends_with_the_verdict(call):
    choice, scale = question().state, make("Question").state
    assert call("finding", "", choice) == ""
    assert call("finding", "partly", choice) == f"Your guess is right. {choice['verdict']}"
    assert call("finding", "no", choice) == f"Your guess is wrong. {choice['verdict']}"
    assert call("finding", "9", scale) == (f"You said 9; measured was 8.5, 9.2, 7.9: close enough. {scale['verdict']}")
    assert "further off than a tenth of the scale" in call("finding", "40", scale)


@pytest.mark.parametrize("axis", [(0, 60), (11.4, 50.5), (0.0001, 0.0002), (-3, 4), (1000, 2500000)])
def test_ticks_are_round_and_few(call, axis):
    found = call("ticks", *axis)
    assert 3 <= len(found) <= 8
    assert axis[0] <= found[0] < found[-1] <= axis[1]
    assert [float(f"{value:.2g}") for value in found] == found


def says(tab, words):
    tab.locator(".pw-finding", has_text=re.compile(words)).wait_for(timeout=20_000)


def test_committing_by_keys_shows_what_was_measured_and_can_be_taken_back(open_live):
    tab = open_live(question())
    for withheld in ("ten times as often", "bring less than twelve", "another network"):
        assert withheld not in tab.locator(".pw-explorable").inner_text()
    tab.get_by_role("button", name="Commit and see").focus()
    tab.keyboard.press("Enter")
    says(tab, "Choose an answer first")
    tab.keyboard.press("Space")  # the focus went to the first answer
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    says(tab, "Your guess is wrong. Ten times as many poles")
    assert tab.evaluate("document.activeElement.innerText") == "Take my guess back"
    assert tab.locator(".seed").count() == 9
    chart = tab.get_by_role("img", name=re.compile("as they come 12.1, 13, 11.4; ten times.*Your guess: no"))
    assert chart.is_visible()
    assert tab.get_by_role("radio", name=re.compile("^no.*your guess")).is_disabled()
    assert tab.locator(".answer", has_text="partly").inner_text().endswith("✓ as measured")
    assert tab.locator(".answer", has_text="no").inner_text().endswith("⚑ your guess · ✗ not as measured")
    for shown in ("another network", "Poles gain less than 12 points (measured 8.5"):
        assert shown in tab.locator(".pw-explorable").inner_text()
    tab.keyboard.press("Enter")
    chart.wait_for(state="hidden")
    assert tab.get_by_role("radio", name="no", exact=True).is_enabled()
    assert tab.evaluate("localStorage.getItem('question-poles-rare')") is None
    assert tab.troubles == []


def test_the_guess_is_kept_on_this_machine_and_shown_beside_the_seeds(open_live):
    tab = open_live(make("Question"), hash="#question-poles-gain.answer=40")
    tab.get_by_role("button", name="Commit").click()
    says(tab, "You said 40; measured was 8.5, 9.2, 7.9: further off")
    assert "your guess, 40" in tab.locator(".chart").text_content()
    tab.reload()
    tab.locator(".pw-explorable").scroll_into_view_if_needed()
    says(tab, "You said 40")
    assert tab.get_by_role("slider").is_disabled()
    tab.evaluate("localStorage.setItem('question-poles-gain', 'nonsense')")
    tab.reload()
    tab.locator(".pw-explorable").scroll_into_view_if_needed()
    tab.get_by_role("button", name="Commit and see").wait_for()
    assert tab.get_by_role("slider").is_enabled()
    assert tab.troubles == []


def test_a_slider_that_was_not_moved_is_no_guess(open_live):
    tab = open_live(make("Question"))
    tab.get_by_role("button", name="Commit").click()
    says(tab, "Move the slider first")
    assert tab.get_by_role("slider").get_attribute("aria-valuetext") == "none yet"
    assert tab.evaluate("localStorage.getItem('question-poles-gain')") is None
    tab.keyboard.press("ArrowRight")  # the slider has the focus
    tab.get_by_role("button", name="Commit").click()
    says(tab, "You said 30.5")


def test_it_works_where_nothing_may_be_kept(open_page):
    tab = open_page(question())
    tab.evaluate("Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no'); } })")
    tab.locator(".pw-explorable").scroll_into_view_if_needed()
    tab.get_by_role("radio", name="partly").check()
    tab.get_by_role("button", name="Commit").click()
    says(tab, "Your guess is right")
    assert tab.troubles == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_answered_question_shuts_nobody_out_and_fits_a_phone(open_live, theme):
    tab = open_live(question(), policy="", viewport={"width": 360, "height": 700}, reduced_motion="reduce")
    tab.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
    tab.get_by_role("radio", name="no").check()
    tab.get_by_role("button", name="Commit").click()
    says(tab, "Your guess is wrong")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    found = axe.Axe().run(tab, context=".pw-explorable").response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []


def test_on_paper_the_answer_stands_below_a_question_that_nobody_answered(open_live):
    tab = open_live(question())
    answer = tab.get_by_text("Measured: partly. Ten times as many poles")
    assert not answer.is_visible()
    tab.emulate_media(media="print")
    assert answer.is_visible()
    assert tab.locator(".chart").is_visible()
    assert not tab.get_by_role("button", name="Commit").is_visible()


def test_python_reads_and_sets_the_guess(monkeypatch):
    monkeypatch.delenv("PIXELWISE_RECORDING", raising=False)
    asked = question()
    asked.widget.set_state({"guess": "no"})  # what a message from the browser does
    assert asked.guess == "no"
    asked.guess = ""
    assert asked.widget.guess == ""
