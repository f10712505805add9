"""The Mix Transformer, SegFormer's encoder: four stages of attention, each of which shrinks the map that it looks at.

Xie et al., SegFormer: Simple and Efficient Design for Semantic Segmentation with Transformers, 2021, figure 2, section
3.1 and table 6. Parameter names are the authors'. Inside a stage a map stands as (N, H, W, C), so that a linear layer
and a layer normalisation read the C values of one position, or token; between the stages and outside, it is
(N, C, H, W). No encoding says where a token lies: what the network knows of positions comes from the zeros that its
convolutions meet at the border.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import check_images, last_layer
from .efficientnet import StochasticDepth


class OverlapPatchEmbed(nn.Module):
    """Overlapping patch merging: (N, C, H, W) to tokens (N, ⌈H/stride⌉, ⌈W/stride⌉, width), a patch each.

    Patches are 2 stride − 1 wide, 7 for stride 4 and 3 for stride 2, so that each shares pixels with its neighbours.
    """

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(in_channels, width, 2 * stride - 1, stride, stride - 1)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.proj(x).permute(0, 2, 3, 1))


class EfficientSelfAttention(nn.Module):
    """Every position of (N, H, W, C) asks all positions, or a map of them that is `reduction` times smaller each way.

    Section 3.1, equation 2: sequence reduction makes HW queries meet HW/R² keys instead of HW; a strided convolution of
    kernel R reads them, where the paper stacks R² tokens and multiplies, which is the same. `heads` divide the channels
    among them, and each attends by itself.
    """

    def __init__(self, channels: int, heads: int, reduction: int) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(f"{channels} channels do not divide among {heads} heads: give each head as many")
        self.heads = heads
        self.q = nn.Linear(channels, channels)
        self.kv = nn.Linear(channels, 2 * channels)
        self.proj = nn.Linear(channels, channels)
        self.sr, self.norm = None, None
        if reduction > 1:
            self.sr = nn.Conv2d(channels, channels, reduction, stride=reduction)
            self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        attention, value = self.attend(x)
        answers = (attention @ value).transpose(1, 2)  # (N, HW, heads, C/heads)
        return self.proj(answers.reshape(x.shape))

    def attend(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The weights (N, heads, HW, HW/R²), of which each row sums to 1, and the values that they weigh."""
        query = self.split(self.q(x))  # (N, heads, HW, C/heads)
        key, value = map(self.split, self.kv(self.reduced(x)).chunk(2, dim=-1))  # each (N, heads, HW/R², C/heads)
        similarity = query @ key.transpose(-2, -1)  # (N, heads, HW, HW/R²)
        return (similarity / math.sqrt(query.shape[-1])).softmax(dim=-1), value

    def reduced(self, x: Tensor) -> Tensor:
        """The positions that are asked: (N, ⌊H/R⌋, ⌊W/R⌋, C)."""
        if self.sr is None or self.norm is None:
            return x
        return self.norm(self.sr(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))

    def split(self, x: Tensor) -> Tensor:
        """(N, H, W, C) to one sequence for each head: (N, heads, HW, C/heads)."""
        return x.flatten(1, 2).unflatten(-1, (self.heads, -1)).transpose(1, 2)


class DWConv(nn.Module):
    """A 3×3 convolution of each channel alone: (N, H, W, C) to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.dwconv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


class MixFFN(nn.Module):
    """Two linear layers at every position, and between them a look at its eight neighbours: keeps (N, H, W, C).

    Section 3.1, equation 3. The depthwise convolution pads with zeros, which stands in for a positional encoding;
    without `mixing` it is left out, and nothing but the patches tells positions apart.
    """

    def __init__(self, channels: int, hidden: int, mixing: bool = True) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, hidden)
        self.dwconv = DWConv(hidden) if mixing else nn.Identity()
        self.fc2 = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.dwconv(self.fc1(x))))


class TransformerBlock(nn.Module):
    """Attention between positions, then Mix-FFN, each on a normalised copy and added: keeps (N, H, W, C)."""

    def __init__(self, channels: int, heads: int, reduction: int, expansion: int, mixing: bool, drop: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, eps=1e-6)
        self.attn = EfficientSelfAttention(channels, heads, reduction)
        self.norm2 = nn.LayerNorm(channels, eps=1e-6)
        self.mlp = MixFFN(channels, expansion * channels, mixing)
        self.drop_path = StochasticDepth(drop)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.drop_path(self.attn(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))


class MixTransformer(nn.Module):
    """The encoder: four stages, each patch merging, `depths` blocks and a normalisation, at strides 4, 8, 16 and 32.

    Images (N, in_channels, H, W) become logits (N, num_classes) of the last map's mean; `num_classes=None` leaves out
    the classifier, and forward returns that mean. `heads` and `reductions` (R) have one number a stage; `expansion` is
    Mix-FFN's; the chance that a block is dropped grows evenly to `stochastic_depth`. An image must be so large that
    every map has R positions each way: 29 pixels for the paper's R of 8, 4, 2 and 1.
    """

    def __init__(
        self,
        widths: Sequence[int] = (32, 64, 160, 256),
        depths: Sequence[int] = (2, 2, 2, 2),
        *,
        heads: Sequence[int] = (1, 2, 5, 8),
        reductions: Sequence[int] = (8, 4, 2, 1),
        expansion: int = 4,
        mixing: bool = True,
        num_classes: int | None = 1000,
        in_channels: int = 3,
        stochastic_depth: float = 0.1,
    ) -> None:
        super().__init__()
        self.in_channels, self.channels, self.strides = in_channels, tuple(widths), (4, 8, 16, 32)
        for name, numbers in (("widths", widths), ("depths", depths), ("heads", heads), ("reductions", reductions)):
            if len(numbers) != len(self.strides):
                raise ValueError(f"{name} has {len(numbers)} entries, but there are four stages: give one each")
        self.smallest = 1 + max(stride * (r - 1) for stride, r in zip(self.strides, reductions, strict=True))
        drops = iter(torch.linspace(0, stochastic_depth, sum(depths), device="cpu").tolist())
        for i, (before, after) in enumerate(pairwise((in_channels, *widths))):
            blocks = (
                TransformerBlock(after, heads[i], reductions[i], expansion, mixing, next(drops))
                for _ in range(depths[i])
            )
            self.add_module(f"patch_embed{i + 1}", OverlapPatchEmbed(before, after, 4 if i == 0 else 2))
            self.add_module(f"block{i + 1}", nn.Sequential(*blocks))
            self.add_module(f"norm{i + 1}", nn.LayerNorm(after, eps=1e-6))
        self.head = last_layer(widths[-1], num_classes)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        x = self.features(images, len(self.channels) - 1)[0]  # (N, 256, H/32, W/32)
        return self.head(x.mean(dim=(2, 3)))

    def features(self, images: Tensor, first: int = 0) -> list[Tensor]:
        """Return the maps from number `first` on, fine to coarse."""
        return list(islice(self.maps(images), first, None))

    def maps(self, images: Tensor) -> Iterator[Tensor]:
        """Yield each stage's map."""
        check_images(images, self.in_channels, self.smallest)
        x = images
        for stage in range(1, len(self.channels) + 1):
            x = self.get_submodule(f"patch_embed{stage}")(x)  # (N, h, w, 32 or 64 or 160 or 256)
            x = self.get_submodule(f"block{stage}")(x)
            x = self.get_submodule(f"norm{stage}")(x)
            x = x.permute(0, 3, 1, 2)  # (N, 32 or 64 or 160 or 256, h, w): H/4, then H/8, H/16 and H/32
            yield x


def initialise(network: nn.Module) -> None:
    """As the authors do: linear layers near zero, convolutions by their fan-out, normalisation as it is; in place."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
        if isinstance(module, nn.Conv2d):
            fan_out = module.weight[:, 0].numel() // module.groups
            nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
        if isinstance(module, nn.Linear | nn.Conv2d) and module.bias is not None:
            nn.init.zeros_(module.bias)


def mit_b0(**options: Any) -> MixTransformer:
    """MiT-B0: 3,576,392 parameters with 1000 classes. Options are those of MixTransformer."""
    return MixTransformer(**options)
