import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from pixelwise.training import Recipe, fit
from tests.helpers.tiny import scenes, segmenter

ROOT = Path(__file__).parents[2]

RUN = """
import sys, torch, torch.distributed as dist
from tests.training.test_distributed import run
torch.set_num_threads(1)
dist.init_process_group("gloo", init_method=f"file://{sys.argv[1]}/meet", rank=int(sys.argv[2]), world_size=2)
run(f"{sys.argv[1]}/{sys.argv[2]}.safetensors", f"{sys.argv[1]}/checkpoint.safetensors")
dist.destroy_process_group()
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
    processes = [
        subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path), str(rank)], cwd=ROOT, stderr=subprocess.PIPE)
        for rank in range(2)
    ]
    errors = [process.communicate(timeout=120)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
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
