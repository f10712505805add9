"""Counts of a network that is built without numbers (on the meta device): parameters, multiply-adds."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def skeleton(build: Callable[..., nn.Module], *args: object, **options: object) -> nn.Module:
    """The network's shapes alone: no memory, no initialisation."""
    with torch.device("meta"):
        return build(*args, **options)


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def multiply_adds(network: nn.Module, size: int = 224) -> int:
    """Those of the convolutions and linear layers for one image of `size` × `size` in eval mode."""
    total = 0

    def count(module: nn.Module, inputs: object, output: Tensor) -> None:
        nonlocal total
        assert isinstance(module.weight, Tensor)
        total += output.numel() * module.weight[0].numel()

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    network.eval()(torch.empty(1, 3, size, size, device="meta"))
    return total
