"""Pareto front: its numbers against Python's and SciPy's on random networks, and the figure by keys and by pointer."""

import re

import numpy as np
import pytest
from scipy import stats

from pixelwise import explorables
from tests.explorables.explorables import make, pareto_front


@pytest.fixture(scope="module")
def call(functions):
    return functions("pareto-front", "frontOf", "bestWithin", "pairedT", "priceAt", "critical", "finding")


def test_front_and_best_equal_pythons_on_random_networks(call):
    rng = np.random.default_rng(0)
    for seed in range(15):
        lab = explorables.ParetoFront(*pareto_front(seed), budget=int(rng.integers(0, 101)))
        lab.price, lab.score = (
            str(rng.choice(["multiply-adds (G)", "memory (MB)"])),
            str(rng.choice(["mean IoU", "pole"])),
        )
        names, points, numbers = list(lab.points), [list(point) for point in lab.points.values()], lab.numbers()
        assert [names[i] for i in call("frontOf", points)] == numbers["front"]
        limit = call("priceAt", lab.budget, [cost for cost, _ in points])
        assert limit == pytest.approx(numbers["limit"])
        assert names[call("bestWithin", points, limit)] == numbers["best"]


def test_equal_networks_share_the_front_and_nothing_is_affordable_below_the_cheapest(call):
    assert call("frontOf", [[1, 5], [1, 5], [2, 5], [0.5, 4]]) == [0, 1, 3]
    assert call("bestWithin", [[1, 5], [2, 9]], 0.5) == -1


def test_t_and_its_bound_are_those_of_statistics(call):
    rng = np.random.default_rng(1)
    for count in (2, 3, 4, 5):
        one, other = rng.normal(size=(2, count))
        assert call("pairedT", one.tolist(), other.tolist()) == pytest.approx(stats.ttest_rel(one, other)[0])
        assert call("critical", count) == pytest.approx(stats.t.ppf(0.975, count - 1), abs=6e-4)


@pytest.fixture
def lab():
    return make("ParetoFront")


def says(tab, words):
    tab.locator("p.pw-finding[role=status]", has_text=re.compile(words)).wait_for(timeout=20_000, state="attached")


def test_budget_by_keys_and_pointer(open_live, lab):
    tab = open_live(lab)
    says(tab, f"{lab.numbers()['best']} is best: mean IoU")
    tab.get_by_role("slider", name="budget").focus()
    tab.keyboard.press("Home")
    lab.budget = 0
    seen = tab.locator("p.pw-finding[aria-hidden]")  # at once, and spoken when the hand rests
    seen.filter(has_text=f"{lab.numbers()['best']} is best").wait_for(timeout=20_000)
    says(tab, f"{lab.numbers()['best']} is best.*Nothing else is affordable")
    chart = tab.locator("svg.chart")
    box = chart.bounding_box()
    chart.click(position={"x": (44 + 0.9 * 546) / 620 * box["width"], "y": box["height"] / 2})
    lab.budget = 90
    says(tab, f"{lab.numbers()['best']} is best.*It leads")
    assert tab.troubles == []


def test_price_and_score_change_the_table(open_live, lab):
    tab = open_live(lab)
    tab.locator("summary", has_text="Table").click()
    tab.get_by_role("button", name="memory (MB)").click()
    tab.get_by_role("button", name="pole").focus()
    tab.keyboard.press("Enter")
    lab.price, lab.score = "memory (MB)", "pole"
    says(tab, f"{lab.numbers()['best']} is best: pole")
    on_it = tab.locator("tbody tr", has=tab.get_by_text("yes", exact=True)).locator("th").all_inner_texts()
    assert sorted(on_it) == sorted(lab.numbers()["front"])
    assert tab.troubles == []


def test_an_address_brings_its_state(open_page, lab):
    tab = open_page(lab, hash="#pareto-front.score=pole&pareto-front.budget=0")
    tab.locator(".pw-live").wait_for(timeout=20_000)
    lab.score, lab.budget = "pole", 0
    says(tab, f"{lab.numbers()['best']} is best: pole")
    tab.evaluate("location.hash = '#pareto-front.score=none&pareto-front.budget=1e9'")
    lab.score, lab.budget = "mean IoU", 100
    says(tab, f"{lab.numbers()['best']} is best: mean IoU")


def test_wrong_arguments_are_answered_in_one_line(lab):
    prices, scores = pareto_front()
    with pytest.raises(ValueError, match="expected the same networks"):
        explorables.ParetoFront(prices, {"net A": scores["net A"]})
    with pytest.raises(ValueError, match="the same prices and the same scores"):
        explorables.ParetoFront(prices, scores | {"net A": {"pole": [0.5]}})
    with pytest.raises(ValueError, match="no place on a logarithmic axis"):
        explorables.ParetoFront(prices | {"net A": {"multiply-adds (G)": 0, "memory (MB)": 1}}, scores)
    with pytest.raises(Exception, match="expected one of multiply-adds"):
        lab.price = "money"
