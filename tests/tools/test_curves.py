"""Curves over ever more scenes: the plan, the choice of a learning rate, and a call that can be stopped."""

import json

import pytest
import torch
from torch import nn

from tools import curves, trainings
from tools.curves import Training, chosen, plan

SCORES = {1e-3: 0.2, 3e-3: 0.4, 9e-3: 0.3}


def result(score):
    return {"values": {"tune": {"mean_iou": score}, "test": {"mean_iou": 1 - score}}}


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Two networks of one convolution, two steps, four scenes."""
    monkeypatch.setenv("PIXELWISE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(trainings, "RESULTS", tmp_path)
    monkeypatch.setattr(curves, "SIZE", (32, 48))
    monkeypatch.setattr(curves, "AMOUNTS", (2, 4))
    monkeypatch.setattr(curves, "SWEPT", 4)
    monkeypatch.setattr(curves, "STEPS", 2)
    monkeypatch.setattr(curves, "SEEDS", (0,))
    monkeypatch.setattr(curves, "RATES", (1e-3, 1e-2))
    monkeypatch.setattr(curves, "SPLITS", {"train": range(4), "tune": range(4, 6), "test": range(6, 9)})
    networks = {"one": lambda: nn.Conv2d(3, 11, 1), "three": lambda: nn.Conv2d(3, 11, 3, padding=1)}
    monkeypatch.setattr(curves, "NETWORKS", networks)
    curves.scenes.cache_clear()
    yield tmp_path / f"{curves.NAME}.json"
    curves.scenes.cache_clear()


def test_the_networks_are_of_a_size():
    with torch.device("meta"):
        first, second = (curves.size(build()) for build in curves.NETWORKS.values())
    for what, most in {"parameters": 1.05, "multiply_adds": 1.2}.items():
        assert 1 / most < first[what] / second[what] < most


def test_the_most_scenes_are_shown_once():
    assert curves.STEPS * curves.BATCH == max(curves.AMOUNTS) == len(curves.SPLITS["train"])
    train, tune, test = map(set, curves.SPLITS.values())
    assert not train & tune
    assert not train & test
    assert not tune & test


def test_the_sweep_comes_first_and_is_part_of_the_curves():
    done = {}
    for training in plan(done):
        done[training] = result(SCORES[training.learning_rate])
    sweep = list(done)[: 6 * len(curves.SEEDS)]
    assert [t.learning_rate for t in sweep[:6]] == [1e-3, 1e-3, 3e-3, 3e-3, 9e-3, 9e-3]
    assert {(t.scenes, t.seed) for t in sweep} == {(1024, seed) for seed in curves.SEEDS}
    curve = [t for t in done if t.network == "segformer" and t.learning_rate == 3e-3]
    assert {(t.scenes, t.seed) for t in curve} == {(n, seed) for n in curves.AMOUNTS for seed in curves.SEEDS}
    assert len(curve) == len(curves.AMOUNTS) * len(curves.SEEDS)
    assert len(done) == len(sweep) + 2 * (len(curve) - len(curves.SEEDS))


def test_the_rate_is_chosen_on_tune_for_each_network():
    seeds = curves.SEEDS
    done = {Training("segformer", 1024, rate, s): result(score) for rate, score in SCORES.items() for s in seeds}
    done |= {Training("resnet", 1024, rate, s): result(-score) for rate, score in SCORES.items() for s in seeds}
    assert chosen(done, "segformer") == 3e-3
    assert chosen(done, "resnet") == 1e-3


def test_a_rate_at_which_one_seed_fails_is_not_chosen_by_another():
    scores = {1e-3: (0.2, 0.2, 0.2), 3e-3: (0.4, 0.4, 0.4), 9e-3: (0.45, 0.1, 0.45)}
    done = {
        Training("segformer", 1024, rate, seed): result(score)
        for rate, each in scores.items()
        for seed, score in zip(curves.SEEDS, each, strict=True)
    }
    assert chosen(done, "segformer") == 3e-3


def test_a_stopped_call_goes_on_and_ends_the_same(small, monkeypatch, capsys):
    train = curves.train

    def stop_at_the_third(training):
        if training == Training("one", 4, 1e-2, 0):
            raise KeyboardInterrupt
        return train(training)

    monkeypatch.setattr(curves, "train", stop_at_the_third)
    with pytest.raises(SystemExit, match="stopped; the same command goes on"):
        trainings.work(curves, [])
    assert len(json.loads(small.read_text())["trainings"]) == 2
    monkeypatch.setattr(curves, "train", train)
    trainings.work(curves, [])
    record = json.loads(small.read_text())
    assert len(record["trainings"]) == 6
    assert record["networks"]["one"] == {"parameters": 44, "multiply_adds": 33 * 32 * 48}
    assert {row["values"]["test"]["images"] for row in record["trainings"]} == {3}
    again = train(Training("one", 4, 1e-3, 0))
    assert again["values"] == record["trainings"][0]["values"]
    monkeypatch.setattr(curves, "train", lambda training: pytest.fail("trained again"))
    trainings.work(curves, [])
    trainings.work(curves, ["--list"])
    assert "one            2 scenes, rate" in capsys.readouterr().out


def test_other_settings_do_not_go_on(small, monkeypatch):
    trainings.save(curves, {Training("one", 4, 1e-3, 0): result(0.5)})
    monkeypatch.setattr(curves, "STEPS", 3)
    with pytest.raises(SystemExit, match="was made with other steps, recipe: delete it to train all of it again"):
        trainings.work(curves, [])
