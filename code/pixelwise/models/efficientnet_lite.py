"""EfficientNet-Lite0: EfficientNet-B0 without what small chips compute badly.

Google, EfficientNet-Lite, 2020 (github.com/tensorflow/tpu, models/official/efficientnet/lite): no squeeze-and-
excitation, ReLU6 for SiLU, and a stem and a head that keep their size when the rest is scaled. The stages are table 1
of Tan, Le, EfficientNet, 2019; the block is MobileNetV2's (Sandler et al., 2018, figure 4b). Parameter names are timm's
(`efficientnet_lite0`), which pads every convolution evenly, as here; the authors' own pads an even side on its far
end only. `output_stride` 16 or 8 trades the last strides for dilation as `resnet` does.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import check_images, initialise, last_layer

# expansion, kernel, stride, channels, depth of the seven stages
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
TAPS = (0, 1, 2, 4, 6)
"""The stages with the last map at each resolution."""

EPS = 1e-3
"""Of every normalisation, as the authors trained; timm's default is 1e-5."""


def depthwise(channels: int, kernel: int, stride: int, dilation: int) -> nn.Conv2d:
    """A convolution of each channel for itself: (N, channels, H, W) to (N, channels, ⌈H/stride⌉, ⌈W/stride⌉)."""
    padding = dilation * (kernel - 1) // 2
    return nn.Conv2d(channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False)


class DepthwiseSeparable(nn.Module):
    """Filter each channel alone, then mix by 1×1: (N, in_channels, H, W) to (N, out_channels, H, W)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__()
        self.conv_dw = depthwise(in_channels, kernel, 1, 1)
        self.bn1 = nn.BatchNorm2d(in_channels, EPS)
        self.conv_pw = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels, EPS)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu6(self.bn1(self.conv_dw(x)), inplace=True)
        return self.bn2(self.conv_pw(x))


class InvertedResidual(nn.Module):
    """Expand by 1×1, filter each channel alone, project by 1×1; add the input if shapes allow.

    (N, in_channels, H, W) to (N, out_channels, ⌈H/stride⌉, ⌈W/stride⌉). The projection has no activation.
    """

    def __init__(
        self, in_channels: int, out_channels: int, expansion: int, kernel: int, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        wide = in_channels * expansion
        self.conv_pw = nn.Conv2d(in_channels, wide, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(wide, EPS)
        self.conv_dw = depthwise(wide, kernel, stride, dilation)
        self.bn2 = nn.BatchNorm2d(wide, EPS)
        self.conv_pwl = nn.Conv2d(wide, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels, EPS)
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu6(self.bn1(self.conv_pw(x)), inplace=True)
        out = F.relu6(self.bn2(self.conv_dw(out)), inplace=True)
        out = self.bn3(self.conv_pwl(out))
        return out + x if self.residual else out


class EfficientNetLite(nn.Module):
    """A stem, seven stages, a 1×1 head: images (N, in_channels, H, W) to logits (N, num_classes).

    The feature maps (strides 2 to 32) are the last at each resolution, before the head; `output_stride` is 32, 16 or
    8. `num_classes=None` leaves out the head and the classifier; forward then returns the pooled (N, 320).
    `transform_input` takes images normalised by ImageNet's statistics, as everywhere in this library, to the range
    that the published weights were trained on, (x − 127)/128 of a byte x.
    """

    def __init__(
        self,
        *,
        num_classes: int | None = 1000,
        in_channels: int = 3,
        output_stride: int = 32,
        dropout: float = 0.2,
        transform_input: bool = False,
    ) -> None:
        super().__init__()
        if output_stride not in (8, 16, 32):
            raise ValueError(f"output_stride is {output_stride}, but an EfficientNet-Lite offers 8, 16 and 32")
        self.in_channels, self.transform_input = in_channels, transform_input
        self.conv_stem = nn.Conv2d(in_channels, 32, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(32, EPS)

        stages: list[nn.Module] = []
        strides: list[int] = []
        channels, reached, dilation = 32, 2, 1
        for expansion, kernel, stride, width, depth in STAGES:
            first_dilation = dilation  # the convolution that lost its stride keeps the dilation before it
            if reached * stride > output_stride:
                stride, dilation = 1, dilation * stride
            if expansion == 1:
                stage = [DepthwiseSeparable(channels, width, kernel)]
            else:
                stage = [InvertedResidual(channels, width, expansion, kernel, stride, first_dilation)]
            stage += [InvertedResidual(width, width, expansion, kernel, dilation=dilation) for _ in range(depth - 1)]
            stages.append(nn.Sequential(*stage))
            channels, reached = width, reached * stride
            strides.append(reached)
        self.blocks = nn.Sequential(*stages)
        self.channels = tuple(STAGES[i][3] for i in TAPS)
        self.strides = tuple(strides[i] for i in TAPS)

        if num_classes is not None:
            self.conv_head = nn.Conv2d(channels, 1280, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(1280, EPS)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.classifier = last_layer(1280, num_classes)
        initialise(self)

    def features(self, x: Tensor, first: int = 0) -> list[Tensor]:
        """Return the maps at strides 2 to 32 from number `first` on."""
        return list(islice(self.maps(x), first, None))

    def maps(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the maps, fine to coarse; sizes below are for 224×224."""
        check_images(x, self.in_channels)
        if self.transform_input:
            mean, std = x.new_tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[:, :, None, None]
            x = x * (std * (255 / 128)) + (mean * 255 - 127) / 128
        x = F.relu6(self.bn1(self.conv_stem(x)), inplace=True)  # (N, 32, 112, 112)
        for i, stage in enumerate(self.blocks):
            x = stage(x)  # (N, C, H, W): 16 of 112×112, 24 of 56, 40 of 28, 80 of 14, 112 of 14, 192 of 7, 320 of 7
            if i in TAPS:
                yield x

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x, first=4)[0]  # (N, 320, 7, 7)
        if not isinstance(self.classifier, nn.Identity):
            x = F.relu6(self.bn2(self.conv_head(x)), inplace=True)  # (N, 1280, 7, 7)
        x = self.avgpool(x).flatten(1)  # (N, 1280)
        return self.classifier(self.dropout(x))  # (N, num_classes)


def efficientnet_lite0(**options: Any) -> EfficientNetLite:
    """EfficientNet-Lite0: 4,652,008 parameters with 1000 classes. Options are those of EfficientNetLite."""
    return EfficientNetLite(**options)
