"""The table of long runs: whole, stoppable at any time, and each begun where it says."""

import dataclasses
import functools
import json
from itertools import pairwise

import pytest
import torch

from pixelwise import data
from pixelwise.training import fit
from pixelwise.training.finetune import encoder_of
from pixelwise.zoo import NetworkSpec
from tools import runs
from tools.runs import RUNS, Run, complete, evenly, folder, initial, main, training_scenes

TINY = {"start": "nothing", "epochs": 2, "warmup_steps": 1}


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A table of two small runs on made-up scenes, and an empty folder for what they leave."""
    generator = torch.Generator().manual_seed(0)

    def load(name, split, size):
        masks = torch.randint(11, (8, *size), generator=generator.manual_seed(0), dtype=torch.uint8)
        images = (masks[:, None] * 20).expand(-1, 3, -1, -1).contiguous()
        return data.Scenes(images, masks, name, split, tuple(f"{split}-{i}" for i in range(8)))

    monkeypatch.setenv("PIXELWISE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(runs, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(runs, "SIZE", (32, 48))
    monkeypatch.setattr(data, "load", load)
    table = (
        Run("second", **TINY | {"start": "first", "encoder": "frozen"}, crop=(32, 32)),
        Run("first", **TINY, crop=(32, 32)),
    )
    monkeypatch.setattr(runs, "RUNS", table)
    return table


def result(name):
    return json.loads((runs.RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def test_every_row_can_be_built():
    names = [run.name for run in RUNS]
    assert len(set(names)) == len(names)
    for i, run in enumerate(RUNS):
        assert run.start in ("nothing", "imagenet", *names[:i])
        assert run.encoder in ("tuned", "frozen")
        assert run.split in data.SPLITS
        films = {"train": ("val",), "fit": ("tune",), "seen": ("val", "unseen")}
        assert run.judged == (films[run.split] if run.dataset == "camvid" else films["seen"])
        with torch.device("meta"):
            run.spec().build()
        assert run.recipe().epochs == run.epochs


def test_frames_are_spread_and_nested():
    quarter, few = evenly(305, 77), evenly(305, 20)
    assert quarter == list(range(0, 305, 4))
    assert set(few) < set(quarter)
    assert len(few) == 20
    assert {after - before for before, after in pairwise(few)} == {16}
    with pytest.raises(ValueError, match="100 of 305 frames were asked for, expected at most a quarter, 77"):
        evenly(305, 100)


def test_a_run_leaves_its_values_and_where_they_come_from(small):
    record = complete(small[1])
    kept = result("first")
    assert kept == complete(small[1])
    assert kept["values"] == record["values"]
    assert record["values"].keys() == {"val", "unseen"}
    assert record["values"]["unseen"]["class_iou"].keys() == set(data.CLASSES)
    assert len(record["history"]["loss"]) == 2
    assert {"device", "date", "seconds", "processor_seconds", "seeds", "versions", "train_split"} <= record.keys()


def test_a_row_that_was_changed_does_not_pass_for_the_run_that_was_made(small, monkeypatch):
    complete(small[1])
    monkeypatch.setattr(runs, "RUNS", (dataclasses.replace(small[1], colour=0.1),))
    with pytest.raises(SystemExit, match=r"first.json was made with colour 0.3 \(now 0.1\): give the run another name"):
        main([])


def test_a_stopped_run_goes_on_and_ends_the_same(small, monkeypatch, capsys):
    def stop(model, history):
        raise KeyboardInterrupt

    whole = complete(small[1])
    (runs.RESULTS / "first.json").unlink()
    (folder(small[1]) / "checkpoint.safetensors").unlink()
    monkeypatch.setattr(runs, "fit", functools.partial(fit, on_epoch=stop))
    with pytest.raises(SystemExit, match="stopped; the same command goes on"):
        main(["--only", "first"])
    assert not (runs.RESULTS / "first.json").exists()
    monkeypatch.setattr(runs, "fit", fit)
    main(["--only", "first"])
    assert result("first")["values"] == whole["values"]
    main(["--list"])
    assert "first                            done: val mIoU" in capsys.readouterr().out


def test_a_run_begins_with_the_weights_of_the_one_it_names(small):
    model = initial(small[0], NetworkSpec("pyramid", 11))
    assert result("first")["run"]["name"] == "first"
    again = initial(small[0], NetworkSpec("pyramid", 11)).state_dict()
    assert all(torch.equal(value, again[key]) for key, value in model.state_dict().items())
    fresh = initial(small[1], NetworkSpec("pyramid", 11)).state_dict()
    assert not torch.equal(fresh["score.weight"], again["score.weight"])
    assert not any(p.requires_grad for p in encoder_of(model).parameters())
    record = complete(small[0])
    assert record["parameters_trained"] == sum(p.numel() for p in model.parameters() if p.requires_grad)


def test_fewer_frames_are_those_that_were_chosen(small):
    assert training_scenes(Run("few", frames=2)).names == ("seen-0", "seen-4")
