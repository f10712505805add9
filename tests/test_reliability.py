"""What else a reader's machine does: memory that runs out, paths in any script, disks that refuse, masks of one class.

The faults that belong to one module are tried beside its tests; docs/robustness.md lists them all.
"""

import errno
import os
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from pixelwise import data
from pixelwise.cli import predict
from pixelwise.cli import train as command
from pixelwise.data import CLASSES, VOID
from pixelwise.evaluation import evaluate, metrics
from pixelwise.training import CheckpointError, Recipe, fit
from pixelwise.zoo import weights
from pixelwise.zoo.registry import NetworkSpec
from tests.helpers import camvid_copy, tiny, warm

PATHS = ["mit Leerzeichen", "Straßen/눈 오는 날", "🚗", 'it\'s "quoted"', "-dash", "100 % #1?", "a" * 120]
TRAIN = "--model unet --width 2 --size 32 48 --scenes 2 --epochs 1 --batch-size 2 --progress silent --device cpu"


@pytest.fixture(params=PATHS)
def folder(request, tmp_path):
    return tmp_path / request.param


@pytest.mark.survives("Blanks, quotes, any script in paths")
class TestPaths:
    def test_streets_are_cached_and_found_again(self, folder, monkeypatch):
        monkeypatch.setenv("PIXELWISE_DATA", str(folder))
        first = data.load("streets", "val", (32, 48), count=1)
        assert list(folder.rglob("*.safetensors"))
        monkeypatch.setattr(data.streets, "generate_many", lambda *_, **__: pytest.fail("generated again"))
        assert torch.equal(data.load("streets", "val", (32, 48), count=1).images, first.images)

    def test_camvid_is_imported(self, folder, monkeypatch):
        monkeypatch.setenv("PIXELWISE_DATA", str(folder / "data"))
        copy = camvid_copy.make(folder / "CamVid")
        with pytest.warns(UserWarning, match="CamVid"):
            assert len(data.load("camvid", "train", (12, 16), source=copy)) == 6

    def test_a_run_is_saved_resumed_and_used(self, folder, capsys):
        command.main([*TRAIN.split(), f"--out={folder}/run"])
        command.main([*TRAIN.split(), f"--out={folder}/run", "--resume"])
        picture = folder / "ein Bild.png"
        Image.fromarray(np.zeros((40, 50, 3), np.uint8)).save(picture)
        made = folder / "run" / "weights.safetensors"
        predict.main([f"--weights={made}", f"--out={folder}/out", "--device=cpu", str(picture)])
        assert {path.name for path in (folder / "out").iterdir()} == {"ein Bild-overlay.png", "ein Bild-mask.png"}


@pytest.mark.survives("Out of memory")
class TestMemory:
    """The computer's or the GPU's: the command says what to make smaller."""

    @staticmethod
    def exhaust(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    @pytest.mark.parametrize(
        "error",
        [
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
            RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: 2 GB."),
            np._core._exceptions._ArrayMemoryError((10**9,), np.dtype("u1")),
            MemoryError(),
            OSError(errno.ENOMEM, "Cannot allocate memory"),
        ],
        ids=lambda error: type(error).__name__,
    )
    @pytest.mark.parametrize("where", ["fit", "data.load", "predict"])
    def test_training_gives_advice(self, monkeypatch, tmp_path, where, error):
        def exhaust(*_, **__):
            raise error

        monkeypatch.setenv("PIXELWISE_DATA", str(tmp_path))
        monkeypatch.setattr(f"pixelwise.cli.train.{where}", exhaust)
        with pytest.raises(
            SystemExit,
            match=r"^pixelwise-train: out of memory; choose a smaller --batch-size, --size or --crop, or fewer --s",
        ):
            command.main([*TRAIN.split(), f"--out={tmp_path}/run"])

    def test_a_fault_that_is_no_lack_of_memory_is_shown_whole(self, monkeypatch, tmp_path):
        def fail(*_, **__):
            raise RuntimeError("a mistake in the library")

        monkeypatch.setattr(command, "fit", fail)
        with pytest.raises(RuntimeError, match="a mistake in the library"):
            command.main([*TRAIN.split(), f"--out={tmp_path}/run"])

    @pytest.mark.skipif(sys.platform != "linux", reason="the limit holds on Linux only")
    def test_a_process_that_may_have_no_more_is_told_what_to_make_smaller(self, tmp_path, monkeypatch):
        """Really: what it uses after it has loaded, and 300 MB more."""
        limited = (
            "import resource; from pathlib import Path; from pixelwise.cli import train as command\n"
            "used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
            "resource.setrlimit(resource.RLIMIT_AS, (used + 300_000_000,) * 2)\n"
            f"command.main({[*TRAIN.split(), '--size', '800', '800', f'--out={tmp_path}/run']})"
        )
        monkeypatch.setenv("PIXELWISE_DATA", str(tmp_path))
        ended = warm.python(limited)
        assert ended.returncode == 1
        assert ended.stderr.splitlines()[-1].startswith("pixelwise-train: out of memory; choose a smaller")
        assert "Traceback" not in ended.stderr

    def test_predicting_goes_on_with_the_next_picture(self, monkeypatch, tmp_path, capsys):
        network = NetworkSpec("unet", 11, width=2)
        weights.save(
            tmp_path / "w.safetensors", network.build(), weights.Metadata(network, CLASSES, "streets", (32, 48))
        )
        for name in ("large.png", "small.png"):
            Image.fromarray(np.zeros((40, 50, 3), np.uint8)).save(tmp_path / name)
        real, calls = predict.label, []

        def label(*arguments):
            calls.append(arguments)
            return self.exhaust() if len(calls) == 1 else real(*arguments)

        monkeypatch.setattr(predict, "label", label)
        with pytest.raises(SystemExit):
            predict.main(
                [f"--weights={tmp_path}/w.safetensors", f"--out={tmp_path}", "--device=cpu"]
                + [str(tmp_path / name) for name in ("large.png", "small.png")]
            )
        assert "out of memory" in capsys.readouterr().err
        assert (tmp_path / "small-mask.png").exists()


@pytest.mark.survives("Disk full, read-only, over quota")
@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_refuses_a_checkpoint_ends_the_training_and_leaves_nothing_half(tmp_path, monkeypatch, code):
    path = tmp_path / "run.safetensors"

    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match=os.strerror(code)):
        fit(tiny.segmenter(), tiny.scenes(4), Recipe(epochs=1, batch_size=2), checkpoint=path, progress="silent")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.survives("Weights or checkpoint truncated, altered, swapped, NaN, forged, of another run or network")
@pytest.mark.parametrize("text", [b"", b"no safetensors", b"\xff" * 8 + b"{}", b"\x02\0\0\0\0\0\0\0{}"])
def test_a_checkpoint_that_is_none_is_refused_in_one_line(tmp_path, text):
    path = tmp_path / "run.safetensors"
    path.write_bytes(text)
    with pytest.raises(CheckpointError) as refused:
        fit(tiny.segmenter(), tiny.scenes(4), Recipe(epochs=1, batch_size=2), checkpoint=path, progress="silent")
    assert len(str(refused.value).splitlines()) == 1
    assert path.read_bytes() == text


@pytest.mark.survives("Masks with unknown labels, all void, of one class")
class TestMasks:
    def test_one_class_is_learned(self):
        scenes = tiny.scenes(4)
        scenes.targets.fill_(1)
        model = tiny.segmenter()
        fit(model, scenes, Recipe(epochs=20, batch_size=4, learning_rate=0.05, amp=False), progress="silent")
        matrix = evaluate(model, scenes)
        assert metrics.pixel_accuracy(matrix) > 0.9
        assert metrics.class_iou(matrix)[1] > 0.9

    def test_a_picture_that_is_all_void_costs_nothing(self):
        scenes = tiny.scenes(4)
        scenes.targets[0] = VOID
        history = fit(tiny.segmenter(), scenes, Recipe(epochs=2, batch_size=1, amp=False), progress="silent")
        assert all(np.isfinite(history.loss))

    def test_all_void_is_refused_for_training_and_undefined_for_judging(self):
        scenes = tiny.scenes(4)
        scenes.targets.fill_(VOID)
        with pytest.raises(ValueError, match="no training target is labelled"):
            fit(tiny.segmenter(), scenes, Recipe(epochs=1, batch_size=2), progress="silent")
        assert np.isnan(metrics.mean_iou(evaluate(tiny.segmenter(), scenes)))

    @pytest.mark.parametrize("label", [3, 12, 31, 254])
    def test_an_unknown_label_is_named(self, label):
        scenes = tiny.scenes(4)
        scenes.targets[1, 2, 3] = label
        with pytest.raises(ValueError, match=f"targets hold label {label}, but the model has 3 outputs"):
            fit(tiny.segmenter(), scenes, Recipe(epochs=1, batch_size=2), progress="silent")
        with pytest.raises(ValueError, match=str(label)):
            evaluate(tiny.segmenter(), scenes)
