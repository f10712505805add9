import pytest
import torch
from torch import nn

from pixelwise.analysis import gradient_norms


def test_norms_are_those_of_backward():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))
    loss = net(torch.randn(5, 3, 4, 4)).square().mean()
    norms = gradient_norms(net, loss)
    assert all(parameter.grad is None for parameter in net.parameters())
    loss.backward()
    assert list(norms) == ["0", "4"]  # first to last; biases and normalisation left out
    assert norms == pytest.approx({"0": net[0].weight.grad.norm().item(), "4": net[4].weight.grad.norm().item()})


def test_layers_the_loss_does_not_see_have_none():
    net = nn.ModuleDict({"used": nn.Linear(2, 2), "unused": nn.Linear(2, 2)})
    norms = gradient_norms(net, net["used"](torch.ones(1, 2)).sum())
    assert norms["used"] > 0
    assert norms["unused"] == 0


def test_a_loss_without_a_graph_is_explained():
    with pytest.raises(ValueError, match="give a scalar"):
        gradient_norms(nn.Linear(2, 2), torch.tensor(1.0))
    with pytest.raises(ValueError, match=r"shape \(1, 2\)"):
        gradient_norms(nn.Linear(2, 2), nn.Linear(2, 2)(torch.ones(1, 2)))
