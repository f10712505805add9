"""Inception budget: its counts against the library's module, and the figure by pointer and by keys."""

import re

import numpy as np
import pytest

from pixelwise import explorables
from pixelwise.explorables.inception_budget import WIDTHS
from pixelwise.models.googlenet import TABLE

PAPER = list(TABLE["3a"])
MOST = (256, 192, 320, 192, 128, 192)


@pytest.fixture(scope="module")
def call(functions):
    return functions("inception-budget", "count", "breakEven", "finding", "tasks")


def test_counts_equal_the_module_on_random_widths(call):
    rng = np.random.default_rng(0)
    for _ in range(40):
        widths = [int(rng.integers(1, most + 1)) for most in MOST]
        inputs = int(rng.integers(1, 600))
        for form in ("reduced", "naive"):
            lab = explorables.InceptionBudget(
                inputs=inputs, side=7, form=form, **dict(zip(WIDTHS, widths, strict=True))
            )
            numbers, counted = lab.numbers(), call("count", widths, inputs, form)
            assert counted["weights"] == sum(counted["layers"]) == numbers["weights"]
            assert counted["weights"] * 7 * 7 == numbers["multiply-adds"]
            assert counted["channels"] == numbers["channels out"]
            assert counted["without"] == lab.numbers("naive")["weights"]


def test_the_papers_module(call):
    assert call("count", PAPER, 192, "reduced")["weights"] == 163_328
    assert call("count", PAPER, 192, "naive")["weights"] == 387_072


def test_from_the_break_even_on_a_reduction_costs_more(call):
    rng = np.random.default_rng(1)
    for _ in range(50):
        inputs, outputs, size = int(rng.integers(1, 600)), int(rng.integers(1, 300)), int(rng.choice([3, 5]))
        direct = size**2 * inputs * outputs
        cost = lambda r: inputs * r + size**2 * r * outputs  # noqa: B023, E731
        least = call("breakEven", inputs, outputs, size)
        assert cost(least) > direct >= cost(least - 1)


def test_each_challenge_can_be_met_and_none_is_at_the_start(call):
    def met(widths, form="reduced"):
        return [done for _, done in call("tasks", widths, PAPER, 192, form)]

    assert met(PAPER) == met(PAPER, "naive") == [False] * 4
    assert met([128, 96, 64, 16, 32, 32])[0]
    assert met([64, 64, 128, 16, 64, 32])[1]
    assert met([64, 96, 128, 155, 32, 32])[2]
    assert not met([64, 96, 128, 154, 32, 32])[2]
    assert met([64, 96, 64, 16, 8, 32], "naive")[3]


def says(tab, words):
    tab.locator(".pw-finding", has_text=re.compile(words.replace(" %", "\u00a0%"))).wait_for(timeout=20_000)


def test_keys_and_pointer_change_the_finding(open_live):
    tab = open_live(explorables.InceptionBudget())
    says(tab, "163,328 weights, as many as the paper's, and 128 million multiply-adds: 2.37 times fewer")
    tab.get_by_role("button", name="naive, without").click()
    says(tab, "387,072 weights, 2.37 times as many.*416 channels go on")
    assert tab.get_by_role("slider", name="5×5 reduction").is_disabled()
    tab.get_by_role("button", name="with 1×1 reductions").click()
    says(tab, "163,328 weights")  # by then the slider can be moved again
    tab.get_by_role("slider", name="5×5 reduction").focus()
    tab.keyboard.press("ArrowRight")
    lab = explorables.InceptionBudget(reduce5=17)
    says(tab, f"{lab.numbers()['weights']:,} weights, 0.6 % more than the paper's")
    tab.keyboard.press("End")
    says(
        tab, "The 5×5 reduction to 192 channels costs more than it saves: with 32 filters behind it, that begins at 155"
    )
    tab.locator(".pw-met", has_text="A reduction that costs more than it saves").wait_for(timeout=20_000)
    assert tab.locator(".pw-tasks .met").count() == 1
    tab.get_by_role("button", name="The paper's widths").click()
    says(tab, "as many as the paper's")
    assert tab.troubles == []


def test_an_address_brings_its_state(open_page):
    hash = "#inception-budget.three=64&inception-budget.one=128"
    tab = open_page(explorables.InceptionBudget(), hash=hash)
    tab.locator(".pw-live").wait_for(timeout=20_000)
    says(tab, "fewer than the paper's")
    assert tab.locator(".pw-tasks .met", has_text="Beat the paper").count() == 1
    tab.evaluate("location.hash = '#inception-budget.three=1e9&inception-budget.one=-5&inception-budget.form=x'")
    says(tab, "weights")
    for name in WIDTHS:
        tab.evaluate("(name) => { location.hash += `&inception-budget.${name}=0`; }", name)
    says(tab, "No weights: 0 channels")
    assert tab.troubles == []


def test_wrong_state_is_answered_in_one_line():
    with pytest.raises(Exception, match=r"expected any of \['reduced', 'naive'\]"):
        explorables.InceptionBudget(form="small")
    with pytest.raises(Exception, match="321"):
        explorables.InceptionBudget(three=321)
