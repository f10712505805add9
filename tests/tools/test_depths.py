"""Plain and residual networks trained long: the plan, the networks, and what is noted on the way."""

import json
from functools import partial

import pytest

from pixelwise import models
from tools import depths, trainings
from tools.depths import NETWORKS, PASSES, RATES, SEEDS, SWEPT, plan


def result(error):
    return {"values": {"tune": {"error": error}, "test": {"error": 1 - error}}}


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Eight plain layers alone, on 32 patches of two scenes."""
    monkeypatch.setenv("PIXELWISE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(trainings, "RESULTS", tmp_path)
    network = partial(models.CifarResNet, 8, residual=False, width=2, stride=2, num_classes=11)
    monkeypatch.setattr(depths, "NETWORKS", {"plain-8": network})
    monkeypatch.setattr(depths, "CLASSES", ("sky", "road"))
    monkeypatch.setattr(depths, "SPLITS", {"train": ("train", 2, 32), "tune": ("tune", 1, 8), "test": ("val", 1, 10)})
    monkeypatch.setattr(depths, "SIZE", (96, 128))
    monkeypatch.setattr(depths, "PASSES", 4)
    monkeypatch.setattr(depths, "SEEDS", (0,))
    monkeypatch.setattr(depths, "RATES", (0.1, 0.3))
    depths.patches.cache_clear()
    yield tmp_path / f"{depths.NAME}.json"
    depths.patches.cache_clear()


def test_each_network_is_trained_with_every_seed_at_the_rate_that_tune_chose():
    errors = dict(zip(RATES, (0.4, 0.2, 0.3, 0.3), strict=True))
    done = {}
    for training in plan(done):
        better = -1 if training.network == "plain-32" else 1
        done[training] = result(better * errors[training.learning_rate])
    sweep = [training for training in done if training.passes == SWEPT]
    assert sweep == list(done)[: len(NETWORKS) * len(RATES)]
    final = [(t.network, t.learning_rate, t.seed) for t in done if t.passes == PASSES]
    best = dict.fromkeys(NETWORKS, RATES[1]) | {"plain-32": RATES[0]}
    assert sorted(final) == sorted((name, rate, seed) for name, rate in best.items() for seed in SEEDS)


def test_shortcuts_are_all_that_a_depth_differs_by():
    for depth in (8, 32):
        plain, residual = NETWORKS[f"plain-{depth}"](), NETWORKS[f"residual-{depth}"]()
        assert plain.state_dict().keys() == residual.state_dict().keys()
        assert sum(name.endswith(("conv1.weight", "conv2.weight", "fc.weight")) for name in plain.state_dict()) == depth
        assert plain.layer1[0].downsample is None is not residual.layer1[0].downsample


def test_errors_on_the_way_are_kept_with_the_settings(small, monkeypatch):
    trainings.work(depths, [])
    record = json.loads(small.read_text())
    assert [row["passes"] for row in record["trainings"]] == [SWEPT, SWEPT, 4]
    last = record["trainings"][-1]
    assert last["steps"] == [2, 4]
    assert {split: len(errors) for split, errors in last["errors"].items()} == {"train": 2, "test": 2}
    for split in ("train", "test"):
        assert last["errors"][split][-1] == pytest.approx(last["values"][split]["error"])
    monkeypatch.setattr(depths, "NOTED", 5)
    with pytest.raises(SystemExit, match="was made with other noted: delete it"):
        trainings.work(depths, [])
