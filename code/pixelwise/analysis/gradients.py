"""How much gradient reaches each layer: what "vanishing" would look like, if it did."""

import torch
from torch import Tensor, nn


def gradient_norms(model: nn.Module, loss: Tensor) -> dict[str, float]:
    """The Euclidean norm of the loss's gradient for the weight of each layer, in the order the model defines them.

    loss: a scalar that still has its graph, computed from the model's output. Counts weights of two or more dimensions
    (convolutions and FC layers, not biases and normalisation); keys are the layers' dotted names, and layers that the
    loss does not depend on have 0. No `.grad` is touched. ValueError if loss is no scalar or has no graph.
    """
    if loss.ndim or loss.grad_fn is None:
        raise ValueError(
            f"the loss has shape {tuple(loss.shape)} and {'a' if loss.grad_fn else 'no'} graph; give a scalar that was "
            "computed with gradients on"
        )
    weights = {name: p for name, p in model.named_parameters() if p.ndim > 1 and p.requires_grad}
    gradients = torch.autograd.grad(loss, list(weights.values()), allow_unused=True, retain_graph=True)
    return {
        name.removesuffix(".weight"): 0.0 if gradient is None else gradient.norm().item()
        for name, gradient in zip(weights, gradients, strict=True)
    }
