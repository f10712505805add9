"""Hypercolumn probe: its neighbours against NumPy, and the figure by pointer and by keys."""

import re

import numpy as np
import pytest

from pixelwise import explorables
from tests.explorables.explorables import hypercolumn_probe, make


@pytest.fixture(scope="module")
def call(functions):
    return functions("hypercolumn-probe", "distances", "nearest", "measure", "finding")


def test_neighbours_and_shares_equal_python_on_random_features(call):
    rng = np.random.default_rng(0)
    for _ in range(30):
        rows, columns = (int(n) for n in rng.integers(3, 12, 2))
        layers = [(f"layer {i}", int(n)) for i, n in enumerate(rng.integers(1, 5, rng.integers(1, 5)))]
        features = rng.integers(-3, 4, (sum(n for _, n in layers), rows, columns))  # many ties
        features.flat[0] = 127
        labels = rng.choice([0, 3, 7, 255], (rows, columns))
        image = rng.integers(0, 256, (3, rows, columns), dtype=np.uint8)
        k, row, column = int(rng.integers(1, 9)), int(rng.integers(rows)), int(rng.integers(columns))
        lab = explorables.HypercolumnProbe(features * 4 / 127, layers, labels, image, k=k, row=row, column=column)
        lab.chosen = rng.choice(len(layers), rng.integers(1, len(layers) + 1), replace=False).tolist()
        place, on = row * columns + column, [i in lab.chosen for i in range(len(layers))]
        flat = features.reshape(-1).tolist()
        far = call("distances", flat, layers, rows * columns, place, on)
        near = call("nearest", far, labels.ravel().tolist(), place, k)
        assert near == (lab.nearest() @ [columns, 1]).tolist()
        measured, numbers = call("measure", near, labels.ravel().tolist(), place, columns), lab.numbers()
        for key, expected in zip(("share", "chance", "away"), numbers.values(), strict=True):
            got = np.nan if measured[key] is None else measured[key]
            assert got == pytest.approx(expected, nan_ok=True)


def test_what_is_stored_keeps_the_neighbours():
    features, layers, labels, image = hypercolumn_probe()
    lab = explorables.HypercolumnProbe(features, layers, labels, image)
    flat, rng, kept = features.reshape(len(features), -1), np.random.default_rng(1), []
    for place in rng.choice(np.flatnonzero(labels.ravel() != 255), 40, replace=False).tolist():
        lab.row, lab.column = divmod(place, 32)
        order = np.argsort(((flat - flat[:, place, None]) ** 2).sum(0), kind="stable")
        order = order[(order != place) & (labels.ravel()[order] != 255)][:40]
        kept.append(np.isin(lab.nearest() @ [32, 1], order).mean())
    assert np.mean(kept) > 0.95
    assert len(str(lab.state)) < 60_000


@pytest.fixture
def lab():
    return make("HypercolumnProbe", row=20, column=15)


def says(tab, words):
    tab.locator(".pw-finding", has_text=re.compile(words.replace(" %", "\u00a0%"))).wait_for(timeout=20_000)


def sentence(lab):
    numbers = lab.numbers()
    return f"{100 * numbers['share']:.1f} % are {lab._class()} too; by chance {100 * numbers['chance']:.1f} %"


def test_keys_and_pointer_choose_a_place_and_its_neighbours_are_the_librarys(open_live, lab):
    tab = open_live(lab)
    says(tab, sentence(lab))
    view = tab.get_by_role("application")
    view.focus()
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("ArrowRight")
    lab.row, lab.column = 19, 16
    says(tab, sentence(lab))
    tab.locator("[aria-live=polite]", has_text="row 20, column 17: ").wait_for(timeout=20_000)
    box = view.bounding_box()
    view.click(position={"x": 5.5 / 32 * box["width"], "y": 3.5 / 24 * box["height"]})
    lab.row, lab.column = 3, 5
    says(tab, sentence(lab))
    assert "row 4, column 6" in tab.locator("figcaption").first.inner_text()
    assert tab.troubles == []


def test_layers_can_be_left_out_but_not_all(open_live, lab):
    tab = open_live(lab)
    boxes = tab.get_by_role("checkbox")
    for i in range(4):
        boxes.nth(i).focus()
        tab.keyboard.press("Space")
    lab.chosen = [4]
    says(tab, f"by stride 32, {sentence(lab)}")
    assert boxes.nth(4).is_disabled()
    assert tab.locator(".layer b").nth(4).inner_text() == f"{100 * lab.numbers()['share']:.1f}\u00a0%"
    tab.get_by_role("slider", name="neighbours").fill("10")
    lab.k = 10
    says(tab, f"Of the 10 nearest by stride 32, {sentence(lab)}")
    assert tab.troubles == []


def test_an_address_brings_its_state(open_page, lab):
    tab = open_page(lab, hash="#hypercolumn-probe.on=0+1&hypercolumn-probe.row=2&hypercolumn-probe.k=7")
    tab.locator(".pw-live").wait_for(timeout=20_000)
    lab.chosen, lab.row, lab.k = [0, 1], 2, 7
    says(tab, f"Of the 7 nearest by stride 2 \\+ stride 4, {sentence(lab)}")
    tab.evaluate("location.hash = '#hypercolumn-probe.on=x&hypercolumn-probe.row=1e9&hypercolumn-probe.k=-3'")
    says(tab, "Of the 1 nearest by all layers|Nobody labelled")
    assert tab.troubles == []


def test_wrong_arguments_are_answered_in_one_line(lab):
    features, layers, labels, image = hypercolumn_probe()
    with pytest.raises(ValueError, match="the layers have 32 channels"):
        explorables.HypercolumnProbe(features, layers[:4], labels, image)
    with pytest.raises(ValueError, match="one for each place"):
        explorables.HypercolumnProbe(features, layers, labels[:3], image)
    with pytest.raises(Exception, match="expected one or more of 0 1 2 3 4"):
        lab.chosen = []
    with pytest.raises(TypeError, match="has no rows"):
        make("HypercolumnProbe", rows=4)
