"""Our segmentation networks beside torchvision's and smp's, which they must equal."""

from collections.abc import Callable
from functools import partial
from itertools import chain, pairwise

import segmentation_models_pytorch as smp
import torch
import torchvision
from segmentation_models_pytorch.base import SegmentationHead
from segmentation_models_pytorch.decoders.segformer.decoder import SegformerDecoder
from segmentation_models_pytorch.encoders.mix_transformer import LayerNorm, MixVisionTransformerEncoder
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import segmentation
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.resnet import Bottleneck

from pixelwise.models import deeplabv3_resnet50, deeplabv3plus_resnet50, fcn_resnet50, resnet
from pixelwise.models.blocks import Backbone
from pixelwise.models.deeplab import DeepLabV3, DeepLabV3Plus
from pixelwise.models.fcn import FCN, Convolutionalized
from pixelwise.models.mix_transformer import MixTransformer, mit_b0
from pixelwise.models.segformer import SegFormer
from pixelwise.models.unet import UNet
from pixelwise.models.vgg import VGG
from tests.models.references import Pair


def smp_backbone(build: Callable[..., Backbone], output_stride: int) -> Backbone:
    return build(num_classes=None, output_stride=output_stride, dilate_first_block=True)


def main_logits_in_eval(build: Callable[[], nn.Module]) -> nn.Module:
    """torchvision computes auxiliary logits in eval mode too; ours are left out there, and so here."""
    reference = build()

    def hook(module: nn.Module, inputs: object, output: dict[str, Tensor]) -> dict[str, Tensor] | Tensor:
        return output if module.training else output["out"]

    reference.register_forward_hook(hook)
    return reference


class SmpNames(nn.Module):
    """A DeepLabV3 with its parts under smp's names, so that gradients can be compared name by name."""

    def __init__(self, network: DeepLabV3) -> None:
        super().__init__()
        assert isinstance(network.classifier, nn.Sequential)
        self.network = [network]  # in a list, so that its names stay out of the state
        self.encoder, self.decoder, self.segmentation_head = network.backbone, nn.Module(), nn.Sequential()
        self.decoder.aspp, self.decoder.conv, self.decoder.bn = network.classifier[:3]
        self.segmentation_head.append(network.classifier[4])

    def forward(self, images: Tensor) -> Tensor:
        return self.network[0](images)


class NarrowTrunk(torchvision.models.ResNet):
    """torchvision's ResNet of five bottlenecks at output stride 8, a quarter as wide."""

    def __init__(self) -> None:
        super().__init__(Bottleneck, [1, 1, 1, 1])
        self.inplanes, self.dilation = 16, 1
        self.conv1 = nn.Conv2d(3, 16, 7, 2, 3, bias=False)
        self.bn1: nn.Module = nn.BatchNorm2d(16)
        self.layer1, self.layer2 = self._make_layer(Bottleneck, 16, 1), self._make_layer(Bottleneck, 32, 1, 2)
        self.layer3 = self._make_layer(Bottleneck, 64, 2, 2, dilate=True)
        self.layer4 = self._make_layer(Bottleneck, 128, 1, 2, dilate=True)


def small_torchvision_deeplab(rates: tuple[int, int, int]) -> nn.Module:
    """torchvision's DeepLabV3 on a narrow trunk, its head an eighth as wide."""
    trunk = IntermediateLayerGetter(NarrowTrunk(), {"layer4": "out", "layer3": "aux"})
    scales = segmentation.deeplabv3.ASPP(512, rates, 32)
    head = nn.Sequential(scales, nn.Conv2d(32, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU())
    head.append(nn.Conv2d(32, 3, 1))
    return segmentation.DeepLabV3(trunk, head, segmentation.fcn.FCNHead(256, 3))


class HandMadeFCN(nn.Module):
    """FCN-8s on a VGG of five convolutions in one piece; no library has the paper's network."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 4, 8, 16, 32, 32)
        layers = [(nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)) for a, b in pairwise(widths)]
        features = nn.ModuleDict({"features": nn.Sequential(*chain(*layers))})
        fully = {"fc6": nn.Conv2d(32, 8, 7, padding=3), "fc7": nn.Conv2d(8, 8, 1)}
        self.backbone = nn.ModuleDict({"backbone": features, **fully})
        self.scores = nn.ModuleList([nn.Conv2d(8, 3, 1), nn.Conv2d(32, 3, 1), nn.Conv2d(16, 3, 1)])
        self.upsamplings = nn.ModuleList([nn.ConvTranspose2d(3, 3, 4, 2, 1, bias=False) for _ in range(2)])

    def forward(self, images: Tensor) -> Tensor:
        layers = self.get_submodule("backbone.backbone.features")
        assert isinstance(layers, nn.Sequential)
        pool3 = layers[:9](images)
        pool4 = layers[9:12](pool3)
        fc6 = F.dropout(F.relu(self.backbone["fc6"](layers[12:](pool4))), 0.5, self.training)
        fc7 = F.dropout(F.relu(self.backbone["fc7"](fc6)), 0.5, self.training)
        at16 = self.upsamplings[0](self.scores[0](fc7)) + self.scores[1](pool4)
        at8 = self.upsamplings[1](at16) + self.scores[2](pool3)
        return F.interpolate(at8, scale_factor=8, mode="bilinear")


def smp_segformer() -> nn.Module:
    """smp's SegFormer-B0. Sides need to be multiples of 4 alone, of which its decoder knows; its check asks for 32."""
    with torch.device("cpu"):  # it computes values on its way
        network = smp.Segformer("mit_b0", encoder_weights=None, classes=3)
        assert isinstance(network.encoder, MixVisionTransformerEncoder)
        network.encoder.reset_drop_path(0.0)
    network.requires_divisible_input_shape = False
    return network


NARROW = {"widths": (8, 12, 16, 24), "depths": (1, 1, 2, 1), "heads": (1, 2, 2, 3), "reductions": (4, 2, 2, 1)}


def narrow_smp_segformer(drop_path: float = 0.0) -> nn.Module:
    """smp's parts, narrow, and with other reductions than B0's."""
    network = smp_segformer()
    widths = list(NARROW["widths"])
    with torch.device("cpu"):
        encoder = MixVisionTransformerEncoder(
            out_channels=[3, 0, *widths],
            embed_dims=widths,
            num_heads=NARROW["heads"],
            mlp_ratios=[4, 4, 4, 4],
            qkv_bias=True,
            norm_layer=partial(LayerNorm, eps=1e-6),
            depths=NARROW["depths"],
            sr_ratios=NARROW["reductions"],
            drop_path_rate=drop_path,
        )
    network.encoder, network.decoder = encoder, SegformerDecoder(encoder.out_channels, segmentation_channels=20)
    network.segmentation_head = SegmentationHead(20, 3, kernel_size=1, upsampling=4)
    return network


def narrow_segformer(drop_path: float = 0.0) -> SegFormer:
    encoder = MixTransformer(**NARROW, num_classes=None, stochastic_depth=drop_path)
    return SegFormer(encoder, 3, width=20, dropout=0.0, align_corners=True)


def unet(name: str) -> Pair:
    build = partial(getattr(resnet, name), num_classes=None)
    return Pair(lambda: UNet(build(), 1), partial(smp.Unet, name, encoder_weights=None, classes=1))


def v3(name: str, output_stride: int) -> Pair:
    options = {"encoder_weights": None, "encoder_output_stride": output_stride, "classes": 3}
    build = partial(smp_backbone, getattr(resnet, name), output_stride)
    return Pair(lambda: SmpNames(DeepLabV3(build(), 3, align_corners=True)), partial(smp.DeepLabV3, name, **options))


def v3_plus(name: str, output_stride: int, rates: tuple[int, int, int] = (12, 24, 36)) -> Pair:
    options = {"encoder_weights": None, "encoder_output_stride": output_stride, "classes": 3}
    build = partial(smp_backbone, getattr(resnet, name), output_stride)
    reference = partial(smp.DeepLabV3Plus, name, decoder_atrous_rates=rates, **options)
    return Pair(lambda: DeepLabV3Plus(build(), 3, rates=rates), reference)


def five_bottlenecks(rates: tuple[int, int, int]) -> Pair:
    backbone = partial(resnet.ResNet, resnet.Bottleneck, (1, 1, 2, 1), width=16, num_classes=None, output_stride=8)
    return Pair(
        lambda: DeepLabV3(backbone(), 3, rates=rates, width=32, aux=True),
        partial(main_logits_in_eval, partial(small_torchvision_deeplab, rates)),
    )


no_weights = {"weights": None, "weights_backbone": None, "aux_loss": True}
PAIRS = {
    "fcn_resnet50 with aux": Pair(
        partial(fcn_resnet50, aux=True),
        partial(main_logits_in_eval, partial(segmentation.fcn_resnet50, **no_weights)),
    ),
    "deeplabv3_resnet50 with aux": Pair(
        partial(deeplabv3_resnet50, aux=True),
        partial(main_logits_in_eval, partial(segmentation.deeplabv3_resnet50, **no_weights)),
    ),
    "smp.Unet resnet18": unet("resnet18"),
    "smp.Unet resnet34": unet("resnet34"),
    "smp.Unet resnet50": unet("resnet50"),
    "smp.DeepLabV3 resnet18, output stride 8": v3("resnet18", 8),
    "smp.DeepLabV3 resnet18, output stride 16": v3("resnet18", 16),
    "smp.DeepLabV3 resnet50, output stride 8": v3("resnet50", 8),
    "smp.DeepLabV3Plus resnet18, output stride 8": v3_plus("resnet18", 8),
    "smp.DeepLabV3Plus resnet18, output stride 16": v3_plus("resnet18", 16),
    "smp.DeepLabV3Plus resnet50, output stride 16": Pair(
        partial(deeplabv3plus_resnet50, 3), v3_plus("resnet50", 16).build_reference
    ),
    "smp.Segformer mit_b0": Pair(
        lambda: SegFormer(mit_b0(num_classes=None, stochastic_depth=0.0), 3, dropout=0.0, align_corners=True),
        smp_segformer,
    ),
    # small enough to plant many faults in
    "smp.Segformer, narrow": Pair(narrow_segformer, narrow_smp_segformer),
    "smp.Segformer, narrow, stochastic depth": Pair(partial(narrow_segformer, 0.5), partial(narrow_smp_segformer, 0.5)),
    "FCN-8s, hand-made": Pair(
        lambda: FCN(Convolutionalized(VGG((1, 1, 1, 1, 1), num_classes=None, width=4), width=8), 3), HandMadeFCN
    ),
    "DeepLabV3, five bottlenecks": five_bottlenecks((1, 2, 3)),  # rates that bite on a map of 5×6
    "DeepLabV3, five bottlenecks, rates 12, 24, 36": five_bottlenecks((12, 24, 36)),
    "smp.DeepLabV3Plus resnet18, small rates": v3_plus("resnet18", 16, rates=(1, 2, 3)),
}
