"""The networks of the papers that consist of a backbone and a head, or of a network and gates.

A function in lower case builds one network, as `resnet50()` does; to choose another backbone, call the class. Each
function imports the files of its network only when it is called. The parameters are counted for the default number of
classes, which is that of ImageNet or of PASCAL VOC with its background.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from .. import models


def se_resnet50(**options: Any) -> nn.Module:
    """SE-ResNet-50: 28,088,024 parameters with 1000 classes. Options are those of `resnet50`."""
    return models.squeeze_and_excite(models.resnet50(**options))


def fcn32s(num_classes: int = 21, *, in_channels: int = 3) -> models.FCN:
    """FCN-32s on VGG-16, with fc6 and fc7 as convolutions: 134,346,581 parameters."""
    return models.FCN(_convolutional_vgg16(in_channels), num_classes, stride=32)


def fcn16s(num_classes: int = 21, *, in_channels: int = 3) -> models.FCN:
    """FCN-16s, FCN-32s with the scores of pool4 added: 134,364,410 parameters."""
    return models.FCN(_convolutional_vgg16(in_channels), num_classes, stride=16)


def fcn8s(num_classes: int = 21, *, in_channels: int = 3) -> models.FCN:
    """FCN-8s, FCN-16s with the scores of pool3 added: 134,376,863 parameters."""
    return models.FCN(_convolutional_vgg16(in_channels), num_classes, stride=8)


def fcn_resnet50(num_classes: int = 21, *, in_channels: int = 3, aux: bool = False) -> models.DilatedFCN:
    """torchvision's network of this name: 35,322,218 parameters with `aux`, and 32,957,013 without."""
    return models.DilatedFCN(_dilated_resnet50(in_channels), num_classes, aux=aux)


def hypercolumn_vgg16(num_classes: int = 21, *, in_channels: int = 3) -> models.Hypercolumn:
    """Hypercolumns of the five maps of VGG-16: 14,745,621 parameters."""
    return models.Hypercolumn(models.vgg16(num_classes=None, in_channels=in_channels), num_classes)


def deeplabv1(num_classes: int = 21, *, in_channels: int = 3) -> models.DeepLabV1:
    """DeepLab-LargeFOV on a dilated VGG-16: 20,505,429 parameters."""
    return models.DeepLabV1(_dilated_vgg16(in_channels), num_classes)


def deeplabv2(num_classes: int = 21, *, in_channels: int = 3) -> models.DeepLabV2:
    """DeepLab-ASPP-L on a dilated VGG-16: 37,877,652 parameters."""
    return models.DeepLabV2(_dilated_vgg16(in_channels), num_classes)


def deeplabv3_resnet50(num_classes: int = 21, *, in_channels: int = 3, aux: bool = False) -> models.DeepLabV3:
    """torchvision's network of this name: 42,004,074 parameters with `aux`, 39,638,869 without."""
    return models.DeepLabV3(_dilated_resnet50(in_channels), num_classes, aux=aux)


def deeplabv3plus_resnet50(num_classes: int = 21, *, in_channels: int = 3) -> models.DeepLabV3Plus:
    """segmentation-models-pytorch's DeepLabV3Plus("resnet50"): 26,682,725 parameters."""
    backbone = models.resnet50(num_classes=None, in_channels=in_channels, output_stride=16, dilate_first_block=True)
    return models.DeepLabV3Plus(backbone, num_classes)


def fpn_efficientnet_lite0(num_classes: int = 21, *, in_channels: int = 3) -> models.FeaturePyramid:
    """A feature pyramid on EfficientNet-Lite0, which fits into 8 MB: 3,085,349 parameters."""
    colour = in_channels == 3  # as the published weights, which take images in a range of their own
    backbone = models.efficientnet_lite0(num_classes=None, in_channels=in_channels, transform_input=colour)
    return models.FeaturePyramid(backbone, num_classes)


def _convolutional_vgg16(in_channels: int) -> models.Convolutionalized:
    return models.Convolutionalized(models.vgg16(num_classes=None, in_channels=in_channels))


def _dilated_resnet50(in_channels: int) -> models.ResNet:
    return models.resnet50(num_classes=None, in_channels=in_channels, output_stride=8)


def _dilated_vgg16(in_channels: int) -> models.VGG:
    return models.dilate_vgg(models.vgg16(num_classes=None, in_channels=in_channels))
