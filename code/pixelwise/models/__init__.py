"""Every network of the book, one readable file each; a network's file imports only ``blocks`` and ``pixelwise.ops``."""

from pixelwise.models.deeplab import DeepLabV3, DeepLabV3Plus
from pixelwise.models.deeplab_vgg import DeepLabV1, DeepLabV2
from pixelwise.models.deformable import DeformableConv2d, deform_last_convolutions
from pixelwise.models.densenet import DenseNet, densenet121, densenet169, densenet201
from pixelwise.models.efficientnet import EfficientNet, efficientnet_b0
from pixelwise.models.fcn import FCN, Convolutionalized, DilatedFCN
from pixelwise.models.googlenet import GoogLeNet
from pixelwise.models.hypercolumn import Hypercolumn
from pixelwise.models.patchnet import PatchNet
from pixelwise.models.pretrained import pretrained
from pixelwise.models.resnet import ResNet, resnet18, resnet34, resnet50, resnet101, resnet152
from pixelwise.models.resnet_cifar import CifarResNet
from pixelwise.models.senet import squeeze_and_excite
from pixelwise.models.unet import UNet, ValidUNet
from pixelwise.models.vgg import VGG, vgg16, vgg19

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
