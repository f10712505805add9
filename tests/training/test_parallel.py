"""One batch over two processes: the loss, batch normalisation and gradients are those of one process, exactly."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from pixelwise.training import Recipe, distributed, losses, parallel
from tests.helpers import warm

RUN = """
import os, sys, torch, torch.distributed as dist
from tests.training.test_parallel import step
torch.set_num_threads(1)
folder, other = sys.argv[1], os.fork()  # both have the imports behind them
rank = 0 if other else 1
dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
step(f"{folder}/{rank}.safetensors")
dist.destroy_process_group()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(other, 0)[1]) if other else 0)
"""


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 3, 3, padding=1)
    ).double()


def batch():
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(4, 3, 8, 9, generator=generator, dtype=torch.float64)
    targets = torch.randint(3, (4, 8, 9), generator=generator)
    targets[0, :7] = 255  # shares of very different weight
    return images, targets


def step(path):
    """Gradients and statistics after one step in train mode."""
    images, targets = batch()
    recipe = Recipe(class_weights=torch.tensor([0.2, 1.0, 1.8], dtype=torch.float64), label_smoothing=0.1)
    device = torch.device("cpu")
    loss = parallel.whole_batch_loss(recipe, targets, 3, device)
    model = parallel.synchronise(network(), device).train()
    wrapped = distributed.parallel(model, device)
    share = slice(distributed.rank(), None, distributed.world_size())
    value = loss(wrapped(images[share]), targets[share])
    value.backward()
    total = distributed.total(value.detach().clone()) / distributed.world_size()
    found = {f"gradient {name}": p.grad for name, p in model.named_parameters()} | dict(model.named_buffers())
    save_file(found | {"loss": total}, path)


@pytest.mark.slow
@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="PyTorch was built without gloo")
def test_two_processes_are_one_batch(tmp_path):
    done = warm.python(RUN, tmp_path)
    assert done.returncode == 0, done.stderr
    model = network().train()
    images, targets = batch()
    weights = torch.tensor([0.2, 1.0, 1.8], dtype=torch.float64)
    value = losses.cross_entropy(model(images), targets, class_weights=weights, label_smoothing=0.1)
    value.backward()
    expected = {f"gradient {name}": p.grad for name, p in model.named_parameters()} | dict(model.named_buffers())
    expected["loss"] = value.detach()
    for rank in range(2):
        found = load_file(tmp_path / f"{rank}.safetensors")
        assert found.keys() == expected.keys()
        for key, there in expected.items():
            torch.testing.assert_close(found[key], there, rtol=1e-10, atol=1e-12, msg=key)


def test_alone_it_is_batch_normalisation():
    plain, model = network().train(), parallel.synchronise(network(), torch.device("cpu")).train()
    assert type(model[1]) is parallel.SyncBatchNorm2d
    assert model.state_dict().keys() == plain.state_dict().keys()
    images, _ = batch()
    assert torch.equal(model(images), plain(images))
    assert torch.equal(model[1].running_var, plain[1].running_var)


def test_a_share_without_a_label_has_no_loss():
    loss = parallel.whole_batch_loss(Recipe(), torch.zeros(1, 2, 2, dtype=torch.uint8), 3, torch.device("cpu"))
    assert loss(torch.randn(1, 3, 2, 2), torch.full((1, 2, 2), 255)) == 0
