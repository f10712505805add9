"""The training command as its user meets it: options in, files out, one line for every mistake."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from pixelwise.data import Augment
from pixelwise.training import Recipe, command, weights
from pixelwise.training.options import RECIPES, build_parser, parse, recipe_of

ROOT = Path(__file__).parents[2]
TINY = "--model unet --width 2 --size 32 48 --scenes 6 --epochs 2 --batch-size 2 --progress silent --device cpu"
EXACT = "--no-flip --scale 1 1 --colour 0 --no-amp --optimizer sgd --learning-rate 0.01"


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXELWISE_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("WORLD_SIZE", raising=False)


def train(*arguments):
    command.main([*TINY.split(), *map(str, arguments)])


def fails(capsys, *arguments):
    """The one line with which the command ends."""
    with pytest.raises(SystemExit) as ended:
        train(*arguments)
    said = str(ended.value) if ended.value.code not in (1, 2) else capsys.readouterr().err.splitlines()[-1]
    assert "\n" not in said
    return said


class TestARun:
    def test_leaves_weights_results_and_a_contact_sheet(self, tmp_path, capsys):
        train()
        (folder,) = (tmp_path / "data" / "runs").iterdir()
        assert folder.name == "unet-streets-32x48-seed0"
        assert str(folder) in capsys.readouterr().out
        record = json.loads((folder / "results.json").read_text())
        assert record["network"]["model"] == "unet"
        assert record["values"]["val"]["images"] == 6
        assert len(record["values"]["val"]["class_iou"]) == 11
        assert 0 <= record["values"]["val"]["boundary_band_mean_iou"] <= 1
        assert record["history"]["epoch"] == [1, 2]
        assert record["history"]["val_mean_iou"][-1] == pytest.approx(record["values"]["val"]["mean_iou"])
        assert {"torch", "python"} <= record["versions"].keys()
        assert record["seeds"] == [0]
        assert str(tmp_path) not in json.dumps(record)
        model, about = weights.load(folder / "weights.safetensors")
        assert about.metrics == record["values"]
        assert about.size == (32, 48)
        assert record["parameters"] == sum(p.numel() for p in model.parameters())
        card = (folder / "model-card.md").read_text()
        assert f"Mean IoU {100 * record['values']['val']['mean_iou']:.1f} %" in card
        assert "**Licence**: MIT" in card
        assert Image.open(folder / "contact-sheet.png").size[0] > 400

    def test_test_split_only_when_asked(self, tmp_path):
        train("--out", tmp_path / "a b", "--test", "--train-split", "fit", "--val-split", "tune")
        assert json.loads((tmp_path / "a b" / "results.json").read_text())["values"].keys() == {"tune", "test"}

    def test_goes_on_where_it_was_stopped(self, tmp_path, monkeypatch):
        train("--out", tmp_path / "whole")
        fit = command.fit

        def stopped(*arguments, **options):
            def stop(model, history):
                if len(history.epoch) == 2:
                    raise KeyboardInterrupt

            return fit(*arguments, **options, on_epoch=stop)

        monkeypatch.setattr(command, "fit", stopped)
        with pytest.raises(SystemExit, match="--resume goes on from"):
            train("--out", tmp_path / "cut")
        monkeypatch.setattr(command, "fit", fit)
        assert not (tmp_path / "cut" / "weights.safetensors").exists()
        train("--out", tmp_path / "cut", "--resume")
        whole, cut = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "cut"))
        assert all(torch.equal(whole[key], cut[key]) for key in whole)

    def test_never_touches_another_run(self, tmp_path, capsys):
        train("--out", tmp_path / "x")
        before = (tmp_path / "x" / "weights.safetensors").read_bytes()
        said = fails(capsys, "--out", tmp_path / "x")
        assert "holds a run already" in said
        assert "--resume" in said
        assert "--overwrite" in said
        said = fails(capsys, "--out", tmp_path / "x", "--resume", "--seed", "1")
        assert "belongs to another run: seed is 0 there and 1 here" in said
        assert (tmp_path / "x" / "weights.safetensors").read_bytes() == before
        train("--out", tmp_path / "x", "--overwrite", "--seed", "1")
        assert (tmp_path / "x" / "weights.safetensors").read_bytes() != before


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--model", "unett"), "invalid choice: 'unett'"),
            (("--epochs", "0"), "'0' is no whole number from 1 to 1000000"),
            (("--size", "32", "x"), "'x' is no whole number"),
            (("--resume", "--overwrite"), "give one of them"),
            (("--ema", "2"), "'2' is no number above 0 and below 1"),
            (("--scale", "2", "1"), "scale is (2.0, 1.0)"),
            (("--colour", "1"), "'1' is no number from 0 to below 1"),
            (("--device", "gpu"), "no device 'gpu'"),
            (("--model", "compact"), "compact has no width to choose"),
            (("--size", "8", "8"), "'8' is no whole number from 32 to 4096"),
            (("--val-split", "tune"), "give --train-split fit with --val-split tune"),
        ],
        ids=" ".join,
    )
    def test_one_line_that_says_what_to_do(self, capsys, arguments, message):
        said = fails(capsys, *arguments)
        assert message in said
        assert said.startswith(("pixelwise.training: ", "python -m pixelwise.training: error: "))

    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
    def test_no_gpu(self, capsys):
        assert "PyTorch sees no CUDA GPU; use --device cpu" in fails(capsys, "--device", "cuda")

    def test_a_folder_that_is_a_file(self, capsys, tmp_path):
        (tmp_path / "file").write_text("")
        assert str(tmp_path / "file") in fails(capsys, "--out", tmp_path / "file" / "x")


class TestOptions:
    def test_the_recipe_is_what_was_asked_for(self):
        recipe = recipe_of(
            parse(["--crop", "32", "48", "--scale", "0.5", "2", "--ema", "0.9", "--class-weights", "none", "--no-amp"])
        )
        assert recipe == Recipe(augment=Augment(scale=(0.5, 2.0), crop=(32, 48)), ema=0.9, amp=False)
        assert recipe_of(parse(EXACT.split())).augment is None

    @pytest.mark.parametrize("name", RECIPES)
    def test_named_recipes_are_whole_and_can_be_overruled(self, name):
        options = parse(["--recipe", name])
        for key, value in RECIPES[name].items():
            assert key == "about" or getattr(options, key) == value
        recipe_of(options)
        assert parse(["--recipe", name, "--epochs", "3"]).epochs == 3
        assert parse(["--epochs", "3", "--recipe", name]).epochs == 3
        assert parse([]).model == "unet"  # one recipe leaves nothing behind for the next

    def test_help_tells_everything(self):
        text = build_parser().format_help()
        for word in ("examples:", "torchrun", "compact", "deeplabv3plus", "camvid-360", "(default: 16)"):
            assert word in text
        assert max(map(len, text.splitlines())) <= 120


@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="PyTorch was built without gloo")
def test_two_processes_reach_what_one_does(tmp_path):
    """Without randomness in the images the loss is the same to 0.5 %, the mean IoU to 0.01: rounding, and no more."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    here = ("--standalone", "--local-addr=127.0.0.1")  # by number: a machine need not know its own name
    launch = [sys.executable, "-m", "torch.distributed.run", *here, "--nproc-per-node=2"]
    options = [*TINY.split(), *EXACT.split(), "--scenes", "12", "--epochs", "2", "--batch-size", "4"]
    several = subprocess.run(
        [*launch, "-m", "pixelwise.training", *options, "--sync-batch-norm", "--out", str(tmp_path / "two")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert several.returncode == 0, several.stderr
    assert several.stdout.count("val: mIoU") == 1  # the first process alone speaks
    command.main([*options, "--out", str(tmp_path / "one")])
    one, two = (json.loads((tmp_path / name / "results.json").read_text()) for name in ("one", "two"))
    assert (one["processes"], two["processes"]) == (1, 2)
    assert two["history"]["loss"] == pytest.approx(one["history"]["loss"], rel=5e-3)
    assert two["history"]["step"] == one["history"]["step"]
    assert two["values"]["val"]["mean_iou"] == pytest.approx(one["values"]["val"]["mean_iou"], abs=0.01)
