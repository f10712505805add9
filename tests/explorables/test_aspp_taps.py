"""ASPP taps: its numbers against the library's and PyTorch's, and the figure in a real browser."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from traitlets import TraitError

from pixelwise import explorables


@pytest.fixture(scope="module")
def call(functions):
    return functions("aspp-taps", "inside", "measure", "tapsAt", "finding", "tasks")


def random_labs(count, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        height, width, rate = map(int, rng.integers((4, 4, 1), (66, 66, 49)))
        yield explorables.AsppTaps(
            height=height, width=width, rate=rate, row=int(rng.integers(height)), column=int(rng.integers(width))
        )


def test_numbers_equal_the_library_and_a_real_convolution_on_random_maps(call):
    for lab in random_labs(60):
        measured, expected = call("measure", lab.height, lab.width, lab.rate), lab.numbers()
        assert measured["mean"] == pytest.approx(expected["mean"], abs=1e-12)
        assert measured["all"] == pytest.approx(expected["all nine"], abs=1e-12)
        assert measured["centre"] == pytest.approx(expected["middle only"], abs=1e-12)
        ones = torch.ones(1, 1, lab.height, lab.width)
        counted = F.conv2d(ones, torch.ones(1, 1, 3, 3), padding=lab.rate, dilation=lab.rate)[0, 0]
        assert np.outer(measured["rows"], measured["columns"]).tolist() == counted.int().tolist()


def test_taps_are_those_whose_gradient_is_not_zero(call):
    for lab in random_labs(20, seed=1):
        x = torch.ones(1, 1, lab.height, lab.width, requires_grad=True)
        y = F.conv2d(x, torch.ones(1, 1, 3, 3), padding=lab.rate, dilation=lab.rate)
        y[0, 0][lab.position].backward()
        touched = [(int(r), int(c)) for r, c in x.grad[0, 0].nonzero()]
        taps = call("tapsAt", lab.height, lab.width, lab.rate, *lab.position)
        assert [(row, column) for row, column, seen in taps if seen] == touched
        assert [seen for _, _, seen in taps] == lab.taps.ravel().tolist()
        assert lab.taps.sum() == lab.numbers()["here"] == len(touched)


@pytest.mark.parametrize(("rate", "mean"), [(6, 6.95), (18, 3.64), (36, 1.0)])
def test_the_means_of_deeplab_v3_on_33_by_33(call, rate, mean):
    assert explorables.AsppTaps(rate=rate).numbers()["mean"] == pytest.approx(mean, abs=0.005)
    assert f"{mean:.2f}" in call("finding", 33, 33, rate, 4, 4, False) or rate == 36


def test_a_street_is_smaller_than_the_rates(call):
    street = explorables.AsppTaps(height=22, width=30)
    assert f"{street.numbers()['all nine']:.0%}" == "27%"
    assert "all nine at 27.3\u00a0% of the positions" in call("finding", 22, 30, 6, 4, 4, False)
    assert "nowhere all nine" in call("finding", 22, 30, 12, 4, 4, False)
    assert "is a 1×1" in call("finding", 22, 30, 36, 4, 4, False)
    assert "mean of all 660" in call("finding", 22, 30, 36, 4, 4, True)


def test_each_task_can_be_done_and_is_open_at_the_start(call):
    lab = explorables.AsppTaps()
    start = call("tasks", lab.height, lab.width, lab.rate, lab.row, lab.column, False)
    assert [done for _, done in start] == [False] * 3
    assert call("tasks", 33, 33, 6, 10, 4, False)[0][1]
    assert call("tasks", 37, 37, 18, 0, 0, False)[1][1]
    smallest = [explorables.AsppTaps(height=side, width=side, rate=18).numbers()["all nine"] for side in (36, 37)]
    assert smallest[0] == 0 < smallest[1]
    assert call("tasks", 22, 30, 3, 0, 0, False)[2][1]
    shares = [explorables.AsppTaps(height=22, width=30, rate=rate).numbers()["all nine"] for rate in (3, 4)]
    assert shares[0] > 0.5 >= shares[1]


@pytest.mark.parametrize("state", [{}, {"branch": "image pooling"}, {"rate": 48, "height": 4, "row": 60}])
def test_every_state_has_a_picture_and_words(state):
    lab = explorables.AsppTaps(**state)
    assert len(lab.picture().png()) <= 60_000
    assert f"{lab.height} by {lab.width}" in lab.alt()


def test_wrong_state_is_answered():
    with pytest.raises(TraitError, match="dilated"):
        explorables.AsppTaps(branch="3x3")
    with pytest.raises(TraitError, match="0"):
        explorables.AsppTaps().rate = 0


def says(tab, words):
    tab.locator("[role=status]", has_text=words).first.wait_for(timeout=20_000, state="attached")


def test_the_kernel_moves_by_keys(open_live):
    tab = open_live(explorables.AsppTaps())
    says(tab, "4 of 9 taps see the map here; 5 read padding. Mean over the map: 6.95")
    tab.locator(".picture").focus()
    for _ in range(2):
        tab.keyboard.press("ArrowRight")
    says(tab, "6 of 9 taps see the map here")
    tab.locator(".pw-met", has_text="six of nine").wait_for(timeout=20_000)
    tab.keyboard.press("Shift+ArrowDown")
    says(tab, "All nine taps see the map here")
    assert "row 9, column 6: 9 of 9" in tab.locator("[aria-live=polite]").inner_text()
    tab.get_by_label("Rate").focus()
    tab.keyboard.press("End")
    says(tab, "at rate 48 this 3×3 convolution is a 1×1")
    assert tab.troubles == []


def test_the_kernel_moves_by_pointer_and_buttons(open_live):
    tab = open_live(explorables.AsppTaps())
    tab.get_by_role("button", name="22 × 30").click()
    says(tab, "27.3 %")
    tab.locator(".pw-live .key").scroll_into_view_if_needed()
    box = tab.locator(".picture svg").bounding_box()
    cell = box["width"] / (30 + 12)
    tab.mouse.move(box["x"] + 20 * cell, box["y"] + 20 * cell)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 6.5 * cell, box["y"] + 6.5 * cell)
    tab.mouse.up()
    says(tab, "4 of 9 taps")
    tab.get_by_role("button", name="Link to this state").click()
    assert "aspp-taps.row=0&aspp-taps.column=0" in tab.url
    tab.get_by_role("button", name="rate 12").click()
    says(tab, "nowhere all nine")
    tab.get_by_role("button", name="image pooling").click()
    says(tab, "reads the mean of all 660")
    assert tab.troubles == []


def test_an_address_brings_its_state_and_nonsense_does_no_harm(open_page):
    tab = open_page(explorables.AsppTaps(), hash="#aspp-taps.branch=image+pooling&aspp-taps.height=4")
    tab.locator(".pw-live").wait_for(timeout=20_000)
    says(tab, "mean of all 132")
    tab.evaluate("location.hash = '#aspp-taps.height=-4&aspp-taps.row=1e7&aspp-taps.branch=x&aspp-taps.rate=0.2'")
    says(tab, "6 of 9 taps")
    assert tab.troubles == []
