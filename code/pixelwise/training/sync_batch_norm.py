"""Batch normalisation over the batch of all processes, not over one process's share.

PyTorch's SyncBatchNorm does this on a GPU and refuses on a CPU; SyncBatchNorm2d is the same in four lines of
arithmetic that run anywhere, so that what the GPUs do can be proved on any machine.
"""

import torch
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce

from . import distributed


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
        new = cls(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
        new.load_state_dict(norm.state_dict())
        return new.train(norm.training)

    def forward(self, x: Tensor) -> Tensor:
        world = distributed.world_size()
        if not self.training or world == 1:
            return super().forward(x)
        x = x.float()
        mean = all_reduce(x.mean((0, 2, 3), keepdim=True)) / world  # (1, C, 1, 1)
        variance = all_reduce((x - mean).square().mean((0, 2, 3), keepdim=True)) / world  # (1, C, 1, 1)
        count = world * x.numel() / x.shape[1]
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean.flatten(), self.momentum)
            self.running_var.lerp_(variance.flatten() * count / max(count - 1, 1), self.momentum)
        scale = self.weight[:, None, None] * (variance + self.eps).rsqrt()
        return (x - mean) * scale + self.bias[:, None, None]
