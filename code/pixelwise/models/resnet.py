"""ResNet-18/34/50/101/152: blocks that learn the difference from their input.

He, Zhang, Ren, Sun, Deep Residual Learning for Image Recognition, 2016, figure 5 and table 1. Parameter names are
torchvision's. torchvision, and so the default here, is "v1.5": a bottleneck strides in its 3×3 convolution, where the
paper strides in the first 1×1 (`v1=True`): the same parameters, a different function. `output_stride` 16 or 8
trades the last strides for dilation (Chen et al., DeepLab). In torchvision the convolution that lost its stride keeps
the dilation before it, so that every second position of the map is exactly the strided network's map;
segmentation-models-pytorch dilates that convolution too (`dilate_first_block=True`).
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from torch import Tensor, nn

from .blocks import check_images, conv_norm, initialise, last_layer


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, C, H, W) to (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    `first_dilation` is the dilation of the convolution that carries the stride; by default that of the other.
    """

    expansion = 1

    def __init__(
        self, in_channels: int, width: int, stride: int = 1, dilation: int = 1, first_dilation: int | None = None
    ) -> None:
        super().__init__()
        first_dilation = first_dilation or dilation
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride, first_dilation, first_dilation, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.gate: nn.Module = nn.Identity()  # senet.squeeze_and_excite puts its gate here
        self.out_channels = width
        self.downsample = shortcut(in_channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.gate(self.bn2(self.conv2(out)))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class Bottleneck(nn.Module):
    """1×1 to `width` channels, 3×3, 1×1 to 4 `width`, and a shortcut: (N, 4 width, ⌈H/stride⌉, ⌈W/stride⌉)."""

    expansion = 4
    stride_in_1x1 = False

    def __init__(
        self, in_channels: int, width: int, stride: int = 1, dilation: int = 1, first_dilation: int | None = None
    ) -> None:
        super().__init__()
        first_dilation = first_dilation or dilation
        first, second = (stride, 1) if self.stride_in_1x1 else (1, stride)
        self.conv1 = nn.Conv2d(in_channels, width, 1, first, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, second, first_dilation, first_dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.gate: nn.Module = nn.Identity()
        self.out_channels = 4 * width
        self.downsample = shortcut(in_channels, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.conv3(out)
        out = self.gate(self.bn3(out))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class BottleneckV1(Bottleneck):
    """The bottleneck as the paper and its published weights have it: the stride is in the first 1×1 convolution."""

    stride_in_1x1 = True


def shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Sequential | None:
    """Option B: a 1×1 projection where the shape changes; None, which stands for the identity, where it does not."""
    if stride == 1 and in_channels == out_channels:
        return None
    return conv_norm(in_channels, out_channels, 1, stride=stride, activation=None)


class ResNet(nn.Module):
    """A stem and four stages of residual blocks: images (N, in_channels, H, W) to logits (N, num_classes).

    `depths` are the numbers of blocks in the four stages, `width` the channels of the stem. `num_classes=None`
    leaves out the last layer; forward then returns the pooled (N, channels[-1]). `output_stride` is 32, 16 or 8.
    `zero_init_residual` starts the last normalisation of each branch at γ = 0: each block starts as its shortcut
    (Goyal et al., 2017, section 5.1).
    """

    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential
    layer4: nn.Sequential

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        depths: tuple[int, int, int, int],
        *,
        num_classes: int | None = 1000,
        in_channels: int = 3,
        width: int = 64,
        output_stride: int = 32,
        dilate_first_block: bool = False,
        zero_init_residual: bool = False,
    ) -> None:
        super().__init__()
        if output_stride not in (8, 16, 32):
            raise ValueError(f"output_stride is {output_stride}, but a ResNet offers 8, 16 and 32")
        self.in_channels = in_channels
        self.conv1 = nn.Conv2d(in_channels, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)

        channels, strides, dilation = [width], [2], 1
        for i, depth in enumerate(depths):
            stride, previous = (1 if i == 0 else 2), dilation
            if strides[-1] * stride > output_stride:
                stride, dilation = 1, 2 * dilation
            first_dilation = dilation if dilate_first_block else previous
            block_width = width * 2**i
            out_channels = block_width * block.expansion
            stage = [block(channels[-1], block_width, stride, dilation, first_dilation)]
            stage += [block(out_channels, block_width, dilation=dilation) for _ in range(depth - 1)]
            self.add_module(f"layer{i + 1}", nn.Sequential(*stage))
            channels.append(out_channels)
            strides.append(4 if i == 0 else strides[-1] * stride)
        self.channels, self.strides = tuple(channels), tuple(strides)

        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = last_layer(channels[-1], num_classes)
        initialise(self)
        for module in self.modules():
            if zero_init_residual and isinstance(module, BasicBlock | Bottleneck):
                nn.init.zeros_((module.bn2 if isinstance(module, BasicBlock) else module.bn3).weight)

    def features(self, x: Tensor, first: int = 0) -> list[Tensor]:
        """Return the maps from number `first` on, fine to coarse."""
        return list(islice(self.maps(x), first, None))

    def maps(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the maps of the stem and of the four stages; sizes below are for 224×224."""
        check_images(x, self.in_channels)
        x = self.relu(self.bn1(self.conv1(x)))  # (N, 64, 112, 112)
        yield x
        x = self.maxpool(x)  # (N, 64, 56, 56)
        x = self.layer1(x)  # (N, 64 or 256, 56, 56)
        yield x
        x = self.layer2(x)  # (N, 128 or 512, 28, 28)
        yield x
        x = self.layer3(x)  # (N, 256 or 1024, 14, 14)
        yield x
        x = self.layer4(x)  # (N, 512 or 2048, 7, 7)
        yield x

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.avgpool(self.features(x, first=4)[0]).flatten(1)  # (N, 512 or 2048)
        return self.fc(pooled)  # (N, num_classes)


def resnet18(**options: Any) -> ResNet:
    """ResNet-18: 11,689,512 parameters with 1000 classes. Options are those of ResNet."""
    return ResNet(BasicBlock, (2, 2, 2, 2), **options)


def resnet34(**options: Any) -> ResNet:
    """ResNet-34: 21,797,672 parameters with 1000 classes. Options are those of ResNet."""
    return ResNet(BasicBlock, (3, 4, 6, 3), **options)


def resnet50(*, v1: bool = False, **options: Any) -> ResNet:
    """ResNet-50: 25,557,032 parameters with 1000 classes. `v1` strides as the paper does; else as for ResNet."""
    return ResNet(BottleneckV1 if v1 else Bottleneck, (3, 4, 6, 3), **options)


def resnet101(*, v1: bool = False, **options: Any) -> ResNet:
    """ResNet-101: 44,549,160 parameters with 1000 classes. `v1` strides as the paper does; else as for ResNet."""
    return ResNet(BottleneckV1 if v1 else Bottleneck, (3, 4, 23, 3), **options)


def resnet152(*, v1: bool = False, **options: Any) -> ResNet:
    """ResNet-152: 60,192,808 parameters with 1000 classes. `v1` strides as the paper does; else as for ResNet."""
    return ResNet(BottleneckV1 if v1 else Bottleneck, (3, 8, 36, 3), **options)
