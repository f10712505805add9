"""A patch classifier for which turning FC layers into convolutions is exact.

Every convolution is valid (no padding) and the receptive field is exactly the 32×32 patch, so that a patch's logits do
not depend on whether the patch was cut out of its scene first. The figure, with the size of the map after each box:

    32 - conv3 - 30 - conv3 - 28 - pool2 - 14 - conv3 - 12 - conv3 - 10 - pool2 - 5 - fc 5×5 - 1 - fc - logits

The first FC layer after a 5×5 map is a 5×5 convolution, the second a 1×1 convolution: see `ops.convolutionalize`.
"""

from typing import Any

from torch import Tensor, nn

from .blocks import check_classes, check_images


def conv(channels_in: int, channels_out: int) -> list[nn.Module]:
    """A valid 3×3 convolution, batch normalisation and ReLU: (N, C, H, W) to (N, channels_out, H − 2, W − 2)."""
    return [nn.Conv2d(channels_in, channels_out, 3, bias=False), nn.BatchNorm2d(channels_out), nn.ReLU()]


class PatchNet(nn.Sequential):
    """Patches (N, 3, 32, 32), normalised floats, to logits (N, num_classes). ValueError at any other size."""

    def __init__(self, num_classes: int = 11, width: int = 16, hidden: int = 64) -> None:
        check_classes(num_classes)
        super().__init__(
            *conv(3, width),  # (N, width, 30, 30)
            *conv(width, width),  # (N, width, 28, 28)
            nn.MaxPool2d(2),  # (N, width, 14, 14)
            *conv(width, 2 * width),  # (N, 2 width, 12, 12)
            *conv(2 * width, 2 * width),  # (N, 2 width, 10, 10)
            nn.MaxPool2d(2),  # (N, 2 width, 5, 5)
            nn.Flatten(),  # (N, 50 width)
            nn.Linear(50 * width, hidden),  # (N, hidden)
            nn.ReLU(),
            nn.Linear(hidden, num_classes),  # (N, num_classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        check_images(x, 3)
        if x.shape[-2:] != (32, 32):
            raise ValueError(
                f"PatchNet reads 32×32 patches, but got {x.shape[-2]}×{x.shape[-1]}; "
                "pixelwise.ops.convolutionalize(net) makes it read any size"
            )
        return super().forward(x)


def patchnet(num_classes: int = 11, **options: Any) -> PatchNet:
    """The patch classifier: 68,731 parameters with eleven classes. Options are those of PatchNet."""
    return PatchNet(num_classes, **options)
