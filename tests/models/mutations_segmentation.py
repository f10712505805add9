"""Faults to plant in the segmentation networks, each a mistake that somebody has made or could make."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pixelwise.models import deeplab, resnet
from pixelwise.models.blocks import upsample
from pixelwise.models.fcn import FCN, Convolutionalized
from pixelwise.models.unet import DecoderBlock
from pixelwise.models.vgg import VGG
from tests.models.dense_references import PAIRS
from tests.models.mutation import Mutation, Plant, after, assign, expected, instead, planted, rebuilt
from tests.models.parity import ParityError, compare


def check(name: str, size: int | tuple[int, int], train: bool, plant: Plant) -> None:
    """The parity check of the segmentation networks' tests on the pair called ``name``, with ``plant`` done to ours."""
    pair = PAIRS[name]
    compare(planted(pair.ours(), plant), expected(pair, size, train))


def check_fresh_fcn(plant: Plant) -> None:
    """A fresh FCN says nothing yet, and its upsampling interpolates."""
    torch.manual_seed(0)
    images = torch.randn(1, 3, 64, 96)
    ours = planted(FCN(small_vgg(), 3), plant)
    if ours(images).abs().max() > 0:
        raise ParityError("a fresh FCN's logits are not zero")
    tent = torch.tensor([0.25, 0.75, 0.75, 0.25])
    bilinear = torch.eye(3)[:, :, None, None] * torch.outer(tent, tent)
    if not all(torch.equal(upsampling.weight, bilinear) for upsampling in ours.upsamplings):
        raise ParityError("a fresh FCN's upsampling is not bilinear")


def fill(path: str, value: float) -> Plant:
    def plant(network: nn.Module) -> None:
        nn.init.constant_(network.get_parameter(path), value)

    return plant


def swap_maps(change) -> Plant:
    """Plant ``change`` behind the backbone: what it does to the list of maps."""

    def plant(network: nn.Module) -> None:
        backbone = getattr(network, "encoder", None) or network.backbone
        features = backbone.features
        backbone.features = lambda images, first=0: change(features(images))[first:]

    return plant


# U-Net


def skip_first(block: DecoderBlock, x: Tensor, skip: Tensor, size) -> Tensor:
    return block.conv2(block.conv1(torch.cat([skip, F.interpolate(x, size)], 1)))


def bilinear(block: DecoderBlock, x: Tensor, skip: Tensor, size) -> Tensor:
    return block.conv2(block.conv1(torch.cat([F.interpolate(x, size, mode="bilinear"), skip], 1)))


def upsample_last(block: DecoderBlock, x: Tensor, skip: None, size) -> Tensor:
    return F.interpolate(block.conv2(block.conv1(x)), size)


def skip_from_below(maps: list[Tensor]) -> list[Tensor]:
    return [F.interpolate(maps[1], maps[0].shape[-2:]), *maps[1:]]


def without_bias(conv: nn.Conv2d, x: Tensor) -> Tensor:
    return conv._conv_forward(x, conv.weight, None)


# DeepLab


def pooling_first(aspp: deeplab.AtrousSpatialPyramidPooling, x: Tensor) -> Tensor:
    *convs, pooling = aspp.convs
    return aspp.project(torch.cat([conv(x) for conv in (pooling, *convs)], 1))


def dropout_before_norm(project: nn.Sequential, x: Tensor) -> Tensor:
    conv, norm, relu, dropout = project
    return relu(norm(dropout(conv(x))))


def pool_two_by_two(pooling: deeplab.ImagePooling, x: Tensor) -> Tensor:
    x = pooling[3](pooling[2](pooling[1](F.adaptive_avg_pool2d(x, 2))))
    return x.repeat_interleave(3, 2).repeat_interleave(3, 3)[..., :5, :6]


class AuxOnFirstBlock(resnet.ResNet):
    """The auxiliary head looks at the stage before its last block, which has as many channels."""

    def features(self, x: Tensor, first: int = 0) -> list[Tensor]:
        *maps, _, last = super().features(x)
        return [*maps, self.layer3[0](maps[-1]), last][first:]


class AuxNearest(deeplab.DeepLabV3):
    """The auxiliary logits are upsampled in another way than the main ones."""

    def forward(self, images: Tensor):
        *_, before, last = self.backbone.features(images)
        out = upsample(self.classifier(last), images.shape[-2:])
        return {"out": out, "aux": F.interpolate(self.aux_classifier(before), images.shape[-2:])}


def depthwise_only(conv: deeplab.SeparableConv, x: Tensor) -> Tensor:
    return conv[0](x)


def relu_between(conv: deeplab.SeparableConv, x: Tensor) -> Tensor:
    return conv[1](F.relu(conv[0](x)))


def pointwise_first(conv: deeplab.SeparableConv, x: Tensor) -> Tensor:
    return conv[0](conv[1](x))


class LowFirst(deeplab.DeepLabV3Plus):
    """The fine map in front of the coarse one."""

    def forward(self, images: Tensor) -> Tensor:
        maps = self.encoder.features(images)
        low = self.decoder["block1"](maps[1])
        high = upsample(self.decoder["aspp"](maps[-1]), low.shape[-2:], align_corners=True)
        scores = self.segmentation_head(self.decoder["block2"](torch.cat([low, high], 1)))
        return upsample(scores, images.shape[-2:], align_corners=True)


class UpsampledBeforeHead(deeplab.DeepLabV3Plus):
    """The fine map is reached by upsampling ASPP's input, not its output."""

    def forward(self, images: Tensor) -> Tensor:
        maps = self.encoder.features(images)
        low = self.decoder["block1"](maps[1])
        high = self.decoder["aspp"](upsample(maps[-1], low.shape[-2:], align_corners=True))
        scores = self.segmentation_head(self.decoder["block2"](torch.cat([high, low], 1)))
        return upsample(scores, images.shape[-2:], align_corners=True)


def wider_rate(network: deeplab.DeepLabV3Plus) -> None:
    conv = network.decoder["aspp"][0].convs[3][0][0]
    conv.dilation = conv.padding = (4, 4)


def first_undilated(network: deeplab.DeepLabV3Plus) -> None:
    conv = network.encoder.layer4[0].conv1
    conv.dilation = conv.padding = (1, 1)


def small_v3(**options) -> Plant:
    backbone_options = {"width": 16, "num_classes": None, "output_stride": 8} | {
        name: options.pop(name) for name in ("output_stride", "dilate_first_block") if name in options
    }

    def build():
        backbone = resnet.ResNet(resnet.Bottleneck, (1, 1, 2, 1), **backbone_options)
        return deeplab.DeepLabV3(backbone, 3, **{"rates": (1, 2, 3), "width": 32, "aux": True} | options)

    return rebuilt(build)


# FCN


def padded_to_size(upsampling: nn.ConvTranspose2d, x: Tensor, size) -> Tensor:
    """Shifted by a pixel: the crop at the far end is made at the near one."""
    up = F.conv_transpose2d(x, upsampling.weight, stride=2, padding=1, output_padding=1)
    return F.pad(up, (1, 0, 1, 0))[..., : size[0], : size[1]]


def pool5_for_pool4(maps: list[Tensor]) -> list[Tensor]:
    return [*maps[:3], F.interpolate(F.max_pool2d(maps[3], 2), scale_factor=2), maps[4]]


class LinearFc6(Convolutionalized):
    """fc7 directly on fc6."""

    def features(self, images: Tensor, first: int = 0) -> list[Tensor]:
        *finer, x = self.backbone.features(images, first)
        return [*finer, self.dropout(F.relu(self.fc7(self.dropout(self.fc6(x)))))]


def small_vgg() -> Convolutionalized:
    return Convolutionalized(VGG((1,) * 5, num_classes=None, width=4), width=8)


def interpolated(upsampling: nn.ConvTranspose2d, x: Tensor, size) -> Tensor:
    return F.interpolate(x, size, mode="bilinear") + 0 * upsampling.weight.sum()


UNET = "smp.Unet resnet18"
V3 = "DeepLabV3, five bottlenecks"
V3_PLUS = "smp.DeepLabV3Plus resnet18, small rates"
FAULTS: dict[tuple, dict[str, Plant]] = {
    (UNET, (33, 47), False): {
        "U-Net: skip concatenated in front": instead("decoder.blocks.1", skip_first),
        "U-Net: bilinear instead of nearest": instead("decoder.blocks.1", bilinear),
        "U-Net: last block upsamples after its convolutions": instead("decoder.blocks.4", upsample_last),
        "U-Net: finest skip from the next level": swap_maps(skip_from_below),
        "U-Net: a decoder ReLU missing": assign("decoder.blocks.2.conv2.2", nn.Identity()),
        "U-Net: one batch norm's eps 1e-3": assign("decoder.blocks.3.conv1.1.eps", 1e-3),
        "U-Net: head without its bias": instead("segmentation_head.0", without_bias),
        "U-Net: head pads with the edge": assign("segmentation_head.0.padding_mode", "replicate"),
    },
    (UNET, (33, 47), True): {
        "U-Net: one batch norm's momentum 0.01": assign("decoder.blocks.3.conv1.1.momentum", 0.01),
        "U-Net: dropout before the head": after("decoder", lambda x: F.dropout(x, 0.1)),
    },
    (V3, (33, 47), False): {
        "DeepLabV3: align_corners": assign("align_corners", True),
        "DeepLabV3: rates 1, 2, 4": small_v3(rates=(1, 2, 4)),
        "DeepLabV3: rates in another order": small_v3(rates=(3, 2, 1)),
        "DeepLabV3: first block of a stage dilated": small_v3(dilate_first_block=True),
        "DeepLabV3: output stride 16": small_v3(output_stride=16),
        "DeepLabV3: image pooling without ReLU": assign("classifier.0.convs.4.3", nn.Identity()),
        "DeepLabV3: image pooling without batch norm": assign("classifier.0.convs.4.2.forward", lambda x: x),
        "DeepLabV3: image pooling takes maxima": assign("classifier.0.convs.4.0", nn.AdaptiveMaxPool2d(1)),
        "DeepLabV3: image pooling keeps 2×2": instead("classifier.0.convs.4", pool_two_by_two),
        "DeepLabV3: image pooling concatenated first": instead("classifier.0", pooling_first),
        "DeepLabV3: a branch without ReLU": assign("classifier.0.convs.2.2", nn.Identity()),
        "DeepLabV3: projection without ReLU": assign("classifier.0.project.2", nn.Identity()),
        "DeepLabV3: projection's eps 1e-3": assign("classifier.0.project.1.eps", 1e-3),
        "DeepLabV3: scores without their bias": instead("classifier.4", without_bias),
    },
    (V3, (33, 47), True): {
        "DeepLabV3: ASPP dropout 0.1": assign("classifier.0.project.3.p", 0.1),
        "DeepLabV3: ASPP dropout before batch norm": instead("classifier.0.project", dropout_before_norm),
        "DeepLabV3: one ASPP batch norm's momentum 0.01": assign("classifier.0.convs.1.1.momentum", 0.01),
        "DeepLabV3: auxiliary dropout 0.5": assign("aux_classifier.3.p", 0.5),
        "DeepLabV3: auxiliary head a block too early": assign("backbone.__class__", AuxOnFirstBlock),
        "DeepLabV3: auxiliary logits nearest": assign("__class__", AuxNearest),
    },
    (V3_PLUS, (48, 80), False): {
        "DeepLabV3+: align_corners off": assign("align_corners", False),
        "DeepLabV3+: fine map one level too fine": assign("low_level", 0),
        "DeepLabV3+: fine map concatenated in front": assign("__class__", LowFirst),
        "DeepLabV3+: upsampled before ASPP": assign("__class__", UpsampledBeforeHead),
        "DeepLabV3+: separable without the pointwise half": instead("decoder.aspp.1", depthwise_only),
        "DeepLabV3+: ReLU between the separable halves": instead("decoder.aspp.1", relu_between),
        "DeepLabV3+: pointwise before depthwise": instead("decoder.aspp.1", pointwise_first),
        "DeepLabV3+: rates 1, 2, 4": wider_rate,
        "DeepLabV3+: no ReLU on the fine map": assign("decoder.block1.2", nn.Identity()),
        "DeepLabV3+: first block of a stage not dilated": first_undilated,
    },
    ("FCN-8s, hand-made", (64, 96), True): {
        "FCN: dropout 0.4": assign("backbone.dropout.p", 0.4),
    },
    ("FCN-8s, hand-made", (64, 96), False): {
        "FCN: skip from the wrong level": swap_maps(pool5_for_pool4),
        "FCN: FCN-16s": rebuilt(lambda: FCN(small_vgg(), 3, stride=16)),
        "FCN: a score layer without its bias": instead("scores.1", without_bias),
        "FCN: upsampling off by a pixel": instead("upsamplings.0", padded_to_size),
        "FCN: upsampling fixed instead of learned": instead("upsamplings.0", interpolated),
        "FCN: no ReLU after fc6": assign("backbone.__class__", LinearFc6),
        "FCN: fc6 pads with the edge": assign("backbone.fc6.padding_mode", "replicate"),
    },
}

MUTATIONS = [
    Mutation(name, plant, partial(check, *where)) for where, plants in FAULTS.items() for name, plant in plants.items()
] + [
    Mutation("FCN: a score layer not zero at the start", fill("scores.2.weight", 0.01), check_fresh_fcn),
    Mutation("FCN: upsampling not bilinear at the start", fill("upsamplings.1.weight", 0.25), check_fresh_fcn),
]
