"""DeepLab v1 (LargeFOV) and v2 (ASPP): VGG-16's classifier as dilated convolutions.

v1: Chen, Papandreou, Kokkinos, Murphy, Yuille, Semantic Image Segmentation with Deep Convolutional Nets and Fully
Connected CRFs, 2015, sections 3.1 and 3.2.  v2: the same authors, DeepLab, 2018, figure 7.

The last two pools of VGG-16 lose their stride and the convolutions after them are dilated, so that the map is an eighth
of the image (`dilate_vgg`). fc6 shrinks from 7×7 to a dilated 3×3, which sees as much with a fraction of the weights.
v2 lets four such branches look with different rates and adds their scores. Both papers refine the result with a dense
CRF: `ops.dense_crf`.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from .blocks import Backbone, DensePredictor, check_classes
from .vgg import VGG


def dilate_vgg(vgg: VGG) -> VGG:
    """Turn a VGG backbone into one of output stride 8, in place: the same parameters, denser last maps; returns it.

    The fourth and fifth pool become 3×3 with stride 1, and the convolutions between them are dilated by 2.
    """
    layers = list(vgg.features)
    *_, fourth, fifth = (i for i, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d))
    for pool in (fourth, fifth):
        vgg.features[pool] = nn.MaxPool2d(3, stride=1, padding=1)
    for layer in layers[fourth:fifth]:
        if isinstance(layer, nn.Conv2d):
            layer.dilation = layer.padding = (2, 2)
    vgg.strides = (*vgg.strides[:3], vgg.strides[2], vgg.strides[2])
    return vgg


class LargeFieldOfView(nn.Sequential):
    """VGG's fc6 as a dilated 3×3 convolution, fc7 and the scores as 1×1: (N, C, H, W) to (N, num_classes, H, W)."""

    def __init__(self, in_channels: int, num_classes: int, rate: int, width: int = 1024) -> None:
        super().__init__(
            nn.Conv2d(in_channels, width, 3, padding=rate, dilation=rate),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Conv2d(width, width, 1),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Conv2d(width, num_classes, 1),
        )


class SummedBranches(nn.ModuleList):
    """Branches that look at the same map, and whose scores are added."""

    def forward(self, x: Tensor) -> Tensor:
        # pyrefly: ignore[bad-return]  # without a branch it would be 0
        return sum(branch(x) for branch in self)


class DeepLabV1(DensePredictor):
    """DeepLab-LargeFOV: images (N, C, H, W) to logits (N, num_classes, H, W).

    DeepLabV1(dilate_vgg(vgg16(num_classes=None)), 21) is the paper's, with 20.5 M parameters; any backbone will do.
    """

    def __init__(self, backbone: Backbone, num_classes: int, *, rate: int = 12, width: int = 1024) -> None:
        check_classes(num_classes)
        super().__init__(backbone, LargeFieldOfView(backbone.channels[-1], num_classes, rate, width))


class DeepLabV2(DensePredictor):
    """Atrous spatial pyramid pooling of scores: images (N, C, H, W) to logits (N, num_classes, H, W).

    The default rates are the paper's ASPP-L; ASPP-S has 2, 4, 8, 12.
    """

    def __init__(
        self,
        backbone: Backbone,
        num_classes: int,
        *,
        rates: Sequence[int] = (6, 12, 18, 24),
        width: int = 1024,
    ) -> None:
        check_classes(num_classes)
        branches = (LargeFieldOfView(backbone.channels[-1], num_classes, rate, width) for rate in rates)
        super().__init__(backbone, SummedBranches(branches))
