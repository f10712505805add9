"""The race of decoders: its plan, the choice of a learning rate, and what stays frozen."""

import json

import pytest
import torch

from pixelwise import models
from pixelwise.training.finetune import encoder_of
from pixelwise.zoo.imagenet import pretrained_lite0
from tools import curves, race, trainings
from tools.race import NETWORKS, PASSES, RATES, SEEDS, SWEPT, plan


def result(score):
    return {"values": {"tune": {"mean_iou": score}, "test": {"mean_iou": 1 - score}}}


@pytest.fixture
def small(tmp_path, monkeypatch):
    """FCN-32s alone, on four scenes."""
    monkeypatch.setenv("PIXELWISE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(trainings, "RESULTS", tmp_path)
    monkeypatch.setattr(race, "NETWORKS", {"FCN-32s": lambda: models.FCN(race.encoder(), 11, stride=32)})
    monkeypatch.setattr(race, "SEEDS", (0,))
    monkeypatch.setattr(race, "RATES", (1e-3, 1e-2))
    monkeypatch.setattr(curves, "SIZE", (32, 64))
    monkeypatch.setattr(curves, "SPLITS", {"train": range(4), "tune": range(4, 6), "test": range(6, 9)})
    curves.scenes.cache_clear()
    yield tmp_path / f"{race.NAME}.json"
    curves.scenes.cache_clear()


def test_each_network_is_trained_with_every_seed_at_the_rate_that_tune_chose():
    scores = dict(zip(RATES, (0.2, 0.4, 0.3, 0.3), strict=True))
    done = {}
    for training in plan(done):
        better = 1 if training.network == "U-Net" else -1
        done[training] = result(better * scores[training.learning_rate])
    sweep = [training for training in done if training.passes == SWEPT]
    assert sweep == list(done)[: len(NETWORKS) * len(RATES)]
    final = [(t.network, t.learning_rate, t.seed) for t in done if t.passes == PASSES]
    best = dict.fromkeys(NETWORKS, RATES[0]) | {"U-Net": RATES[1]}
    assert sorted(final) == sorted((name, rate, seed) for name, rate in best.items() for seed in SEEDS)


def test_what_follows_the_sweep_waits_for_all_of_it():
    done = {training: result(0.5) for training in plan({})}
    done.popitem()
    assert len(list(plan(done))) == len(NETWORKS) * len(RATES)


def test_no_contestant_changes_what_imagenet_left():
    known = pretrained_lite0(num_classes=None).state_dict()
    for name, build in NETWORKS.items():
        found = encoder_of(build()).state_dict()
        assert found.keys() == known.keys(), name
        assert all(torch.equal(found[key], known[key]) for key in known), name


def test_a_race_is_kept_with_its_settings(small, monkeypatch):
    trainings.work(race, [])
    record = json.loads(small.read_text())
    assert [row["passes"] for row in record["trainings"]] == [SWEPT, SWEPT, PASSES]
    last = record["trainings"][-1]
    assert len(last["tune_mean_iou"]) == PASSES
    assert last["tune_mean_iou"][-1] == pytest.approx(last["values"]["tune"]["mean_iou"])
    assert last["parameters_trained"] == 320 * 11 + 11
    assert last["values"]["test"]["images"] == 3
    monkeypatch.setattr(race, "SCENES", 2)
    with pytest.raises(SystemExit, match="was made with other scenes: delete it"):
        trainings.work(race, [])
