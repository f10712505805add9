"""Convolution arithmetic: its numbers against PyTorch's, and the figure in a real browser."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from traitlets import TraitError

from pixelwise import explorables, ops
from pixelwise.explorables.convolution_arithmetic import CONVOLUTION, DIRECTIONS, TRANSPOSED, ZEROS
from tests.helpers.browser import until


@pytest.fixture(scope="module")
def call(functions):
    return functions("convolution-arithmetic", "measure", "taps", "places", "formula", "finding", "tasks")


LIMITS = {
    "input": (1, 8),
    "kernel": (1, 5),
    "stride": (1, 3),
    "padding": (0, 4),
    "dilation": (1, 3),
    "output_padding": (0, 2),
}


def random_labs(count, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        numbers = {name: int(rng.integers(low, high + 1)) for name, (low, high) in LIMITS.items()}
        yield explorables.ConvolutionArithmetic(direction=DIRECTIONS[rng.integers(3)], **numbers)


def test_sizes_equal_pytorch_s_on_random_settings_and_refusals_too(call):
    refused = 0
    for lab in random_labs(150):
        expected, measured = lab.numbers(), call("measure", lab.state)
        assert measured["output"] == expected["output"], lab.state
        assert call("places", lab.state) == expected["places"]
        assert (measured["problem"] != "") == (expected["output"] == 0)
        assert call("formula", lab.state)[1].endswith(f"= {expected['output'] or '–'}")
        refused += expected["output"] == 0
    assert 10 < refused < 140


def test_taps_are_wired_to_what_pytorch_s_gradient_says(call):
    for lab in random_labs(80, seed=1):
        numbers = lab.numbers()
        size = numbers["output"] if lab.direction == TRANSPOSED else lab.input
        for place, touched in enumerate(numbers["touched"]):
            taps = call("taps", lab.state, place)
            if lab.direction == ZEROS:  # places among the spread input
                taps = [tap // lab.stride for tap in taps if tap % lab.stride == 0]
            assert [tap for tap in taps if 0 <= tap < size] == touched, (lab.state, place)


def test_the_rows_that_are_never_read_are_those_without_a_gradient(call):
    for lab in random_labs(80, seed=2):
        lab.direction = CONVOLUTION
        touched = {pixel for one in lab.numbers()["touched"] for pixel in one}
        if touched:
            unread = call("measure", lab.state)["unread"]
            assert unread == lab.input - 1 - max(touched), lab.state


def test_the_zeros_are_where_the_library_puts_them(call):
    lab = explorables.ConvolutionArithmetic(direction=ZEROS, input=3, kernel=4, stride=2, padding=1)
    spread = ops.insert_zeros(torch.arange(1.0, 4)[None, None, None], (1, 2))[0, 0, 0]
    assert spread.tolist() == [1, 0, 2, 0, 3]
    kernel = torch.tensor([1.0, 10, 100, 1000])
    expected = F.conv_transpose1d(torch.arange(1.0, 4)[None, None], kernel[None, None], stride=2, padding=1)[0, 0]
    for place, value in enumerate(expected):
        taps = call("taps", lab.state, place)
        read = [spread[tap] if 0 <= tap < 5 else 0 for tap in taps]
        assert sum(r * k for r, k in zip(read, kernel.flip(0), strict=True)) == value


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"input": 5, "stride": 1, "padding": 1}, "5 × 5 becomes 5 × 5. Each output pixel reads 3 × 3"),
        ({"input": 8, "padding": 0}, "the window moves on by 2. The last row and column are never read"),
        ({"input": 7, "stride": 1, "padding": 0, "dilation": 2}, "Dilated, not transposed: nothing grows"),
        ({"input": 3, "kernel": 4, "direction": TRANSPOSED}, "3 × 3 becomes 6 × 6. Each input pixel stamps"),
        ({"input": 3, "kernel": 4, "direction": ZEROS}, "Transposed, not dilated"),
        ({"stride": 1, "direction": ZEROS}, "kernel turned round"),
        ({"input": 1, "padding": 0}, "No output. The kernel covers 3 pixels"),
        ({"output_padding": 2, "direction": TRANSPOSED}, "output_padding (2) must be smaller"),
        ({"input": 1, "padding": 4, "direction": TRANSPOSED}, "nothing is left"),
    ],
)
def test_finding(call, state, words):
    lab = explorables.ConvolutionArithmetic(**state)
    assert words in call("finding", lab.state)
    assert (lab.numbers()["output"] == 0) == ("No output" in call("finding", lab.state))


def test_each_task_can_be_done_and_is_open_at_the_start(call):
    make = explorables.ConvolutionArithmetic
    assert not any(met for _, met in call("tasks", make().state))
    solutions = (
        make(dilation=2, padding=2, stride=1),
        make(direction=TRANSPOSED, input=4, output_padding=1),
        make(stride=3, input=5, padding=0),
    )
    for i, solution in enumerate(solutions):
        assert call("tasks", solution.state)[i][1]
        assert solution.numbers()["output"]


@pytest.mark.parametrize(
    "state", [{}, {"input": 1, "padding": 0}, {"direction": TRANSPOSED, "step": 999}, {"direction": ZEROS}]
)
def test_every_state_has_a_picture_and_words(state):
    lab = explorables.ConvolutionArithmetic(**state)
    assert len(lab.picture().png()) <= 60_000
    assert "onvolution with kernel" in lab.alt()


def test_wrong_state_is_answered():
    with pytest.raises(TraitError, match="transposed"):
        explorables.ConvolutionArithmetic(direction="deconvolution")
    with pytest.raises(TraitError, match="9"):
        explorables.ConvolutionArithmetic().kernel = 9


def says(tab, words):
    tab.locator("[role=status]", has_text=words).first.wait_for(timeout=20_000, state="attached")


def hears(tab, words):
    tab.locator("[aria-live=polite]", has_text=words).wait_for(timeout=20_000, state="attached")


def test_the_window_steps_by_keys_and_the_formula_follows(open_live):
    tab = open_live(explorables.ConvolutionArithmetic())
    says(tab, "5 × 5 becomes 3 × 3")
    tab.locator(".picture").focus()
    tab.keyboard.press("ArrowRight")
    hears(tab, "row 0, column 1: taps at rows -1, 0, 1 and columns 1, 2, 3")
    tab.keyboard.press("ArrowDown")
    hears(tab, "row 1, column 1: taps at rows 1, 2, 3 and columns 1, 2, 3")
    tab.get_by_role("slider", name="Dilation d").focus()
    tab.keyboard.press("ArrowRight")
    says(tab, "Dilated, not transposed")
    assert "⌊(5 + 2·1 − 2·(3 − 1) − 1) / 2⌋ + 1 = 2" in tab.locator(".formula").inner_text()
    assert not tab.get_by_role("slider", name="Output padding").is_visible()
    tab.get_by_role("button", name="transposed", exact=True).press("Enter")
    says(tab, "stamps the 3 × 3 kernel onto the output, 2 apart")
    assert tab.get_by_role("slider", name="Output padding").is_visible()
    assert tab.troubles == []


def test_play_steps_and_pauses_and_a_pixel_can_be_clicked(open_live):
    tab = open_live(explorables.ConvolutionArithmetic())
    now = tab.locator("svg .now")
    before = now.get_attribute("d")
    tab.get_by_role("button", name="Play").click()
    until(tab, "(before) => document.querySelector('svg .now').getAttribute('d') !== before", arg=before)
    tab.get_by_role("button", name="Pause").click()
    stays = tab.locator("svg .now").get_attribute("d")
    tab.wait_for_timeout(900)
    assert tab.locator("svg .now").get_attribute("d") == stays
    tab.get_by_role("button", name="double: stamps").click()
    says(tab, "3 × 3 becomes 6 × 6")
    tab.locator(".picture").scroll_into_view_if_needed()
    box = tab.locator(".picture").bounding_box()
    cell = 208 / 8  # the output with what is cut off is 8 pixels tall
    tab.mouse.click(box["x"] + 2.5 * cell, box["y"] + 24 + 1.5 * cell)  # input pixel [1, 2]
    tab.get_by_role("button", name="Link to this state").click()
    assert "convolution-arithmetic.step=5" in tab.url
    assert tab.troubles == []


def test_with_reduced_motion_nothing_plays_and_steps_still_work(open_live):
    tab = open_live(explorables.ConvolutionArithmetic(), reduced_motion="reduce")
    assert not tab.get_by_role("button", name="Play").is_visible()
    tab.get_by_role("button", name="Step").click()
    hears(tab, "row 0, column 1")
    tab.get_by_role("button", name="Back").click()
    hears(tab, "row 0, column 0")


def test_an_address_brings_its_state_and_nonsense_does_no_harm(open_page):
    state = "&".join(
        f"convolution-arithmetic.{pair}" for pair in ("direction=transposed", "input=4", "output_padding=1")
    )
    tab = open_page(explorables.ConvolutionArithmetic(), hash=f"#{state}")
    tab.locator(".pw-live").wait_for(timeout=20_000)
    says(tab, "4 × 4 becomes 8 × 8")
    nonsense = "&".join(
        f"convolution-arithmetic.{pair}" for pair in ("direction=x", "input=-1", "step=-7.5", "kernel=1e9")
    )
    tab.evaluate("(nonsense) => { location.hash = nonsense; }", nonsense)
    says(tab, "No output. The kernel covers 5 pixels")
    assert tab.troubles == []
