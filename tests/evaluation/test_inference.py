"""A picture shown at several sizes, and the answers averaged."""

import pytest
import torch
from torch.nn import functional as F

from pixelwise.data.augment import normalise
from pixelwise.evaluation import predict
from pixelwise.evaluation.inference import scores
from pixelwise.evaluation.pictures import label


@pytest.fixture
def network():
    """Its answer depends on the size at which it is shown a picture; `sizes` lists those."""
    torch.manual_seed(0)
    network = torch.nn.Conv2d(3, 4, 3, stride=2, padding=1)
    network.sizes = []
    network.register_forward_hook(lambda module, inputs, output: module.sizes.append(tuple(inputs[0].shape[-2:])))
    return network.eval()


def test_probabilities_are_the_mean_of_those_at_each_size(network):
    images = torch.randn(2, 3, 20, 30)
    with torch.no_grad():
        mean = scores(network, images, (1, 1.5))
        parts = [images, F.interpolate(images, size=(30, 45), mode="bilinear", align_corners=False)]
        expected = [F.interpolate(network(x), size=(20, 30), mode="bilinear", align_corners=False) for x in parts]
    assert network.sizes[:2] == [(20, 30), (30, 45)]
    torch.testing.assert_close(mean, (expected[0].softmax(1) + expected[1].softmax(1)) / 2)
    torch.testing.assert_close(mean.sum(1), torch.ones(2, 20, 30))


def test_labels_follow_the_averaged_answer(network):
    images = torch.randint(256, (3, 3, 40, 60), dtype=torch.uint8)
    labels = predict(network, images, batch_size=2, scales=(1, 2))
    with torch.no_grad():
        expected = scores(network, normalise(images), (1, 2)).argmax(1)
    assert torch.equal(labels.long(), expected)
    network.sizes.clear()
    (one, *_) = images
    assert torch.equal(label(network, one, (40, 60), scales=(1, 2)).long(), expected[0])
    assert network.sizes == [(40, 60), (80, 120)]


@pytest.mark.parametrize("scales", [(), (1, 0), (-1,)])
def test_scales_are_positive(network, scales):
    with pytest.raises(ValueError, match="expected one or more factors above zero"):
        scores(network, torch.randn(1, 3, 20, 30), scales)
