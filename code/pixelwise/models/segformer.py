"""SegFormer: the maps of four stages of attention, and a head of linear layers that stacks them.

Xie et al., SegFormer: Simple and Efficient Design for Semantic Segmentation with Transformers, 2021, figure 2. Its
encoder is in `mix_transformer`. Parameter names are segmentation-models-pytorch's.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .blocks import Backbone, check_classes, conv_norm, upsample
from .mix_transformer import MixTransformer, initialise, mit_b0


class MLP(nn.Module):
    """One linear layer for all positions: (N, C, H, W) to (N, width, H, W)."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class AllMLPDecoder(nn.Module):
    """Bring every map to `width` channels and to the finest one's size, stack them, and mix the stack at each position.

    Section 3.2. `mlp_stage` goes from coarse to fine. The last linear layer is written as a 1×1 convolution, which it
    is, with batch normalisation and ReLU behind it, which the paper's code has and its equation 4 leaves out.
    """

    def __init__(self, channels: Sequence[int], width: int) -> None:
        super().__init__()
        self.mlp_stage = nn.ModuleList(MLP(c, width) for c in reversed(channels))
        self.fuse_stage = conv_norm(len(channels) * width, width, 1)

    def forward(self, maps: list[Tensor]) -> Tensor:
        size = maps[0].shape[-2:]
        levels = [upsample(mlp(x), size) for x, mlp in zip(reversed(maps), self.mlp_stage, strict=True)]
        x = torch.cat(levels, dim=1)  # (N, 1024, H/4, W/4)
        return self.fuse_stage(x)  # (N, 256, H/4, W/4)


class SegFormer(nn.Module):
    """The all-MLP head on any backbone: images (N, C, H, W) to logits (N, num_classes, H, W).

    It takes the maps at a quarter of the image and coarser, of which the backbone must have one.
    SegFormer(mit_b0(num_classes=None), 1, dropout=0, align_corners=True) is smp.Segformer("mit_b0"), key for key and,
    where 4 divides height and width, value for value; dropout before the scores, and interpolating them without aligned
    corners, are the authors'.
    """

    def __init__(
        self,
        backbone: Backbone,
        num_classes: int,
        *,
        width: int = 256,
        dropout: float = 0.1,
        align_corners: bool = False,
    ) -> None:
        super().__init__()
        check_classes(num_classes)
        self.first = sum(stride < 4 for stride in backbone.strides)
        self.align_corners = align_corners
        self.encoder = backbone
        self.decoder = AllMLPDecoder(backbone.channels[self.first :], width)
        self.dropout = nn.Dropout2d(dropout)
        self.segmentation_head = nn.Sequential(nn.Conv2d(width, num_classes, 1))
        initialise(self.decoder)
        initialise(self.segmentation_head)

    def forward(self, images: Tensor) -> Tensor:
        x = self.decoder(self.encoder.features(images, self.first))  # (N, 256, H/4, W/4)
        logits = self.segmentation_head(self.dropout(x))  # (N, num_classes, H/4, W/4)
        return upsample(logits, images.shape[-2:], self.align_corners)


def segformer_b0(num_classes: int = 150, *, in_channels: int = 3) -> SegFormer:
    """SegFormer-B0: 3,752,694 parameters with ADE20K's 150 classes, as many as table 1 of the paper says."""
    return SegFormer(mit_b0(num_classes=None, in_channels=in_channels), num_classes)


def compact_segformer(num_classes: int = 11, *, in_channels: int = 3, mixing: bool = True) -> SegFormer:
    """A SegFormer to be trained from scratch on small images: 583,755 parameters with eleven classes.

    Without `mixing`, Mix-FFN has no 3×3 convolution, and the network no other sign of position than its patches'.
    """
    backbone = MixTransformer(
        (16, 32, 64, 96),
        heads=(1, 2, 4, 6),
        mixing=mixing,
        num_classes=None,
        in_channels=in_channels,
        stochastic_depth=0.0,
    )
    return SegFormer(backbone, num_classes, width=64, dropout=0.0)
