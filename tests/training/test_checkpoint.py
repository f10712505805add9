import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tests.helpers.tiny import WithAuxiliary, scenes, segmenter

from pixelwise.training import CheckpointError, Recipe, fit

ROOT = Path(__file__).parents[2]

# A run that kills itself at a step, while a checkpoint is being written, or just before it is put in place.
RUN = """
import os, signal, sys, torch
from pixelwise.training import checkpoint, fit
from tests.training.test_checkpoint import recipe_with, scenes, segmenter
torch.set_num_threads(1)
where, path = sys.argv[1:]
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
calls = 0
def augment(images, targets, generator):
    global calls
    calls += 1
    if where == "step" and calls == 9:
        die()
    return noisy(images, targets, generator)
from tests.training.test_checkpoint import noisy
augment.__qualname__ = noisy.__qualname__
if where == "replace":
    real, count = os.replace, 0
    def replace(a, b):
        global count
        count += 1
        die() if count == 2 else real(a, b)
    os.replace = replace
if where == "write":
    def half(tensors, file, metadata):
        open(file, "wb").write(b"half a file")
        die()
    checkpoint.save_file = half
fit(segmenter(), scenes(), recipe_with(augment), checkpoint=path, progress="silent")
"""


def noisy(images, targets, generator):
    """An augmentation that draws from its generator."""
    return images.float() / 255 + torch.rand(images.shape, generator=generator), targets.long()


def recipe_with(augment=noisy, **changes):
    return Recipe(**({"epochs": 5, "batch_size": 4, "warmup_steps": 4, "ema": 0.9, "augment": augment} | changes))


def run(path=None, recipe=None, model=None, data=None, **options):
    model = model or segmenter()
    history = fit(model, data or scenes(), recipe or recipe_with(), checkpoint=path, progress="silent", **options)
    return model.state_dict(), history


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Interrupted(Exception):
    pass


def interrupt_after(epoch):
    def stop(_, history):
        if history.epoch[-1] == epoch:
            raise Interrupted

    return stop


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_killed_again_and_again_it_ends_with_the_same_bits(tmp_path):
    path = tmp_path / "run.safetensors"
    expected, history = run()
    for where in ("step", "replace", "write"):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "code")])}
        done = subprocess.run(
            [sys.executable, "-c", RUN, where, str(path)], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
    left = [other for other in tmp_path.iterdir() if other != path]
    assert b"half a file" in [other.read_bytes() for other in left]
    for other in left:
        os.utime(other, (0, 0))  # an hour later they go
    finished, resumed = run(path)
    assert list(tmp_path.iterdir()) == [path]
    assert equal(finished, expected)
    assert resumed.loss == history.loss


@pytest.mark.parametrize(
    "recipe",
    [
        recipe_with(),
        recipe_with(optimizer="sgd", learning_rate=1e-2, ema=None),
        recipe_with(max_steps=13, class_weights="inverse_sqrt"),
        recipe_with(amp=True, class_weights=torch.tensor([1.0, 2.0, 3.0])),
    ],
    ids=["adamw", "sgd", "max_steps", "bfloat16"],
)
@pytest.mark.parametrize("epoch", [2, 4])
def test_interrupted_and_resumed_equals_uninterrupted(tmp_path, recipe, epoch):
    path = tmp_path / "new folder" / "run.safetensors"
    expected, history = run(recipe=recipe, val=scenes(4))
    with pytest.raises(Interrupted):
        run(path, recipe, val=scenes(4), on_epoch=interrupt_after(epoch))
    finished, resumed = run(path, recipe, segmenter(seed=9), val=scenes(4))  # whatever the model was, it is restored
    assert equal(finished, expected)
    times = {"seconds": [], "processor_seconds": []}
    assert resumed.to_dict() | times == history.to_dict() | times


def test_a_finished_run_is_not_trained_again(tmp_path):
    path = tmp_path / "run.safetensors"
    expected, history = run(path)
    finished, again = run(path, on_epoch=lambda *_: pytest.fail("trained again"))
    assert equal(finished, expected)
    assert again == history
    assert [file.name for file in tmp_path.iterdir()] == ["run.safetensors"]


class TestOfAnotherRun:
    @pytest.fixture
    def path(self, tmp_path):
        path = tmp_path / "run.safetensors"
        with pytest.raises(Interrupted):
            run(path, on_epoch=interrupt_after(2))
        return path

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"recipe": recipe_with(learning_rate=1e-3)}, "recipe.learning_rate is 0.002 there and 0.001 here"),
            ({"recipe": recipe_with(augment=None)}, "recipe.augment is noisy there and None here"),
            ({"recipe": recipe_with(class_weights=torch.ones(3))}, "recipe.class_weights is None there"),
            ({"val": scenes(4)}, "validation is False there and True here"),
            ({"seed": 1}, "seed is 0 there and 1 here"),
            ({"data": scenes(8)}, r"data is .*\(12, 3, 16, 16\).* there and .*\(8, 3, 16, 16\).* here"),
            ({"data": scenes(seed=3)}, "data is"),
            (
                {"model": segmenter(classes=4)},
                r"another model: ema.4.bias is torch.float32 \(3,\) there and .*\(4,\) here",
            ),
        ],
    )
    def test_is_refused_and_nothing_is_touched(self, path, options, message):
        model = options.get("model") or segmenter()
        before = {key: value.clone() for key, value in model.state_dict().items()}
        with pytest.raises(CheckpointError, match=message) as raised:
            run(path, **{**options, "model": model})
        assert "\n" not in str(raised.value)
        assert "delete the file to start again" in str(raised.value)
        assert equal(model.state_dict(), before)

    def test_another_network(self, path):
        with pytest.raises(CheckpointError, match="model is Sequential there and WithAuxiliary here"):
            run(path, model=WithAuxiliary())

    @pytest.mark.parametrize("length", [0, 5, 200, -1])
    def test_truncated(self, path, length):
        path.write_bytes(path.read_bytes()[:length])
        with pytest.raises(CheckpointError, match=r"cannot be read .*delete it to start again") as raised:
            run(path)
        assert "\n" not in str(raised.value)

    def test_other_safetensors(self, path):
        save_file({"weight": torch.zeros(2)}, path)
        with pytest.raises(CheckpointError, match="no checkpoint of this version"):
            run(path)


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "run.safetensors"
    with pytest.raises(Interrupted):
        run(path, on_epoch=interrupt_after(3))
    whole = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            run(path)
    assert path.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [path]
    assert equal(run(path)[0], run()[0])
