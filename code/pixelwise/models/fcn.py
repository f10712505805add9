"""Fully convolutional networks: FCN-32s, FCN-16s and FCN-8s, on VGG-16 or on any other backbone.

Long, Shelhamer, Darrell, Fully Convolutional Networks for Semantic Segmentation, 2015, figure 3. A 1×1 convolution
scores every position of the coarsest map; the scores are doubled in size and *added* to the scores of the next finer
map, down to the stride in the network's name; fixed bilinear interpolation does the rest. (U-Net and hypercolumns
concatenate features; FCN sums class scores.) Score layers start at zero, learned upsampling starts bilinear.

On VGG-16 the classifier becomes convolutions: fc6 a 7×7, fc7 a 1×1 (`Convolutionalized`). The authors padded the
image by 100 pixels, so that the unpadded 7×7 fits into any image's last map, and cropped the result; here fc6 pads by
3, which keeps all maps aligned with the image. The authors' factors on the skip scores (0.01 and 0.0001) go with their
learning rates and are left out.

torchvision's fcn_resnet50 shares the name and little else: a 3×3 classifier on a dilated backbone, without skips
(`DilatedFCN`).
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from ..ops import bilinear_kernel, linear_to_conv
from .blocks import Backbone, DensePredictor, FCNHead, check_classes, upsample


class FCN(nn.Module):
    """Skip scores summed from the coarsest map to `stride`: images (N, C, H, W) to logits (N, num_classes, H, W).

    `FCN(resnet18(num_classes=None), 11, stride=8)` is an FCN-8s. `stride` must be one of the backbone's; where
    several maps share a stride the deepest is scored. Raises ValueError for another stride.
    """

    def __init__(self, backbone: Backbone, num_classes: int, stride: int = 8) -> None:
        super().__init__()
        check_classes(num_classes)
        deepest = {s: i for i, s in enumerate(backbone.strides)}
        if stride not in deepest:
            raise ValueError(
                f"stride is {stride}, but this backbone's maps have strides {', '.join(map(str, deepest))}"
            )
        strides = sorted((s for s in deepest if s >= stride), reverse=True)
        self.levels = [deepest[s] for s in strides]  # coarse to fine
        self.backbone = backbone
        self.scores = nn.ModuleList(nn.Conv2d(backbone.channels[i], num_classes, 1) for i in self.levels)
        self.upsamplings = nn.ModuleList(
            BilinearUpsampling(num_classes, coarse // fine) for coarse, fine in pairwise(strides)
        )
        for parameter in self.scores.parameters():
            nn.init.zeros_(parameter)

    def forward(self, images: Tensor) -> Tensor:
        finest = self.levels[-1]
        maps = self.backbone.features(images, finest)
        coarsest, *finer = [score(maps[level - finest]) for score, level in zip(self.scores, self.levels, strict=True)]
        logits = coarsest  # (N, num_classes, H/32, W/32)
        for upsampling, skip in zip(self.upsamplings, finer, strict=True):
            logits = upsampling(logits, skip.shape[-2:]) + skip  # (N, num_classes, H/16, W/16), then /8
        return upsample(logits, images.shape[-2:])


class BilinearUpsampling(nn.ConvTranspose2d):
    """Learned upsampling by `factor` that starts as bilinear interpolation, each class on its own (section 3.3)."""

    def __init__(self, channels: int, factor: int) -> None:
        weight = bilinear_kernel(channels, factor)
        super().__init__(
            *(channels, channels, weight.shape[-1], factor),
            padding=factor // 2,
            output_padding=factor - 1,
            bias=False,
        )
        self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor, size: Sequence[int]) -> Tensor:
        height, width = size  # factor·h, or up to factor − 1 away from it where an odd size was rounded
        return super().forward(x)[..., :height, :width]


class Convolutionalized(nn.Module):
    """A backbone with a classifier's two hidden layers as convolutions, fc6 k×k and fc7 1×1, after its last map.

    Itself a backbone, whose last map has `width` channels: FCN(Convolutionalized(vgg16(num_classes=None)), 21) is the
    paper's network. `load_classifier` takes the weights of the fully connected layers.
    """

    def __init__(self, backbone: Backbone, width: int = 4096, kernel_size: int = 7, dropout: float = 0.5) -> None:
        super().__init__()
        self.backbone = backbone
        self.channels = (*backbone.channels[:-1], width)
        self.strides = backbone.strides
        self.fc6 = nn.Conv2d(backbone.channels[-1], width, kernel_size, padding=kernel_size // 2)
        self.fc7 = nn.Conv2d(width, width, 1)
        self.dropout = nn.Dropout(dropout)

    def features(self, images: Tensor, first: int = 0) -> list[Tensor]:
        """Return the backbone's maps from number `first` on, the last one after fc6 and fc7."""
        *finer, x = self.backbone.features(images, first)  # x (N, 512, H/32, W/32)
        x = self.dropout(F.relu(self.fc6(x)))  # (N, 4096, H/32, W/32)
        x = self.dropout(F.relu(self.fc7(x)))
        return [*finer, x]

    def load_classifier(self, fc6: nn.Linear, fc7: nn.Linear) -> None:
        """Take over fully connected layers: the same numbers in the same order, seen as 7×7 and 1×1 kernels."""
        self.fc6.load_state_dict(linear_to_conv(fc6, self.fc6.kernel_size).state_dict())
        self.fc7.load_state_dict(linear_to_conv(fc7).state_dict())


class DilatedFCN(DensePredictor):
    """torchvision's fcn_resnet50, key for key, on a backbone without strides in its last stages.

    DilatedFCN(resnet50(num_classes=None, output_stride=8), 21, aux=True) has 35,322,218 parameters. `aux` adds an
    auxiliary classifier of the last map but one: train mode then returns {"out": ..., "aux": ...}.
    """

    def __init__(self, backbone: Backbone, num_classes: int, *, aux: bool = False) -> None:
        aux_classifier = FCNHead(backbone.channels[-2], num_classes) if aux else None
        super().__init__(backbone, FCNHead(backbone.channels[-1], num_classes), aux_classifier)
