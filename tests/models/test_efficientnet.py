"""EfficientNet: the published variants and the scaling rule. Parity of B0: test_parity.py."""

import pytest
import torch
from torch import nn
from torchvision import models as theirs

from pixelwise.models.efficientnet import (
    VARIANTS,
    EfficientNet,
    StochasticDepth,
    compound_scaling,
    efficientnet,
    round_channels,
)
from tests.models.counting import multiply_adds, parameters, skeleton


@pytest.mark.parametrize("variant", range(8))
def test_variants_are_torchvisions(variant):
    ours, reference = skeleton(efficientnet, variant), skeleton(getattr(theirs, f"efficientnet_b{variant}"))
    assert {k: v.shape for k, v in ours.state_dict().items()} == {k: v.shape for k, v in reference.state_dict().items()}
    for kind, settings in (
        (nn.BatchNorm2d, ("eps", "momentum")),
        (nn.Conv2d, ("stride", "padding", "groups")),
        (nn.Dropout, ("p",)),
    ):
        pairs = zip(*([m for m in n.modules() if isinstance(m, kind)] for n in (ours, reference)), strict=True)
        for module, expected in pairs:
            assert [getattr(module, s) for s in settings] == [getattr(expected, s) for s in settings]


def test_b0_has_the_published_cost():
    network = skeleton(efficientnet, 0)
    assert parameters(network) == 5_288_548
    assert multiply_adds(network) / 1e9 == pytest.approx(0.39, abs=0.005)


def test_operations_grow_by_the_scaling_rule():
    depth, width, resolution = compound_scaling(1)
    assert depth * width**2 * resolution**2 == pytest.approx(1.920, abs=5e-4)
    b0 = multiply_adds(skeleton(efficientnet, 0))
    for phi in (5, 6, 7):
        published = multiply_adds(skeleton(efficientnet, phi), VARIANTS[phi][2])
        assert published / b0 == pytest.approx(1.92**phi, rel=0.03)
        depth, width, resolution = compound_scaling(phi)
        scaled = multiply_adds(skeleton(EfficientNet, width=width, depth=depth), round(224 * resolution))
        assert (scaled / b0) ** (1 / phi) == pytest.approx(1.92, rel=0.03)  # repeats are rounded up


def test_published_factors_follow_the_rule():
    for phi, (width, depth, resolution, _) in enumerate(VARIANTS[:4]):
        expected = compound_scaling(phi)
        assert (depth, width, resolution / 224) == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize(("channels", "rounded"), [(32, 32), (35.2, 32), (36, 40), (10, 16), (3, 8), (17.6, 16)])
def test_round_channels(channels, rounded):
    assert round_channels(channels) == rounded


def test_stochastic_depth_drops_whole_samples_and_keeps_the_mean():
    torch.manual_seed(0)
    drop, x = StochasticDepth(0.25), torch.rand(4000, 2, 1, 1) + 1
    out = drop.train()(x)
    dropped = (out == 0).flatten(1)
    assert torch.equal(dropped.all(1), dropped.any(1))
    assert dropped.all(1).float().mean() == pytest.approx(0.25, abs=0.03)
    torch.testing.assert_close(out[~dropped[:, 0]], x[~dropped[:, 0]] / 0.75)
    assert torch.equal(drop.eval()(x), x)


@pytest.mark.parametrize("variant", [-1, 8, "b0"])
def test_unknown_variant(variant):
    with pytest.raises(ValueError, match=f"variant is {variant}, but EfficientNet goes from B0 to B7"):
        efficientnet(variant)
