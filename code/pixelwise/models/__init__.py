"""Every network of the book, one readable file each; a network's file imports only ``blocks`` and ``pixelwise.ops``."""

from typing import TYPE_CHECKING

from pixelwise import lazy

if TYPE_CHECKING:
    from .deeplab import DeepLabV3, DeepLabV3Plus
    from .deeplab_vgg import DeepLabV1, DeepLabV2
    from .deformable import DeformableConv2d, deform_last_convolutions
    from .densenet import DenseNet, densenet121, densenet169, densenet201
    from .efficientnet import EfficientNet, efficientnet_b0
    from .efficientnet_lite import EfficientNetLite, efficientnet_lite0
    from .fcn import FCN, Convolutionalized, DilatedFCN
    from .googlenet import GoogLeNet
    from .hypercolumn import Hypercolumn
    from .patchnet import PatchNet
    from .pretrained import pretrained
    from .pyramid import FeaturePyramid
    from .resnet import ResNet, resnet18, resnet34, resnet50, resnet101, resnet152
    from .resnet_cifar import CifarResNet
    from .senet import squeeze_and_excite
    from .unet import UNet, ValidUNet
    from .vgg import VGG, vgg16, vgg19

__all__ = [
    "FCN",
    "VGG",
    "CifarResNet",
    "Convolutionalized",
    "DeepLabV1",
    "DeepLabV2",
    "DeepLabV3",
    "DeepLabV3Plus",
    "DeformableConv2d",
    "DenseNet",
    "DilatedFCN",
    "EfficientNet",
    "EfficientNetLite",
    "FeaturePyramid",
    "GoogLeNet",
    "Hypercolumn",
    "PatchNet",
    "ResNet",
    "UNet",
    "ValidUNet",
    "deform_last_convolutions",
    "densenet121",
    "densenet169",
    "densenet201",
    "efficientnet_b0",
    "efficientnet_lite0",
    "pretrained",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "squeeze_and_excite",
    "vgg16",
    "vgg19",
]

lazy.attach(__name__)
