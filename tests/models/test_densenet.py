"""DenseNet against the paper's numbers. Parity: test_parity.py."""

import pytest
import torch
from torchvision import models as theirs

from pixelwise.models import densenet
from pixelwise.models.densenet import DenseBlock, DenseNet
from tests.models.counting import parameters, skeleton


@pytest.mark.parametrize(
    ("name", "count"), [("densenet121", 7_978_856), ("densenet169", 14_149_480), ("densenet201", 20_013_928)]
)
def test_parameters_are_torchvisions(name, count):
    ours, reference = skeleton(getattr(densenet, name)), skeleton(getattr(theirs, name))
    assert parameters(ours) == parameters(reference) == count
    assert {k: v.shape for k, v in ours.state_dict().items()} == {k: v.shape for k, v in reference.state_dict().items()}


def test_channels_grow_by_k_and_all_earlier_maps_pass_through():
    block, x = DenseBlock(10, depth=5, growth=6), torch.randn(2, 10, 4, 4)
    out = block(x)
    assert out.shape == (2, 10 + 5 * 6, 4, 4)
    assert torch.equal(out[:, :10], x)
    assert torch.equal(out[:, :16], block.denselayer1(x))


def test_five_layers_make_fifteen_connections():
    block, x = DenseBlock(1, depth=5, growth=1), torch.randn(1, 1, 3, 3)
    inputs = [layer.norm1.num_features for layer in block]  # each earlier map is one channel
    assert block(x).shape[1] == 6
    assert sum(inputs) == 15


def test_compression():
    network = skeleton(DenseNet, (2, 2), growth=4, initial=8, compression=0.25, patch_stem=True)
    assert network.channels == (8, 16, 12)
    assert network.strides == (1, 1, 2)


def test_too_small():
    network = DenseNet((2, 2, 2, 2), growth=4, initial=8).eval()
    assert network(torch.randn(1, 3, 29, 29)).shape == (1, 1000)
    with pytest.raises(ValueError, match="needs at least 29×29"):
        network(torch.randn(1, 3, 28, 29))
