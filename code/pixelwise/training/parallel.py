"""What makes several processes compute what one would: means over the whole batch, not over each process's share.

Averaged gradients are not enough. A process whose share holds more void pixels, or fewer rare ones, would let each of
its pixels weigh more, so the loss divides by the weights of all processes. And batch normalisation takes its mean and
variance from all images. PyTorch's SyncBatchNorm does that on a GPU and refuses on a CPU; SyncBatchNorm2d is the same
arithmetic anywhere, so that what the GPUs do can be proved on any machine.
"""

from functools import partial

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from ..data.palette import VOID
from . import distributed, losses
from .recipe import Recipe


def whole_batch_loss(recipe: Recipe, targets: Tensor, num_classes: int, device: torch.device) -> losses.Loss:
    """The recipe's cross-entropy for `fit` in several processes: the mean of all processes' losses is the batch's."""
    weights = recipe.class_weights
    if isinstance(weights, str):
        weights = losses.inverse_sqrt_frequencies(targets, num_classes)
    weights = torch.ones(num_classes) if weights is None else weights
    return partial(_share_of_mean, class_weights=weights.to(device), label_smoothing=recipe.label_smoothing)


def _share_of_mean(logits: Tensor, targets: Tensor, *, class_weights: Tensor, label_smoothing: float) -> Tensor:
    loss = losses.cross_entropy(logits, targets, class_weights=class_weights, label_smoothing=label_smoothing)
    weight = class_weights[targets[targets != VOID]].sum()
    total_weight = distributed.total(weight.clone()).clamp(min=torch.finfo(weight.dtype).tiny)
    return loss * (weight / total_weight * distributed.world_size())


def synchronise(model: nn.Module, device: torch.device) -> nn.Module:
    """The model with every BatchNorm2d replaced by one that looks at all processes' images; same names, same state."""
    if device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(model)
    for module in list(model.modules()):
        for name, child in module.named_children():
            if type(child) is nn.BatchNorm2d:
                setattr(module, name, SyncBatchNorm2d.of(child))
    return model


class SyncBatchNorm2d(nn.BatchNorm2d):
    """BatchNorm2d whose mean and variance in train mode are those of all processes' (N, C, H, W) together.

    Every process must hold as many images as the others, which `fit` sees to. Gradients flow through the statistics.
    """

    @classmethod
    def of(cls, norm: nn.BatchNorm2d) -> "SyncBatchNorm2d":
        """One in the place of `norm`, with its settings and state."""
        new = cls(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
        new.load_state_dict(norm.state_dict())
        return new.to(norm.weight).train(norm.training)

    def forward(self, x: Tensor) -> Tensor:
        world = distributed.world_size()
        if not self.training or world == 1:
            return super().forward(x)
        values = x if x.dtype == torch.float64 else x.float()
        mean = SumOverProcesses.apply(values.mean((0, 2, 3), keepdim=True)) / world  # (1, C, 1, 1)
        centred = values - mean
        variance = SumOverProcesses.apply(centred.square().mean((0, 2, 3), keepdim=True)) / world  # (1, C, 1, 1)
        count = world * x.numel() / x.shape[1]
        with torch.no_grad():
            if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
                self.num_batches_tracked += 1
                share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
                self.running_mean.lerp_(mean.flatten(), share)
                self.running_var.lerp_(variance.flatten() * count / max(count - 1, 1), share)
        scale = self.weight[:, None, None] * (variance + self.eps).rsqrt()
        return (centred * scale + self.bias[:, None, None]).to(x.dtype)


class SumOverProcesses(torch.autograd.Function):
    """The sum of a tensor over all processes; every process's loss depends on it, so gradients are summed as well."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:  # pyrefly: ignore[bad-override]  # PyTorch: anything
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Tensor:  # pyrefly: ignore[bad-override]
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total
