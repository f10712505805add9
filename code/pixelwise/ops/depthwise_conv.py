"""Depthwise convolution, one kernel for each channel, and a way around a fault that PyTorch has in it.

On a CPU that computes in bfloat16, PyTorch 2.14 gives the weights of a grouped convolution with a dilation above 1 a
wrong gradient, more than 100 % off or NaN. Nothing but the loss shows it: the output is right. The layer here computes
such a convolution in float32. When PyTorch is mended, `nn.Conv2d(..., groups=channels)` can take its place.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class DepthwiseConv2d(nn.Conv2d):
    """A convolution of each channel for itself, without bias: (N, channels, H, W) to (N, channels, H_out, W_out)."""

    def __init__(self, channels: int, kernel_size: int, *, padding: int = 0, dilation: int = 1) -> None:
        super().__init__(
            channels, channels, kernel_size, padding=padding, dilation=dilation, groups=channels, bias=False
        )

    def forward(self, x: Tensor) -> Tensor:
        autocast = x.dtype == torch.float32 and torch.is_autocast_enabled("cpu")
        in_bfloat16 = x.device.type == "cpu" and (autocast or x.dtype == torch.bfloat16)
        if self.dilation == (1, 1) or not in_bfloat16:
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            out = F.conv2d(x.float(), self.weight.float(), None, self.stride, self.padding, self.dilation, self.groups)
        return out.to(x.dtype)
