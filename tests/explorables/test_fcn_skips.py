"""FCN skips: its labels and numbers against PyTorch and the library, and the figure by pointer and keys."""

import itertools
import re

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from pixelwise import explorables
from pixelwise.evaluation import metrics
from tests.explorables.explorables import fcn_skips, make


@pytest.fixture(scope="module")
def call(functions):
    names = "bytes", "scoresOf", "sum", "places", "predict", "band", "measure", "finding"
    return functions("fcn-skips", *names)


def test_predictions_equal_interpolation_and_argmax_on_random_scores(call):
    rng = np.random.default_rng(0)
    for _ in range(12):
        height, width, stride = (int(n) for n in (*rng.integers(1, 9, 2), rng.choice([2, 4, 8, 16])))
        scores = rng.standard_normal((11, height, width))
        fine = F.interpolate(torch.from_numpy(scores)[None], scale_factor=stride, mode="bilinear", align_corners=False)
        got = call("predict", scores.ravel().tolist(), 11, height, width, stride)
        assert got == fine[0].argmax(0).ravel().tolist()


def test_numbers_equal_the_library_on_random_labels(call):
    rng = np.random.default_rng(1)
    for _ in range(20):
        height, width = (int(n) for n in rng.integers(3, 30, 2))
        block, reach = int(rng.integers(1, 8)), int(rng.integers(1, 5))
        coarse = rng.choice([*range(11), 255], (height // block + 1, width // block + 1))
        target = coarse.repeat(block, 0).repeat(block, 1)[:height, :width].astype(np.uint8)
        prediction = np.where(rng.random(target.shape) < 0.3, rng.integers(0, 11, target.shape), target)
        prediction[prediction == 255] = 0
        near = metrics.boundary_band(torch.from_numpy(target), reach)
        assert call("band", target.ravel().tolist(), width, reach) == near.ravel().tolist()
        if (target == 255).all():
            continue
        measured = call("measure", prediction.ravel().tolist(), target.ravel().tolist(), near.ravel().tolist(), 11)
        matrix = metrics.confusion_matrix(torch.from_numpy(prediction)[None], torch.from_numpy(target)[None])
        right, counted = torch.from_numpy(prediction == target), torch.from_numpy(target != 255)
        assert measured["accuracy"] == pytest.approx(metrics.pixel_accuracy(matrix))
        assert measured["meanIou"] == pytest.approx(metrics.mean_iou(matrix))
        for key, where in (("edge", near & counted), ("interior", ~near & counted)):
            expected = right[where].double().mean().item() if where.any() else np.nan
            assert (np.nan if measured[key] is None else measured[key]) == pytest.approx(expected, nan_ok=True)


def test_what_is_stored_gives_the_networks_own_labels():
    rng = np.random.default_rng(2)
    for _ in range(5):
        scores = (rng.standard_normal((3, 11, 12, 16)) * rng.uniform(0.1, 30)).astype(np.float32)
        _, labels, image = fcn_skips()
        lab = explorables.FcnSkips(scores, labels, image)
        for on in ("32", "32 8", "32 16 8"):
            chosen = torch.from_numpy(
                sum(scores[i] for i, stride in enumerate((32, 16, 8)) if str(stride) in on.split())
            )
            fine = F.interpolate(chosen[None], scale_factor=8, mode="bilinear", align_corners=False)[0].argmax(0)
            assert (lab.prediction(on) == fine).double().mean() >= 0.995
    assert len(str(lab.state)) < 60_000


@pytest.fixture(scope="module")
def lab():
    return make("FcnSkips")


def says(tab, words):
    tab.locator(".pw-finding", has_text=re.compile(words.replace(" %", "\u00a0%"))).wait_for(timeout=20_000)


def cells(tab, row):
    return tab.locator("table", has_text="In per cent").locator("tr", has_text=row).locator("td").all_text_contents()


def test_switching_levels_shows_the_numbers_of_the_library(open_live, lab):
    tab = open_live(lab)
    says(tab, re.escape("stride 32 + stride 16 + stride 8:"))
    for levels in itertools.product((0, 1), repeat=3):
        for stride, pressed in zip((32, 16, 8), levels, strict=True):
            button = tab.get_by_role("button", name=f"stride {stride}", exact=True)
            if button.get_attribute("aria-pressed") != ("true" if pressed else "false"):
                button.focus()
                tab.keyboard.press("Space")
        if not any(levels):
            says(tab, "Nothing is switched on")
            continue
        numbers = lab.numbers(" ".join(str(s) for s, pressed in zip((32, 16, 8), levels, strict=True) if pressed))
        says(tab, f"{100 * numbers['near boundaries']:.1f} % of the pixels near a boundary")
        keys = "pixel accuracy", "near boundaries", "elsewhere", "mean IoU"
        assert cells(tab, "switched on") == [f"{100 * numbers[key]:.1f}" for key in keys]
        beside = tab.locator(".views table td.number").all_inner_texts()
        assert beside == [f"{100 * numbers[key]:.1f}\u00a0%" for key in keys]
    assert tab.troubles == []


def test_a_pixel_is_chosen_by_pointer_and_by_keys(open_live, lab):
    tab = open_live(lab)
    view = tab.get_by_role("application")
    box = view.bounding_box()
    view.click(position={"x": 20.5 / 128 * box["width"], "y": 60.5 / 96 * box["height"]})
    tab.locator("summary", has_text="Scores at the pixel").click()
    votes = tab.locator("table").last
    votes.locator("caption", has_text="row 61, column 21").wait_for(timeout=20_000)
    view.focus()
    tab.keyboard.press("ArrowRight")
    votes.locator("caption", has_text="row 61, column 22").wait_for(timeout=20_000)
    tab.locator("[aria-live=polite]", has_text="row 61, column 22: label ").wait_for(timeout=20_000)
    name = lab.classes[int(lab.prediction()[60, 21])][1]
    assert name in votes.locator("tr.now").inner_text()
    assert tab.troubles == []


def test_an_address_brings_its_state(open_page, lab):
    tab = open_page(lab, hash="#fcn-skips.on=32&fcn-skips.row=0&fcn-skips.column=127")
    tab.locator(".pw-live").wait_for(timeout=20_000)
    says(tab, "The coarsest scores alone, one for 32 × 32 pixels")
    assert "row 1, column 128" in tab.locator("caption").last.text_content()
    tab.evaluate("location.hash = '#fcn-skips.on=7+x&fcn-skips.row=1e9&fcn-skips.column=-4'")
    says(tab, "Nothing is switched on")
    assert tab.troubles == []


def test_wrong_arguments_are_answered_in_one_line(lab):
    scores, labels, image = fcn_skips()
    with pytest.raises(ValueError, match=r"expected \(3, 11, h, w\)"):
        explorables.FcnSkips(scores[:2], labels, image)
    with pytest.raises(ValueError, match="8 times the scores"):
        explorables.FcnSkips(scores, labels[:90], image)
    with pytest.raises(Exception, match="expected strides of 32 16 8"):
        make("FcnSkips", on="4")
    with pytest.raises(TypeError, match="has no rows"):
        make("FcnSkips", rows=4)
