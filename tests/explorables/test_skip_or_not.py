"""Skip or not: its numbers against those of real networks and of Python, and the figure by pointer and by keys."""

import itertools
import math
import re

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from pixelwise import explorables
from pixelwise.models.resnet_cifar import CifarResNet
from tests.explorables.explorables import make, skip_or_not


@pytest.fixture(scope="module")
def call(functions):
    return functions("skip-or-not", "geometric", "along", "summary", "figure", "finding")


def number(value):
    return math.nan if value is None else value


def test_numbers_equal_pythons_on_random_runs(call):
    rng = np.random.default_rng(0)
    for _ in range(20):
        depths = rng.choice([8, 14, 20, 32, 44], 2, replace=False).tolist()
        seeds, steps = int(rng.integers(1, 5)), int(rng.integers(1, 400))
        kinds = list(itertools.product(("plain", "residual"), depths, (True, False)))
        gradients = {(k, d, n): (10 ** rng.uniform(-6, 6, (seeds, d - 1))).tolist() for k, d, n in kinds}
        losses = {("plain", depths[0]): rng.uniform(0, 3, (seeds, steps)).tolist()}
        lab = explorables.SkipOrNot(gradients, losses)
        for kind, depth, normalised in kinds:
            lab.kind, lab.depth, lab.norm = kind, depth, "yes" if normalised else "no"
            found, numbers = call("summary", lab.run, 0, 1), lab.numbers()
            for key, name in (("first", "first layer"), ("last", "last layer"), ("end", "final loss")):
                assert number(found[key]) == pytest.approx(numbers[name], nan_ok=True)
            recorded = np.array(gradients[kind, depth, normalised])
            assert numbers["first layer"] == pytest.approx(np.exp(np.log(recorded[:, 0]).mean()), rel=1e-3)


def test_gradients_of_a_network_come_through(call):
    torch.manual_seed(0)
    network = CifarResNet(8, residual=False, width=4, num_classes=5)
    loss = F.cross_entropy(network(torch.randn(8, 3, 32, 32)), torch.arange(8) % 5)
    weights = [p for p in network.parameters() if p.ndim == 4]
    norms = [g.norm().item() for g in torch.autograd.grad(loss, weights)]
    lab = explorables.SkipOrNot({("plain", 8, True): [norms]}, {})
    for i, norm in enumerate(norms):
        found = call("summary", lab.run, i / (len(norms) - 1), 1)
        assert found["here"] == pytest.approx(norm, rel=1e-3)
    assert "was not trained" in call("finding", lab.run, lab.run)


def test_long_curves_are_thinned_by_means():
    values = np.random.default_rng(0).uniform(0, 3, 172)
    lab = explorables.SkipOrNot({("plain", 8, True): [[1, 2]]}, {("plain", 8): [values.tolist()]})
    assert lab.every == 3
    assert np.allclose(lab.run["losses"][0], [values[i : i + 3].mean() for i in range(0, 172, 3)], rtol=1e-3)


def test_what_was_not_recorded_is_said(call):
    lab = explorables.SkipOrNot({("plain", 8, True): [[2.0, 1.0]]}, {("plain", 14): [[2.0, 1.0]]})
    assert lab.depth == 8
    lab.depth = 14
    assert "gradient not looked into, final training loss 1.00" in lab.alt()
    assert lab.picture().png()
    rival = {**lab.run, "losses": []}
    said = "The gradient in plain-14 was not looked into. Trained, it comes down to a loss of 1.00."
    assert call("finding", lab.run, rival) == said


@pytest.fixture
def lab():
    return make("SkipOrNot")


def says(tab, words):
    tab.locator(".pw-finding", has_text=re.compile(words)).wait_for(timeout=20_000)


def test_switches_change_the_finding(open_live, lab):
    tab = open_live(lab)
    plain = lab.numbers()["final loss"]
    lab.kind = "residual"
    residual = lab.numbers()["final loss"]
    says(tab, "plain-32 the gradient grows on its way back: ")
    says(tab, rf"loss of {plain:.2f}, not as far as residual-32 \({residual:.2f}")
    tab.get_by_role("button", name="residual").focus()
    tab.keyboard.press("Enter")
    says(tab, rf"residual-32 the gradient is of one size.*loss of {residual:.2f}, further than plain-32")
    tab.get_by_role("button", name="8", exact=True).click()
    says(tab, "residual-8.*about as far as plain-8")
    tab.get_by_role("button", name="56 (gradient only)").click()
    says(tab, "was not trained")
    assert tab.get_by_role("slider", name="step").is_disabled(), "there is no step to choose"
    assert tab.locator("svg text", has_text="not trained").count() == 1
    tab.get_by_role("button", name="no", exact=True).click()
    says(tab, "residual-56 without batch normalisation the gradient is tiny .*shrinks on its way back")
    assert tab.troubles == []


LAID = """() => [...document.querySelectorAll(".pw-skip-or-not svg.chart")].flatMap((chart) => {
  const lines = [...chart.querySelectorAll(".mean")].map((line) => [line, line.getTotalLength()]);
  const points = lines.flatMap(([line, length]) =>
    Array.from({ length: 300 }, (_, i) => line.getPointAtLength((length * i) / 299)));
  return [...chart.querySelectorAll(".name")].filter((name) => {
    const { x, y, width, height } = name.getBBox();
    const inside = (at) => at.x > x && at.x < x + width && at.y > y + 3 && at.y < y + height - 4;
    return points.some(inside);
  }).map((name) => name.textContent);
})"""


@pytest.mark.parametrize("hash", ["depth=56", "depth=56&skip-or-not.norm=no", "depth=32", "depth=8"])
def test_names_stand_beside_the_lines(open_page, lab, hash):
    tab = open_page(lab, hash=f"#skip-or-not.{hash}")
    tab.locator(".pw-live").wait_for(timeout=20_000)
    says(tab, hash.partition("&")[0].removeprefix("depth="))
    assert tab.locator(".pw-skip-or-not .name").count() >= 2
    assert tab.evaluate(LAID) == []


def test_layer_and_step_are_read_by_keys_and_pointer(open_live, lab):
    tab = open_live(lab)
    tab.get_by_role("slider", name="layer").focus()
    tab.keyboard.press("End")
    last = lab.numbers()["last layer"]
    shown = tab.locator("figcaption", has_text="Gradient norm before training, plain-32: ")
    tab.locator("figcaption", has_text=f"plain-32: {last:.3g}").wait_for(timeout=20_000)
    chart = tab.locator("svg.chart").first
    box = chart.bounding_box()
    chart.click(position={"x": 32 / 320 * box["width"], "y": box["height"] / 2})
    tab.locator("figcaption", has_text=f"plain-32: {lab.numbers()['first layer']:.3g}").wait_for(timeout=20_000)
    assert shown.count() == 1
    tab.get_by_role("slider", name="step").fill("0")
    start = np.mean([one[0] for one in lab.run["losses"]])
    tab.locator("figcaption", has_text=f"Training loss, plain-32: {start:.2f}").wait_for(timeout=20_000)
    assert tab.troubles == []


def test_an_address_brings_its_state(open_page, lab):
    tab = open_page(lab, hash="#skip-or-not.depth=8&skip-or-not.kind=residual&skip-or-not.norm=no")
    tab.locator(".pw-live").wait_for(timeout=20_000)
    says(tab, "In residual-8 without batch normalisation")
    tab.evaluate("location.hash = '#skip-or-not.depth=9&skip-or-not.kind=x&skip-or-not.layer=1e9&skip-or-not.norm=yes'")
    says(tab, "In plain-8 the gradient")
    assert tab.troubles == []


def test_wrong_arguments_are_answered_in_one_line(lab):
    gradients, losses = skip_or_not()
    with pytest.raises(ValueError, match="gradients are empty"):
        explorables.SkipOrNot({}, losses)
    with pytest.raises(ValueError, match='is of kind \'skip\', expected "plain" or "residual"'):
        explorables.SkipOrNot(gradients, {("skip", 8): [[1.0]]})
    with pytest.raises(Exception, match=r"expected any of \['yes', 'no'\]"):
        lab.norm = "batch"
    with pytest.raises(TypeError, match="has no layers"):
        make("SkipOrNot", layers=4)
