"""Faults to plant in SegFormer, each a mistake that somebody has made or could make."""

import math
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pixelwise.models import mix_transformer, segformer
from pixelwise.models.blocks import upsample
from tests.models.dense_references import PAIRS
from tests.models.mutation import Mutation, Plant, after, assign, expected, instead, planted
from tests.models.parity import compare


def check(name: str, train: bool, plant: Plant) -> None:
    """As the parity tests of SegFormer, at a size that none of the reductions divides."""
    pair = PAIRS[name]
    tolerance = 1e-7 if train else 1e-10
    compare(planted(pair.ours(), plant), expected(pair, (68, 100), train), tolerance=tolerance)


# patches


def apart(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """Patches side by side: the rim that each shares with its neighbours is not read."""
    weight = torch.zeros_like(conv.weight)
    rim = conv.padding[0]
    weight[..., rim:, rim:] = conv.weight[..., rim:, rim:]
    return conv._conv_forward(x, weight, conv.bias)


# attention


class Heads(mix_transformer.EfficientSelfAttention):
    """Neighbouring channels go to different heads."""

    def split(self, x: Tensor) -> Tensor:
        return x.flatten(1, 2).unflatten(-1, (-1, self.heads)).permute(0, 3, 1, 2)


class ScaledByChannels(mix_transformer.EfficientSelfAttention):
    """By the root of all channels and not of a head's."""

    def attend(self, x: Tensor) -> tuple[Tensor, Tensor]:
        query, key, value = parts(self, x)
        return (query @ key.transpose(-2, -1) / math.sqrt(x.shape[-1])).softmax(-1), value


class Unscaled(mix_transformer.EfficientSelfAttention):
    def attend(self, x: Tensor) -> tuple[Tensor, Tensor]:
        query, key, value = parts(self, x)
        return (query @ key.transpose(-2, -1)).softmax(-1), value


class OverQueries(mix_transformer.EfficientSelfAttention):
    """The weights of a key sum to 1, and not those of a query."""

    def attend(self, x: Tensor) -> tuple[Tensor, Tensor]:
        query, key, value = parts(self, x)
        return (query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])).softmax(-2), value


class ValueFirst(mix_transformer.EfficientSelfAttention):
    def attend(self, x: Tensor) -> tuple[Tensor, Tensor]:
        query, key, value = parts(self, x)
        return (query @ value.transpose(-2, -1) / math.sqrt(query.shape[-1])).softmax(-1), key


class ReducedByMeans(mix_transformer.EfficientSelfAttention):
    """Sequence reduction without its weights."""

    def reduced(self, x: Tensor) -> Tensor:
        means = F.avg_pool2d(x.permute(0, 3, 1, 2), self.sr.stride) + 0 * self.sr(x.permute(0, 3, 1, 2))
        return self.norm(means.permute(0, 2, 3, 1))


class NotNormalised(mix_transformer.EfficientSelfAttention):
    """The reduced sequence as it comes from its convolution."""

    def reduced(self, x: Tensor) -> Tensor:
        return self.sr(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1) + 0 * (self.norm.weight + self.norm.bias)


class Padded(mix_transformer.EfficientSelfAttention):
    """The border that R does not divide is asked too."""

    def reduced(self, x: Tensor) -> Tensor:
        height, width = (-side % self.sr.stride[0] for side in x.shape[1:3])
        return super().reduced(F.pad(x, (0, 0, 0, width, 0, height)))


class HeadsMixedUp(mix_transformer.EfficientSelfAttention):
    """The heads' answers are put together without bringing each position's side by side."""

    def forward(self, x: Tensor) -> Tensor:
        attention, value = self.attend(x)
        return self.proj((attention @ value).reshape(x.shape))


def parts(attention: mix_transformer.EfficientSelfAttention, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    key, value = attention.kv(attention.reduced(x)).chunk(2, dim=-1)
    return attention.split(attention.q(x)), attention.split(key), attention.split(value)


# blocks


class NormalisedAfter(mix_transformer.TransformerBlock):
    def forward(self, x: Tensor) -> Tensor:
        x = self.norm1(x + self.attn(x))
        return self.norm2(x + self.mlp(x))


class AddedToNormalised(mix_transformer.TransformerBlock):
    """The shortcut begins behind the normalisation."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm1(x)
        x = x + self.attn(x)
        x = self.norm2(x)
        return x + self.mlp(x)


class FeedForwardFirst(mix_transformer.TransformerBlock):
    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mlp(self.norm2(x))
        return x + self.attn(self.norm1(x))


class SideBySide(mix_transformer.TransformerBlock):
    """Attention and Mix-FFN both read what came in."""

    def forward(self, x: Tensor) -> Tensor:
        return x + self.attn(self.norm1(x)) + self.mlp(self.norm2(x))


class Tanh(mix_transformer.MixFFN):
    """GELU by its approximation."""

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.dwconv(self.fc1(x)), approximate="tanh"))


class ActivatedFirst(mix_transformer.MixFFN):
    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.dwconv(F.gelu(self.fc1(x))))


class NoConvolution(mix_transformer.MixFFN):
    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x) + 0 * self.dwconv(self.fc1(x))))


class Residual(mix_transformer.MixFFN):
    """The convolution's answer is added to its input, as conditional positional encodings do."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.fc1(x)
        return self.fc2(F.gelu(x + self.dwconv(x)))


class DropsOnce(mix_transformer.TransformerBlock):
    """One draw for both of a block's branches."""

    def forward(self, x: Tensor) -> Tensor:
        out = x + self.attn(self.norm1(x))
        return x + self.drop_path(out + self.mlp(self.norm2(out)) - x)


def drops_the_batch(module: nn.Module, x: Tensor) -> Tensor:
    if module.p == 0:
        return x
    return x * torch.empty((), dtype=x.dtype).bernoulli_(1 - module.p) / (1 - module.p)


# decoder


class FineFirst(segformer.AllMLPDecoder):
    """The stack begins with the finest map."""

    def forward(self, maps: list[Tensor]) -> Tensor:
        size = maps[0].shape[-2:]
        levels = [upsample(mlp(x), size) for x, mlp in zip(reversed(maps), self.mlp_stage, strict=True)]
        return self.fuse_stage(torch.cat(levels[::-1], 1))


class Resized(segformer.AllMLPDecoder):
    """Each map is enlarged in its own way."""

    options: ClassVar[dict[str, object]]

    def forward(self, maps: list[Tensor]) -> Tensor:
        size = maps[0].shape[-2:]
        levels = [
            F.interpolate(mlp(x), size, **self.options) for x, mlp in zip(reversed(maps), self.mlp_stage, strict=True)
        ]
        return self.fuse_stage(torch.cat(levels, 1))


class Nearest(Resized):
    options: ClassVar = {"mode": "nearest"}


class Aligned(Resized):
    options: ClassVar = {"mode": "bilinear", "align_corners": True}


class NotNormalisedMaps(mix_transformer.MixTransformer):
    """The head takes what a stage's blocks give."""

    def features(self, images: Tensor, first: int = 0) -> list[Tensor]:
        maps, x = [], images
        for i in range(1, 5):
            x = getattr(self, f"block{i}")(getattr(self, f"patch_embed{i}")(x))
            norm = getattr(self, f"norm{i}")
            maps.append((x + 0 * (norm.weight + norm.bias)).permute(0, 3, 1, 2))
            x = norm(x).permute(0, 3, 1, 2)
        return maps


SEGFORMER = "smp.Segformer, narrow"
ATTENTION, BLOCK, FFN = (
    "encoder.block1.0.attn.__class__",
    "encoder.block3.1.__class__",
    "encoder.block2.0.mlp.__class__",
)
FAULTS: dict[tuple[str, bool], dict[str, Plant]] = {
    (SEGFORMER, False): {
        "patches of stage 1 do not overlap": instead("encoder.patch_embed1.proj", apart),
        "patches of stage 3 do not overlap": instead("encoder.patch_embed3.proj", apart),
        "patches continue the border": assign("encoder.patch_embed1.proj.padding_mode", "replicate"),
        "patches' normalisation missing": instead("encoder.patch_embed2.norm", lambda norm, x: x),
        "patches' eps 1e-6": assign("encoder.patch_embed1.norm.eps", 1e-6),
        "heads take every other channel": assign("encoder.block2.0.attn.__class__", Heads),
        "scaled by all channels": assign("encoder.block2.0.attn.__class__", ScaledByChannels),
        "not scaled": assign(ATTENTION, Unscaled),
        "softmax over queries": assign(ATTENTION, OverQueries),
        "keys and values swapped": assign(ATTENTION, ValueFirst),
        "sequence reduced by means": assign(ATTENTION, ReducedByMeans),
        "reduced sequence not normalised": assign(ATTENTION, NotNormalised),
        "reduced sequence's eps 1e-6": assign("encoder.block1.0.attn.norm.eps", 1e-6),
        "reduced sequence keeps the border": assign(ATTENTION, Padded),
        "heads put together across positions": assign("encoder.block4.0.attn.__class__", HeadsMixedUp),
        "one head instead of three": assign("encoder.block4.0.attn.heads", 1),
        "attention not projected": instead("encoder.block3.0.attn.proj", lambda proj, x: x),
        "normalised after the sum": assign(BLOCK, NormalisedAfter),
        "shortcut behind the normalisation": assign(BLOCK, AddedToNormalised),
        "feed-forward first": assign(BLOCK, FeedForwardFirst),
        "attention and feed-forward side by side": assign(BLOCK, SideBySide),
        "a block's eps 1e-5": assign("encoder.block3.1.norm1.eps", 1e-5),
        "GELU by tanh": assign(FFN, Tanh),
        "GELU before the convolution": assign(FFN, ActivatedFirst),
        "Mix-FFN without its convolution": assign(FFN, NoConvolution),
        "Mix-FFN adds its convolution": assign(FFN, Residual),
        "Mix-FFN's convolution continues the border": assign(
            "encoder.block2.0.mlp.dwconv.dwconv.padding_mode", "replicate"
        ),
        "a stage's eps 1e-5": assign("encoder.norm2.eps", 1e-5),
        "the head takes maps that are not normalised": assign("encoder.__class__", NotNormalisedMaps),
        "stacked from fine to coarse": assign("decoder.__class__", FineFirst),
        "maps enlarged by nearest": assign("decoder.__class__", Nearest),
        "maps enlarged with aligned corners": assign("decoder.__class__", Aligned),
        "stack without batch normalisation": instead("decoder.fuse_stage.1", lambda norm, x: x),
        "stack without ReLU": assign("decoder.fuse_stage.2", nn.Identity()),
        "scores enlarged without aligned corners": assign("align_corners", False),
    },
    (SEGFORMER, True): {
        "dropout before the scores": assign("dropout.p", 0.1),
        "dropout in attention": after("encoder.block1.0.attn.proj", lambda x: F.dropout(x, 0.1)),
        "the stack's momentum 0.01": assign("decoder.fuse_stage.1.momentum", 0.01),
    },
    ("smp.Segformer, narrow, stochastic depth", True): {
        "blocks dropped for the whole batch": instead("encoder.block4.0.drop_path", drops_the_batch),
        "branches dropped together": assign("encoder.block4.0.__class__", DropsOnce),
        "blocks dropped at one rate": assign("encoder.block2.0.drop_path.p", 0.5),
    },
}

MUTATIONS = [
    Mutation(f"SegFormer: {name}", plant, partial(check, *where))
    for where, plants in FAULTS.items()
    for name, plant in plants.items()
]
