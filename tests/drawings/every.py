"""All drawings that tests go through: how each is made, the network that it draws, and the shape of its input."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
import torchvision
from torch import nn

from pixelwise import drawings, models
from pixelwise.models.efficientnet_lite import InvertedResidual
from pixelwise.models.googlenet import TABLE
from pixelwise.models.resnet_cifar import PreactivationBlock


class Drawn(NamedTuple):
    """A drawing, and what it was drawn from: one network, or several for a drawing that compares them."""

    draw: Callable[..., drawings.Sketch]
    network: Callable[[], nn.Module | tuple[nn.Module, ...]]
    shape: tuple[int, ...]

    @property
    def networks(self) -> tuple[nn.Module, ...]:
        """Made anew."""
        made = self.network()
        return made if isinstance(made, tuple) else (made,)

    def drawing(self, shape: tuple[int, ...] | None = None) -> drawings.Sketch:
        """Drawn anew, for an input of its own shape or of this one."""
        return self.draw(*self.networks, shape or self.shape)


def gated(block: models.Bottleneck) -> models.Bottleneck:
    block.gate = models.SqueezeExcitation(block.out_channels, block.out_channels // 16)
    return block


def bare(make: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    """Made without weights, which drawings of shapes do not need and large networks are slow to draw at random."""

    def empty() -> nn.Module:
        with torch.device("meta"):
            return make()

    return empty


def moved() -> models.DeformableConv2d:
    """A deformable convolution whose offsets are not zero any more."""
    layer = models.DeformableConv2d(64, 64, 3, padding=1)
    nn.init.normal_(layer.offset.weight, std=0.018, generator=torch.Generator().manual_seed(0))
    return layer


def first_of_segformer() -> nn.Sequential:
    """SegFormer-B0's first patches and the block behind them."""
    encoder = models.mit_b0(num_classes=None)
    return nn.Sequential(encoder.patch_embed1, encoder.block1[0])


def inception(**options: bool) -> models.Inception:
    return models.Inception(192, TABLE["3a"], true_5x5=True, **options)


DRAWN = {
    "alexnet": Drawn(drawings.alexnet, bare(torchvision.models.alexnet), (1, 3, 224, 224)),
    "vgg-16": Drawn(drawings.vgg, bare(models.vgg16), (1, 3, 224, 224)),
    "googlenet": Drawn(drawings.googlenet, bare(models.googlenet), (1, 3, 224, 224)),
    "inception": Drawn(drawings.inception, inception, (1, 192, 28, 28)),
    "inception, naive": Drawn(drawings.inception, lambda: inception(naive=True), (1, 192, 28, 28)),
    "inceptions": Drawn(drawings.inceptions, lambda: (inception(naive=True), inception()), (1, 192, 28, 28)),
    "resnet-18": Drawn(drawings.resnet, bare(models.resnet18), (1, 3, 224, 224)),
    "resnet-50": Drawn(partial(drawings.resnet, inside=False), bare(models.resnet50), (1, 3, 224, 224)),
    "resnet-20 for small images": Drawn(drawings.resnet, bare(models.resnet20), (1, 3, 32, 32)),
    "plain and residual": Drawn(
        drawings.plain_and_residual,
        lambda: (models.CifarResNet(32, residual=False), models.CifarResNet(32)),
        (1, 3, 32, 32),
    ),
    "FCN-32s": Drawn(drawings.fcn, bare(models.fcn32s), (1, 3, 224, 224)),
    "FCN-16s": Drawn(drawings.fcn, bare(models.fcn16s), (1, 3, 224, 224)),
    "FCN-8s": Drawn(drawings.fcn, bare(models.fcn8s), (1, 3, 224, 224)),
    "hypercolumn": Drawn(drawings.hypercolumn, bare(lambda: models.hypercolumn_vgg16(11)), (1, 3, 96, 128)),
    "feature pyramid": Drawn(
        drawings.pyramid,
        bare(lambda: models.FeaturePyramid(models.efficientnet_lite0(num_classes=None), 11)),
        (1, 3, 96, 128),
    ),
    "DeepLab v1": Drawn(drawings.deeplab_largefov, bare(models.deeplabv1), (1, 3, 224, 224)),
    "DeepLab v2": Drawn(drawings.deeplab_v2, bare(models.deeplabv2), (1, 3, 224, 224)),
    "DeepLab v3": Drawn(drawings.deeplab, bare(models.deeplabv3_resnet50), (1, 3, 224, 224)),
    "DeepLab v3+": Drawn(drawings.deeplab, bare(models.deeplabv3plus_resnet50), (1, 3, 224, 224)),
    "ASPP": Drawn(
        drawings.aspp, bare(lambda: models.AtrousSpatialPyramidPooling(2048, (12, 24, 36))), (1, 2048, 28, 28)
    ),
    "compact": Drawn(drawings.compact, lambda: models.compact_deeplab(11), (1, 3, 96, 128)),
    "basic block": Drawn(drawings.residual_block, lambda: models.BasicBlock(64, 64), (1, 64, 56, 56)),
    "bottleneck": Drawn(drawings.residual_block, lambda: models.Bottleneck(256, 64), (1, 256, 56, 56)),
    "projection": Drawn(drawings.residual_block, lambda: models.BasicBlock(64, 128, stride=2), (1, 64, 56, 56)),
    "pre-activation block": Drawn(
        drawings.residual_block, lambda: PreactivationBlock(64, 64, 1, nn.Identity(), True), (1, 64, 32, 32)
    ),
    "gated bottleneck": Drawn(drawings.residual_block, lambda: gated(models.Bottleneck(256, 64)), (1, 256, 56, 56)),
    "densenet-121": Drawn(drawings.densenet, bare(models.densenet121), (1, 3, 224, 224)),
    "dense block": Drawn(drawings.dense_block, lambda: models.DenseBlock(64, 4, 32), (1, 64, 56, 56)),
    "dense layer": Drawn(drawings.dense_layer, lambda: models.DenseLayer(64, 32), (1, 64, 56, 56)),
    "squeeze and excitation": Drawn(
        drawings.squeeze_excitation, lambda: models.SqueezeExcitation(256, 16), (1, 256, 56, 56)
    ),
    "efficientnet-b0": Drawn(
        drawings.efficientnet, bare(partial(models.efficientnet_b0, stochastic_depth=0.0)), (1, 3, 224, 224)
    ),
    "efficientnet-lite0": Drawn(drawings.efficientnet, bare(models.efficientnet_lite0), (1, 3, 224, 224)),
    "mbconv": Drawn(drawings.inverted_bottleneck, lambda: models.MBConv(24, 24, 6, 3, 1, 0.0), (1, 24, 56, 56)),
    "mbconv, strided": Drawn(
        drawings.inverted_bottleneck, lambda: models.MBConv(24, 40, 6, 5, 2, 0.0), (1, 24, 56, 56)
    ),
    "mbconv, without a gate": Drawn(
        drawings.inverted_bottleneck, lambda: InvertedResidual(24, 24, 6, 3), (1, 24, 56, 56)
    ),
    "deformable convolution": Drawn(drawings.deformable_convolution, moved, (1, 64, 14, 14)),
    "convnext-tiny": Drawn(drawings.convnext, bare(torchvision.models.convnext_tiny), (1, 3, 224, 224)),
    "convnext block": Drawn(
        drawings.convnext_block, bare(lambda: torchvision.models.convnext_tiny().features[1][0]), (1, 96, 56, 56)
    ),
    "vit-b/16": Drawn(drawings.vit, bare(torchvision.models.vit_b_16), (1, 3, 224, 224)),
    "encoder block": Drawn(
        drawings.encoder_block, bare(lambda: torchvision.models.vit_b_16().encoder.layers[0]), (1, 197, 768)
    ),
    "self-attention": Drawn(drawings.self_attention, bare(torchvision.models.vit_b_16), (1, 3, 224, 224)),
    "segformer": Drawn(drawings.segformer, bare(partial(models.segformer_b0, 11)), (1, 3, 224, 224)),
    "segformer block": Drawn(drawings.segformer_block, bare(first_of_segformer), (1, 3, 96, 128)),
    "u-net": Drawn(drawings.unet, lambda: models.unet(11, width=16), (1, 3, 96, 128)),
    "u-net, valid": Drawn(drawings.unet, bare(models.valid_unet), (1, 1, 572, 572)),
}
