"""GoogLeNet (Inception v1): several filter sizes in one layer, made affordable by 1×1 convolutions.

Szegedy et al., Going Deeper with Convolutions, 2015, figure 3 and table 1. Parameter names and defaults are
torchvision's, which departs from the paper: its "5×5" branch has 3×3 kernels (its issue 906), it normalises batches
(eps 1e-3) where the paper has biases only, its fourth pool is 2×2, and the auxiliary heads pool to 4×4 adaptively
where the paper averages 5×5 windows at stride 3. `true_5x5=True, batch_norm=False` is the paper's layer table.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import check_images, initialise, last_layer

Row = Sequence[int]  # a module's channels: 1×1, 3×3 reduction, 3×3, 5×5 reduction, 5×5, pool projection
#: The nine modules by their names in the paper's table 1.
TABLE: dict[str, Row] = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


class GoogLeNetOutputs(NamedTuple):
    """What a network with auxiliary heads returns in train mode: three logits (N, num_classes), the last head first."""

    logits: Tensor
    aux_logits2: Tensor
    aux_logits1: Tensor


class BasicConv2d(nn.Module):
    """Convolution that keeps the size at stride 1, batch normalisation (or a bias instead) and ReLU."""

    def __init__(
        self, in_channels: int, out_channels: int, size: int, *, stride: int = 1, batch_norm: bool = True
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, size, stride, padding=size // 2, bias=not batch_norm)
        self.bn = nn.BatchNorm2d(out_channels, eps=1e-3) if batch_norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)), inplace=True)


class Inception(nn.Module):
    """Four branches side by side, concatenated: (N, in_channels, H, W) to (N, out_channels, H, W).

    `row` is one of TABLE. `naive=True` leaves out the 1×1 reductions and the pool projection (figure 2a), so that the
    module puts out all of its input's channels again.
    """

    def __init__(
        self, in_channels: int, row: Row, *, true_5x5: bool = False, naive: bool = False, batch_norm: bool = True
    ) -> None:
        super().__init__()
        one, reduce3, three, reduce5, five, project = row
        size = 5 if true_5x5 else 3
        conv = partial(BasicConv2d, batch_norm=batch_norm)
        pool = nn.MaxPool2d(3, stride=1, padding=1, ceil_mode=True)
        self.branch1 = conv(in_channels, one, 1)
        if naive:
            self.branch2, self.branch3, self.branch4 = conv(in_channels, three, 3), conv(in_channels, five, size), pool
        else:
            self.branch2 = nn.Sequential(conv(in_channels, reduce3, 1), conv(reduce3, three, 3))
            self.branch3 = nn.Sequential(conv(in_channels, reduce5, 1), conv(reduce5, five, size))
            self.branch4 = nn.Sequential(pool, conv(in_channels, project, 1))
        self.out_channels = one + three + five + (in_channels if naive else project)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)


class InceptionAux(nn.Module):
    """A classifier on a middle layer, used in training only: (N, in_channels, H, W) to (N, num_classes)."""

    def __init__(self, in_channels: int, num_classes: int | None, *, width: float, batch_norm: bool) -> None:
        super().__init__()
        self.conv = BasicConv2d(in_channels, round(128 * width), 1, batch_norm=batch_norm)
        self.fc1 = nn.Linear(16 * round(128 * width), round(1024 * width))
        self.fc2 = last_layer(round(1024 * width), num_classes)
        self.dropout = nn.Dropout(0.7)

    def forward(self, x: Tensor) -> Tensor:
        x = F.adaptive_avg_pool2d(x, (4, 4))  # (N, 512 or 528, 4, 4)
        x = self.conv(x).flatten(1)  # (N, 2048)
        x = self.dropout(F.relu(self.fc1(x), inplace=True))  # (N, 1024)
        return self.fc2(x)


class GoogLeNet(nn.Module):
    """Nine Inception modules on a convolutional stem: (N, in_channels, H, W) to logits (N, num_classes).

    In train mode with `aux_logits` it returns GoogLeNetOutputs; the paper adds both auxiliary losses with weight
    0.3. `num_classes=None` leaves out the classifier and the heads. `width` multiplies all channels;
    `patch_stem` starts with a 3×3 convolution at stride 1 and no first pool, for 32×32 patches (strides 1, 1, 2, 4,
    8). `transform_input` takes images normalised by ImageNet's statistics to the range that the published weights
    were trained on.
    """

    def __init__(
        self,
        *,
        num_classes: int | None = 1000,
        in_channels: int = 3,
        aux_logits: bool = True,
        true_5x5: bool = False,
        naive: bool = False,
        batch_norm: bool = True,
        width: float = 1.0,
        patch_stem: bool = False,
        transform_input: bool = False,
    ) -> None:
        super().__init__()
        self.in_channels, self.smallest, self.transform_input = in_channels, (4 if patch_stem else 15), transform_input
        self.aux_logits = aux_logits and num_classes is not None
        conv = partial(BasicConv2d, batch_norm=batch_norm)
        inception = partial(Inception, true_5x5=true_5x5, naive=naive, batch_norm=batch_norm)
        rows = {name: [round(channels * width) for channels in row] for name, row in TABLE.items()}
        narrow, wide = round(64 * width), round(192 * width)
        self.conv1 = conv(in_channels, narrow, 3) if patch_stem else conv(in_channels, narrow, 7, stride=2)
        self.maxpool1 = nn.Identity() if patch_stem else nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = conv(narrow, narrow, 1)
        self.conv3 = conv(narrow, wide, 3)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception3a = inception(wide, rows["3a"])
        self.inception3b = inception(self.inception3a.out_channels, rows["3b"])
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception4a = inception(self.inception3b.out_channels, rows["4a"])
        self.inception4b = inception(self.inception4a.out_channels, rows["4b"])
        self.inception4c = inception(self.inception4b.out_channels, rows["4c"])
        self.inception4d = inception(self.inception4c.out_channels, rows["4d"])
        self.inception4e = inception(self.inception4d.out_channels, rows["4e"])
        self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.inception5a = inception(self.inception4e.out_channels, rows["5a"])
        self.inception5b = inception(self.inception5a.out_channels, rows["5b"])
        if self.aux_logits:
            self.aux1 = InceptionAux(self.inception4a.out_channels, num_classes, width=width, batch_norm=batch_norm)
            self.aux2 = InceptionAux(self.inception4d.out_channels, num_classes, width=width, batch_norm=batch_norm)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)
        self.fc = last_layer(self.inception5b.out_channels, num_classes)
        closing = (self.inception3b, self.inception4e, self.inception5b)  # the last module at each resolution
        self.channels = (narrow, wide, *(module.out_channels for module in closing))
        self.strides = (1, 1, 2, 4, 8) if patch_stem else (2, 4, 8, 16, 32)
        initialise(self)

    def features(self, x: Tensor, first: int = 0) -> list[Tensor]:
        """Return the maps from number `first` on, fine to coarse."""
        return list(islice(self.maps(x), first, None))

    def maps(self, x: Tensor, auxiliary: list[Tensor] | None = None) -> Iterator[Tensor]:
        """Yield five maps, and append the auxiliary heads' logits to `auxiliary`, if given; sizes are for 224×224."""
        check_images(x, self.in_channels, self.smallest)
        if self.transform_input:
            mean, std = x.new_tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[:, :, None, None]
            x = x * (std / 0.5) + (mean - 0.5) / 0.5
        x = self.conv1(x)  # (N, 64, 112, 112)
        yield x
        x = self.maxpool1(x)  # (N, 64, 56, 56)
        x = self.conv2(x)  # (N, 64, 56, 56)
        x = self.conv3(x)  # (N, 192, 56, 56)
        yield x
        x = self.maxpool2(x)  # (N, 192, 28, 28)
        x = self.inception3a(x)  # (N, 256, 28, 28)
        x = self.inception3b(x)  # (N, 480, 28, 28)
        yield x
        x = self.maxpool3(x)  # (N, 480, 14, 14)
        x = self.inception4a(x)  # (N, 512, 14, 14)
        if auxiliary is not None:
            auxiliary.append(self.aux1(x))
        x = self.inception4b(x)  # (N, 512, 14, 14)
        x = self.inception4c(x)  # (N, 512, 14, 14)
        x = self.inception4d(x)  # (N, 528, 14, 14)
        if auxiliary is not None:
            auxiliary.append(self.aux2(x))
        x = self.inception4e(x)  # (N, 832, 14, 14)
        yield x
        x = self.maxpool4(x)  # (N, 832, 7, 7)
        x = self.inception5a(x)  # (N, 832, 7, 7)
        x = self.inception5b(x)  # (N, 1024, 7, 7)
        yield x

    def forward(self, x: Tensor) -> Tensor | GoogLeNetOutputs:
        auxiliary = [] if self.training and self.aux_logits else None
        [x] = islice(self.maps(x, auxiliary), 4, None)  # the last map
        logits = self.fc(self.dropout(self.avgpool(x).flatten(1)))  # (N, 1000)
        return logits if auxiliary is None else GoogLeNetOutputs(logits, *reversed(auxiliary))


def googlenet(**options: Any) -> GoogLeNet:
    """GoogLeNet: 13,004,888 parameters with 1000 classes, 6,624,904 without auxiliary heads. Options as GoogLeNet."""
    return GoogLeNet(**options)
