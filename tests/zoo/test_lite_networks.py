"""Every head of the book on EfficientNet-Lite0, small enough to be kept beside the code."""

import pytest
import torch

from pixelwise.zoo.registry import NetworkSpec

HEADS = (
    "fcn32",
    "fcn16",
    "fcn8",
    "dilated-fcn",
    "hypercolumn",
    "unet",
    "deeplabv3",
    "deeplabv3plus",
    "pyramid",
    "segformer",
)
MEGABYTES = 8


def built(name: str, output_stride: int | None = None) -> torch.nn.Module:
    with torch.device("meta"):
        return NetworkSpec(name, 11, backbone="efficientnet_lite0", output_stride=output_stride).build().eval()


@pytest.mark.parametrize("name", HEADS)
def test_a_head_fits_and_is_small(name):
    network = built(name)
    assert network(torch.empty(2, 3, 180, 240, device="meta")).shape == (2, 11, 180, 240)
    assert 2 * sum(value.numel() for value in network.state_dict().values()) < MEGABYTES * 1e6  # stored as float16


@pytest.mark.parametrize("output_stride", [8, 16])
@pytest.mark.parametrize("name", ["deeplabv3", "deeplabv3plus"])
def test_deeplab_at_both_output_strides(name, output_stride):
    network = built(name, output_stride)
    assert network(torch.empty(2, 3, 180, 240, device="meta")).shape == (2, 11, 180, 240)
    encoder = getattr(network, "backbone", None) or network.encoder
    assert encoder.strides[-1] == output_stride
    rates = [m.dilation[0] for m in network.modules() if getattr(m, "dilation", (1,))[0] >= 6]
    assert rates == [rate * 16 // output_stride for rate in (6, 12, 18)]


def test_the_encoder_takes_the_library_s_images():
    assert built("pyramid").backbone.transform_input
