import math

import pytest
import torch
import torch.nn.functional as F
import torchvision
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from pixelwise.analysis import (
    effective_size,
    gradient_map,
    gradient_support,
    receptive_field,
    receptive_fields,
    stack_receptive_field,
)
from pixelwise.analysis.field import Axis, hull
from pixelwise.models.googlenet import GoogLeNet
from pixelwise.models.patchnet import PatchNet
from pixelwise.ops import convolutionalize
from tests.helpers.laws import heavy_law


class Branches(nn.Module):
    """Paths of equal output size, added or concatenated, around a 1×1 convolution that restores the channels."""

    def __init__(self, paths, merge):
        super().__init__()
        self.paths, self.merge = nn.ModuleList(paths), merge
        self.mix = nn.Conv2d(2 * len(paths) if merge == "cat" else 2, 2, 1)

    def forward(self, x):
        outs = [path(x) for path in self.paths]
        return self.mix(torch.cat(outs, 1) if self.merge == "cat" else sum(outs))


class Crop(nn.Module):
    def forward(self, x):
        return x[:, :, 1:-2, 2:]


class Skip(nn.Module):
    """Down by a factor and up to the same size again, also where the size does not divide, plus the input."""

    def __init__(self, factor, mode):
        super().__init__()
        self.down, self.mode = nn.Conv2d(2, 2, 2, factor), mode

    def forward(self, x):
        return x + F.interpolate(self.down(x), x.shape[-2:], mode=self.mode)


small = st.integers(1, 3)
sizes = st.tuples(st.integers(6, 20), st.integers(6, 20))


@st.composite
def windows(draw, transposed=False):
    kernel, stride, dilation = (draw(small), draw(small)), draw(st.integers(1, 2)), draw(small)
    padding = tuple(draw(st.integers(0, min(2, dilation * (k - 1)))) for k in kernel)
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    return kind(2, 2, kernel, stride, padding, dilation=dilation)


@st.composite
def branches(draw):
    def same(kernel):
        dilation = draw(small)
        return nn.Conv2d(2, 2, kernel, padding=dilation * (kernel // 2), dilation=dilation)

    kernels = st.lists(st.sampled_from([1, 3, 5]), max_size=2)
    paths = [nn.Sequential(*(same(kernel) for kernel in draw(kernels))) for _ in range(2)]
    return Branches(paths, draw(st.sampled_from(["add", "cat"])))


average = st.builds(nn.AvgPool2d, small, small)
linear_layers = st.one_of(windows(), average, branches())
any_layers = st.one_of(
    linear_layers,
    windows(transposed=True),
    st.builds(lambda kernel, stride: nn.Sequential(nn.ReLU(), nn.MaxPool2d(kernel, stride)), small, small),
    st.builds(lambda size: nn.Upsample(size), sizes),
    st.builds(lambda size, corners: nn.Upsample(size, mode="bilinear", align_corners=corners), sizes, st.booleans()),
    st.just(nn.ZeroPad2d((1, 2, 3, 0))),
    st.just(Crop()),
    st.builds(Skip, st.integers(2, 4), st.sampled_from(["nearest", "bilinear"])),
    st.just(nn.Sequential(nn.Conv2d(2, 8, 1), nn.PixelShuffle(2))),
)


def output_size(net, shape):
    """The height and width of the output; discards networks that shrink the map to nothing, or blow it up."""
    try:
        with torch.no_grad():
            height, width = net.double()(torch.zeros(shape).double()).shape[-2:]
    except RuntimeError:
        assume(False)
    assume(height > 0 and width > 0 and height * width < 10_000)
    return height, width


def rows_and_columns(support):
    """The rows and the columns in which the support has a pixel."""
    return [support.any(axis).nonzero().flatten().tolist() for axis in (1, 0)]


@heavy_law
@given(st.lists(linear_layers, min_size=1, max_size=4))
def test_formula_equals_the_gradients_extent_for_positive_weights(layers):
    net, shape = nn.Sequential(*layers), (1, 2, 64, 64)
    for parameter in net.parameters():
        nn.init.uniform_(parameter, 0.1, 1.0)
    height, width = output_size(net, shape)
    window = receptive_field(net, input_shape=shape).window(height // 2, width // 2)
    assume(all(extent.start >= 0 and extent.stop <= 64 for extent in window))
    for pixels, extent in zip(rows_and_columns(gradient_support(net, shape)), window, strict=True):
        assert (pixels[0], pixels[-1]) == (extent.start, extent.stop - 1)


@heavy_law
@given(st.lists(any_layers, min_size=1, max_size=5), st.integers(0, 10**6), st.integers(0, 10**6))
def test_formula_holds_the_gradients_support(layers, row, column):
    net, shape = nn.Sequential(*layers), (2, 2, 23, 30)
    height, width = output_size(net, shape)
    position = row % height, column % width
    support = gradient_support(net, shape, position=position)
    window = receptive_field(net, input_shape=shape).window(*position)
    for pixels, extent in zip(rows_and_columns(support), window, strict=True):
        assert set(pixels) <= set(extent)


@pytest.mark.parametrize(
    "layer",
    [
        Skip(4, "bilinear"),
        Skip(2, "nearest"),
        nn.Sequential(nn.AvgPool2d(4), nn.Upsample(size=(19, 17), mode="bilinear")),
        nn.Sequential(nn.AvgPool2d(3), nn.Upsample(size=(13, 11), mode="bilinear", align_corners=True)),
        nn.Sequential(nn.AvgPool2d(4), nn.Upsample(size=(13, 11))),
        nn.Sequential(nn.AvgPool2d(4), nn.ConvTranspose2d(2, 2, 3, 2, 1, dilation=2)),
    ],
)
def test_formula_holds_the_support_at_every_pixel_behind_upsampling(layer):
    shape = (1, 2, 23, 21)
    height, width = layer.double()(torch.zeros(shape).double()).shape[-2:]
    field = receptive_field(layer, input_shape=shape)
    for position in [(i * height // 9, i * width // 9) for i in range(9)] + [(height - 1, width - 1)]:
        support = gradient_support(layer, shape, position=position)
        for pixels, extent in zip(rows_and_columns(support), field.window(*position), strict=True):
            assert set(pixels) <= set(extent)


fractions = st.fractions(min_value=0, max_value=5, max_denominator=6)


@heavy_law
@given(st.lists(st.builds(Axis, fractions, fractions, fractions), min_size=1, max_size=3), st.integers(1, 9))
def test_the_hull_holds_each_path_at_each_pixel(axes, length):
    joined = hull(axes, length)
    for axis in axes:
        for i in range(length):
            start, hull_start = axis.start + i * axis.jump, joined.start + i * joined.jump
            assert hull_start <= start
            assert start + axis.size <= hull_start + joined.size


def test_stack_formula_and_trace_agree():
    net = nn.Sequential(nn.Conv2d(3, 4, 7, 2, 3), nn.MaxPool2d(3, 2, 1), nn.Conv2d(4, 4, 3, 1, 4, dilation=4))
    assert receptive_field(net) == stack_receptive_field((7, 2, 3), (3, 2, 1), (3, 1, 4, 4))
    assert receptive_field(net).size == (43, 43)
    assert receptive_field(net).jump == (4, 4)


def test_doubling_dilations_grow_exponentially():
    for depth in range(1, 7):
        layers = [(3, 1, 0, 2**i) for i in range(depth)]
        assert stack_receptive_field(*layers).size == (2 ** (depth + 1) - 1,) * 2


def test_the_fcn_papers_table_1():
    """355, 404 and 907 for AlexNet, VGG-16 and GoogLeNet with their first FC layer, or average pool, as a window."""
    alexnet = nn.Sequential(torchvision.models.AlexNet().features, nn.Conv2d(256, 1, 6))
    assert receptive_field(alexnet).size == (355, 355)
    vgg16 = nn.Sequential(torchvision.models.vgg16(init_weights=False).features, nn.Conv2d(512, 1, 7))
    assert receptive_field(vgg16).size == (404, 404)
    googlenet = GoogLeNet(true_5x5=True, batch_norm=False, aux_logits=False, width=0.25)
    googlenet.maxpool4 = nn.MaxPool2d(3, 2, ceil_mode=True)  # as in the paper; the library pools 2×2 here
    googlenet.avgpool = nn.AvgPool2d(7, 1)
    assert receptive_field(googlenet, "avgpool").size == (907, 907)


@pytest.mark.parametrize(("name", "size"), [("resnet18", 435), ("resnet50", 427)])
def test_torchvisions_resnets(name, size):
    net = getattr(torchvision.models, name)()
    fields = receptive_fields(net)
    assert fields["layer4"].size == (size, size)
    assert fields["layer4"].jump == (32, 32)
    assert fields["fc"].size == (math.inf, math.inf)
    assert net.training  # as it was


def test_patchnet_sees_exactly_its_patch():
    field = receptive_field(convolutionalize(PatchNet()), input_shape=(1, 3, 64, 64))
    assert (field.size, field.jump) == ((32, 32), (4, 4))
    assert field.window(2, 1) == (range(8, 40), range(4, 36))


def test_axes_may_differ():
    net = nn.Sequential(nn.Conv2d(1, 1, (1, 7)), nn.MaxPool2d((2, 1), (2, 1)), nn.Conv2d(1, 1, (7, 1)))
    field = receptive_field(net, input_shape=(1, 1, 64, 64))
    assert (field.size, field.jump) == ((14, 7), (2, 1))


@pytest.mark.parametrize(("depth", "size"), [(5, 9), (20, 17), (80, 33)])
def test_effective_receptive_field_of_uniform_stacks(depth, size):
    net = nn.Sequential(*(nn.Conv2d(1, 1, 3, bias=False) for _ in range(depth)))
    for parameter in net.parameters():
        nn.init.constant_(parameter, 1 / 9)
    side = 2 * depth + 1
    gradient = gradient_map(net, (1, 1, side, side))
    assert receptive_field(net, input_shape=(1, 1, side, side)).size == (side, side)
    assert (gradient > 0).all()
    assert effective_size(gradient) == size


def test_a_layer_inside_can_be_asked_for():
    net = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Sequential(nn.Conv2d(1, 1, 3), nn.AdaptiveAvgPool2d(1)))
    assert gradient_support(net, (1, 1, 9, 9), layer="1.0").sum() == 25
    assert gradient_support(net, (1, 1, 9, 9)).all()
    assert receptive_field(net, "1.0", (1, 1, 9, 9)).size == (5, 5)


def test_of_a_list_of_maps_the_coarsest_counts():
    class Maps(nn.Module):
        def __init__(self, names):
            super().__init__()
            self.names, self.stem, self.stage = names, nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3, 2)

        def forward(self, x):
            maps = [fine := self.stem(x), self.stage(fine)]
            return dict(zip(self.names, maps, strict=True)) if self.names else maps

    assert receptive_field(Maps(None)).size == (5, 5)
    assert gradient_support(Maps(None), (1, 3, 11, 11)).sum() == 25
    assert receptive_field(Maps(["out", "aux"])).size == (3, 3)


class WritesIntoSlices(nn.Module):
    def forward(self, x):
        canvas = torch.zeros_like(x)
        canvas[:, :, 1:] += F.avg_pool2d(x, 3, 1, 1)[:, :, 1:]
        return canvas


def test_errors_say_what_to_do():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(KeyError, match=r"no layer 'conv1'.*there are: 0, 1, 2"):
        receptive_field(net, "conv1")
    with pytest.raises(ValueError, match=r"does not run on an input of shape \(1, 1, 8, 8\)"):
        receptive_field(net, input_shape=(1, 1, 8, 8))
    with pytest.raises(ValueError, match="before global pooling"):
        receptive_field(net, "1").window(0, 0)
    with pytest.raises(ValueError, match="name a layer before it"):
        gradient_map(net, (1, 3, 8, 8))
    with pytest.raises(ValueError, match=r"\[9, 0\] lies outside the 6×6 output"):
        gradient_map(net, (1, 3, 8, 8), layer="0", position=(9, 0))
    with pytest.raises(ValueError, match="writes into a slice"):
        receptive_field(WritesIntoSlices())
    with pytest.raises(ValueError, match="zero everywhere"):
        effective_size(torch.zeros(5, 5))
