"""The dense networks of the book under plain names, for the command line and for weights that must be rebuilt.

Code builds its networks by calling their classes. A shell and a file can't, so here, at the library's edge, a frozen
description in words and numbers stands for a call.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

from torch import nn

from .. import models
from ..data.palette import check_class_count
from ..models.blocks import Backbone
from ..models.compact import CompactDeepLab
from ..models.deeplab_vgg import dilate_vgg
from ..models.unet import ContractingPath
from ..models.vgg import VGG

BACKBONES: dict[str, Callable[..., Backbone]] = {
    "contracting": ContractingPath,
    "resnet18": models.resnet18,
    "resnet34": models.resnet34,
    "resnet50": models.resnet50,
    "resnet101": models.resnet101,
    "vgg16": partial(models.vgg16, batch_norm=True),
    "vgg19": partial(models.vgg19, batch_norm=True),
    "densenet121": models.densenet121,
    "efficientnet_b0": models.efficientnet_b0,
    "efficientnet_lite0": partial(models.efficientnet_lite0, transform_input=True),
    "mit_b0": models.mit_b0,
}
"""All from scratch; VGG with batch normalisation, without which sixteen layers do not start to learn."""

PAPER_RATES, PAPER_STRIDE = (6, 12, 18), 16
"""DeepLab v3's rates belong to its output stride; at another they see as much of the image when scaled inversely."""

WIDEST, COARSEST = 4096, 32
"""Most channels of a backbone's first maps, and the largest output stride, that a description may ask for."""


@dataclass(frozen=True)
class OnBackbone:
    """A network over a backbone: a line about it, its default backbone, and the output stride that it is made for."""

    summary: str
    build: Callable[[Backbone, "NetworkSpec"], nn.Module]
    backbone: str = "resnet18"
    output_stride: int | None = None


@dataclass(frozen=True)
class Whole:
    """A network with a backbone of its own."""

    summary: str
    build: Callable[["NetworkSpec"], nn.Module]


@dataclass(frozen=True)
class NetworkSpec:
    """All that it takes to build a network again: `NetworkSpec("unet", 11, backbone="resnet34").build()`.

    backbone, width (channels of the backbone's first maps) and output_stride are None where the network's own default
    holds. ValueError for a name that is not in NETWORKS or BACKBONES, more than 255 classes, and for what does not go
    together.
    """

    model: str
    num_classes: int
    backbone: str | None = None
    width: int | None = None
    output_stride: int | None = None

    def __post_init__(self) -> None:
        for name, value, known in (("model", self.model, NETWORKS), ("backbone", self.backbone, BACKBONES)):
            if name == "backbone" and value is None:
                continue
            if not isinstance(value, str) or value not in known:
                raise ValueError(f"there is no {name} {value!r}; choose one of {', '.join(known)}")
        check_class_count(self.num_classes)
        for name, most in (("width", WIDEST), ("output_stride", COARSEST)):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most):
                raise ValueError(f"{name} is {value!r}, expected an integer from 1 to {most}, or None for the default")

    def build(self) -> nn.Module:
        """The network with fresh weights: images (N, 3, H, W) to logits (N, num_classes, H, W)."""
        network = NETWORKS[self.model]
        if isinstance(network, OnBackbone):
            return network.build(self._backbone(network), self)
        for name in ("backbone", "width", "output_stride"):
            if getattr(self, name) is not None:
                raise ValueError(f"{self.model} has no {name} to choose: leave it out, or choose another model")
        return network.build(self)

    def to_dict(self) -> dict[str, str | int | None]:
        """Plain words and numbers, ready for JSON: `NetworkSpec(**d.to_dict()) == d`."""
        return asdict(self)

    def _backbone(self, network: OnBackbone) -> Backbone:
        name = self.backbone or network.backbone
        stride = self.output_stride or network.output_stride
        options: dict[str, int | None] = {} if name == "contracting" else {"num_classes": None}
        if name == "contracting":
            options["width"] = self.width or 16
        elif self.width is not None:
            if not name.startswith(("resnet", "vgg")):
                raise ValueError(f"the width of {name} can't be chosen here: leave it out, or take a ResNet or a VGG")
            options["width"] = self.width
        if stride is None or name.startswith("vgg"):
            backbone = BACKBONES[name](**options)
            return dilate_vgg(backbone) if stride == 8 and isinstance(backbone, VGG) else backbone
        if not name.startswith(("resnet", "efficientnet_lite")):
            if self.output_stride is None:
                return BACKBONES[name](**options)
            raise ValueError(f"{name} has no output stride to choose: leave it out, or take a ResNet or a VGG")
        return BACKBONES[name](output_stride=stride, **options)


def _fcn(stride: int) -> Callable[[Backbone, NetworkSpec], nn.Module]:
    def build(backbone: Backbone, spec: NetworkSpec) -> nn.Module:
        if (spec.backbone or "").startswith("vgg"):  # as in the paper, with the classifier's hidden layers
            backbone = models.Convolutionalized(backbone, width=64 * (spec.width or 64))
        return models.FCN(backbone, spec.num_classes, stride)

    return build


def _deeplab(
    build: Callable[..., nn.Module], **options: Callable[[Backbone], int]
) -> Callable[[Backbone, NetworkSpec], nn.Module]:
    def built(backbone: Backbone, spec: NetworkSpec) -> nn.Module:
        rates = tuple(max(1, rate * PAPER_STRIDE // backbone.strides[-1]) for rate in PAPER_RATES)
        more = {name: choose(backbone) for name, choose in options.items()}
        return build(backbone, spec.num_classes, rates=rates, **more)

    return built


def _light(backbone: Backbone) -> bool:
    """Whether the backbone is made for small machines, and what stands on it had better be so too."""
    return isinstance(backbone, models.EfficientNetLite)


def _unet(backbone: Backbone, spec: NetworkSpec) -> nn.Module:
    return models.UNet(backbone, spec.num_classes, widths=(128, 64, 48, 32, 16) if _light(backbone) else None)


def _quarter(backbone: Backbone) -> int:
    """The index of the backbone's map at a quarter of the image."""
    return backbone.strides.index(4)


NETWORKS: dict[str, OnBackbone | Whole] = {
    "unet": OnBackbone(
        "U-Net, padded; --backbone contracting is the paper's left side",
        _unet,
        backbone="contracting",
    ),
    "fcn32": OnBackbone("FCN-32s; --backbone vgg16 is the paper's", _fcn(32)),
    "fcn16": OnBackbone("FCN-16s: one skip", _fcn(16)),
    "fcn8": OnBackbone("FCN-8s: two skips", _fcn(8)),
    "dilated-fcn": OnBackbone(
        "a 3×3 classifier on a dilated backbone, with an auxiliary head (torchvision's FCN)",
        lambda backbone, spec: models.DilatedFCN(backbone, spec.num_classes, aux=True),
        output_stride=8,
    ),
    "hypercolumn": OnBackbone(
        "all maps stacked, one classifier with 64 hidden channels",
        lambda backbone, spec: models.Hypercolumn(backbone, spec.num_classes, hidden=64),
    ),
    "deeplabv1": OnBackbone(
        "DeepLab v1, LargeFOV",
        lambda backbone, spec: models.DeepLabV1(backbone, spec.num_classes),
        backbone="vgg16",
        output_stride=8,
    ),
    "deeplabv2": OnBackbone(
        "DeepLab v2, ASPP-L",
        lambda backbone, spec: models.DeepLabV2(backbone, spec.num_classes),
        backbone="vgg16",
        output_stride=8,
    ),
    "deeplabv3": OnBackbone(
        "DeepLab v3: ASPP with image pooling",
        _deeplab(models.DeepLabV3, separable=_light, width=lambda backbone: 192 if _light(backbone) else 256),
        output_stride=8,
    ),
    "deeplabv3plus": OnBackbone(
        "DeepLab v3+: ASPP and a decoder", _deeplab(models.DeepLabV3Plus, low_level=_quarter), output_stride=16
    ),
    "pyramid": OnBackbone(
        "a feature pyramid; on EfficientNet-Lite0, three million parameters",
        lambda backbone, spec: models.FeaturePyramid(backbone, spec.num_classes),
        backbone="efficientnet_lite0",
    ),
    "pyramid-fine": OnBackbone(
        "the pyramid on images enlarged by a half, for small pictures",
        lambda backbone, spec: models.FeaturePyramid(backbone, spec.num_classes, enlarge=1.5),
        backbone="efficientnet_lite0",
    ),
    "segformer": OnBackbone(
        "SegFormer's all-MLP head; by default on its encoder of attention, MiT-B0",
        lambda backbone, spec: models.SegFormer(backbone, spec.num_classes),
        backbone="mit_b0",
    ),
    "compact-segformer": Whole(
        "a SegFormer of 0.6 million parameters",
        lambda spec: models.compact_segformer(spec.num_classes),
    ),
    "compact": Whole(
        "a DeepLab of less than a million parameters, with two skips",
        lambda spec: CompactDeepLab(spec.num_classes),
    ),
}
