"""Hypercolumns: the identities that make them the same linear map as FCN's sum of scores."""

import pytest
import torch
from torch.nn import functional as F

from pixelwise.models.hypercolumn import Hypercolumn, stack
from pixelwise.models.unet import ContractingPath
from tests.models.parity import randomise


def test_stacking_features_is_summing_scores():
    """The 1×1 convolution commutes with interpolation and splits by level: score every map, interpolate, add."""
    network = randomise(Hypercolumn(ContractingPath(width=4, depth=3), 5, levels=(0, 2, 3)).double().eval())
    images = torch.randn(2, 3, 21, 26, dtype=torch.float64)
    maps = [network.backbone.features(images)[i] for i in (0, 2, 3)]
    weights = network.classifier.weight.split([x.shape[1] for x in maps], dim=1)
    scores = [F.conv2d(x, weight) for x, weight in zip(maps, weights, strict=True)]
    summed = sum(F.interpolate(s, (21, 26), mode="bilinear") for s in scores) + network.classifier.bias[:, None, None]
    torch.testing.assert_close(network(images), summed, rtol=0, atol=1e-12)


def test_a_column_holds_every_level_above_its_pixel():
    fine, coarse = torch.arange(16.0).view(1, 1, 4, 4), torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    columns = stack([fine, coarse], (4, 4))
    assert columns.shape == (1, 2, 4, 4)
    assert torch.equal(columns[:, :1], fine)
    assert columns[0, 1, 0, 0] == 1
    assert columns[0, 1, 1, 1] == 1.75  # a quarter of the way to each neighbour: (9·1 + 3·2 + 3·3 + 1·4)/16


def test_levels_are_given_fine_to_coarse_whatever_their_order():
    backbone = ContractingPath(width=4, depth=3)
    assert Hypercolumn(backbone, 2, levels=(3, 1)).levels == (1, 3)
    assert Hypercolumn(backbone, 2).classifier.in_channels == 4 + 8 + 16 + 32


@pytest.mark.parametrize("levels", [(0, 4), (-1,), ()])
def test_levels_that_the_backbone_lacks(levels):
    with pytest.raises(ValueError, match=r"levels are \[.*but this backbone has maps 0 to 3"):
        Hypercolumn(ContractingPath(width=4, depth=3), 2, levels=levels)


def test_a_hidden_layer_is_normalised():
    network = Hypercolumn(ContractingPath(width=4, depth=1), 2, hidden=6)
    assert [type(layer).__name__ for layer in network.classifier] == ["Conv2d", "BatchNorm2d", "ReLU", "Conv2d"]
    assert network(torch.randn(2, 3, 9, 8)).shape == (2, 2, 9, 8)
