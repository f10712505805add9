"""A DeepLab of less than a million parameters, made of the book's own parts, to be trained from scratch.

Where the parts come from: residual blocks (chapter 2) of separable convolutions, dilated instead of strided from an
eighth of the image on (DeepLab), then atrous spatial pyramid pooling, and a decoder that takes two finer maps back in
as U-Net does. The dilations of neighbouring blocks, 1, 2, 5 and 9, have no common factor, so that together they leave
no gaps between the pixels that they look at: Wang et al., Understanding Convolution for Semantic Segmentation, 2018,
section 3.2, "hybrid dilated convolution". The first maps are few in channels and large; most parameters sit at an
eighth of the resolution, where a channel is cheap.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import check_classes, check_images, conv_norm, initialise, upsample
from .deeplab import AtrousSpatialPyramidPooling, SeparableConv, separable_conv_norm


class SeparableBlock(nn.Module):
    """Two separable 3×3 convolutions of one dilation and the identity: (N, C, H, W) to (N, C, H, W)."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv1 = separable_conv_norm(channels, channels, dilation=dilation)
        self.conv2 = SeparableConv(channels, channels, dilation)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm2(self.conv2(self.conv1(x))))


class CompactDeepLab(nn.Module):
    """Images (N, in_channels, H, W) to logits (N, num_classes, H, W), with 947,483 parameters for eleven classes.

    `widths` are the channels at a half, a quarter and an eighth of the image; `dilations` has one entry for each
    block at an eighth; `rates` and `aspp_width` are those of the pyramid. A batch of one cannot be trained on: the
    pyramid's image pooling raises ValueError.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        in_channels: int = 3,
        widths: tuple[int, int, int] = (24, 48, 144),
        dilations: Sequence[int] = (1, 2, 5, 9) * 4,
        rates: Sequence[int] = (6, 12, 18),
        aspp_width: int = 96,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        check_classes(num_classes)
        half, quarter, eighth = widths
        self.in_channels = in_channels
        self.stem = nn.Sequential(conv_norm(in_channels, half, stride=2), conv_norm(half, half))
        self.stage1 = nn.Sequential(
            conv_norm(half, quarter, stride=2), SeparableBlock(quarter), SeparableBlock(quarter)
        )
        self.stage2 = nn.Sequential(
            conv_norm(quarter, eighth, stride=2), *(SeparableBlock(eighth, dilation) for dilation in dilations)
        )
        self.pyramid = AtrousSpatialPyramidPooling(eighth, rates, aspp_width, separable=True, dropout=dropout)
        self.decode_quarter = separable_conv_norm(aspp_width + quarter, aspp_width)
        self.decode_half = separable_conv_norm(aspp_width + half, aspp_width // 2)
        self.score = nn.Conv2d(aspp_width // 2, num_classes, 1)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        check_images(images, self.in_channels)
        half = self.stem(images)  # (N, 24, H/2, W/2)
        quarter = self.stage1(half)  # (N, 48, H/4, W/4)
        x = self.pyramid(self.stage2(quarter))  # (N, 96, H/8, W/8)
        x = self.decode_quarter(join(x, quarter))  # (N, 96, H/4, W/4)
        x = self.decode_half(join(x, half))  # (N, 48, H/2, W/2)
        return upsample(self.score(x), images.shape[-2:])  # (N, num_classes, H, W)


def join(coarse: Tensor, fine: Tensor) -> Tensor:
    """Upsample the coarse map to the fine one and concatenate their channels."""
    return torch.cat([upsample(coarse, fine.shape[-2:]), fine], dim=1)


def compact_deeplab(num_classes: int = 11, **options: Any) -> CompactDeepLab:
    """The compact DeepLab: 947,483 parameters with eleven classes. Options are those of CompactDeepLab."""
    return CompactDeepLab(num_classes, **options)
