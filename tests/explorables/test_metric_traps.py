"""Metric traps: its numbers against the library's, and the figure in a real browser, by pointer and by keys."""

import re

import numpy as np
import pytest
import torch

from pixelwise import explorables
from pixelwise.evaluation import metrics
from pixelwise.explorables import bundle
from pixelwise.explorables.metric_traps import CAR, POLE, STREET, encode, starting_points
from tests.helpers.browser import until

POLICY = "default-src 'none'; script-src 'self' file:; style-src 'self' file:; img-src data:"
FUNCTIONS = ("decode", "encode", "editsOf", "applyEdits", "boundaryBand", "measure", "challenges", "finding")


@pytest.fixture(scope="module")
def module(functions):
    """Call a function of the module, loaded from the very source that anywidget gets."""
    return functions("metric-traps", *FUNCTIONS)


def library(prediction, target):
    """The metrics of the library for two masks (H, W)."""
    prediction, target = torch.tensor(prediction)[None], torch.tensor(target)[None]
    matrix = metrics.confusion_matrix(prediction, target)
    return {
        "pixelAccuracy": metrics.pixel_accuracy(matrix),
        "meanIou": metrics.mean_iou(matrix),
        "microIou": metrics.micro_iou(matrix),
        "dice": metrics.dice(matrix).nanmean().item(),
        "boundaryIou": metrics.boundary_iou(prediction, target, 1).nanmean().item(),
        "classIou": metrics.class_iou(matrix).tolist(),
    }


def test_numbers_equal_the_library_on_random_scenes(module):
    rng = np.random.default_rng(0)
    for _ in range(60):
        height, width = rng.integers(2, 26, 2)
        labels = rng.choice(11, rng.integers(1, 12), replace=False)
        block = rng.integers(1, 6)  # from noise to large regions
        coarse = rng.choice([*labels, 255], (height // block + 1, width // block + 1))
        target = coarse.repeat(block, 0).repeat(block, 1)[:height, :width]
        prediction = np.where(
            (rng.random((height, width)) < rng.random()) | (target == 255), rng.choice(labels), target
        )
        if (target == 255).all():
            continue
        measured = module("measure", prediction.ravel().tolist(), target.ravel().tolist(), int(width))
        for name, expected in library(prediction, target).items():
            got = [np.nan if value is None else value for value in np.atleast_1d(measured[name])]
            np.testing.assert_allclose(np.array(got, float), np.atleast_1d(expected), atol=1e-12, err_msg=name)


def test_runs_are_read_and_written_alike_on_both_sides(module):
    rng = np.random.default_rng(1)
    for _ in range(10):
        labels = rng.choice([0, 3, 10, 254, 255], size=300, p=[0.7, 0.1, 0.1, 0.05, 0.05])
        assert module("encode", labels.tolist()) == encode(labels)
        assert module("decode", encode(labels)) == labels.tolist()


def test_edits_paint_on_the_starting_point_and_nothing_else_gets_in(module):
    start, known = [0, 1, 1, 3], [0, 1, 3]
    assert module("editsOf", [0, 3, 1, 3], start) == ".d.2"
    assert module("editsOf", start, start) == ""
    assert module("applyEdits", start, ".d.2", known) == [0, 3, 1, 3]
    assert module("applyEdits", start, "k9999999999<b>", known) == [0, 1, 1, 3]


def solutions():
    """For each challenge a prediction that meets it, so that none is out of reach."""
    target, starts = STREET, starting_points(STREET)
    perfect = starts["perfect"]
    small_lost = starts["no poles"].copy()
    small_lost[np.isin(small_lost, [CAR, 9])] = 3
    sky_lost = np.where(perfect == 0, 1, perfect)
    mostly_wrong = starts["majority"].copy()
    mostly_wrong[:5] = perfect[:5]
    dice = perfect.copy()
    for label, other in ((0, 1), (1, 3), (3, 0), (POLE, 3), (CAR, 3), (9, 1)):
        where = np.flatnonzero((perfect == label) & (target != 255))
        dice.ravel()[where[: round(0.42 * len(where))]] = other
    contours = np.where(np.isin(perfect, [POLE, CAR, 9]), perfect, starts["edges eaten"])
    return [small_lost, sky_lost, mostly_wrong, dice, contours]


def test_every_challenge_can_be_met_and_none_is_met_at_the_start(module):
    def met(prediction):
        measured = module("measure", prediction.ravel().tolist(), STREET.ravel().tolist(), 32)
        return [done for _, done in module("challenges", measured)]

    for i, solution in enumerate(solutions()):
        assert met(solution)[i], f"challenge {i + 1}"
    for name, prediction in starting_points(STREET).items():
        assert not any(met(prediction)), name


def test_finding_names_what_is_lost(module):
    names = {str(label): name for label, name, _ in explorables.MetricTraps().classes}

    def finding(prediction):
        measured = module("measure", prediction.ravel().tolist(), STREET.ravel().tolist(), 32)
        measured = {
            key: [np.nan if v is None else v for v in value] if isinstance(value, list) else value
            for key, value in measured.items()
        }
        return module("finding", measured, names)

    starts = starting_points(STREET)
    assert "equals the labels" in finding(starts["perfect"])
    assert "98.2\u00a0% hides a loss: pole at IoU 0. mIoU says so with 82.3\u00a0%" in finding(starts["no poles"])
    assert "large classes" in finding(solutions()[1])
    assert "contours" in finding(solutions()[4])


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A static page with the figure far down, under a strict content security policy, as a file:// address."""
    folder = tmp_path_factory.mktemp("page")
    element = explorables.MetricTraps(start="no poles", size=1).still("A still picture.")
    (folder / "explorables.js").write_text(bundle.bundle(), encoding="utf-8")
    (folder / "page.css").write_text("body{margin:0 1rem} .gap{height:3000px} img{max-width:100%}", encoding="utf-8")
    (folder / "page.html").write_text(
        '<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>Metric traps</title>'
        "<meta name='viewport' content='width=device-width'>"
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<link rel="stylesheet" href="page.css"><script defer src="explorables.js"></script></head>'
        f'<body><main><h1>Metrics</h1><div class="gap"></div>{element}</main></body></html>',
        encoding="utf-8",
    )
    return (folder / "page.html").as_uri()


@pytest.fixture
def visit(open_address, page):
    return lambda hash="", **options: open_address(page + hash, **options)


def live(tab):
    tab.locator(".pw-explorable").scroll_into_view_if_needed()
    tab.locator(".pw-live").wait_for(timeout=20_000)
    return tab


def score(tab, name):
    return tab.locator(".scores tr", has_text=name).locator("td.number").inner_text()


def says(tab, words):
    tab.locator(".pw-finding", has_text=re.compile(words.replace(" %", r"\s%"))).wait_for(timeout=20_000)


def test_it_starts_without_being_scrolled_into_view(visit):
    """Who walks the page by keys, or by a list of its fields, scrolls to nothing."""
    tab = visit()
    tab.locator(".pw-live").wait_for(timeout=20_000, state="attached")
    assert tab.evaluate("scrollY") == 0
    assert tab.locator(".pw-explorable img").count() == 0
    assert "still picture" not in tab.locator("figcaption").last.inner_text()
    says(tab, "98.2 % hides a loss: pole")
    assert tab.troubles == []


def test_without_javascript_the_picture_stays(visit):
    tab = visit(java_script_enabled=False)
    assert tab.locator(".pw-explorable img").is_visible()
    assert "paint over the prediction" in tab.locator("figcaption").inner_text()


def test_painting_by_pointer_changes_the_numbers(visit):
    tab = live(visit())
    tab.get_by_role("button", name="perfect").click()
    says(tab, "Every metric says 100 %")
    tab.get_by_role("radio", name="sky").check()
    box = tab.locator("canvas.paint").bounding_box()
    at = lambda x, y: (box["x"] + (x + 0.5) * box["width"] / 32, box["y"] + (y + 0.5) * box["height"] / 24)  # noqa: E731
    tab.mouse.move(*at(10, 4))
    tab.mouse.down()
    tab.mouse.move(*at(10, 16))
    tab.mouse.up()
    says(tab, "pole at IoU 0")
    expected = starting_points(STREET)["perfect"]
    expected[4:17, 10] = 0
    assert score(tab, "pixel accuracy") == f"{100 * library(expected, STREET)['pixelAccuracy']:.1f}\u00a0%"
    assert score(tab, "boundary IoU") == f"{100 * library(expected, STREET)['boundaryIou']:.1f}\u00a0%"
    tab.get_by_role("button", name="Undo").click()
    says(tab, "Every metric says 100 %")
    assert tab.troubles == []


def test_a_challenge_is_met_by_keys_alone(visit):
    tab = live(visit())
    tab.evaluate("addEventListener('keydown', (event) => { window.leaked = event.key; })")
    tab.locator("canvas.paint").focus()
    assert tab.locator("li.met").count() == 0
    tab.keyboard.press("4")  # road
    tab.locator("select").select_option("3")
    canvas = tab.locator("canvas.paint")
    canvas.focus()
    for _ in range(4):
        tab.keyboard.press("ArrowDown")
    for _ in range(12):
        tab.keyboard.press("Shift+ArrowRight")
    for _ in range(14):
        tab.keyboard.press("Shift+ArrowLeft")
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("2")  # building
    for _ in range(2):
        tab.keyboard.press("ArrowUp")
    for _ in range(12):
        tab.keyboard.press("Shift+ArrowRight")
    says(tab, "pole, car, pedestrian at IoU 0")
    tab.locator(".pw-met", has_text="Challenge met: Pixel accuracy of 95 %").wait_for(timeout=20_000)
    assert tab.locator("li", has_text="Pixel accuracy of 95 %").text_content().startswith("✓ met")
    assert "predicted building, label" in tab.locator("[aria-live=polite]").inner_text()
    assert tab.evaluate("window.leaked") is None  # keys stay inside
    for _ in range(4):
        tab.keyboard.press("z")
    tab.locator("li.met").wait_for(state="detached", timeout=20_000)


def test_an_address_brings_its_state_and_gives_it_back(visit):
    tab = visit(
        "#metric-traps.start=majority&metric-traps.edits=a32&metric-traps.brush=8&metric-traps.size=5&other.k=3"
    )
    tab.locator(".pw-live").wait_for(timeout=20_000)  # without scrolling: the address points to the figure
    expected = starting_points(STREET)["majority"]
    expected[0] = 0
    tab.locator(".scores", has_text=f"{100 * library(expected, STREET)['pixelAccuracy']:.1f} %").wait_for(
        timeout=20_000
    )
    assert tab.get_by_role("radio", name="car").is_checked()
    assert tab.locator("select").input_value() == "5"
    tab.get_by_role("button", name="perfect").click()
    says(tab, "Every metric")
    tab.get_by_role("button", name="Link to this state").click()
    assert "metric-traps.start=perfect" in tab.url
    tab.evaluate("location.hash = '#metric-traps.start=nonsense&metric-traps.size=1e9&metric-traps.brush=x'")
    tab.locator("canvas.paint").focus()
    tab.keyboard.press("Space")
    assert tab.troubles == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_a_phone_and_follows_the_theme(visit, theme):
    tab = visit(viewport={"width": 360, "height": 700}, color_scheme="dark", reduced_motion="reduce", has_touch=True)
    tab.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
    live(tab)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    ground = tab.locator(".pw-live").evaluate("(element) => getComputedStyle(element).backgroundColor")
    brightness = np.mean([int(value) for value in re.findall(r"\d+", ground)[:3]])
    assert brightness > 200 if theme == "light" else brightness < 60
    assert tab.locator(".bar i").first.evaluate("(bar) => getComputedStyle(bar).transitionDuration") == "0s"
    small = tab.locator(".pw-live button, .pw-live select, .pw-live label").evaluate_all(
        "(all) => all.filter((one) => one.getBoundingClientRect().height < 24).map((one) => one.textContent)"
    )
    assert small == []
    before = score(tab, "pixel accuracy")
    tab.get_by_role("radio", name="car").check()
    tab.locator("canvas.paint").tap()
    until(tab, "(before) => !document.querySelector('.scores').textContent.includes(before)", arg=before)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(visit, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    tab = visit(bypass_csp=True)
    tab.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
    live(tab)
    found = axe.Axe().run(tab, context=".pw-explorable").response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []
