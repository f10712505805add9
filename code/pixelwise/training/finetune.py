"""Training a network whose encoder has learned something already: at a rate of its own, in part, or not at all.

What is frozen must not move. `requires_grad_(False)` stops the weights; the running statistics of batch normalisation
are no parameters and would go on learning, so a frozen normalisation answers as in eval mode during training too.
"""

from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def encoder_of(model: nn.Module) -> nn.Module:
    """The part of a segmentation network that was, or could be, trained as a classifier. ValueError if it has none."""
    for name in ("backbone", "encoder"):
        if isinstance(part := getattr(model, name, None), nn.Module):
            return part
    raise ValueError(f"{type(model).__name__} has no encoder of its own: leave encoder_rate at 1, and freeze nothing")


def freeze(part: nn.Module, *, only_norms: bool = False) -> None:
    """Exclude a part of a network from training: all of it, or its batch normalisation, weights and statistics."""
    for module in part.modules():
        if not only_norms or isinstance(module, _BatchNorm):
            for parameter in module.parameters(recurse=False):
                parameter.requires_grad_(False)


def train_mode(model: nn.Module) -> None:
    """Train mode, except for the batch normalisation whose weights are frozen: its statistics are frozen with them."""
    model.train()
    for module in model.modules():
        if isinstance(module, _BatchNorm) and module.affine and not module.weight.requires_grad:
            module.eval()


def parameter_groups(model: nn.Module, weight_decay: float, encoder_rate: float = 1.0) -> list[dict[str, Any]]:
    """The trainable parameters in groups for an optimizer, each with its "rate", a factor on the learning rate.

    Weights of two dimensions and more decay, biases and normalisation do not; the encoder's parameters have
    `encoder_rate`, all others 1. ValueError where the model has no encoder, or nothing to learn.
    """
    inside = set() if encoder_rate == 1 else set(encoder_of(model).parameters())
    groups: dict[tuple[float, bool], dict[str, Any]] = {}
    for parameter in model.parameters():
        if parameter.requires_grad:
            rate = encoder_rate if parameter in inside else 1.0
            decay = weight_decay if parameter.dim() > 1 else 0.0
            groups.setdefault((rate, parameter.dim() > 1), {"params": [], "weight_decay": decay, "rate": rate})
            groups[rate, parameter.dim() > 1]["params"].append(parameter)
    if not groups:
        raise ValueError("all parameters are frozen: leave some to train")
    return list(groups.values())
