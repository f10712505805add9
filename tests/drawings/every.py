"""All drawings that tests go through: how each is made, the network that it draws, and the shape of its input."""

from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from pixelwise import drawings, models
from pixelwise.models.googlenet import TABLE


class Drawn(NamedTuple):
    """A drawing, and what it was drawn from."""

    draw: Callable[..., drawings.Sketch]
    network: Callable[[], nn.Module]
    shape: tuple[int, int, int, int]


DRAWN = {
    "googlenet": Drawn(drawings.googlenet, models.googlenet, (1, 3, 224, 224)),
    "inception": Drawn(drawings.inception, lambda: models.Inception(192, TABLE["3a"]), (1, 192, 28, 28)),
    "inception, naive": Drawn(
        drawings.inception, lambda: models.Inception(192, TABLE["3a"], naive=True), (1, 192, 28, 28)
    ),
    "u-net": Drawn(drawings.unet, lambda: models.unet(11, width=16), (1, 3, 96, 128)),
    "u-net, valid": Drawn(drawings.unet, models.valid_unet, (1, 1, 572, 572)),
}
