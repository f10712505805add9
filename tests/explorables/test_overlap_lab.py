"""Overlap lab: its numbers against PyTorch's and the library's, and the figure in a real browser."""

import re

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from traitlets import TraitError

from pixelwise import analysis, explorables
from tests.helpers.browser import until


@pytest.fixture(scope="module")
def call(functions):
    return functions(
        "overlap-lab", "taps", "phaseSums", "overlapCounts", "stacked", "response", "measure", "verdict", "tasks"
    )


def random_labs(count, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        lab = explorables.OverlapLab(stride=int(rng.integers(1, 5)), layers=int(rng.integers(1, 4)))
        lab.taps = rng.normal(size=rng.integers(1, 9)).round(2)
        yield lab


def test_numbers_equal_pytorch_and_the_library_on_random_settings(call):
    for lab in random_labs(60):
        expected, period = lab.numbers(), lab.stride**lab.layers
        measured = call("measure", lab.taps, lab.stride, lab.layers)
        np.testing.assert_allclose(measured["sums"], expected["constant"], atol=1e-12)
        np.testing.assert_allclose(measured["layerSums"], expected["phase sums"], atol=1e-12)
        assert measured["counts"] == expected["paths"]
        assert measured["layerCounts"] == call("overlapCounts", lab.kernel, lab.stride) == expected["overlaps"]
        assert measured["flat"] == expected["flat"]
        step = call("response", measured["kernel"], period, "step", -period, len(expected["step"]))
        np.testing.assert_allclose(step, [0] * period + expected["step"], atol=1e-12)
        constant = call("response", measured["kernel"], period, "constant", -3 * period, -2 * period)
        np.testing.assert_allclose(constant, expected["constant"], atol=1e-12)


def test_layers_in_a_row_are_one_layer_with_a_larger_kernel(call):
    for lab in random_labs(20, seed=1):
        x = torch.randn(1, 1, 5, dtype=torch.float64)
        taps, y = torch.tensor(lab.taps, dtype=torch.float64), x
        for _ in range(lab.layers):
            y = F.conv_transpose1d(y, taps[None, None], stride=lab.stride)
        kernel = torch.tensor(call("stacked", lab.taps, lab.stride, lab.layers), dtype=torch.float64)
        torch.testing.assert_close(F.conv_transpose1d(x, kernel[None, None], stride=lab.stride**lab.layers), y)


def test_a_single_layer_is_flat_exactly_if_the_library_says_so_in_two_dimensions():
    for lab in random_labs(40, seed=2):
        lab.layers = 1
        if lab.stride > 1 and lab.kernel >= lab.stride and lab.kernel % 2:  # half of them made flat by hand
            sums = np.array(lab.numbers()["phase sums"])
            taps = np.array(lab.taps)
            taps[: lab.stride] += sums.max() - sums
            lab.taps = taps
        assert lab.numbers()["flat"] == lab.numbers()["kept"]


@pytest.mark.parametrize(
    ("state", "word", "reason"),
    [
        ({"kernel": 4}, "Flat", "it is these weights that make the sums equal"),
        ({"kernel": 3}, "Checkerboard", "they sum to 2 and 1"),
        ({"kernel": 3, "weights": ".5 1 .5"}, "Flat", "Divisible is not necessary"),
        ({"kernel": 4, "weights": ".1 .9 .5 .5"}, "Checkerboard", "Divisible is not sufficient"),
        ({"kernel": 4, "weights": ".25 .75 .75 .25", "layers": 3}, "Flat", "All phases sum to 1"),
        ({"kernel": 2, "stride": 3}, "Gaps", "no weight can mend that"),
        ({"kernel": 5, "stride": 1}, "Flat", "ordinary convolution"),
        ({"kernel": 2, "weights": "0 0"}, "Flat", "useless"),
    ],
)
def test_verdict_says_what_the_library_finds(call, state, word, reason):
    lab = explorables.OverlapLab(**state)
    measured = call("measure", lab.taps, lab.stride, lab.layers)
    said = call("verdict", measured, lab.kernel, lab.stride)
    assert said[0] == word
    assert reason in said[1]
    assert lab.numbers()["flat"] == (word == "Flat")


def test_in_two_dimensions_rows_and_columns_multiply(call):
    lab = explorables.OverlapLab(kernel=4, weights=".1 .9 .5 .5")
    plane = F.conv_transpose2d(torch.ones(1, 1, 9, 9), torch.outer(*[torch.tensor(lab.taps)] * 2)[None, None], stride=2)
    inner = plane[0, 0, 4:-4, 4:-4]
    said = call("verdict", call("measure", lab.taps, 2, 1), 4, 2, True)[1]
    assert f"between {inner.min():.2f} and {inner.max():.2f}" in said


def test_each_task_can_be_done_and_no_preset_does_it(call):
    def done(lab):
        measured = call("measure", lab.taps, lab.stride, lab.layers)
        return [done for _, done in call("tasks", measured, lab.kernel, lab.stride)]

    make = explorables.OverlapLab
    assert done(make(kernel=5, stride=3, weights="1 1 2 1 1"))[0]
    assert done(make(kernel=6, stride=3, weights="1 2"))[1]
    assert done(make(kernel=3, weights="-1 1 2"))[2]
    assert not any(done(make(kernel=4)) + done(make()) + done(make(kernel=3, weights=".5 1 .5")))


def test_taps_can_be_read_and_set():
    lab = explorables.OverlapLab(kernel=5, weights="2, .5")
    assert lab.taps == [2, 0.5, 1, 1, 1]
    lab.kernel = 1
    assert lab.taps == [2]
    lab.taps = [0.25, 0.75, 0.75, 0.25]
    assert (lab.kernel, lab.weights) == (4, "0.25 0.75 0.75 0.25")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("kernel", 9, "9"),
        ("stride", 0, "0"),
        ("weights", "1 two", "'two', expected numbers such as"),
        ("weights", "inf", "'inf'"),
    ],
)
def test_wrong_state_is_answered_in_one_line(name, value, message):
    with pytest.raises(TraitError, match=re.escape(message)):
        setattr(explorables.OverlapLab(), name, value)


@pytest.mark.parametrize("state", [{}, {"dimensions": 2, "layers": 2}, {"kernel": 2, "stride": 4, "layers": 3}])
def test_every_state_has_a_light_picture(state):
    lab = explorables.OverlapLab(**state)
    assert len(lab.picture().png()) <= 60_000
    assert analysis.overlap_counts(lab.kernel, lab.stride) == lab.numbers()["overlaps"]


def says(tab, words):
    tab.locator("[role=status]", has_text=words).first.wait_for(timeout=20_000, state="attached")


def test_weights_decide_by_keyboard(open_live):
    tab = open_live(explorables.OverlapLab())
    says(tab, "Checkerboard. The phases have 2 and 1 taps")
    for tap in (0, 2):
        field = tab.get_by_label(f"tap {tap}")
        field.focus()
        for _ in range(5):
            tab.keyboard.press("ArrowDown")
        assert field.input_value() == "0.5"
    says(tab, "Flat. Although 2 does not divide 3")
    tab.get_by_label("Kernel size").focus()
    tab.keyboard.press("ArrowRight")
    says(tab, "Checkerboard. Although 2 divides 4")
    line = tab.get_by_role("slider", name="Output pixel")
    line.focus()
    before = line.get_attribute("aria-valuetext")
    tab.keyboard.press("ArrowRight")
    until(tab, "(before) => document.querySelector('.picture').getAttribute('aria-valuetext') !== before", arg=before)
    assert "taps 1 and 3: 1 + 1 = 2" in line.get_attribute("aria-valuetext")
    assert tab.troubles == []


def test_presets_pictures_and_the_cursor_by_pointer(open_live):
    tab = open_live(explorables.OverlapLab())
    tab.get_by_role("button", name="gaps").click()
    says(tab, "Gaps.")
    picture = tab.locator(".picture")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    tab.mouse.move(box["x"] + box["width"] * 6.5 / 24, box["y"] + 60)  # the seventh pixel shown, number 2
    tab.locator(".at", has_text="Output pixel 2, phase 2: taps none: 0 = 0").wait_for(timeout=20_000)
    tab.get_by_role("button", name="2-D").click()
    until(tab, "() => document.querySelectorAll('.picture .cursor').length === 3")
    tab.locator(".at", has_text="Output pixel [").wait_for(timeout=20_000)
    tab.get_by_role("button", name="random weights").click()
    says(tab, "Gaps.")
    assert tab.troubles == []


def test_an_address_brings_its_state_and_nonsense_does_no_harm(open_page):
    state = "#overlap-lab.kernel=4&overlap-lab.weights=.1+.9+.5+.5&overlap-lab.layers=2"
    tab = open_page(explorables.OverlapLab(), hash=state)
    tab.locator(".pw-live").wait_for(timeout=20_000)
    says(tab, "Divisible is not sufficient")
    wrong = "#overlap-lab.kernel=1e9&overlap-lab.stride=-3&overlap-lab.weights=<b>&overlap-lab.layers=2.6"
    tab.evaluate("(wrong) => { location.hash = wrong; }", wrong)
    says(tab, "Flat. At stride 1")
    assert tab.get_by_label("Kernel size").input_value() == "8"
    assert tab.troubles == []
