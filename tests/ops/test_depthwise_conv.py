"""Depthwise convolution: what PyTorch computes, and never its faulty gradient in bfloat16."""

import copy

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from pixelwise.ops import DepthwiseConv2d

FORMATS = (torch.contiguous_format, torch.channels_last)


class GradientFormats(TorchDispatchMode):
    """While active, notes the number format of every gradient of a convolution."""

    def __init__(self):
        super().__init__()
        self.noted = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.overloadpacket is torch.ops.aten.convolution_backward:
            self.noted.add(args[0].dtype)
        return func(*args, **(kwargs or {}))


def gradient(conv, images, out_gradient, autocast=False):
    """The gradient of the weights in float32, and the number formats in which PyTorch computed it."""
    with GradientFormats() as formats:
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            out = conv(images)
        (out.float() * out_gradient).sum().backward()
    return conv.weight.grad.float(), formats.noted


@pytest.mark.parametrize("rate", [1, 2, 5])
def test_equals_a_grouped_convolution(rate):
    conv = DepthwiseConv2d(8, 3, padding=rate, dilation=rate).double()
    plain = nn.Conv2d(8, 8, 3, padding=rate, dilation=rate, groups=8, bias=False).double()
    plain.load_state_dict(conv.state_dict())
    images = torch.randn(2, 8, 9, 11, dtype=torch.float64)
    assert torch.equal(conv(images), plain(images))


@pytest.mark.parametrize("autocast", [True, False], ids=["autocast", "bfloat16 weights"])
@pytest.mark.parametrize("memory_format", FORMATS, ids=str)
@pytest.mark.parametrize("rate", [1, 2, 5])
def test_gradients_in_bfloat16_are_those_of_float32(rate, memory_format, autocast):
    """On CPUs with the fault, PyTorch's own dilated depthwise convolution misses by more than 100 %, or gives NaN."""
    torch.manual_seed(0)
    conv = DepthwiseConv2d(48, 3, padding=rate, dilation=rate).to(memory_format=memory_format)
    images, out_gradient = torch.randn(2, 4, 48, 23, 30)
    images = images.contiguous(memory_format=memory_format)
    half, half_images = copy.deepcopy(conv), images
    if not autocast:
        half, half_images = half.bfloat16(), images.bfloat16()
    exact, _ = gradient(conv, images, out_gradient)
    approximate, formats = gradient(half, half_images, out_gradient, autocast)
    assert (approximate - exact).norm() < 0.02 * exact.norm()
    if rate > 1:  # on every CPU: the fault's place is not visited
        assert formats == {torch.float32}


def test_number_format_of_the_output_is_that_of_the_input():
    conv, images = DepthwiseConv2d(4, 3, padding=2, dilation=2), torch.randn(1, 4, 9, 9)
    assert conv(images).dtype == torch.float32
    assert conv.bfloat16()(images.bfloat16()).dtype == torch.bfloat16
    assert conv.double()(images.double()).dtype == torch.float64
    with torch.autocast("cpu", torch.bfloat16):
        assert conv(images.double()).dtype == torch.float64
