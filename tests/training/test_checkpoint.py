import json
import os
import re
import signal

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from pixelwise import sealed
from pixelwise.training import CheckpointError, Recipe, fit
from tests.helpers import warm
from tests.helpers.tiny import WithAuxiliary, scenes, segmenter

# Runs that kill themselves, one after another: at a step, just before a checkpoint is put in place, while it is being
# written. Each is a process of its own, forked from one that has the imports behind it; PyTorch brings some of them
# with the first optimizer.
RUNS = """
import os, signal, sys, torch
from pixelwise import sealed
from pixelwise.training import fit
from tests.training.test_checkpoint import recipe_with, scenes, segmenter
torch.set_num_threads(1)
recipe_with().build_optimizer(segmenter())
path, *places = sys.argv[1:]
for where in places:
    child = os.fork()
    if not child:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()
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
    sealed.save_file = half
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


@pytest.fixture(autouse=True, scope="module")
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


@pytest.mark.slow
@pytest.mark.survives("Training killed in a step, while it writes, before the rename; stopped between epochs")
@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_killed_again_and_again_it_ends_with_the_same_bits(tmp_path):
    path = tmp_path / "run.safetensors"
    expected, history = run()
    done = warm.python(RUNS, path, "step", "replace", "write")
    assert done.stdout.split() == [str(-signal.SIGKILL)] * 3, done.stderr
    left = [other for other in tmp_path.iterdir() if other != path]
    assert b"half a file" in [other.read_bytes() for other in left]
    finished, resumed = run(path)
    assert list(tmp_path.iterdir()) == [path]
    assert equal(finished, expected)
    assert resumed.loss == history.loss


@pytest.mark.survives("Training killed in a step, while it writes, before the rename; stopped between epochs")
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


@pytest.mark.survives("Weights or checkpoint truncated, altered, swapped, NaN, forged, of another run or network")
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
            ({"val": scenes(4)}, r"validation is None there and \(4, 3, 16, 16\).* here"),
            ({"facts": {"val_split": "tune"}}, "val_split is absent there and tune here"),
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
        with pytest.raises(CheckpointError, match=r"cannot be read .*delete the file to start again") as raised:
            run(path)
        assert "\n" not in str(raised.value)

    def test_other_safetensors(self, path):
        save_file({"weight": torch.zeros(2)}, path)
        with pytest.raises(CheckpointError, match="holds no pixelwise checkpoint 2"):
            run(path)


def rewrite(path, change, seal=True):
    """Store a checkpoint anew with metadata and tensors changed, by somebody who knows the checksum or does not."""
    with safe_open(path, framework="pt") as file:
        metadata = dict(file.metadata())
    tensors = load_file(path)
    change(metadata, tensors)
    if seal and "sha256" in metadata:
        metadata["sha256"] = sealed.checksum(metadata, tensors)
    save_file(tensors, path, metadata)


def in_history(**values):
    def change(metadata, tensors):
        metadata["history"] = json.dumps(json.loads(metadata["history"]) | values)

    return change


def in_tensor(name, value):
    return lambda metadata, tensors: tensors[name].view(-1)[:1].fill_(value)


def without(part):
    """Drop the tensors whose name holds `part`."""

    def change(metadata, tensors):
        wanted = [name for name in tensors if part in name]
        assert wanted
        for name in wanted:
            del tensors[name]

    return change


def at_step(count):
    def change(metadata, tensors):
        for name in tensors:
            if name.endswith(".step"):
                tensors[name].fill_(count)

    return change


@pytest.fixture(scope="module")
def whole(one_thread, tmp_path_factory):
    """The bytes of a checkpoint of two epochs of three steps."""
    path = tmp_path_factory.mktemp("run") / "run.safetensors"
    with pytest.raises(Interrupted):
        run(path, val=scenes(4), on_epoch=interrupt_after(3))
    return path.read_bytes()


@pytest.mark.survives("Weights or checkpoint truncated, altered, swapped, NaN, forged, of another run or network")
class TestDamaged:
    def refused(self, path):
        """What the refusal says, once it is known that nothing was touched."""
        model, stored = segmenter(seed=9), path.read_bytes()
        before = {key: value.clone() for key, value in model.state_dict().items()}
        recipe = recipe_with()
        optimizer = recipe.build_optimizer(model)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Recipe, "build_optimizer", lambda *_: optimizer)
            with pytest.raises(CheckpointError) as raised:
                run(path, recipe, model, val=scenes(4))
        assert equal(model.state_dict(), before)
        assert not optimizer.state
        assert path.read_bytes() == stored
        said = str(raised.value)
        assert said.isprintable()
        assert said.endswith("give another checkpoint path, or delete the file to start again")
        return said

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda m, t: m.pop("sha256"), "carries no checksum"),
            (lambda m, t: m.update(format="pixelwise checkpoint 1"), "holds no pixelwise checkpoint 2"),
            (lambda m, t: m.pop("run"), "expected .'format', 'run', 'history'"),
            (lambda m, t: m.pop("history"), "expected .'format', 'run', 'history'"),
            (lambda m, t: m.update(run="[]"), "does not say of which run"),
            (lambda m, t: m.update(run="{"), "holds no JSON in run"),
            (lambda m, t: m.update(run="[" * 200_000), "holds no JSON in run"),
            (lambda m, t: m.update(run=json.dumps(json.loads(m["run"]) | {"\x1b[31m": 1})), "belongs to another run"),
            (lambda m, t: m.update(history="null"), "history that can't be .expected the lists epoch"),
            (lambda m, t: m.update(history='{"epoch": [1]}'), "history that can't be .expected the lists epoch"),
            (in_history(epoch=[]), "has 2 entries, expected 0"),
            (in_history(epoch=[1, 3]), "its epochs are not 1, 2"),
            (in_history(epoch=[0, 1]), "its epochs are not 1, 2"),
            (in_history(step=[3, 3]), "its steps do not fit its 2 epochs"),
            (in_history(step=[3, 7]), "its steps do not fit its 2 epochs"),
            (in_history(step=[-3, -6]), "step is no list of numbers from 0"),
            (in_history(step=[0, 0]), "its steps do not fit"),
            (in_history(step=[3.0, 6.0]), "step is no list of numbers"),
            (in_history(step=[3]), "step has 1 entries, expected 2"),
            (in_history(loss=[1.0]), "loss has 1 entries, expected 2"),
            (in_history(loss=[1.0, float("nan")]), "loss is no list of numbers"),
            (in_history(loss="12"), "loss is no list of numbers"),
            (in_history(seconds=[1.0, -1.0]), "seconds is no list of numbers"),
            (in_history(seconds=[1.0, "2"]), "seconds is no list of numbers"),
            (in_history(val_mean_iou=[]), "val_mean_iou has 0 entries, expected 2"),
            (in_history(val_accuracy=[0.5, True]), "val_accuracy is no list of numbers"),
            (in_tensor("model.0.weight", float("nan")), "holds NaN in model.0.weight"),
            (in_tensor("ema.4.bias", float("nan")), "holds NaN in ema.4.bias"),
            (in_tensor("optimizer.0.exp_avg", float("nan")), "holds NaN in optimizer.0.exp_avg"),
            (without("optimizer."), "holds no state of the optimizer"),
            (without("exp_avg_sq"), r"holds \['exp_avg', 'step'\] of optimizer.0"),
            (without("optimizer.1.step"), r"holds \['exp_avg', 'exp_avg_sq'\] of optimizer.1"),
            (without("ema."), "belongs to another model: ema.* is absent there"),
            (without("model.0.weight"), "belongs to another model: model.0.weight is absent there"),
            (lambda m, t: t.update({"optimizer.0.exp_avg": torch.zeros(3)}), r"expected torch.float32 \(8, 3, 3, 3\)"),
            (lambda m, t: t.update({"optimizer.0.step": torch.zeros(3)}), r"expected torch.float32 \(\)"),
            (lambda m, t: t.update({"optimizer.0.exp_avg": t["optimizer.0.exp_avg"].int()}), "is torch.int32"),
            (lambda m, t: t.update({"optimizer.99.step": torch.zeros(())}), "optimizer.99.step, of no parameter here"),
            (lambda m, t: t.update({"optimizer.-1.step": torch.zeros(())}), "optimizer.-1.step, of no parameter here"),
            (lambda m, t: t.update({"optimizer.x": torch.zeros(())}), "optimizer.x, of no parameter here"),
            (lambda m, t: t.update({"optimizer.0.more": torch.zeros(())}), "of optimizer.0, expected"),
            (at_step(-6), "counts other steps in the optimizer than the 6 of its history"),
            (at_step(5), "counts other steps in the optimizer than the 6 of its history"),
            (at_step(7), "counts other steps in the optimizer than the 6 of its history"),
            (in_tensor("optimizer.0.step", 0.5), "counts other steps in the optimizer than the 6 of its history"),
        ],
    )
    def test_in_a_way_that_keeps_the_checksum(self, whole, tmp_path, change, message):
        path = tmp_path / "run.safetensors"
        path.write_bytes(whole)
        rewrite(path, change)
        assert re.search(message, self.refused(path))

    @pytest.mark.parametrize(
        "change",
        [
            in_tensor("model.0.weight", 0.25),
            in_tensor("optimizer.0.exp_avg", 0.25),
            in_history(loss=[1.0, 0.5]),
            lambda m, t: m.update(sha256=""),
        ],
    )
    def test_by_accident(self, whole, tmp_path, change):
        path = tmp_path / "run.safetensors"
        path.write_bytes(whole)
        rewrite(path, change, seal=False)
        assert "does not match its checksum" in self.refused(path)

    @pytest.mark.parametrize("place", range(13))
    def test_in_one_bit_anywhere(self, whole, tmp_path, place):
        path = tmp_path / "run.safetensors"
        at = place * (len(whole) - 1) // 12
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << place % 8]) + whole[at + 1 :])
        self.refused(path)

    def test_whole_it_is_resumed(self, whole, tmp_path):
        path = tmp_path / "run.safetensors"
        path.write_bytes(whole)
        rewrite(path, lambda m, t: None)
        assert equal(run(path, model=segmenter(seed=9), val=scenes(4))[0], run(val=scenes(4))[0])


@pytest.mark.survives("Disk full, read-only, over quota")
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
