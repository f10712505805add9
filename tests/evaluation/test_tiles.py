"""Overlap-tile: window by window equals the whole, and what breaks it."""

import pytest
import torch
from torch import nn

from pixelwise.evaluation.tiles import mirror, overlap_tile
from pixelwise.models.unet import ContractingPath, UNet, ValidUNet


@pytest.fixture(scope="module")
def valid():
    torch.manual_seed(0)
    return ValidUNet(1, 2, width=2, depth=2).double().eval()  # valid sides are multiples of 4; the margin is 20


@pytest.mark.parametrize("size", [(40, 40), (37, 90), (1, 7)])
@pytest.mark.parametrize("step", [4, 12, 20])
def test_windows_equal_the_whole_picture(valid, size, step):
    images = torch.randn(2, 1, *size, dtype=torch.float64)
    whole = valid(mirror(images, (20, 20 + -size[0] % 4), (20, 20 + -size[1] % 4)))[..., : size[0], : size[1]]
    torch.testing.assert_close(overlap_tile(valid, images, window=60, margin=20, step=step), whole, rtol=0, atol=1e-12)


def test_a_step_that_is_no_multiple_of_the_stride_pools_other_pixels_together(valid):
    images = torch.randn(1, 1, 60, 60, dtype=torch.float64)
    whole = overlap_tile(valid, images, window=100, margin=20, step=60)
    assert (overlap_tile(valid, images, window=60, margin=20, step=18) - whole).abs().max() > 1e-3


def test_a_padded_network_needs_a_margin_as_wide_as_its_reach():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 5, padding=2)).double()
    images = torch.randn(1, 3, 20, 20, dtype=torch.float64)
    whole = network(mirror(images, (3, 3), (3, 3)))[..., 3:-3, 3:-3]
    close = overlap_tile(network, images, window=16, margin=3, step=10)
    torch.testing.assert_close(close, whole, rtol=0, atol=1e-12)
    assert (overlap_tile(network, images, window=16, margin=2, step=10) - whole).abs().max() > 1e-3


def test_any_size_through_the_padded_unet():
    network = UNet(ContractingPath(width=2, depth=2), 3).eval()
    assert overlap_tile(network, torch.randn(1, 3, 33, 50), window=32, margin=8, step=16).shape == (1, 3, 33, 50)


def test_mirroring_repeats_no_edge_and_goes_on_for_ever():
    line = torch.arange(3.0)[None]
    assert mirror(line, (0, 0), (2, 2)).tolist() == [[2, 1, 0, 1, 2, 1, 0]]
    assert mirror(line, (0, 0), (5, 0)).tolist() == [[1, 0, 1, 2, 1, 0, 1, 2]]
    assert mirror(torch.ones(1, 1), (2, 2), (1, 1)).shape == (5, 3)


def test_what_cannot_be_tiled_says_why(valid):
    images = torch.zeros(1, 1, 40, 40, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"step is 24.*leaves 20 pixels: choose a step from 1 to 20"):
        overlap_tile(valid, images, window=60, margin=20, step=24)
    with pytest.raises(ValueError, match=r"turned 64×64 into 24×24; expected 44×44 \(valid\) or 64×64"):
        overlap_tile(valid, images, window=64, margin=10, step=16)
