"""SegFormer: against smp's in float64, and what the paper says of its parts. What every network must stand: battery."""

import pytest
import torch
from torch import nn

from pixelwise.models import segformer
from pixelwise.models.mix_transformer import (
    EfficientSelfAttention,
    MixTransformer,
    OverlapPatchEmbed,
    TransformerBlock,
)
from pixelwise.models.resnet import resnet18
from pixelwise.models.segformer import SegFormer
from tests.models.counting import parameters, skeleton
from tests.models.dense_references import PAIRS
from tests.models.parity import assert_parity, randomise

NOISE = 1e-7
"""In train mode batch normalisation takes away what the biases before it add, whose gradients are then rounding alone;
in eval mode 1e-10 holds as everywhere."""


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("size", [64, (72, 104), (100, 36)], ids=str)
def test_parity_with_smp(size, train, record_property):
    """Also where the maps are odd, and where the reduced maps leave a border out."""
    pair = PAIRS["smp.Segformer mit_b0"]
    parity = assert_parity(pair.ours(), pair.reference(), size, train=train, tolerance=NOISE if train else 1e-10)
    record_property("parity", ("smp.Segformer mit_b0", parity.worst))


def test_parity_with_blocks_that_are_dropped():
    """Both draw the same blocks for the same scenes of a batch."""
    pair = PAIRS["smp.Segformer, narrow, stochastic depth"]
    assert_parity(pair.ours(), pair.reference(), (68, 96), train=True, tolerance=NOISE, batch=5)


def test_parameters_are_the_paper_s():
    """Table 1, for 150 classes: 3.8 million, of which the head has 0.4."""
    network = skeleton(segformer.segformer_b0)
    assert f"{parameters(network) / 1e6:.1f}" == "3.8"
    assert f"{(parameters(network) - parameters(network.encoder)) / 1e6:.1f}" == "0.4"


def test_a_query_meets_keys_of_the_reduced_map():
    attention = randomise(EfficientSelfAttention(12, heads=3, reduction=4))
    weights, values = attention.attend(torch.randn(2, 9, 14, 12))
    assert weights.shape == (2, 3, 9 * 14, 2 * 3)
    assert values.shape == (2, 3, 2 * 3, 4)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 9 * 14))


def test_without_reduction_it_is_pytorch_s_attention():
    ours = randomise(EfficientSelfAttention(12, heads=3, reduction=1).double())
    theirs = nn.MultiheadAttention(12, 3, batch_first=True).double()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.q.weight, ours.kv.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.q.bias, ours.kv.bias]))
        theirs.out_proj.load_state_dict(ours.proj.state_dict())
        x = torch.randn(2, 5, 7, 12, dtype=torch.float64)
        tokens = x.flatten(1, 2)
        expected, weights = theirs(tokens, tokens, tokens, average_attn_weights=False)
        torch.testing.assert_close(ours(x).flatten(1, 2), expected, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(ours.attend(x)[0], weights, rtol=1e-12, atol=1e-12)


def test_reduction_is_the_paper_s_reshape_and_linear():
    """Equation 2: R² tokens of a square are stacked, and multiplied by a matrix (R²C, C)."""
    attention = randomise(EfficientSelfAttention(6, heads=2, reduction=2).double())
    x = torch.randn(1, 4, 6, 6, dtype=torch.float64)
    stacked = x.reshape(1, 2, 2, 3, 2, 6).permute(0, 1, 3, 2, 4, 5).flatten(3)  # (1, 2, 3, R²C)
    matrix = attention.sr.weight.permute(2, 3, 1, 0).flatten(0, 2)  # (R²C, C)
    expected = attention.norm(stacked @ matrix + attention.sr.bias)
    torch.testing.assert_close(attention.reduced(x), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("stride", "kernel"), [(4, 7), (2, 3)])
def test_patches_overlap(stride, kernel):
    """K, S, P are 7, 4, 3 and 3, 2, 1: a pixel between two patches reaches both."""
    merge = OverlapPatchEmbed(1, 5, stride)
    assert merge.proj.kernel_size == (kernel, kernel)
    assert merge.proj.padding == (stride - 1, stride - 1)
    image = torch.zeros(1, 1, 8 * stride, 8 * stride)
    image[..., 4 * stride + stride // 2, 4 * stride] = 1
    with torch.no_grad():
        seen = (merge.proj(image) - merge.proj(0 * image)).abs().sum(1)[0] > 0
    assert seen.nonzero().tolist() == [[4, 4], [5, 4]]


@pytest.mark.parametrize("mixing", [False, True], ids=["without", "with"])
@torch.no_grad()
def test_mix_ffn_tells_positions_apart(mixing):
    """A uniform image has one answer everywhere inside, unless zeros at the border are carried inwards."""
    torch.manual_seed(0)
    block = TransformerBlock(8, 2, 1, 4, mixing, 0.0)
    x = torch.randn(8).expand(1, 9, 11, 8)
    for _ in range(2):
        x = block(x)
    assert bool((x - x[:, :1, :1]).abs().max() > 1e-3) == mixing


@torch.no_grad()
def test_attention_sees_everything_at_once():
    """In one block a change of one corner reaches the other, however far."""
    block = TransformerBlock(8, 2, 4, 4, True, 0.0).double()
    x = torch.randn(1, 40, 48, 8, dtype=torch.float64)
    other = x.clone()
    other[:, 0, 0, 0] += 1
    assert (block(x) - block(other))[0, -1, -1].abs().max() > 0


@pytest.mark.parametrize("side", [28, 29])
def test_the_smallest_image_has_one_key(side):
    network = MixTransformer(num_classes=None)
    assert network.smallest == 29
    if side == 29:
        assert [x.shape[-1] for x in network.features(torch.zeros(1, 3, side, side))] == [8, 4, 2, 1]
    else:
        with pytest.raises(ValueError, match="images are 28×28, but this network needs at least 29×29 pixels"):
            network(torch.zeros(1, 3, side, side))


def test_the_head_takes_maps_from_a_quarter_on():
    network = SegFormer(resnet18(num_classes=None, width=8), 3, width=16)
    assert [mlp.linear.in_features for mlp in network.decoder.mlp_stage] == [64, 32, 16, 8]
    assert network(torch.zeros(2, 3, 45, 61)).shape == (2, 3, 45, 61)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": (3, 2, 5, 8)}, "32 channels do not divide among 3 heads"),
        ({"depths": (2, 2, 2)}, "depths has 3 entries, but there are four stages"),
    ],
)
def test_what_does_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        MixTransformer(**options)
