"""DenseNet-BC: each layer sees the outputs of all layers before it, concatenated instead of added.

Huang, Liu, van der Maaten, Weinberger, Densely Connected Convolutional Networks, 2017, figures 1 and 2, table 1; B is
the 1×1 bottleneck to 4k channels, C the compression θ of the transitions. Parameter names are torchvision's.
"""

from typing import Any

import torch
from torch import Tensor, nn

from .blocks import Tapped, initialise, last_layer


class DenseLayer(nn.Module):
    """Two pre-activated convolutions that append `growth` channels: (N, C, H, W) to (N, C + growth, H, W)."""

    def __init__(self, in_channels: int, growth: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        new = self.conv1(self.relu(self.norm1(x)))  # (N, 4 growth, H, W)
        new = self.conv2(self.relu(self.norm2(new)))  # (N, growth, H, W)
        return torch.cat([x, new], dim=1)


class DenseBlock(nn.Sequential):
    """`depth` dense layers: C channels become C + depth · growth."""

    def __init__(self, in_channels: int, depth: int, growth: int) -> None:
        super().__init__()
        for i in range(depth):
            self.add_module(f"denselayer{i + 1}", DenseLayer(in_channels + i * growth, growth))


class Transition(nn.Sequential):
    """Compress the channels with a 1×1 convolution and halve the resolution: (N, out_channels, ⌊H/2⌋, ⌊W/2⌋)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.pool = nn.AvgPool2d(2)


class DenseNet(nn.Module):
    """Dense blocks with transitions between: images (N, in_channels, H, W) to logits (N, num_classes).

    `growth` is k, `depths` the layers of each block, `initial` the stem's channels, `compression` θ. The
    feature maps are the stem's, those of the blocks and, for the last block, its normalised and rectified map.
    `patch_stem` is a 3×3 convolution without a pool, as the paper has it for 32×32 images. `num_classes=None`
    leaves out the classifier.
    """

    def __init__(
        self,
        depths: tuple[int, ...],
        *,
        growth: int = 32,
        initial: int = 64,
        compression: float = 0.5,
        num_classes: int | None = 1000,
        in_channels: int = 3,
        patch_stem: bool = False,
    ) -> None:
        super().__init__()
        conv = (3, 1, 1) if patch_stem else (7, 2, 3)
        layers: dict[str, nn.Module] = {
            "conv0": nn.Conv2d(in_channels, initial, *conv, bias=False),
            "norm0": nn.BatchNorm2d(initial),
            "relu0": nn.ReLU(inplace=True),
        }
        if not patch_stem:
            layers["pool0"] = nn.MaxPool2d(3, stride=2, padding=1)
        taps, channels, strides, width = ["relu0"], [initial], [1 if patch_stem else 2], initial
        for i, depth in enumerate(depths, start=1):
            if i > 1:
                layers[f"transition{i - 1}"] = Transition(width, int(width * compression))
                width = int(width * compression)
            layers[f"denseblock{i}"] = DenseBlock(width, depth, growth)
            width += depth * growth
            taps.append(f"denseblock{i}")
            channels.append(width)
            strides.append((1 if patch_stem else 4) * 2 ** (i - 1))
        last = len(depths) + 1
        layers |= {f"norm{last}": nn.BatchNorm2d(width), f"relu{last}": nn.ReLU(inplace=True)}
        taps[-1] = f"relu{last}"
        self.channels, self.strides = tuple(channels), tuple(strides)
        # a transition rounds down: at stride 4 there must be 2 ** (blocks - 1) pixels left
        smallest = 2 ** (len(depths) - 1)
        self.features = Tapped(layers, taps, in_channels, smallest if patch_stem else 4 * smallest - 3)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = last_layer(width, num_classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.avgpool(self.features(x, len(self.channels) - 1)[0]).flatten(1)  # (N, 1024) for DenseNet-121
        return self.classifier(pooled)


def densenet121(**options: Any) -> DenseNet:
    """DenseNet-121: 7,978,856 parameters with 1000 classes. Options are those of DenseNet."""
    return DenseNet((6, 12, 24, 16), **options)


def densenet169(**options: Any) -> DenseNet:
    """DenseNet-169: 14,149,480 parameters with 1000 classes. Options are those of DenseNet."""
    return DenseNet((6, 12, 32, 32), **options)


def densenet201(**options: Any) -> DenseNet:
    """DenseNet-201: 20,013,928 parameters with 1000 classes. Options are those of DenseNet."""
    return DenseNet((6, 12, 48, 32), **options)
