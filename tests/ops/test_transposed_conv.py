import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st

from pixelwise.ops import (
    conv_matrix,
    transposed_conv_matrix,
    transposed_conv_scatter,
    transposed_conv_zero_insertion,
    transposed_size,
)
from tests.helpers.laws import assert_equal, law, randn

WAYS = [transposed_conv_scatter, transposed_conv_zero_insertion, transposed_conv_matrix]


@st.composite
def transposed_convolutions(draw):
    """A random input, weight, bias and setting for which the output is not empty; other on the two axes."""
    groups = draw(st.integers(1, 2))
    numbers = {
        "stride": st.integers(1, 4),
        "padding": st.integers(0, 4),
        "output_padding": st.integers(0, 3),
        "dilation": st.integers(1, 3),
    }
    setting = {name: (draw(values), draw(values)) for name, values in numbers.items()}
    kernel, size = (
        (draw(st.integers(1, 4)), draw(st.integers(1, 4))),
        (draw(st.integers(1, 5)), draw(st.integers(1, 5))),
    )
    try:
        transposed_size(size, kernel, *setting.values())
    except ValueError:
        assume(False)
    seed = draw(st.integers(0, 2**31))
    x = randn(2, 2 * groups, *size, seed=seed)
    weight = randn(2 * groups, draw(st.integers(1, 2)), *kernel, seed=seed + 1)
    bias = draw(st.sampled_from([None, randn(weight.shape[1] * groups, seed=seed + 2)]))
    return x, weight, bias, setting | {"groups": groups}


@law
@given(transposed_convolutions())
def test_three_ways_equal_the_library(case):
    x, weight, bias, setting = case
    expected = F.conv_transpose2d(x, weight, bias, **setting)
    for way in WAYS:
        assert_equal(way(x, weight, bias, **setting), expected)


@law
@given(transposed_convolutions())
def test_it_is_the_adjoint_of_the_convolution(case):
    y, weight, _, setting = case
    back = {name: value for name, value in setting.items() if name != "output_padding"}
    transposed = [way(y, weight, **setting) for way in WAYS]
    x = randn(*transposed[0].shape)
    there = F.conv2d(x, weight, **back)[:, :, : y.shape[2], : y.shape[3]]  # output_padding >= stride adds positions
    for across in transposed:
        assert (there * y).sum().item() == pytest.approx((x * across).sum().item(), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("way", WAYS)
def test_gradients_flow_through(way):
    x, weight, bias = randn(1, 2, 3, 3).requires_grad_(), randn(2, 3, 3, 3).requires_grad_(), randn(3).requires_grad_()
    setting = {"stride": 2, "padding": 1, "output_padding": 1}
    ours = torch.autograd.grad(way(x, weight, bias, **setting).square().sum(), (x, weight, bias))
    theirs = torch.autograd.grad(F.conv_transpose2d(x, weight, bias, **setting).square().sum(), (x, weight, bias))
    for actual, expected in zip(ours, theirs, strict=True):
        assert_equal(actual, expected)


def test_the_matrix_is_the_convolution():
    x, weight = randn(1, 2, 5, 7), randn(3, 2, 3, 2)
    setting = {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2)}
    expected = F.conv2d(x, weight, **setting)
    assert_equal((conv_matrix(weight, (5, 7), **setting) @ x.flatten()).view_as(expected), expected)


def test_it_is_no_inverse():
    x, weight = randn(1, 1, 6, 6), randn(1, 1, 3, 3)
    assert (transposed_conv_scatter(F.conv2d(x, weight), weight) - x).abs().max() > 0.1


def test_at_stride_one_it_is_a_convolution_with_the_flipped_kernel():
    x, weight = randn(1, 1, 5, 5), randn(1, 1, 3, 3)
    assert_equal(transposed_conv_scatter(x, weight, padding=1), F.conv2d(x, weight.flip(-2, -1), padding=1))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("setting", "words"), [({"output_padding": 2}, "below stride 2"), ({"padding": 9}, "padding")])
def test_errors_say_what_to_do(way, setting, words):
    with pytest.raises(ValueError, match=words):
        way(randn(1, 1, 3, 3), randn(1, 1, 3, 3), stride=2, **setting)
