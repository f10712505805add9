import pytest
import torch
from safetensors.torch import load_file, save_file

from pixelwise.training import Recipe, fit
from tests.helpers import warm
from tests.helpers.tiny import scenes, segmenter

RUN = """
import os, sys, torch, torch.distributed as dist
from tests.training.test_distributed import Recipe, run, segmenter
torch.set_num_threads(1)
Recipe().build_optimizer(segmenter())  # brings imports, as the first one always does
folder, other = sys.argv[1], os.fork()  # both have the imports behind them
rank = 0 if other else 1
dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
run(f"{folder}/{rank}.safetensors", f"{folder}/checkpoint.safetensors")
dist.destroy_process_group()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(other, 0)[1]) if other else 0)
"""


def run(path, checkpoint=None):
    """Train without dropout and with frozen batch statistics, whose batches differ between one process and two."""
    model = segmenter(dropout=0.0)
    model[1] = torch.nn.Identity()
    data = scenes()
    data.targets[:, :, 0] = 0  # as many labelled pixels in every image, so that the mean of means is the mean
    history = fit(model, data, Recipe(epochs=2, batch_size=4, amp=False), checkpoint=checkpoint, progress="silent")
    metadata = {"loss": repr(history.loss), "accuracy": repr(history.accuracy)}
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, path, metadata)
    return history


@pytest.mark.slow
@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="PyTorch was built without gloo")
def test_two_processes_train_as_one(tmp_path):
    done = warm.python(RUN, tmp_path)
    assert done.returncode == 0, done.stderr
    run(tmp_path / "one.safetensors")
    one, first, second = (load_file(tmp_path / f"{name}.safetensors") for name in ("one", "0", "1"))
    for key, value in one.items():
        assert torch.equal(first[key], second[key])
        assert torch.allclose(first[key], value, atol=1e-5), key
    assert run(tmp_path / "again.safetensors", tmp_path / "checkpoint.safetensors").step == [3, 6]


def test_batch_must_divide_among_the_processes(monkeypatch):
    monkeypatch.setattr("pixelwise.training.distributed.world_size", lambda: 3)
    with pytest.raises(ValueError, match="a batch of 8 does not divide among 3 processes"):
        fit(segmenter(), scenes(), progress="silent")
