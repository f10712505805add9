"""VGG-16 and VGG-19: nothing but 3×3 convolutions and pools, and then three fully connected layers.

Simonyan, Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, 2015, table 1, columns D and
E. Names are torchvision's (`features.0`, `classifier.0`), so the layers of a row count convolutions, ReLUs and
pools alike. As there, the map before the classifier is pooled to 7×7, so that other sizes than the paper's 224×224
are taken too.
"""

from typing import Any

from torch import Tensor, nn

from .blocks import Tapped, initialise, last_layer


class VGG(nn.Module):
    """Five blocks of 3×3 convolutions, each closed by a 2×2 pool: (N, in_channels, H, W) to logits (N, num_classes).

    `depths` are the convolutions of each block. The feature maps are those after the pools (strides 2 to 32), from
    which FCN works. `width` is the number of channels of the first block (64 in the paper); `batch_norm` puts
    batch normalisation before each ReLU. `num_classes=None` leaves out the classifier; forward then returns the
    flattened map.
    """

    def __init__(
        self,
        depths: tuple[int, ...],
        *,
        num_classes: int | None = 1000,
        in_channels: int = 3,
        width: int = 64,
        batch_norm: bool = False,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.channels = (width, 2 * width, 4 * width, 8 * width, 8 * width)
        self.strides = (2, 4, 8, 16, 32)
        layers: list[nn.Module] = []
        taps: list[str] = []
        channels = in_channels
        for depth, out_channels in zip(depths, self.channels, strict=True):
            for _ in range(depth):
                layers.append(nn.Conv2d(channels, out_channels, 3, padding=1))
                layers += [nn.BatchNorm2d(out_channels)] if batch_norm else []
                layers.append(nn.ReLU(inplace=True))
                channels = out_channels
            taps.append(str(len(layers)))
            layers.append(nn.MaxPool2d(2))
        numbered = {str(i): layer for i, layer in enumerate(layers)}
        self.features = Tapped(numbered, taps, in_channels, smallest=32)
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Identity()
        if num_classes is not None:
            hidden = 64 * width
            self.classifier = nn.Sequential(
                nn.Linear(channels * 7 * 7, hidden),
                nn.ReLU(inplace=True),
                nn.Dropout(dropout),
                nn.Linear(hidden, hidden),
                nn.ReLU(inplace=True),
                nn.Dropout(dropout),
                last_layer(hidden, num_classes),
            )
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x, len(self.channels) - 1)[0]  # (N, 512, H/32, W/32)
        x = self.avgpool(x).flatten(1)  # (N, 25088)
        return self.classifier(x)  # (N, num_classes)


def vgg16(**options: Any) -> VGG:
    """VGG-16: 138,357,544 parameters with 1000 classes. Options are those of VGG."""
    return VGG((2, 2, 3, 3, 3), **options)


def vgg19(**options: Any) -> VGG:
    """VGG-19: 143,667,240 parameters with 1000 classes. Options are those of VGG."""
    return VGG((2, 2, 4, 4, 4), **options)
