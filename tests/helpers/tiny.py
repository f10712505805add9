"""Data and networks small enough to train in a fraction of a second."""

from dataclasses import dataclass
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn

from pixelwise.models import efficientnet_lite


@dataclass
class Data:
    """What `fit` asks of a data set, and no more."""

    images: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.images)


def scenes(count: int = 12, size: int = 16, classes: int = 3, seed: int = 0) -> Data:
    """Vertical stripes whose brightness tells their class, with noise and a void border at the left."""
    generator = torch.Generator().manual_seed(seed)
    masks = torch.randint(classes, (count, 1, size // 4), generator=generator)
    masks = masks.repeat_interleave(4, 2).expand(count, size, size).contiguous()
    noise = torch.randint(0, 40, (count, 3, size, size), generator=generator)
    images = (masks[:, None] * 60 + noise).to(torch.uint8)
    masks[:, :, 0] = 255
    return Data(images, masks.to(torch.uint8))


def patches(count: int = 24, classes: int = 3, seed: int = 0) -> Data:
    """Patches of one brightness each, with noise; the brightness is the class."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % classes
    noise = torch.randint(0, 40, (count, 3, 8, 8), generator=generator)
    return Data((labels[:, None, None, None] * 60 + noise).to(torch.uint8), labels)


def segmenter(seed: int = 0, classes: int = 3, dropout: float = 0.2) -> nn.Module:
    """Two convolutions with batch normalisation and dropout, (N, 3, H, W) to (N, classes, H, W)."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Dropout2d(dropout),
        nn.Conv2d(8, classes, 3, padding=1),
    )


def classifier(seed: int = 0, classes: int = 3) -> nn.Module:
    """A convolution, the mean over positions, and a linear layer, (N, 3, H, W) to (N, classes)."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, classes)
    )


class WithAuxiliary(nn.Module):
    """A segmenter that returns in train mode a dict of main and auxiliary logits, and in eval mode its logits alone."""

    def __init__(self):
        super().__init__()
        self.main = segmenter(0)
        self.auxiliary = segmenter(1)

    def forward(self, x: Tensor) -> Tensor | dict[str, Tensor]:
        main = self.main(x)
        return {"aux": self.auxiliary(x), "out": main} if self.training else main


def lite0(**options: Any) -> efficientnet_lite.EfficientNetLite:
    """EfficientNet-Lite0 with nine blocks of its sixteen: every kind is there, and two that add what came in."""
    stages = [(*stage, 2 if i in (1, 2) else 1) for i, (*stage, _) in enumerate(efficientnet_lite.STAGES)]
    with mock.patch.object(efficientnet_lite, "STAGES", stages):
        return efficientnet_lite.EfficientNetLite(**options)
