"""What holds for every explorable, whatever it shows: how it starts, looks, fits, and answers."""

import base64
import re
from urllib.parse import urlencode

import numpy as np
import pytest

from pixelwise import explorables
from tests.explorables.explorables import make

EVERY = pytest.mark.parametrize("name", explorables.__all__)
THEMES = ("light", "dark")
PUT_ON = "(theme) => { document.documentElement.dataset.theme = theme; }"


@pytest.fixture(scope="module", params=explorables.__all__)
def live(request, keep_live):
    """The page of each explorable in turn, alive, for all the tests that work at it."""
    explorable = make(request.param)
    with keep_live(explorable) as tab:
        yield explorable, tab


def test_where_the_browser_tells_of_no_idle_time_it_starts_when_scrolled_into_view(open_page):
    tab = open_page(make("AsppTaps"), viewport={"width": 1001, "height": 1400})  # a tab of its own
    tab.add_init_script("globalThis.requestIdleCallback = undefined")
    tab.reload()
    tab.wait_for_timeout(150)
    assert tab.locator(".pw-live").count() == 0
    tab.locator(".pw-explorable").scroll_into_view_if_needed()
    tab.locator(".pw-live").wait_for(timeout=20_000)


@EVERY
def test_it_starts_unseen_when_the_browser_is_idle(open_page, name):
    tab = open_page(make(name))
    tab.locator(".pw-live").wait_for(state="attached", timeout=20_000)
    assert tab.evaluate("scrollY") == 0
    assert tab.locator(".pw-explorable figure > img").count() == 0
    assert "still picture" not in tab.locator(".pw-explorable figcaption").last.inner_text()
    if name == "Question":  # it has nothing to say before there is a guess
        tab.get_by_role("slider").press("ArrowRight")
        tab.get_by_role("button", name="Commit and see").click()
    tab.locator(".pw-live [role=status]", has_text=re.compile(".{20}")).first.wait_for(timeout=20_000)
    assert tab.troubles == []


@EVERY
def test_without_javascript_the_picture_stays(open_page, name):
    explorable = make(name)
    tab = open_page(explorable, java_script_enabled=False)
    for summary in tab.locator(".pw-explorable summary").all():
        assert not tab.locator(".pw-explorable img").is_visible()
        summary.click()
    assert tab.locator(".pw-explorable img").is_visible()
    assert explorable.caption in tab.locator("figcaption").inner_text()
    assert len(explorable.alt()) > 60


@EVERY
def test_the_still_picture_is_light(name):
    picture = re.search(r'base64,([^"]*)', make(name).still(""))[1]
    assert len(base64.b64decode(picture)) <= 60_000


@EVERY
def test_it_fits_a_phone_and_follows_the_theme(open_live, name):
    tab = open_live(
        make(name), viewport={"width": 360, "height": 700}, color_scheme="dark", reduced_motion="reduce", has_touch=True
    )
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    for theme in THEMES:
        tab.evaluate(PUT_ON, theme)
        ground = tab.locator(".pw-live").evaluate("(element) => getComputedStyle(element).backgroundColor")
        brightness = np.mean([int(value) for value in re.findall(r"\d+", ground)[:3]])
        assert brightness > 200 if theme == "light" else brightness < 60
    small = tab.locator(
        ".pw-live button, .pw-live select, .pw-live label, .pw-live input:not([type=checkbox],[type=radio],label input)"
    ).evaluate_all(
        "(all) => all.filter((one) => one.offsetHeight && one.offsetHeight < 24).map((one) => one.outerHTML)"
    )
    assert small == []


def test_axe_finds_nothing(live):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    _, tab = live
    tab.wait_for_timeout(400)  # the finding is written once the hand has rested
    for theme in THEMES:
        tab.evaluate(PUT_ON, theme)
        found = axe.Axe().run(tab, context=".pw-explorable").response["violations"]
        assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == [], theme
    tab.troubles.clear()  # axe asks a file for its style sheets, which a browser refuses


def test_a_control_draws_once_a_frame(live):
    """However often it is moved in between: a hand that is faster than the screen makes no work that nobody sees."""
    _, tab = live
    asked = tab.evaluate(
        """async () => {
          const ask = window.requestAnimationFrame;
          for (let i = 0; i < 2; i++) await new Promise(ask); // the first drawing may still be on its way
          const asked = {};
          for (const control of document.querySelectorAll(".pw-live input[type=range], .pw-live [tabindex='0']")) {
            const drawings = [];
            window.requestAnimationFrame = (draw) => drawings.push(draw);
            const slides = control.getAttribute("role") === "slider";
            const keys = slides ? ["ArrowUp", "ArrowDown"] : ["ArrowRight", "ArrowLeft"];
            for (let i = 0; i < 5; i++)
              if (control.type === "range") {
                control[i % 2 ? "stepDown" : "stepUp"]();
                control.dispatchEvent(new Event("input"));
              } else control.dispatchEvent(new KeyboardEvent("keydown", { key: keys[i % 2] }));
            asked[control.closest("label")?.innerText ?? control.getAttribute("aria-label")] = drawings.length;
            for (const draw of drawings) draw(); // and what these ask for in their turn
          }
          window.requestAnimationFrame = ask;
          return asked;
        }"""
    )
    assert max(asked.values()) == 1, asked


def test_keys_stay_inside(live):
    _, tab = live
    tab.evaluate("addEventListener('keydown', (event) => { window.leaked = event.key; })")
    tab.locator(".pw-live [tabindex='0'], .pw-live button, .pw-live input").first.focus()
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate("window.leaked") is None


@EVERY
def test_what_is_linked_is_a_number_or_a_text_of_the_state(functions, name):
    state = make(name).state
    linked = functions(make(name).name)()
    assert linked
    assert all(isinstance(state[key], (int, float, str)) for key in linked)


HOSTILE = {str: ("constructor", "__proto__", "a65536" * 5000), int: ("-1", "0.5", "1e9", "-1e308")}


@pytest.mark.survives("Hostile addresses of figures")
def test_whatever_an_address_says_it_shows_a_state(live, functions):
    """Names that every JavaScript object knows, numbers out of range: all are read as some state of the figure."""
    explorable, tab = live
    for key in functions(explorable.name)():
        kind = str if isinstance(explorable.state[key], str) else int
        for value in HOSTILE[kind]:
            address = f"#{urlencode({f'{explorable.address}.{key}': value})}"
            shown = tab.evaluate(
                """async (address) => {
                  location.hash = address;
                  for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
                  return document.querySelector(".pw-live").innerText;
                }""",
                address,
            )
            assert tab.troubles == [], f"{key}={value[:20]}"
            assert not re.search(r"undefined|NaN|Infinity|function|\[object", shown), f"{key}={value[:20]}: {shown}"
    for control in tab.locator(".pw-live [tabindex='0'], .pw-live input[type=range]").all():
        control.press("ArrowRight")
        control.press("Space")
    assert tab.troubles == []
