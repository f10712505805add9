"""A dense predictor gives, at every position, what the classifier gives on the patch there; and where it does not."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from pixelwise.models.patchnet import PatchNet
from pixelwise.ops import (
    atrous,
    convolutionalize,
    label_positions,
    linear_to_conv,
    output_stride,
    shift_and_stitch,
)
from tests.helpers.laws import assert_equal, heavy_law, randn


def randomise(net):
    """Float64 weights of a size that keeps activations alive, batch normalisation statistics away from 0 and 1."""
    net = net.double().eval()
    generator = torch.Generator().manual_seed(0)
    for name, tensor in net.state_dict().items():
        if tensor.is_floating_point():
            tensor.normal_(generator=generator)
            fan_in = tensor[0].numel() if tensor.ndim > 1 else 1
            tensor.mul_(fan_in**-0.5)
            if name.endswith("running_var"):
                tensor.abs_().add_(0.5)
    return net


def on_every_patch(classifier, image, patch, stride=1):
    """The classifier's logits on all patches of one image: (1, classes, h, w)."""
    patches = image.unfold(2, patch, stride).unfold(3, patch, stride)  # (1, C, h, w, patch, patch)
    _, channels, height, width = patches.shape[:4]
    logits = classifier(patches.permute(0, 2, 3, 1, 4, 5).reshape(-1, channels, patch, patch))
    return logits.unflatten(0, (1, height, width)).permute(0, 3, 1, 2)


@st.composite
def classifiers(draw):
    """A random classifier without padding, its patch size, and the window of its head if it pools globally."""
    layers, channels, geometry = [], 2, []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["conv", "conv", "max", "average"]))
        kernel, stride = draw(st.integers(1, 3)), draw(st.integers(1, 2))
        dilation = draw(st.integers(1, 2)) if kind != "average" else 1
        if kind == "conv":
            layers += [nn.Conv2d(channels, 3, kernel, stride, dilation=dilation), nn.BatchNorm2d(3), nn.ReLU()]
            channels = 3
        elif kind == "max":
            layers.append(nn.MaxPool2d(kernel, stride, dilation=dilation))
        else:
            layers.append(nn.AvgPool2d(kernel, stride))
        geometry.append((dilation * (kernel - 1) + 1, stride))
    layers += [nn.Conv2d(channels, 3, 1)]
    window = patch = draw(st.integers(1, 3))
    for extent, stride in reversed(geometry):
        patch = (patch - 1) * stride + extent
    pooled = draw(st.booleans())
    head = [nn.AdaptiveAvgPool2d(1)] if pooled else []
    size = 3 if pooled else 3 * window**2
    head += [nn.Flatten()]
    for _ in range(draw(st.integers(0, 2))):
        head += [nn.Linear(size, 5), nn.ReLU()]
        size = 5
    net = nn.Sequential(nn.Sequential(*layers), *head, nn.Linear(size, 4))
    return randomise(net), patch, window if pooled else None


@heavy_law
@given(classifiers(), st.integers(0, 5), st.integers(0, 5))
def test_random_classifiers_become_dense_predictors(case, extra_h, extra_w):
    classifier, patch, window = case
    dense = convolutionalize(classifier, window=window)
    stride = output_stride(dense)
    image = randn(1, 2, patch + stride - 1 + extra_h, patch + stride - 1 + extra_w)
    with torch.no_grad():
        assert_equal(dense(image), on_every_patch(classifier, image, patch, stride))
        everywhere = on_every_patch(classifier, image, patch)
        assert_equal(shift_and_stitch(dense, image), everywhere)
        assert_equal(atrous(dense)(image), everywhere)


@pytest.fixture(scope="module")
def patchnet():
    return randomise(PatchNet(num_classes=11, width=4, hidden=8))


@torch.no_grad()
def test_patchnet_at_every_fourth_and_at_every_pixel(patchnet):
    image = randn(1, 3, 43, 38)
    assert_equal(convolutionalize(patchnet)(image), on_every_patch(patchnet, image, 32, 4))
    everywhere = on_every_patch(patchnet, image, 32)
    assert_equal(shift_and_stitch(patchnet, image), everywhere)
    assert_equal(atrous(patchnet)(image), everywhere)


@torch.no_grad()
def test_first_fc_layer_becomes_5x5_and_the_size_of_the_map_is_right(patchnet):
    dense = convolutionalize(patchnet)
    kernels = [layer.kernel_size for layer in dense if isinstance(layer, nn.Conv2d)]
    assert kernels == [(3, 3)] * 4 + [(5, 5), (1, 1)]
    assert dense(randn(1, 3, 352, 480)).shape == (1, 11, 81, 113)
    assert len(label_positions(352, stride=4)) == 81
    assert len(label_positions(480, stride=4)) == 113


@torch.no_grad()
def test_the_copy_shares_nothing_with_the_classifier(patchnet):
    dense, patch = convolutionalize(patchnet), randn(1, 3, 32, 32)
    before = patchnet(patch)
    for parameter in dense.parameters():
        parameter.zero_()
    atrous(patchnet)[0].weight.zero_()
    assert torch.equal(patchnet(patch), before)


@torch.no_grad()
def test_linear_of_gap_is_the_mean_of_the_1x1_convolution():
    features, linear = randn(2, 6, 7, 9), nn.Linear(6, 4).double()
    assert_equal(linear_to_conv(linear)(features).mean((2, 3)), linear(features.mean((2, 3))))
    classifier = nn.Sequential(nn.Conv2d(6, 6, 3).double(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear)
    assert_equal(convolutionalize(classifier)(features).mean((2, 3)), classifier(features))


@torch.no_grad()
def test_vggs_adaptive_pool_to_a_window_is_left_out():
    classifier = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d((5, 5)), nn.Flatten(), nn.Linear(100, 2))
    randomise(classifier)
    image = randn(1, 3, 9, 10)
    assert_equal(convolutionalize(classifier)(image), on_every_patch(classifier, image, 7))


@torch.no_grad()
def test_what_breaks_the_equality(patchnet):
    image = randn(1, 3, 40, 40)
    expected = on_every_patch(patchnet, image, 32, 4)
    gap = lambda net: (net(image) - expected).abs().max()  # noqa: E731
    assert gap(convolutionalize(patchnet)) < 1e-12

    without_bias = convolutionalize(patchnet)
    without_bias[-1].bias.zero_()
    assert gap(without_bias) > 0.01

    batch_statistics = convolutionalize(patchnet).train()
    assert gap(batch_statistics) > 0.01


@torch.no_grad()
def test_padding_breaks_the_equality_inside_the_image():
    layers = [nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1)]
    classifier = randomise(nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)))
    image = randn(1, 3, 12, 12)
    dense = convolutionalize(classifier, window=8)
    gap = (dense(image) - on_every_patch(classifier, image, 8)).abs().amax(1)[0]
    assert gap.shape == (5, 5)
    assert gap.min() > 1e-3  # wrong everywhere: even at a corner two sides of the patch have neighbours


@torch.no_grad()
def test_an_impulse_comes_out_where_it_went_in():
    """A classifier that reads only pixel [16, 16] of its 32×32 patch puts an impulse back where it was."""
    linear = nn.Linear(32 * 32, 1, bias=False)
    linear.weight.zero_().view(32, 32)[16, 16] = 1
    dense = convolutionalize(nn.Sequential(nn.Flatten(), linear), window=32)
    image = torch.zeros(1, 1, 50, 60)
    image[0, 0, 23, 37] = 1
    rows, columns = label_positions(50), label_positions(60)
    labelled = torch.zeros(50, 60)
    labelled[rows[:, None], columns] = dense(image)[0, 0]
    assert torch.equal(labelled, image[0, 0])


def test_patchnet_reads_exactly_its_patch(patchnet):
    """The dense prediction [i, j] at stride 4 depends on rows 4i ... 4i + 31 and on no other."""
    image = randn(1, 3, 48, 48).requires_grad_()
    convolutionalize(patchnet)(image)[0, :, 2, 1].sum().backward()
    rows, columns = (image.grad.abs().sum(1)[0].sum(axis).nonzero().flatten() for axis in (1, 0))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 39, 4, 35)
    assert label_positions(48, stride=4)[2] == 8 + 16


@pytest.mark.parametrize(
    ("net", "error", "words"),
    [
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), TypeError, "without Flatten"),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten()), TypeError, "without Linear"),
        (
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(20, 2)),
            ValueError,
            "give convolutionalize.*window",
        ),
        (nn.Sequential(nn.Flatten(), nn.Linear(20, 2)), ValueError, "give convolutionalize.*window"),
        (nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.BatchNorm1d(2)), TypeError, "BatchNorm1d"),
    ],
)
def test_unfit_classifiers_are_explained(net, error, words):
    with pytest.raises(error, match=words):
        convolutionalize(net, window=2 if "BatchNorm1d" in words else None)


def test_other_errors_are_explained(patchnet):
    with pytest.raises(ValueError, match="PatchNet reads 32×32 patches, but got 64×48"):
        patchnet(randn(1, 3, 64, 48))
    with pytest.raises(ValueError, match="cannot read a 3×3 map"):
        linear_to_conv(nn.Linear(20, 2), 3)
    with pytest.raises(TypeError, match="Upsample"):
        atrous(nn.Sequential(nn.Upsample(scale_factor=2)))
    with pytest.raises(ValueError, match="average pool"):
        atrous(nn.Sequential(nn.AvgPool2d(3, padding=1)))
