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
    "FCN-32s": Drawn(drawings.fcn, models.fcn32s, (1, 3, 224, 224)),
    "FCN-16s": Drawn(drawings.fcn, models.fcn16s, (1, 3, 224, 224)),
    "FCN-8s": Drawn(drawings.fcn, models.fcn8s, (1, 3, 224, 224)),
    "hypercolumn": Drawn(drawings.hypercolumn, lambda: models.hypercolumn_vgg16(11), (1, 3, 96, 128)),
    "DeepLab v1": Drawn(drawings.deeplab_largefov, models.deeplabv1, (1, 3, 224, 224)),
    "DeepLab v3": Drawn(drawings.deeplab, models.deeplabv3_resnet50, (1, 3, 224, 224)),
    "DeepLab v3+": Drawn(drawings.deeplab, models.deeplabv3plus_resnet50, (1, 3, 224, 224)),
    "ASPP": Drawn(drawings.aspp, lambda: models.AtrousSpatialPyramidPooling(2048, (12, 24, 36)), (1, 2048, 28, 28)),
    "compact": Drawn(drawings.compact, lambda: models.compact_deeplab(11), (1, 3, 96, 128)),
    "u-net": Drawn(drawings.unet, lambda: models.unet(11, width=16), (1, 3, 96, 128)),
    "u-net, valid": Drawn(drawings.unet, models.valid_unet, (1, 1, 572, 572)),
}
