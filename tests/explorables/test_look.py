"""How figures are laid out: what is seen first, its finding, then what a hand moves, then boxes that open."""

import re

import pytest
from playwright.sync_api import expect

from pixelwise import explorables
from tests.explorables.explorables import make

OTHERS = ("Curve", "Photo", "Question")  # a desk to work at, and a text
FIGURES = [name for name in explorables.__all__ if name not in OTHERS]
COLUMN = {
    "viewport": {"width": 848, "height": 800}
}  # 736 px between the margins of page and figure, as the page's text
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
HEIGHT = "(element) => element.getBoundingClientRect().height"


def settled(tab):
    tab.wait_for_timeout(400)  # the finding is written once the hand has rested
    return tab


@pytest.fixture(scope="module", params=FIGURES)
def column(request, keep_live):
    """The page of each figure in turn, alive and a column wide, and the figure's name."""
    with keep_live(make(request.param), **COLUMN) as tab:
        yield request.param, settled(tab)


def test_what_is_seen_comes_first_and_the_rest_below_it(column):
    _, tab = column
    tops = tab.evaluate(
        """() => {
          const live = document.querySelector(".pw-live");
          const parts = [".views, .picture, .chart", ":scope > .pw-finding", ".pw-panel", ".pw-more"];
          return parts.map((part) => live.querySelector(part).getBoundingClientRect().top);
        }"""
    )
    assert tops == sorted(tops)
    assert tab.locator(".pw-live details[open]").count() == 0
    assert not any(table.is_visible() for table in tab.locator(".pw-more table").all())


def test_it_fits_one_screen(column, open_live):
    """Whichever of its buttons is pressed: on a laptop with its controls, on a phone without them."""
    name, tab = column
    tall = {"": tab.locator(".pw-live").evaluate(HEIGHT)}
    for button in tab.locator(".pw-choices button").all():
        button.click()
        tall[button.inner_text()] = settled(tab).locator(".pw-live").evaluate(HEIGHT)
    assert max(tall.values()) <= 620, tall
    tab = settled(open_live(make(name), **PHONE))
    without = [tab.locator(part).evaluate(HEIGHT) for part in (".pw-live", ".pw-panel", ".pw-more")]
    assert without[0] - without[1] - without[2] <= 844


def test_few_stops_lie_on_the_way_through(column):
    _, tab = column
    stops = tab.locator(
        ".pw-live :is(button, input, select, summary, [tabindex='0']):not([type=radio]:not(:checked), [tabindex='-1'])"
    )
    assert sum(stop.is_visible() for stop in stops.all()) <= 20


def test_a_row_of_choices_is_one_tab_stop_and_arrows_lead_through_it(open_live):
    tab = settled(open_live(make("SkipOrNot")))
    rows = tab.get_by_role("toolbar")
    assert rows.count() == 3
    for row in rows.all():
        assert row.locator("[tabindex='0']").count() == 1
        assert row.locator("[tabindex='0'][aria-pressed=true]").count() == 1
    row = rows.filter(has_text="residual")
    before = row.locator("[tabindex='0']").inner_text()
    row.locator("[tabindex='0']").focus()
    tab.keyboard.press("ArrowRight")
    after = tab.evaluate("document.activeElement.innerText")
    assert after != before
    assert row.locator("[aria-pressed=true]").inner_text() == before, "an arrow presses nothing"
    tab.keyboard.press("Enter")
    row.locator("[aria-pressed=true]", has_text=after).wait_for(timeout=20_000)
    assert row.locator("[tabindex='0']").count() == 1
    tab.keyboard.press("ArrowLeft")
    assert tab.evaluate("document.activeElement.innerText") == before


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_pressed_button_is_filled(open_live, theme):
    tab = open_live(make("SkipOrNot"))
    tab.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
    ground = "(button) => getComputedStyle(button).backgroundColor"
    tab.get_by_role("button", name="residual").click()
    pressed = tab.locator("button[aria-pressed=true]", has_text="residual")
    pressed.wait_for(timeout=20_000)
    assert pressed.evaluate(ground) != "rgba(0, 0, 0, 0)"
    assert tab.get_by_role("button", name="none (plain)").evaluate(ground) == "rgba(0, 0, 0, 0)"


def test_the_finding_stays_in_sight_while_the_controls_are_used(open_live):
    tab = settled(open_live(make("OverlapLab"), viewport={"width": 390, "height": 500}))
    finding = tab.locator(".pw-live > .pw-finding")
    for place in (".picture", ".pw-panel .pw-settings"):
        tab.locator(place).evaluate("(element) => element.scrollIntoView({ block: 'center' })")
        box = finding.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 500


def test_a_met_challenge_is_announced_while_its_box_is_closed_and_only_when_it_is_met_just_now(open_page):
    met = "#receptive-field-builder.layers=3+3d3+3d9"
    tab = open_page(make("ReceptiveFieldBuilder"), hash=met)
    tab.locator(".pw-live").wait_for(timeout=20_000)
    line, count = tab.locator(".pw-met[role=status]"), tab.locator("summary", has_text="Challenges")
    assert settled(tab).locator("summary", has_text="Challenges: 1 of 3 met").is_visible()
    assert line.inner_text() == ""  # it was met before anybody did anything
    tab.get_by_role("button", name="2, 2, 2").click()
    count.filter(has_text="0 of 3").wait_for(timeout=20_000)
    tab.evaluate("(met) => { location.hash = met; }", met + "&receptive-field-builder.unit=1")
    line.filter(has_text="✓ Challenge met: Three 3×3 layers of stride 1").wait_for(timeout=20_000)
    tab.get_by_role("button", name="1, 1, 1").click()
    expect(line).to_have_text("")


def test_words_that_are_only_heard_run_on_in_one_line(open_live):
    """A page that wraps prettily would break them into a column of one pixel, and their words would run together."""
    tab = settled(open_live(make("AsppTaps"), policy=""))
    tab.add_style_tag(content="p { text-wrap: pretty }")
    heard = tab.locator(".unseen > p[role=status]")
    assert heard.evaluate("(p) => p.getBoundingClientRect().height < 2 * parseFloat(getComputedStyle(p).lineHeight)")


@pytest.mark.parametrize("width", [360, 848])
def test_a_number_and_its_unit_stay_together(open_live, width):
    tab = open_live(make("UnetSizes"), viewport={"width": width, "height": 800})
    for value in tab.locator(".pw-slider b").all():
        assert value.evaluate(HEIGHT) < 30, value.inner_text()


def test_networks_are_named_where_they_stand(open_live):
    tab = open_live(make("ParetoFront"), **COLUMN)
    names = tab.locator("svg .net text")
    assert sorted(names.all_text_contents()) == sorted(f"net {letter}" for letter in "ABCDEFG")
    boxes = [name.bounding_box() for name in names.all()]
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            apart = abs(a["x"] - b["x"]) >= min(a["width"], b["width"]) * 0.9
            assert apart or abs(a["y"] - b["y"]) >= 10


def test_prices_have_round_ticks(functions):
    call = functions("pareto-front", "roundBetween")
    assert call("roundBetween", 0.47, 6.2) == [0.5, 1, 2, 5]
    assert call("roundBetween", 3, 45) == [5, 10, 20]
    assert call("roundBetween", 0.04, 4000) == [0.1, 1, 10, 100, 1000]


def test_skip_or_not_draws_two_networks_and_names_them(open_live):
    tab = open_live(make("SkipOrNot"))
    tab.locator("svg .now").first.wait_for(timeout=20_000)
    for chart in tab.locator("svg.chart").all():
        assert chart.locator(".mean").count() == 2
        assert sorted(chart.locator(".name").all_text_contents()) == ["plain-32", "residual-32"]


def test_overlap_lab_shows_what_a_flat_picture_becomes(open_live):
    tab = open_live(make("OverlapLab"))
    strengths = "[...document.querySelectorAll('.flat path')].map((path) => path.getAttribute('fill-opacity'))"
    tab.locator(".verdict", has_text="Checkerboard").wait_for(timeout=20_000)
    assert len(set(tab.evaluate(strengths))) == 3
    tab.get_by_role("button", name="even overlap", exact=True).click()
    tab.locator(".verdict.flat", has_text="Flat").wait_for(timeout=20_000)
    assert len(set(tab.evaluate(strengths))) == 1


def test_pictures_are_stacked_on_a_phone(open_live):
    for width, stacked in ((390, True), (848, False)):
        tab = open_live(make("HypercolumnProbe"), viewport={"width": width, "height": 844})
        scene, similar = (tab.locator(".views canvas").nth(i).bounding_box() for i in (0, 1))
        assert (similar["y"] >= scene["y"] + scene["height"]) is stacked
        instruction = tab.get_by_text(re.compile("^Click any place"))
        assert instruction.first.bounding_box()["y"] < scene["y"]
