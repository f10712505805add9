"""U-Net: a contracting path, an expanding path, and the features of the one concatenated to the other at every step.

Ronneberger, Fischer, Brox, U-Net: Convolutional Networks for Biomedical Image Segmentation, 2015, figure 1. The paper's
network (`ValidUNet`) pads nothing: each 3×3 convolution eats a border of one pixel, 572×572 pixels become 388×388
logits, and only sizes fit whose map is even before every pooling. The form in use today (`UNet`) pads, so that
logits and image agree in size, normalises, and puts any classification network in the contracting path's place. It is
segmentation-models-pytorch's Unet, key for key. Where a pooling has rounded an odd size (7 → 3), doubling does not
lead back (3 → 6): it interpolates to the size of the skipped map instead.
"""

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import Backbone, check_classes, check_images, conv_norm


class DoubleConv(nn.Sequential):
    """Two 3×3 convolutions with ReLU: valid, or padded and batch-normalised. (N, C, H, W) to (N, width, H−4, W−4)."""

    def __init__(self, in_channels: int, width: int, padded: bool = False) -> None:
        if padded:
            super().__init__(*conv_norm(in_channels, width), *conv_norm(width, width))
        else:
            convolutions = nn.Conv2d(in_channels, width, 3), nn.Conv2d(width, width, 3)
            super().__init__(convolutions[0], nn.ReLU(inplace=True), convolutions[1], nn.ReLU(inplace=True))


class ContractingPath(nn.Module):
    """The left side of the U: double convolutions of width, 2 width, 4 width ... with 2×2 max pooling in between.

    Padded and normalised it is a backbone like any other, of `depth` + 1 maps at strides 1, 2, 4 ...: a small U-Net
    from scratch is UNet(ContractingPath(width=16), 11). `padded=False` is the paper's.
    """

    def __init__(self, in_channels: int = 3, width: int = 64, depth: int = 4, padded: bool = True) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.channels = tuple(width * 2**i for i in range(depth + 1))
        self.strides = tuple(2**i for i in range(depth + 1))
        self.stages = nn.ModuleList(
            DoubleConv(before, after, padded)
            for before, after in zip((in_channels, *self.channels[:-1]), self.channels, strict=True)
        )

    def features(self, x: Tensor, first: int = 0) -> list[Tensor]:
        """Return the maps from number `first` on, fine to coarse."""
        return list(islice(self.maps(x), first, None))

    def maps(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the map of each double convolution, the first of which reads the images as they are."""
        check_images(x, self.in_channels, smallest=self.strides[-1])
        for i, stage in enumerate(self.stages):
            if i > 0:
                x = F.max_pool2d(x, 2)
            x = stage(x)  # (N, c, H, W): first 64 of 568×568, last 1024 of 28×28
            yield x


class ValidUNet(nn.Module):
    """The paper's U-Net, figure 1 to the letter: (N, in_channels, H, W) to logits (N, num_classes, H−184, W−184).

    31.03 M parameters for one channel and two classes. The logits belong to the image's central part. H and W must be
    valid sizes (`is_valid_size`), else a ValueError names the nearest. Dropout stands at the end of the contracting
    path, as section 3.1 says; its rate is the authors' code's.
    """

    def __init__(self, in_channels: int = 1, num_classes: int = 2, width: int = 64, depth: int = 4) -> None:
        super().__init__()
        check_classes(num_classes)
        self.depth = depth
        self.contracting = ContractingPath(in_channels, width, depth, padded=False)
        self.dropout = nn.Dropout(0.5)
        channels = self.contracting.channels[::-1]  # 1024 ... 64
        self.up_convolutions = nn.ModuleList(
            nn.ConvTranspose2d(coarse, fine, 2, stride=2) for coarse, fine in pairwise(channels)
        )
        self.expanding = nn.ModuleList(DoubleConv(2 * fine, fine) for fine in channels[1:])
        self.head = nn.Conv2d(width, num_classes, 1)
        for module in self.modules():  # section 3: Gaussian with standard deviation √(2/N)
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, images: Tensor) -> Tensor:
        for size in images.shape[-2:]:
            if not is_valid_size(size, self.depth):
                nearest = " or ".join(map(str, nearest_valid_sizes(size, self.depth)))
                raise ValueError(f"an image side of {size} does not fit this U-Net; the nearest that do are {nearest}")
        *skips, x = self.contracting.features(images)
        x = self.dropout(x)  # (N, 1024, 28, 28)
        for up_convolution, convolutions, skip in zip(
            self.up_convolutions, self.expanding, reversed(skips), strict=True
        ):
            x = up_convolution(x)  # (N, c, H, W): first 512 of 56×56, last 64 of 392×392
            x = torch.cat([crop(skip, x.shape[-2:]), x], dim=1)  # (N, 2c, H, W)
            x = convolutions(x)  # (N, c, H−4, W−4)
        return self.head(x)  # (N, num_classes, 388, 388)


def crop(x: Tensor, size: Sequence[int]) -> Tensor:
    """The central part of `size` (height, width) of (N, C, H, W)."""
    (height, width), (top, left) = size, ((whole - part) // 2 for whole, part in zip(x.shape[-2:], size, strict=True))
    return x[..., top : top + height, left : left + width]


def is_valid_size(size: int, depth: int = 4) -> bool:
    """Whether the paper's U-Net takes an image side of `size` pixels: 12 mod 16 and more than 184 for depth 4.

    On the way down a side loses 4 pixels and must then be even, `depth` times: size ≡ −4 mod 2^depth. All borders
    together are 12·2^depth − 8 image pixels, and something must be left.
    """
    return (size + 4) % 2**depth == 0 and size > 12 * 2**depth - 8


def nearest_valid_sizes(size: int, depth: int = 4) -> list[int]:
    """The nearest valid image sides on either side of `size`, smaller first; [572] if it is 572 itself."""
    below = max(size, 0) - (size + 4) % 2**depth
    sides = [size] if is_valid_size(size, depth) else [below, below + 2**depth]
    return [side for side in sides if is_valid_size(side, depth)] or [12 * 2**depth - 4]


class DecoderBlock(nn.Module):
    """Interpolate to the skipped map's size, concatenate it, convolve twice: to (N, width, H, W) at the skip's size."""

    def __init__(self, in_channels: int, skip_channels: int, width: int) -> None:
        super().__init__()
        self.conv1 = conv_norm(in_channels + skip_channels, width)
        self.conv2 = conv_norm(width, width)

    def forward(self, x: Tensor, skip: Tensor | None, size: Sequence[int]) -> Tensor:
        x = F.interpolate(x, size, mode="nearest")
        if skip is not None:
            x = torch.cat([x, skip], dim=1)
        x = self.conv1(x)
        return self.conv2(x)


class ExpandingPath(nn.Module):
    """The right side of the U over a backbone's maps; a last block without skip reaches the image's own resolution."""

    def __init__(self, channels: tuple[int, ...], widths: tuple[int, ...]) -> None:
        super().__init__()
        coarsest, *skips = reversed(channels)
        skips += [0] * (len(widths) - len(skips))
        self.blocks = nn.ModuleList(
            DecoderBlock(before, skip, after)
            for before, skip, after in zip((coarsest, *widths[:-1]), skips, widths, strict=True)
        )

    def forward(self, maps: list[Tensor], size: Sequence[int]) -> Tensor:
        x, *skips = reversed(maps)
        skips += [None] * (len(self.blocks) - len(skips))
        for block, skip in zip(self.blocks, skips, strict=True):
            x = block(x, skip, size if skip is None else skip.shape[-2:])
        return x


class UNet(nn.Module):
    """The padded U-Net on any backbone: images (N, C, H, W) of any size to logits (N, num_classes, H, W).

    UNet(resnet34(num_classes=None), 1) has 24,436,369 parameters, and smp.Unet's names. `widths` are the channels of
    the decoder's blocks from coarse to fine, one for each map of the backbone but the last and, where the finest map is
    coarser than the image, one more; by default they end in 16. ValueError when their number does not fit.
    """

    def __init__(self, backbone: Backbone, num_classes: int, *, widths: tuple[int, ...] | None = None) -> None:
        super().__init__()
        check_classes(num_classes)
        blocks = len(backbone.channels) - (backbone.strides[0] == 1)
        widths = tuple(16 * 2**i for i in reversed(range(blocks))) if widths is None else tuple(widths)
        if len(widths) != blocks:
            raise ValueError(
                f"widths has {len(widths)} entries, but a U-Net on this backbone has {blocks} decoder blocks"
            )
        self.encoder = backbone
        self.decoder = ExpandingPath(backbone.channels, widths)
        self.segmentation_head = nn.Sequential(nn.Conv2d(widths[-1], num_classes, 3, padding=1))

    def forward(self, images: Tensor) -> Tensor:
        maps = self.encoder.features(images)
        x = self.decoder(maps, images.shape[-2:])  # (N, 16, H, W)
        return self.segmentation_head(x)  # (N, num_classes, H, W)


def unet(num_classes: int = 2, *, in_channels: int = 3, width: int = 64) -> UNet:
    """The padded U-Net with the paper's widths: 31,385,922 parameters; `width` is that of the finest maps."""
    path = ContractingPath(in_channels, width)
    return UNet(path, num_classes, widths=path.channels[-2::-1])


def valid_unet(num_classes: int = 2, *, in_channels: int = 1, **options: Any) -> ValidUNet:
    """The paper's U-Net, without padding: 31,030,658 parameters. Options are those of ValidUNet."""
    return ValidUNet(in_channels, num_classes, **options)
