"""What takes a GPU where there is one, chapters, training and the commands, on a pretended Ampere card and T4."""

import json
import os
import subprocess
import sys

import nbformat
import numpy as np
import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from pixelwise import drawings, models
from pixelwise.cli import predict as predict_command
from pixelwise.cli import train as train_command
from pixelwise.evaluation import evaluate, predict
from pixelwise.notebook import course
from pixelwise.training import Recipe, checkpoint, fit
from tests.helpers import tiny
from tests.helpers.pretend_gpu import CARDS, T4, pretend_gpu
from tools import rehearse, stamp

TINY = "--model unet --width 2 --size 32 48 --scenes 6 --epochs 2 --batch-size 2 --progress silent"


@pytest.fixture(params=CARDS)
def card(request):
    with pretend_gpu(CARDS[request.param]):
        yield CARDS[request.param]


@pytest.mark.parametrize(("chosen", "budget"), [("smoke", "smoke"), ("cpu", "cpu"), ("", "gpu")])
def test_a_chapter_takes_the_gpu_at_every_budget(card, monkeypatch, capsys, chosen, budget):
    monkeypatch.setenv("PIXELWISE_BUDGET", chosen)
    run = course.begin("chapter")
    assert (run.budget, run.device.type) == (budget, "cuda")
    assert torch.zeros(1).to(run.device).is_cuda
    assert f"budget {budget} · device cuda" in capsys.readouterr().out


class TestFit:
    @pytest.mark.parametrize(
        "recipe",
        [
            Recipe(epochs=2, batch_size=4, ema=0.9, class_weights="inverse_sqrt"),
            Recipe(epochs=2, batch_size=4, optimizer="sgd", class_weights=torch.ones(3), label_smoothing=0.1),
        ],
        ids=["adamw", "sgd"],
    )
    def test_computes_where_it_was_told_to(self, card, tmp_path, recipe):
        network, scenes = tiny.segmenter(), tiny.scenes()
        options = {"device": "cuda", "progress": "silent", "checkpoint": tmp_path / "run"}
        history = fit(network, scenes, recipe, val=scenes, **options)
        assert {p.device.type for p in (*network.parameters(), *network.buffers())} == {"cuda"}
        assert np.isfinite(history.loss).all()
        assert recipe.use_bfloat16(torch.device("cuda")) == (card.capability >= (8, 0))
        assert predict(network, scenes.images).device == scenes.images.device
        assert evaluate(network, scenes).device.type == "cpu"
        again = fit(tiny.segmenter(), scenes, recipe, val=scenes, **options)
        assert again.loss == history.loss  # nothing was left to do

    def test_several_heads_and_patches(self, card):
        fit(tiny.WithAuxiliary(), tiny.scenes(), Recipe(epochs=1), device="cuda", progress="silent")
        fit(tiny.classifier(), tiny.patches(), Recipe(epochs=1), device="cuda", progress="silent")

    def test_goes_on_from_a_checkpoint_bit_for_bit(self, card, tmp_path):
        def train(until, path):
            network, recipe = tiny.segmenter(), Recipe(epochs=3, batch_size=4)

            def stop(model, history):
                if len(history.epoch) == until:
                    raise KeyboardInterrupt

            fit(network, tiny.scenes(), recipe, device="cuda", checkpoint=path, on_epoch=stop, progress="silent")
            return network

        whole = train(None, tmp_path / "whole")
        with pytest.raises(KeyboardInterrupt):
            train(2, tmp_path / "parts")
        resumed = train(None, tmp_path / "parts")
        assert all(map(torch.equal, whole.state_dict().values(), resumed.state_dict().values()))

    def test_leaves_the_callers_random_numbers_alone(self, card):
        state = torch.cuda.get_rng_state()
        fit(tiny.segmenter(), tiny.scenes(), Recipe(epochs=1), device="cuda", progress="silent")
        assert torch.equal(state, torch.cuda.get_rng_state())

    def test_a_run_of_the_cpu_is_not_resumed_on_a_gpu(self, tmp_path):
        options = {"checkpoint": tmp_path / "run", "progress": "silent"}
        fit(tiny.segmenter(), tiny.scenes(), Recipe(epochs=1, amp=False), device="cpu", **options)
        with pretend_gpu(T4), pytest.raises(checkpoint.CheckpointError, match="device"):
            fit(tiny.segmenter(), tiny.scenes(), Recipe(epochs=1, amp=False), device="cuda", **options)


class TestCommands:
    def test_train_and_predict(self, card, tmp_path, monkeypatch, capsys):
        monkeypatch.setenv("PIXELWISE_DATA", str(tmp_path / "data"))
        monkeypatch.delenv("WORLD_SIZE", raising=False)
        train_command.main([*TINY.split(), "--test", "--out", str(tmp_path / "run")])
        record = json.loads((tmp_path / "run" / "results.json").read_text())
        assert record["device"] == card.name
        Image.new("RGB", (80, 60), "grey").save(tmp_path / "photo.png")
        weights = str(tmp_path / "run" / "weights.safetensors")
        predict_command.main([str(tmp_path / "photo.png"), "--weights", weights, "--out", str(tmp_path / "seen")])
        assert (tmp_path / "seen" / "photo-mask.png").is_file()

    def test_a_gpu_that_is_not_there(self, card, tmp_path, capsys):
        with pytest.raises(SystemExit):
            train_command.main([*TINY.split(), "--device", "cuda:1", "--out", str(tmp_path)])
        assert "there is no cuda:1: this machine has 1 GPUs" in capsys.readouterr().err


def test_a_network_is_drawn_at_work_where_it_was_trained(card):
    picture = torch.zeros(3, 64, 64, dtype=torch.uint8)
    backbone = models.resnet18(num_classes=None, width=2)
    drawing = drawings.fcn_scores(models.FCN(backbone, 3, stride=16).to("cuda"), picture)
    assert "result" in drawing.svg()


def run_chapter(path, profiles, card):
    """Run a chapter on a card as `make rehearse DEVICE=gpu` does, but with this library; what it says when it fails."""
    rehearse.give_gpu(profiles, card)
    environment = {
        "IPYTHONDIR": str(profiles),
        "PIXELWISE_BUDGET": "smoke",
        "PYTHONPATH": os.pathsep.join([str(stamp.LIBRARY), os.environ.get("PYTHONPATH", "")]),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    command = [sys.executable, "-c", rehearse.EXECUTE, path, rehearse.HAS_GPU]
    done = subprocess.run(
        command, cwd=path.parent, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    return done.stderr if done.returncode else ""


@pytest.mark.slow
@pytest.mark.parametrize(("chapter", "card"), [("upsampling", "ampere"), ("skip_connections", "t4")])
def test_a_chapter_runs_on_a_gpu(tmp_path, chapter, card):
    said = run_chapter(stamp.CHAPTERS / f"{chapter}.ipynb", tmp_path / "ipython", card)
    if said:
        pytest.fail(said[-3000:])


@pytest.mark.slow
def test_a_layer_that_stayed_behind_is_seen(tmp_path):
    cells = (
        "from pixelwise.notebook import course\nimport torch\nrun = course.begin('chapter')",
        "torch.nn.Linear(2, 2)(torch.zeros(1, 2).to(run.device))",
    )
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), tmp_path / "chapter.ipynb")
    said = run_chapter(tmp_path / "chapter.ipynb", tmp_path / "ipython", "ampere")
    assert "Expected all tensors to be on the same device" in said
