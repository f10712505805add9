"""The dense networks of the book under plain names, for the command line and for weights that must be rebuilt.

Code builds its networks by calling their classes. A shell and a file can't, so here, at the library's edge, a frozen
description in words and numbers stands for a call.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

from torch import nn

from .. import models
from ..models.compact import CompactDeepLab
from ..models.deeplab_vgg import dilate_vgg
from ..models.unet import ContractingPath

BACKBONES: dict[str, Callable[..., nn.Module]] = {
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
}
"""All from scratch; VGG with batch normalisation, without which sixteen layers do not start to learn."""

PAPER_RATES, PAPER_STRIDE = (6, 12, 18), 16
"""DeepLab v3's rates belong to its output stride; at another they see as much of the image when scaled inversely."""


@dataclass(frozen=True)
class Kind:
    """One network on offer: a line about it, its default backbone, and the backbones' output stride it is made for."""

    about: str
    build: Callable[[nn.Module | None, "Description"], nn.Module]
    backbone: str | None = "resnet18"
    output_stride: int | None = None


@dataclass(frozen=True)
class Description:
    """All that it takes to build a network again: ``Description("unet", 11, backbone="resnet34").build()``.

    backbone, width (channels of the backbone's first maps) and output_stride are None where the network's own default
    holds. ValueError for a name that is not in NETWORKS or BACKBONES, and for what does not go together.
    """

    model: str
    num_classes: int
    backbone: str | None = None
    width: int | None = None
    output_stride: int | None = None

    def __post_init__(self):
        if self.model not in NETWORKS:
            raise ValueError(f"there is no model {self.model!r}; choose one of {', '.join(NETWORKS)}")
        if self.backbone is not None and self.backbone not in BACKBONES:
            raise ValueError(f"there is no backbone {self.backbone!r}; choose one of {', '.join(BACKBONES)}")

    def build(self) -> nn.Module:
        """The network with fresh weights: images (N, 3, H, W) to logits (N, num_classes, H, W)."""
        kind = NETWORKS[self.model]
        if kind.backbone is None:
            if given := [name for name in ("backbone", "width", "output_stride") if getattr(self, name) is not None]:
                raise ValueError(f"{self.model} has no {given[0]} to choose: leave it out, or choose another model")
            return kind.build(None, self)
        return kind.build(self._backbone(kind), self)

    def to_dict(self) -> dict[str, str | int | None]:
        """Plain words and numbers, ready for JSON: ``Description(**d.to_dict()) == d``."""
        return asdict(self)

    def _backbone(self, kind: Kind) -> nn.Module:
        name = self.backbone or kind.backbone
        stride = self.output_stride or kind.output_stride
        options = {} if name == "contracting" else {"num_classes": None}
        if name == "contracting":
            options["width"] = self.width or 16
        elif self.width is not None:
            if not name.startswith(("resnet", "vgg")):
                raise ValueError(f"the width of {name} can't be chosen here: leave it out, or take a ResNet or a VGG")
            options["width"] = self.width
        if stride is None or name.startswith("vgg"):
            backbone = BACKBONES[name](**options)
            return dilate_vgg(backbone) if stride == 8 else backbone
        if not name.startswith(("resnet", "efficientnet_lite")):
            if self.output_stride is None:
                return BACKBONES[name](**options)
            raise ValueError(f"{name} has no output stride to choose: leave it out, or take a ResNet or a VGG")
        return BACKBONES[name](output_stride=stride, **options)


def _fcn(stride: int) -> Callable[[nn.Module, Description], nn.Module]:
    def build(backbone: nn.Module, described: Description) -> nn.Module:
        if (described.backbone or "").startswith("vgg"):  # as in the paper, with the classifier's hidden layers
            backbone = models.Convolutionalized(backbone, width=64 * (described.width or 64))
        return models.FCN(backbone, described.num_classes, stride)

    return build


def _deeplab(build: Callable[..., nn.Module], **options) -> Callable[[nn.Module, Description], nn.Module]:
    def built(backbone: nn.Module, described: Description) -> nn.Module:
        rates = tuple(max(1, rate * PAPER_STRIDE // backbone.strides[-1]) for rate in PAPER_RATES)
        more = {name: choose(backbone) for name, choose in options.items()}
        return build(backbone, described.num_classes, rates=rates, **more)

    return built


def _light(backbone: nn.Module) -> bool:
    """Whether the backbone is made for small machines, and what stands on it had better be so too."""
    return isinstance(backbone, models.EfficientNetLite)


def _unet(backbone: nn.Module, described: Description) -> nn.Module:
    return models.UNet(backbone, described.num_classes, widths=(128, 64, 48, 32, 16) if _light(backbone) else None)


def _quarter(backbone: nn.Module) -> int:
    """The index of the backbone's map at a quarter of the image."""
    return backbone.strides.index(4)


NETWORKS: dict[str, Kind] = {
    "unet": Kind(
        "U-Net, padded; --backbone contracting is the paper's left side",
        _unet,
        backbone="contracting",
    ),
    "fcn32": Kind("FCN-32s; --backbone vgg16 is the paper's", _fcn(32)),
    "fcn16": Kind("FCN-16s: one skip", _fcn(16)),
    "fcn8": Kind("FCN-8s: two skips", _fcn(8)),
    "dilated-fcn": Kind(
        "a 3×3 classifier on a dilated backbone, with an auxiliary head (torchvision's FCN)",
        lambda backbone, described: models.DilatedFCN(backbone, described.num_classes, aux=True),
        output_stride=8,
    ),
    "hypercolumn": Kind(
        "all maps stacked, one classifier with 64 hidden channels",
        lambda backbone, described: models.Hypercolumn(backbone, described.num_classes, hidden=64),
    ),
    "deeplabv1": Kind(
        "DeepLab v1, LargeFOV",
        lambda backbone, described: models.DeepLabV1(backbone, described.num_classes),
        backbone="vgg16",
        output_stride=8,
    ),
    "deeplabv2": Kind(
        "DeepLab v2, ASPP-L",
        lambda backbone, described: models.DeepLabV2(backbone, described.num_classes),
        backbone="vgg16",
        output_stride=8,
    ),
    "deeplabv3": Kind(
        "DeepLab v3: ASPP with image pooling",
        _deeplab(models.DeepLabV3, separable=_light, width=lambda backbone: 192 if _light(backbone) else 256),
        output_stride=8,
    ),
    "deeplabv3plus": Kind(
        "DeepLab v3+: ASPP and a decoder", _deeplab(models.DeepLabV3Plus, low_level=_quarter), output_stride=16
    ),
    "pyramid": Kind(
        "a feature pyramid; on EfficientNet-Lite0, three million parameters",
        lambda backbone, described: models.FeaturePyramid(backbone, described.num_classes),
        backbone="efficientnet_lite0",
    ),
    "compact": Kind(
        "a DeepLab of less than a million parameters, with two skips",
        lambda _, described: CompactDeepLab(described.num_classes),
        backbone=None,
    ),
}
