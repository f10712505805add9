"""Curve: what it takes and refuses, its distance against numpy's, and drawing by keys and by hand, with it kept."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect
from traitlets import TraitError

from tests.explorables.explorables import CURVE, Claim, make


@pytest.fixture(scope="module")
def call(functions):
    return functions("curve", "read", "distance", "isRight", "course", "finding")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"over": ("layers", [8, 20])}, "three to twelve different places"),
        ({"over": ("layers", [8, 20, 20, 32])}, "three to twelve different places"),
        ({"measured": {"seed 0": [0.1, 0.2]}}, "other numbers of values for seed 0"),
        ({"scale": (0, 0.5)}, "not on its scale"),
        ({"claims": []}, "needs a claim that settles it"),
    ],
)
def test_a_curve_that_contradicts_itself_is_refused(changes, message):
    with pytest.raises(ValueError, match=message) as caught:
        make("Curve", **changes)
    assert "\n" not in str(caught.value)


def test_a_guess_has_a_number_on_the_scale_for_each_place():
    assert make("Curve", guess="0.5 0.4 0.2 0").guess == "0.5 0.4 0.2 0"
    for wrong in ("0.5 0.4 0.2", "0.5 0.4 0.2 2", "0.5 0.4 0.2 much", "nan nan nan nan"):
        with pytest.raises(TraitError, match="expected 4 numbers from 0 to 1"):
            make("Curve", guess=wrong)


def test_the_record_says_what_to_draw_and_withholds_what_was_measured():
    closed, box = make("Curve").still("A hint.").split("<details>")
    assert "<li>A curve over layers, from 8 to 56</li>" in closed
    assert "seed 0" not in re.sub('data-state="[^"]*"', "", closed)
    assert "It falls." in box
    assert "cosine at 8, 20, 32, 56 layers: seed 0 0.8, 0.4, 0.1, 0.05" in box


def test_the_distance_is_the_mean_distance_from_the_mean_of_the_seeds(call):
    state = make("Curve").state
    drawn = [0.5, 0.5, 0.5, 0.5]
    apart = np.abs(np.array(drawn) - np.mean(list(CURVE["measured"].values()), 0))
    found = call("distance", drawn, state)
    assert found["off"] == pytest.approx(apart.mean())
    assert found["worst"] == apart.argmax() == 3
    assert [call("isRight", [0.85 + off, 0.45, 0.15, 0.1], state) for off in (0, 0.15, 0.45)] == [True, True, False]


def test_the_front_end_reads_what_is_a_curve_and_nothing_else(call):
    state = make("Curve").state
    assert call("read", "0.5 0.404 7 -1", state) == [0.5, 0.4, 1, 0]
    for text in ("", "constructor", "1 2 3", "1 2 3 x", "NaN NaN NaN NaN", None, "0 " * 5000):
        assert call("read", text, state) == []


def test_it_says_the_course_and_the_distance_in_words(call):
    state = make("Curve").state
    assert [call("course", values, [0, 1]) for values in ([0, 1, 0.04], [0, 0.06], [0.5, 0.1])] == [
        "ends where it begins", "rises", "falls",
    ]  # fmt: skip
    assert call("finding", [0.5, 0.5, 0.5, 0.5], state) == (
        "Your curve ends where it begins; what was measured falls. It is off by 0.29 on average, further off than a "
        "tenth of the scale; most at 56 layers, where you drew 0.5 and measured was 0.1. It falls."
    )
    assert call("finding", [0.8, 0.5, 0.2, 0.1], state).startswith("Your curve falls, as measured. It is off by 0.0")
    unsettled = make("Curve", claims=[Claim(state="does not hold")]).state
    assert "This run does not settle it" in call("finding", [0.5, 0.5, 0.5, 0.5], unsettled)


def says(tab, words):
    tab.locator(".pw-finding", has_text=re.compile(words)).wait_for(timeout=20_000)


def test_drawn_by_keys_and_committed_it_shows_what_was_measured_and_can_be_taken_back(open_live):
    tab = open_live(make("Curve"))
    says(tab, "Draw the curve")
    tab.get_by_role("button", name="Commit").press("Enter")
    says(tab, "Draw a curve first")
    first = tab.get_by_role("slider").first
    assert tab.evaluate("document.activeElement.getAttribute('aria-label')") == "cosine at 8 layers"
    tab.keyboard.press("End")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Home")
    expect(tab.get_by_role("slider").nth(1)).to_have_attribute("aria-valuenow", "0")
    assert first.get_attribute("aria-valuenow") == "0.98"
    assert tab.locator(".knob[tabindex='0']").count() == 1
    assert tab.locator(".mean").count() == 0
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    says(tab, "Your curve falls, as measured")
    assert tab.locator(".seed").count() == 2
    assert "another network may gain more" in tab.locator(".pw-explorable").inner_text()
    tab.get_by_role("button", name="Take my guess back").press("Enter")
    says(tab, "Draw the curve")
    assert tab.locator(".mean").count() == 0
    assert tab.evaluate("localStorage.getItem('question-agreement')") is None
    assert tab.troubles == []


def test_drawn_by_hand_it_follows_the_hand_and_is_kept(open_live):
    tab = open_live(make("Curve"))
    tab.locator(".chart").scroll_into_view_if_needed()
    box = tab.locator(".chart").bounding_box()
    tab.mouse.move(box["x"] + 0.15 * box["width"], box["y"] + 0.2 * box["height"])
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.8 * box["height"])  # at once, past two places
    tab.mouse.up()
    expect(tab.locator(".line.ahead")).to_have_count(0)
    values = [float(knob.get_attribute("aria-valuenow")) for knob in tab.get_by_role("slider").all()]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 4
    tab.get_by_role("button", name="Commit").click()
    says(tab, "Your curve falls")
    tab.reload()
    tab.locator(".pw-explorable").scroll_into_view_if_needed()
    says(tab, "Your curve falls")
    tab.mouse.click(box["x"] + 20, box["y"] + 20)
    after = [float(knob.get_attribute("aria-valuenow")) for knob in tab.get_by_role("slider").all()]
    assert after == values, "a curve that is committed to can still be moved"
    assert tab.troubles == []
