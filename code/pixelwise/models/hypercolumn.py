"""Hypercolumns: at every pixel, the activations of several layers above it, stacked into one long vector.

Hariharan, Arbeláez, Girshick, Malik, Hypercolumns for Object Segmentation and Fine-grained Localization, 2015,
figure 2. The paper classifies the pixels of a detected box with a grid of location-specific classifiers; here one
classifier serves every position of the image, as later fully convolutional work does.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .blocks import Backbone, check_classes, conv_norm, upsample


def stack(maps: Sequence[Tensor], size: Sequence[int]) -> Tensor:
    """Interpolate maps (N, Cᵢ, Hᵢ, Wᵢ) bilinearly to `size` and concatenate: hypercolumns (N, ΣCᵢ, H, W)."""
    return torch.cat([upsample(x, size) for x in maps], dim=1)


class Hypercolumn(nn.Module):
    """Classify the hypercolumns of any backbone: images (N, C, H, W) to logits (N, num_classes, H, W).

    `levels` are the maps that are stacked, as indices into the backbone's list from fine to coarse (all of them by
    default); they meet at the finest one's resolution. The classifier is a single 1×1 convolution, for which stacking
    features and summing per-level scores are the same linear map, or, with `hidden` channels, 1×1, BN, ReLU, 1×1.
    Raises ValueError for levels that the backbone does not have.
    """

    def __init__(
        self, backbone: Backbone, num_classes: int, *, levels: Sequence[int] | None = None, hidden: int | None = None
    ) -> None:
        super().__init__()
        check_classes(num_classes)
        available = range(len(backbone.channels))
        self.levels = tuple(sorted(available if levels is None else levels))
        if not self.levels or not set(self.levels) <= set(available):
            raise ValueError(f"levels are {list(self.levels)}, but this backbone has maps 0 to {available[-1]}")
        self.backbone = backbone
        channels = sum(backbone.channels[i] for i in self.levels)
        if hidden is None:
            self.classifier = nn.Conv2d(channels, num_classes, 1)
        else:
            self.classifier = nn.Sequential(*conv_norm(channels, hidden, 1), nn.Conv2d(hidden, num_classes, 1))

    def forward(self, images: Tensor) -> Tensor:
        finest = self.levels[0]
        maps = self.backbone.features(images, finest)
        maps = [maps[i - finest] for i in self.levels]
        columns = stack(maps, maps[0].shape[-2:])  # (N, ΣCᵢ, H/stride, W/stride)
        logits = self.classifier(columns)  # (N, num_classes, H/stride, W/stride)
        return upsample(logits, images.shape[-2:])
