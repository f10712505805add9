"""Dense prediction at every pixel, though the network has strides: two ways that give the same numbers.

*Shift and stitch* runs the strided network on shifted copies of the image and interleaves the maps (Long et al. 2015,
arXiv:1411.4038, section 3.2). *À trous* removes the strides and dilates the layers after them by their product, so that
each tap sees the pixel it saw before (Chen et al. 2015, arXiv:1412.7062, section 3.1): one run, no work done twice.
"""

import copy
import math

import torch
from torch import Tensor, nn

from .convolutionalize import POINTWISE, convolutionalize, flatten_layers
from .dilated_conv import Pair, pair


def shift_and_stitch(net: nn.Sequential, image: Tensor, *, stride: int | None = None) -> Tensor:
    """Predict at every pixel with stride² runs on shifted images, whose coarse maps interleave into a fine one.

    net: a dense predictor (`convolutionalize`) or a classifier that can become one; image (N, C, H, W), at least
    patch + stride - 1 on each side -> (N, classes, H - patch + 1, W - patch + 1). The prediction at [y, x] is the
    classifier's on the patch whose top left pixel is [y, x]. Give `stride` if the net holds layers of its own kind.
    """
    net = _dense(net)
    stride = output_stride(net) if stride is None else stride
    maps = [[net(image[:, :, dy:, dx:]) for dx in range(stride)] for dy in range(stride)]
    height = sum(row[0].shape[-2] for row in maps)
    width = sum(coarse.shape[-1] for coarse in maps[0])
    fine = maps[0][0].new_empty(*maps[0][0].shape[:2], height, width)
    for dy, row in enumerate(maps):
        for dx, coarse in enumerate(row):
            fine[:, :, dy::stride, dx::stride] = coarse
    return fine


def atrous(net: nn.Sequential) -> nn.Sequential:
    """A copy of the net that predicts at every pixel in one run: no strides, what followed them dilated.

    net: a dense predictor (`convolutionalize`) or a classifier that can become one. Same weights, same predictions as
    `shift_and_stitch`. Padding grows with the dilation, so sizes stay as in the strided net. Raises TypeError for
    layers other than convolutions, pools, 2-D batch normalisation and pointwise ones.
    """
    layers: list[nn.Module] = []
    net, rate = _dense(net), 1
    for layer in flatten_layers(copy.deepcopy(net)):
        if isinstance(layer, nn.AvgPool2d):
            size, stride = _square(layer.kernel_size), _square(layer.stride)
            if _square(layer.padding) or layer.ceil_mode:
                raise ValueError("atrous cannot dilate an average pool with padding or ceil_mode; remove them")
            layer = AtrousAvgPool2d(size, rate)
            rate *= stride
        elif isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            if isinstance(layer.padding, str) or getattr(layer, "padding_mode", "zeros") != "zeros":
                raise ValueError("atrous needs convolutions padded with zeros, by a number of pixels")
            stride = _square(layer.stride)
            layer.dilation = _times(rate, layer.dilation)
            layer.padding = _times(rate, layer.padding)
            layer.stride = (1, 1)
            rate *= stride
        elif not isinstance(layer, (*POINTWISE, nn.BatchNorm2d, nn.Dropout2d)):
            raise TypeError(f"atrous cannot tell what stride {type(layer).__name__} has; use convolutions and pools")
        layers.append(layer)
    return nn.Sequential(*layers).train(net.training)


class AtrousAvgPool2d(nn.Module):
    """The mean of kernel² values that stand `dilation` apart, at stride 1, without padding."""

    def __init__(self, kernel: int, dilation: int) -> None:
        super().__init__()
        self.kernel, self.dilation = kernel, dilation

    def forward(self, x: Tensor) -> Tensor:
        extent = self.dilation * (self.kernel - 1) + 1
        windows = x.unfold(2, extent, 1).unfold(3, extent, 1)  # (N, C, H_out, W_out, extent, extent)
        return windows[..., :: self.dilation, :: self.dilation].mean((-2, -1))


def output_stride(net: nn.Sequential) -> int:
    """How many pixels lie between neighbouring predictions: the product of all strides of convolutions and pools."""
    layers = [layer for layer in flatten_layers(net) if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d)]
    return math.prod(_square(layer.stride) for layer in layers)


def label_positions(size: int, *, window: int = 32, stride: int = 1) -> Tensor:
    """The rows (or columns) that a dense map of valid convolutions labels in an image `size` pixels high (or wide).

    Prediction i reads the pixels i * stride ... i * stride + window - 1 and stands for the one at window // 2 of them:
    an even window has no centre, and 32 labels its pixel [16, 16]. Returns (h,) int64.
    """
    return torch.arange(0, size - window + 1, stride) + window // 2


def _dense(net: nn.Sequential) -> nn.Sequential:
    is_classifier = any(isinstance(layer, nn.Flatten) for layer in flatten_layers(net))
    return convolutionalize(net) if is_classifier else net


def _times(rate: int, value: Pair) -> tuple[int, int]:
    vertical, horizontal = pair(value)
    return rate * vertical, rate * horizontal


def _square(value: Pair) -> int:
    height, width = pair(value)
    if height != width:
        raise ValueError(f"strides and windows must be square here, but got {height}×{width}")
    return height
