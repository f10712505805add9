"""Deformable convolution against torchvision's operation, and what it is for special offsets."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torchvision.ops import deform_conv2d

from pixelwise.models.deformable import (
    DeformableConv2d,
    deform_last_convolutions,
    deformable_convolution,
    sample_bilinear,
)
from pixelwise.models.resnet import BasicBlock, Bottleneck, ResNet


def relative(ours, reference):
    return ((ours - reference).abs().max() / reference.abs().max().clamp(min=1e-300)).item()


@settings(max_examples=40, deadline=None)
@given(
    kernel=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.integers(0, 3),
    dilation=st.integers(1, 3),
    extra=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    spread=st.sampled_from([0.0, 0.5, 3.0, 30.0]),
    whole=st.booleans(),
    seed=st.integers(0, 2**20),
)
def test_equals_torchvision(kernel, stride, padding, dilation, extra, spread, whole, seed):
    """Values and all four gradients, offsets far outside and on whole pixels included."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    reach = dilation * (kernel - 1) + 1
    height, width = (max(1, reach - 2 * padding) + e for e in extra)
    out = [(side + 2 * padding - reach) // stride + 1 for side in (height, width)]
    offsets = random(2, 2 * kernel**2, *out) * spread
    inputs = [
        random(2, 3, height, width),
        offsets.round() if whole else offsets,
        random(4, 3, kernel, kernel),
        random(4),
    ]
    for tensor in inputs:
        tensor.requires_grad_()
    ours = deformable_convolution(*inputs, stride=stride, padding=padding, dilation=dilation)
    reference = deform_conv2d(*inputs, stride=stride, padding=padding, dilation=dilation)
    assert ours.shape == reference.shape
    assert relative(ours, reference) <= 1e-10
    direction = random(*ours.shape)
    scale = max(g.abs().max().item() for g in torch.autograd.grad(reference, inputs, direction, retain_graph=True))
    for mine, theirs in zip(
        torch.autograd.grad(ours, inputs, direction), torch.autograd.grad(reference, inputs, direction), strict=True
    ):
        assert (mine - theirs).abs().max().item() <= 1e-10 * scale


def test_fresh_layer_is_an_ordinary_convolution():
    layer, x = DeformableConv2d(3, 4, 3, stride=2, padding=1), torch.randn(2, 3, 9, 12)
    torch.testing.assert_close(layer(x), F.conv2d(x, layer.weight, layer.bias, stride=2, padding=1))


def test_constant_offsets_make_a_dilated_convolution():
    """Moving each tap by its own place in the kernel, seen from the centre, is dilation 2."""
    x = torch.randn(2, 3, 10, 11, dtype=torch.float64)
    weight = torch.randn(4, 3, 3, 3, dtype=torch.float64)
    places = torch.arange(3) - 1.0
    offsets = torch.stack(torch.meshgrid(places, places, indexing="ij"), dim=-1).double()  # (3, 3, 2)
    offsets = offsets.flatten()[None, :, None, None].expand(2, -1, 10, 11)
    torch.testing.assert_close(
        deformable_convolution(x, offsets, weight, padding=1), F.conv2d(x, weight, padding=2, dilation=2)
    )


@pytest.mark.parametrize("autocast", [True, False])
def test_looks_at_the_same_places_in_bfloat16(autocast):
    """bfloat16 tells whole numbers apart up to 256 only; a place in a 40×60 map needs more."""
    torch.manual_seed(0)
    layer, x = DeformableConv2d(8, 8, 3, padding=1), torch.randn(1, 8, 40, 60)
    torch.nn.init.constant_(layer.offset.bias, 0.25)
    expected = layer(x)
    if not autocast:
        layer, x = layer.bfloat16(), x.bfloat16()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        out = layer(x.bfloat16())
    assert relative(out.float(), expected) < 0.02


def test_bilinear_by_hand():
    maps = torch.tensor([[1.0, 2.0], [3.0, 8.0]])[None, None]
    rows, columns = torch.tensor([[0.5, 0.0, 1.25, -0.5]]), torch.tensor([[0.5, 0.25, 1.0, 0.0]])
    expected = [14 / 4, 1.25, 0.75 * 8, 0.5]  # outside the map there are zeros
    assert sample_bilinear(maps, rows, columns).flatten().tolist() == pytest.approx(expected)


def test_offsets_learn_where_to_look():
    """The gradient of an offset is the slope of the map: on a ramp to the right, 1 across and 0 down."""
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    offsets = torch.full((1, 2, 8, 8), 0.25, requires_grad=True)
    deformable_convolution(ramp, offsets, torch.ones(1, 1, 1, 1))[..., :7, :7].sum().backward()
    assert torch.equal(offsets.grad[0, 0, :7, :7], torch.zeros(7, 7))
    torch.testing.assert_close(offsets.grad[0, 1, :7, :7], torch.ones(7, 7))


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
def test_deformed_network_starts_as_the_same_function(block):
    torch.manual_seed(0)
    network = ResNet(block, (1, 1, 1, 3), width=8, num_classes=4, output_stride=16).double().eval()
    images = torch.randn(1, 3, 64, 64, dtype=torch.float64)
    before = network(images)
    assert deform_last_convolutions(network) is network
    changed = [name for name, m in network.named_modules() if isinstance(m, DeformableConv2d)]
    assert len(changed) == 3
    assert all(name.startswith("layer4") for name in changed)
    torch.testing.assert_close(network(images), before)
    assert network.get_submodule(changed[0]).offset.weight.shape[0] == 18  # two for each of nine positions


def test_wrong_offsets_and_kernels():
    with pytest.raises(ValueError, match=r"offsets are \(1, 9, 8, 8\), but a 3×3 kernel here needs \(1, 18, 8, 8\)"):
        deformable_convolution(torch.randn(1, 2, 8, 8), torch.zeros(1, 9, 8, 8), torch.randn(1, 2, 3, 3), padding=1)


@pytest.mark.parametrize(
    "odd",
    [
        {"groups": 2},
        {"stride": (1, 2)},
        {"padding": "same"},
        {"padding": 1, "padding_mode": "reflect"},
    ],
    ids=lambda odd: next(reversed(odd)),
)
def test_a_convolution_that_cannot_be_deformed_is_refused(odd):
    """Groups used to be lost on the way and to end in a mismatch of sizes, after other layers were replaced."""
    network = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, **odd))
    before = list(network)
    with pytest.raises(ValueError, match=r"Conv2d\(4, 4, .* cannot be made deformable: that takes one number"):
        deform_last_convolutions(network, count=2)
    assert list(network) == before
