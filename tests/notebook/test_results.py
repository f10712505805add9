"""Who leads whom, seed by seed."""

import pytest

from pixelwise.notebook.results import Results

SCORES = Results({"FCN-8s": [0.5, 0.52, 0.54], "FCN-32s": [0.4, 0.5, 0.27]})


def test_leads_and_ratios_pair_the_seeds():
    assert SCORES.lead("FCN-8s", "FCN-32s") == pytest.approx([0.1, 0.02, 0.27])
    assert SCORES.ratio("FCN-8s", "FCN-32s") == pytest.approx([1.25, 1.04, 2.0])


def test_a_lead_on_several_is_one_on_the_best_of_each_seed():
    scores = Results({"all": [5, 5], "one": [1, 4], "two": [3, 2]})
    assert scores.lead("all", "one", "two") == [2, 1]


def test_mean_spread_and_order():
    assert (SCORES.mean("FCN-8s"), SCORES.sd("FCN-8s")) == pytest.approx((0.52, 0.02))
    assert SCORES.spell("FCN-8s") == "52.0 ± 2.0"
    assert Results({"net": [3.0]}).spell("net", scale=1, digits=0) == "3 ± 0"
    assert (SCORES.ranking(), SCORES.best) == (["FCN-8s", "FCN-32s"], "FCN-8s")


def test_seed_by_seed_another_network_may_win():
    seeds = Results({"a": [1, 5], "b": [2, 4]}).by_seed()
    assert seeds == [{"a": 1, "b": 2}, {"a": 5, "b": 4}]
    assert [max(seed, key=seed.get) for seed in seeds] == ["b", "a"]


def test_it_measures_what_runs_left():
    runs = {"a": [{"loss": 1}, {"loss": 2}], "b": [{"loss": 3}, {"loss": 5}]}
    assert Results.of(runs, lambda run: run["loss"]).lead("b", "a") == [2, 3]


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="there are: a 2, b 1"):
        Results({"a": [1, 2], "b": [1]})
    with pytest.raises(ValueError, match="there are: nothing"):
        Results({})
    with pytest.raises(KeyError, match=r"no network 'U-Net'; there are FCN-8s, FCN-32s"):
        SCORES["U-Net"]
    with pytest.raises(KeyError, match=r"no network 16; there are \('v3', 16\)"):
        Results({("v3", 16): [1]})[16]
