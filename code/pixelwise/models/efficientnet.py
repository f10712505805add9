"""EfficientNet: inverted bottlenecks with squeeze-and-excitation, scaled in depth, width and resolution at once.

Tan, Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, 2019, table 1 and section 3.3; the
block is MobileNetV2's (Sandler et al., 2018, figure 4b). Parameter names are torchvision's. The published B1 to B7
round the scaling rule by hand, and so does VARIANTS.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from .blocks import SqueezeExcitation, Tapped, conv_norm, initialise, last_layer

# expansion, kernel, stride, channels, depth of the seven stages of B0
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
# width, depth, resolution in pixels, dropout of B0 to B7
VARIANTS = (
    (1.0, 1.0, 224, 0.2),
    (1.0, 1.1, 240, 0.2),
    (1.1, 1.2, 260, 0.3),
    (1.2, 1.4, 300, 0.3),
    (1.4, 1.8, 380, 0.4),
    (1.6, 2.2, 456, 0.4),
    (1.8, 2.6, 528, 0.5),
    (2.0, 3.1, 600, 0.5),
)


def compound_scaling(
    phi: float, alpha: float = 1.2, beta: float = 1.1, gamma: float = 1.15
) -> tuple[float, float, float]:
    """Return the factors of depth αᵠ, width βᵠ and resolution γᵠ (equation 3): operations grow by (αβ²γ²)ᵠ ≈ 1.92ᵠ."""
    return alpha**phi, beta**phi, gamma**phi


def round_channels(channels: float) -> int:
    """The multiple of 8 nearest to `channels` that is at least 8 and not less than nine tenths of it."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


class StochasticDepth(nn.Module):
    """In training, drop a sample's whole branch with probability `p` and scale those kept by 1/(1 − p).

    Huang et al., Deep Networks with Stochastic Depth, 2016. Keeps (N, C, H, W).
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        mask = torch.empty((len(x), 1, 1, 1), dtype=x.dtype, device=x.device).bernoulli_(1 - self.p)
        return x * mask.div_(1 - self.p)


class MBConv(nn.Module):
    """Expand by 1×1, filter each channel alone, squeeze and excite, project by 1×1; add the input if shapes allow.

    (N, in_channels, H, W) to (N, out_channels, ⌈H/stride⌉, ⌈W/stride⌉). The projection has no activation. The gate is
    squeezed to a quarter of the block's *input* channels, not of the expanded ones.
    """

    def __init__(
        self, in_channels: int, out_channels: int, expansion: int, kernel: int, stride: int, drop: float
    ) -> None:
        super().__init__()
        expanded = in_channels * expansion
        layers = [conv_norm(in_channels, expanded, 1, activation=nn.SiLU)] if expansion > 1 else []
        layers += [
            conv_norm(expanded, expanded, kernel, stride=stride, groups=expanded, activation=nn.SiLU),
            SqueezeExcitation(expanded, max(1, in_channels // 4), activation=nn.SiLU),
            conv_norm(expanded, out_channels, 1, activation=None),
        ]
        self.block = nn.Sequential(*layers)
        self.residual = stride == 1 and in_channels == out_channels
        self.stochastic_depth = StochasticDepth(drop)

    def forward(self, x: Tensor) -> Tensor:
        out = self.block(x)
        if self.residual:
            out = self.stochastic_depth(out)
            out += x
        return out


class EfficientNet(nn.Module):
    """A stem, seven stages of MBConv, a 1×1 head: images (N, in_channels, H, W) to logits (N, num_classes).

    `width` and `depth` multiply B0's channels and repeats. The feature maps (strides 2 to 32) are the last at each
    resolution, before the head. The chance that a block is dropped grows evenly to `stochastic_depth`.
    `num_classes=None` leaves out the head and the classifier; forward then returns the pooled (N, channels[-1]).
    """

    def __init__(
        self,
        *,
        width: float = 1.0,
        depth: float = 1.0,
        num_classes: int | None = 1000,
        in_channels: int = 3,
        dropout: float = 0.2,
        stochastic_depth: float = 0.2,
    ) -> None:
        super().__init__()
        repeats = [math.ceil(depth * times) for *_, times in STAGES]
        channels = round_channels(32 * width)
        layers: dict[str, nn.Module] = {"0": conv_norm(in_channels, channels, 3, stride=2, activation=nn.SiLU)}
        built = 0
        for i, (expansion, kernel, stride, out, _) in enumerate(STAGES):
            stage = []
            for repeat in range(repeats[i]):
                drop = stochastic_depth * built / sum(repeats)
                step = stride if repeat == 0 else 1
                stage.append(MBConv(channels, round_channels(out * width), expansion, kernel, step, drop))
                channels, built = round_channels(out * width), built + 1
            layers[str(i + 1)] = nn.Sequential(*stage)
        self.channels = tuple(round_channels(STAGES[i][3] * width) for i in (0, 1, 2, 4, 6))
        self.strides = (2, 4, 8, 16, 32)
        self.classifier = nn.Identity()
        if num_classes is not None:
            layers["8"] = conv_norm(channels, 4 * channels, 1, activation=nn.SiLU)
            self.classifier = nn.Sequential(nn.Dropout(dropout, inplace=True), last_layer(4 * channels, num_classes))
        self.features = Tapped(layers, ("1", "2", "3", "5", "7"), in_channels)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x, len(self.channels) - 1)[0]  # (N, 320, H/32, W/32)
        for head in list(self.features)[8:]:
            x = head(x)  # (N, 1280, H/32, W/32)
        return self.classifier(self.avgpool(x).flatten(1))


def efficientnet(variant: int, **options: Any) -> EfficientNet:
    """EfficientNet-B0 to B7 by number. Options are those of EfficientNet; ValueError for another number."""
    if variant not in range(len(VARIANTS)):
        raise ValueError(f"variant is {variant}, but EfficientNet goes from B0 to B7: give a number from 0 to 7")
    width, depth, _, dropout = VARIANTS[variant]
    options.setdefault("dropout", dropout)
    network = EfficientNet(width=width, depth=depth, **options)
    for module in network.modules():
        if variant >= 5 and isinstance(module, nn.BatchNorm2d):  # as the published weights of the large ones
            module.eps, module.momentum = 1e-3, 0.01
    return network


def efficientnet_b0(**options: Any) -> EfficientNet:
    """EfficientNet-B0: 5,288,548 parameters with 1000 classes. Options are those of EfficientNet."""
    return efficientnet(0, **options)
