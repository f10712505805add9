"""EfficientNet-Lite0 against the published numbers, and the switch that timm does not have. Parity: test_parity.py."""

import pytest
import torch

from pixelwise.data.augment import normalise
from pixelwise.models.efficientnet_lite import EfficientNetLite, efficientnet_lite0
from tests.models.counting import multiply_adds, parameters, skeleton
from tests.models.parity import blank, randomise


def test_the_published_cost():
    network = skeleton(efficientnet_lite0)
    assert parameters(network) == 4_652_008
    assert multiply_adds(network) / 1e6 == pytest.approx(407, rel=0.06)


@pytest.mark.parametrize(
    ("output_stride", "strides"), [(32, (2, 4, 8, 16, 32)), (16, (2, 4, 8, 16, 16)), (8, (2, 4, 8, 8, 8))]
)
def test_maps(output_stride, strides):
    network = blank(efficientnet_lite0, num_classes=None, output_stride=output_stride)
    assert (network.channels, network.strides) == ((16, 24, 40, 112, 320), strides)


@pytest.mark.parametrize("output_stride", [8, 16])
def test_dilated_map_holds_the_strided_one(output_stride):
    """Dilation instead of stride computes the same map and the positions between."""
    strided, dilated = (
        blank(EfficientNetLite, num_classes=None, **options).double().eval()
        for options in ({}, {"output_stride": output_stride})
    )
    randomise(strided)
    dilated.load_state_dict(strided.state_dict())
    images, step = torch.randn(1, 3, 75, 64, dtype=torch.float64), 32 // output_stride
    with torch.no_grad():
        coarse, fine = (network.features(images)[-1] for network in (strided, dilated))
    torch.testing.assert_close(fine[:, :, ::step, ::step], coarse, rtol=1e-12, atol=1e-12)


def test_transformed_input_is_what_the_weights_were_trained_on():
    """normalise(bytes) through transform_input is (x − 127)/128 of the bytes without it."""
    network, other = (
        blank(efficientnet_lite0, num_classes=None, transform_input=switch).eval() for switch in (True, False)
    )
    randomise(network)
    other.load_state_dict(network.state_dict())
    images = torch.randint(256, (1, 3, 40, 48), dtype=torch.uint8)
    with torch.no_grad():
        expected = other((images.float() - 127) / 128)
        torch.testing.assert_close(network(normalise(images)), expected, rtol=1e-4, atol=1e-4)
        assert not torch.allclose(other(normalise(images)), expected, rtol=1e-2, atol=1e-2)


def test_output_stride_is_checked():
    with pytest.raises(ValueError, match="output_stride is 4, but an EfficientNet-Lite offers 8, 16 and 32"):
        efficientnet_lite0(output_stride=4)
