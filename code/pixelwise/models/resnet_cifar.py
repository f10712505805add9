"""The 6n+2-layer networks for 32×32 images, with and without shortcuts: the experiment that made the case for ResNet.

He et al., Deep Residual Learning, 2016, section 4.2 and figure 6: a 3×3 convolution, three stages of n two-layer
blocks with 16, 32 and 64 channels, global average pooling, one fully connected layer. `residual=False` gives the
plain network; with shortcuts of kind A it has exactly as many parameters. `preactivation` moves normalisation and
ReLU in front of each convolution, so that nothing stands on the path of the shortcuts (He et al., Identity Mappings
in Deep Residual Networks, 2016, figure 4e).
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import check_images, conv_norm, initialise, last_layer


class ZeroPaddedShortcut(nn.Module):
    """Option A: every `stride`-th pixel, and zeros for the new channels; no parameters."""

    def __init__(self, new_channels: int, stride: int) -> None:
        super().__init__()
        self.new_channels, self.stride = new_channels, stride

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, 0, self.new_channels))  # (N, C + new_channels, H/stride, W/stride)


def shortcut(kind: str, in_channels: int, out_channels: int, stride: int, preactivation: bool) -> nn.Module:
    """Return the identity where the shape stays; else option A (zero padding) or B (a 1×1 projection)."""
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    if kind == "A":
        return ZeroPaddedShortcut(out_channels - in_channels, stride)
    if preactivation:
        return nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
    return conv_norm(in_channels, out_channels, 1, stride=stride, activation=None)


class Block(nn.Module):
    """Two 3×3 convolutions, added to `downsample(x)` unless that is None: (N, width, ⌈H/stride⌉, ⌈W/stride⌉)."""

    def __init__(
        self, in_channels: int, width: int, stride: int, downsample: nn.Module | None, batch_norm: bool
    ) -> None:
        super().__init__()
        norm = nn.BatchNorm2d if batch_norm else nn.Identity
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride, padding=1, bias=not batch_norm)
        self.bn1 = norm(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=not batch_norm)
        self.bn2 = norm(width)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return F.relu(out if self.downsample is None else out + self.downsample(x))


class PreactivationBlock(Block):
    """Normalise, rectify, convolve, twice; where the shape changes, the shortcut starts after the first ReLU."""

    def __init__(
        self, in_channels: int, width: int, stride: int, downsample: nn.Module | None, batch_norm: bool
    ) -> None:
        super().__init__(in_channels, width, stride, downsample, batch_norm)
        self.bn1 = nn.BatchNorm2d(in_channels) if batch_norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        activated = F.relu(self.bn1(x))
        out = self.conv2(F.relu(self.bn2(self.conv1(activated))))
        if self.downsample is None:
            return out
        return out + (x if isinstance(self.downsample, nn.Identity) else self.downsample(activated))


class CifarResNet(nn.Module):
    """`depth` = 6n + 2 layers on small images: (N, in_channels, H, W) to logits (N, num_classes).

    `shortcuts` is "A" or "B". `width` is the first stage's channels, `stride` the first convolution's (2 saves
    three quarters of the work). `batch_norm=False` gives the convolutions biases instead. `zero_init_residual`
    starts each branch's last normalisation at γ = 0 (its last convolution, if it has none after it).
    `num_classes=None`: no last layer.
    """

    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential

    def __init__(
        self,
        depth: int,
        *,
        residual: bool = True,
        shortcuts: str = "A",
        preactivation: bool = False,
        zero_init_residual: bool = False,
        batch_norm: bool = True,
        width: int = 16,
        stride: int = 1,
        num_classes: int | None = 10,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if depth < 8 or (depth - 2) % 6:
            raise ValueError(f"depth is {depth}, but this family has 6n + 2 layers: 8, 14, 20, 32, 44, 56, 110, …")
        if shortcuts not in ("A", "B"):
            raise ValueError(f'shortcuts are {shortcuts!r}, but the paper has "A" (zero padding) and "B" (projection)')
        self.in_channels, self.preactivation = in_channels, preactivation
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride, padding=1, bias=not batch_norm)
        self.bn1 = nn.BatchNorm2d(width) if batch_norm and not preactivation else nn.Identity()
        self.channels, self.strides = (width, 2 * width, 4 * width), (stride, 2 * stride, 4 * stride)
        block, channels = (PreactivationBlock if preactivation else Block), width
        for stage, out_channels in enumerate(self.channels):
            blocks = []
            for i in range((depth - 2) // 6):
                step = 2 if stage > 0 and i == 0 else 1
                path = shortcut(shortcuts, channels, out_channels, step, preactivation) if residual else None
                blocks.append(block(channels, out_channels, step, path, batch_norm))
                channels = out_channels
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.bn2 = nn.BatchNorm2d(channels) if batch_norm and preactivation else nn.Identity()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = last_layer(channels, num_classes)
        initialise(self)
        for module in self.modules():
            if zero_init_residual and isinstance(module, Block):
                last = module.conv2 if preactivation or isinstance(module.bn2, nn.Identity) else module.bn2
                nn.init.zeros_(last.weight)

    def features(self, x: Tensor, first: int = 0) -> list[Tensor]:
        """Return the maps from number `first` on, fine to coarse."""
        return list(islice(self.maps(x), first, None))

    def maps(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the maps of the three stages; sizes are for 32×32 and `stride` 1."""
        check_images(x, self.in_channels)
        x = self.conv1(x)  # (N, 16, 32, 32)
        x = self.layer1(x if self.preactivation else F.relu(self.bn1(x)))  # (N, 16, 32, 32)
        yield x
        x = self.layer2(x)  # (N, 32, 16, 16)
        yield x
        x = self.layer3(x)  # (N, 64, 8, 8)
        yield F.relu(self.bn2(x)) if self.preactivation else x

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.avgpool(self.features(x, first=2)[0]).flatten(1))  # (N, num_classes)


def resnet20(**options: Any) -> CifarResNet:
    """ResNet-20 for 32×32 images: 269,722 parameters with ten classes. Options are those of CifarResNet."""
    return CifarResNet(20, **options)


def resnet56(**options: Any) -> CifarResNet:
    """ResNet-56 for 32×32 images: 853,018 parameters with ten classes. Options are those of CifarResNet."""
    return CifarResNet(56, **options)


def resnet110(**options: Any) -> CifarResNet:
    """ResNet-110 for 32×32 images: 1,727,962 parameters with ten classes. Options are those of CifarResNet."""
    return CifarResNet(110, **options)
