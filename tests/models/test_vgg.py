"""VGG against the paper's numbers. Parity: test_parity.py."""

import pytest
import torch
from torchvision import models as theirs

from pixelwise.models import vgg
from tests.models.counting import multiply_adds, parameters, skeleton


@pytest.mark.parametrize(
    ("name", "count", "giga"), [("vgg16", 138_357_544, 15.3), ("vgg19", 143_667_240, 19.6)], ids=str
)
def test_parameters_and_multiply_adds(name, count, giga):
    ours = skeleton(getattr(vgg, name))
    assert parameters(ours) == parameters(skeleton(getattr(theirs, name))) == count
    assert multiply_adds(ours) / 1e9 == pytest.approx(giga, rel=0.015)


def test_batch_norm_has_torchvisions_names():
    ours, reference = skeleton(vgg.vgg16, batch_norm=True), skeleton(theirs.vgg16_bn)
    assert {k: v.shape for k, v in ours.state_dict().items()} == {k: v.shape for k, v in reference.state_dict().items()}


def test_maps_are_those_after_the_pools():
    network = vgg.vgg16(width=4, num_classes=None).eval()
    images = torch.randn(1, 3, 70, 64)
    pooled, x = [], images
    for layer in network.features.children():
        x = layer(x.clone())
        if isinstance(layer, torch.nn.MaxPool2d):
            pooled.append(x)
    for ours, expected in zip(network.features(images), pooled, strict=True):
        assert torch.equal(ours, expected)


def test_too_small():
    with pytest.raises(ValueError, match="needs at least 32×32"):
        vgg.vgg16(width=4, num_classes=2)(torch.randn(1, 3, 31, 64))
