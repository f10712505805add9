"""All drawings that tests go through: how each is made, the network that it draws, and the shape of its input."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from torch import nn

from pixelwise import drawings, models
from pixelwise.models.googlenet import TABLE
from pixelwise.models.resnet_cifar import PreactivationBlock


class Drawn(NamedTuple):
    """A drawing, and what it was drawn from: one network, or several for a drawing that compares them."""

    draw: Callable[..., drawings.Sketch]
    network: Callable[[], nn.Module | tuple[nn.Module, ...]]
    shape: tuple[int, int, int, int]

    @property
    def networks(self) -> tuple[nn.Module, ...]:
        """Made anew."""
        made = self.network()
        return made if isinstance(made, tuple) else (made,)

    def drawing(self, shape: tuple[int, int, int, int] | None = None) -> drawings.Sketch:
        """Drawn anew, for an input of its own shape or of this one."""
        return self.draw(*self.networks, shape or self.shape)


def gated(block: models.Bottleneck) -> models.Bottleneck:
    block.gate = models.SqueezeExcitation(block.out_channels, block.out_channels // 16)
    return block


DRAWN = {
    "googlenet": Drawn(drawings.googlenet, models.googlenet, (1, 3, 224, 224)),
    "inception": Drawn(drawings.inception, lambda: models.Inception(192, TABLE["3a"]), (1, 192, 28, 28)),
    "inception, naive": Drawn(
        drawings.inception, lambda: models.Inception(192, TABLE["3a"], naive=True), (1, 192, 28, 28)
    ),
    "resnet-18": Drawn(drawings.resnet, models.resnet18, (1, 3, 224, 224)),
    "resnet-50": Drawn(partial(drawings.resnet, inside=False), models.resnet50, (1, 3, 224, 224)),
    "plain and residual": Drawn(
        drawings.plain_and_residual,
        lambda: (models.CifarResNet(32, residual=False), models.CifarResNet(32)),
        (1, 3, 32, 32),
    ),
    "basic block": Drawn(drawings.residual_block, lambda: models.BasicBlock(64, 64), (1, 64, 56, 56)),
    "bottleneck": Drawn(drawings.residual_block, lambda: models.Bottleneck(256, 64), (1, 256, 56, 56)),
    "projection": Drawn(drawings.residual_block, lambda: models.BasicBlock(64, 128, stride=2), (1, 64, 56, 56)),
    "pre-activation block": Drawn(
        drawings.residual_block, lambda: PreactivationBlock(64, 64, 1, nn.Identity(), True), (1, 64, 32, 32)
    ),
    "gated bottleneck": Drawn(drawings.residual_block, lambda: gated(models.Bottleneck(256, 64)), (1, 256, 56, 56)),
    "u-net": Drawn(drawings.unet, lambda: models.unet(11, width=16), (1, 3, 96, 128)),
    "u-net, valid": Drawn(drawings.unet, models.valid_unet, (1, 1, 572, 572)),
}
