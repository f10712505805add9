"""DeepLab v3 and v3+: atrous spatial pyramid pooling, and a decoder behind it. (v1 and v2: deeplab_vgg.)

v3: Chen, Papandreou, Schroff, Adam, Rethinking Atrous Convolution for Semantic Image Segmentation, 2017, figure 5.
v3+: Chen et al., Encoder-Decoder with Atrous Separable Convolution, 2018, figure 2.

Both take a backbone whose last stages are dilated ("atrous") instead of strided: `output_stride=8` or 16. Rates
belong to an output stride: the paper's 6, 12, 18 at 16 are 12, 24, 36 at 8. Where the libraries differ, arguments
choose: torchvision interpolates with align_corners=False and keeps the previous dilation in the first block of a
dilated stage; segmentation-models-pytorch has align_corners=True and dilates that block too (`dilate_first_block`
of the backbone).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..ops import DepthwiseConv2d
from .blocks import Backbone, DensePredictor, FCNHead, check_classes, conv_norm, upsample


class SeparableConv(nn.Sequential):
    """A dilated 3×3 convolution of each channel for itself, then 1×1 across channels: 1/N + 1/9 of the cost."""

    def __init__(self, in_channels: int, out_channels: int, rate: int = 1) -> None:
        super().__init__(
            DepthwiseConv2d(in_channels, 3, padding=rate, dilation=rate),
            nn.Conv2d(in_channels, out_channels, 1, bias=False),
        )


def separable_conv_norm(in_channels: int, out_channels: int, *, dilation: int = 1) -> nn.Sequential:
    """conv_norm with a separable 3×3 convolution in the place of the ordinary one."""
    return nn.Sequential(
        SeparableConv(in_channels, out_channels, dilation), nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)
    )


class ImagePooling(nn.Sequential):
    """The whole image as one feature vector, at every position: (N, C, H, W) to (N, width, H, W). v3, section 3.3."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__(nn.AdaptiveAvgPool2d(1), *conv_norm(in_channels, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        if self[2].training and len(x) == 1:
            raise ValueError(
                "a batch of one in train mode: ASPP's image pooling leaves one value per channel, which batch "
                "normalisation cannot normalise; use at least 2 images (drop the last batch), or model.eval()"
            )
        return super().forward(x).expand(-1, -1, *x.shape[-2:])  # (N, width, H, W)


class AtrousSpatialPyramidPooling(nn.Module):
    """One map seen at several scales: 1×1, a 3×3 for each dilation rate, image pooling; concatenated and projected.

    (N, in_channels, H, W) to (N, width, H, W). v3, figure 5. Raises ValueError for a batch of one in train mode, where
    the image pooling's batch normalisation has nothing to normalise.
    """

    def __init__(
        self, in_channels: int, rates: Sequence[int], width: int = 256, *, separable: bool = False, dropout: float = 0.5
    ) -> None:
        super().__init__()
        conv3x3 = separable_conv_norm if separable else conv_norm
        self.convs = nn.ModuleList(
            [
                conv_norm(in_channels, width, 1),
                *(conv3x3(in_channels, width, dilation=rate) for rate in rates),
                ImagePooling(in_channels, width),
            ]
        )
        self.project = nn.Sequential(*conv_norm(len(self.convs) * width, width, 1), nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        scales = torch.cat([conv(x) for conv in self.convs], dim=1)  # (N, 5 width, H, W)
        return self.project(scales)  # (N, width, H, W)


class DeepLabV3(DensePredictor):
    """ASPP, one more 3×3, and scores: images (N, C, H, W) to logits (N, num_classes, H, W).

    DeepLabV3(resnet50(num_classes=None, output_stride=8), 21, aux=True) is torchvision's deeplabv3_resnet50, key for
    key, with 42,004,074 parameters; 39,638,869 without `aux`, an FCN head on the last map but one, with which train
    mode returns {"out": logits, "aux": logits}.
    """

    def __init__(
        self,
        backbone: Backbone,
        num_classes: int,
        *,
        rates: Sequence[int] = (12, 24, 36),
        width: int = 256,
        separable: bool = False,
        aux: bool = False,
        align_corners: bool = False,
    ) -> None:
        check_classes(num_classes)
        classifier = nn.Sequential(
            AtrousSpatialPyramidPooling(backbone.channels[-1], rates, width, separable=separable),
            *conv_norm(width, width),
            nn.Conv2d(width, num_classes, 1),
        )
        aux_classifier = FCNHead(backbone.channels[-2], num_classes) if aux else None
        super().__init__(backbone, classifier, aux_classifier, align_corners)


class DeepLabV3Plus(nn.Module):
    """v3's ASPP, then a decoder that joins it with a fine map: images (N, C, H, W) to logits (N, num_classes, H, W).

    DeepLabV3Plus(resnet50(num_classes=None, output_stride=16, dilate_first_block=True), 1) is smp.DeepLabV3Plus, key
    for key, with its choices: rates twice the paper's for output stride 16, and one 3×3 convolution after the two maps
    have met, where the paper has two. `low_level` is the fine map's index in the backbone's list: 1, stride 4 in a
    ResNet.
    """

    def __init__(
        self,
        backbone: Backbone,
        num_classes: int,
        *,
        rates: Sequence[int] = (12, 24, 36),
        width: int = 256,
        separable: bool = True,
        low_level: int = 1,
        align_corners: bool = True,
    ) -> None:
        super().__init__()
        check_classes(num_classes)
        if not 0 <= low_level < len(backbone.channels) - 1:
            raise ValueError(
                f"low_level is {low_level}, but the maps before the last are 0 to {len(backbone.channels) - 2}"
            )
        self.low_level, self.align_corners = low_level, align_corners
        self.encoder = backbone
        self.decoder = nn.ModuleDict(
            {
                "aspp": nn.Sequential(
                    AtrousSpatialPyramidPooling(backbone.channels[-1], rates, width, separable=separable),
                    *separable_conv_norm(width, width),
                ),
                "block1": conv_norm(backbone.channels[low_level], 48, 1),
                "block2": separable_conv_norm(width + 48, width),
            }
        )
        self.segmentation_head = nn.Sequential(nn.Conv2d(width, num_classes, 1))

    def forward(self, images: Tensor) -> Tensor:
        low, *_, high = self.encoder.features(images, self.low_level)
        low = self.decoder["block1"](low)  # (N, 48, H/4, W/4)
        high = self.decoder["aspp"](high)  # (N, 256, H/16, W/16)
        high = upsample(high, low.shape[-2:], self.align_corners)  # (N, 256, H/4, W/4)
        x = self.decoder["block2"](torch.cat([high, low], dim=1))  # (N, 256, H/4, W/4)
        return upsample(self.segmentation_head(x), images.shape[-2:], self.align_corners)  # (N, num_classes, H, W)
