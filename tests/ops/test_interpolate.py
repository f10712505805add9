import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from pixelwise.ops import bilinear, bilinear_kernel, bilinear_matrix, nearest, transposed_conv_scatter
from tests.helpers.laws import assert_equal, law, randn

sizes = st.tuples(st.integers(1, 12), st.integers(1, 12))


@law
@given(sizes, st.tuples(st.integers(1, 30), st.integers(1, 30)), st.booleans(), st.integers(0, 2**31))
def test_bilinear_equals_the_library(size, out, align_corners, seed):
    x = randn(2, 3, *size, seed=seed)
    expected = F.interpolate(x, out, mode="bilinear", align_corners=align_corners)
    assert_equal(bilinear(x, out, align_corners=align_corners), expected)


@law
@given(sizes, st.tuples(st.integers(1, 27), st.integers(1, 27)))  # at 28 and more the library rounds: see `nearest`
def test_nearest_equals_the_library(size, out):
    x = randn(1, 2, *size)
    assert torch.equal(nearest(x, out), F.interpolate(x, out, mode="nearest"))


@law
@given(st.integers(1, 20), st.integers(1, 40), st.booleans())
def test_a_constant_stays_constant(size, out, align_corners):
    matrix = bilinear_matrix(size, out, align_corners=align_corners)
    assert_equal(matrix.sum(1), torch.ones(out, dtype=torch.float64))


@law
@given(st.integers(1, 5), st.integers(1, 3), st.tuples(st.integers(3, 6), st.integers(3, 6)))
def test_bilinear_transposed_convolution_interpolates_in_the_interior(factor, channels, size):
    x, weight = randn(1, channels, *size), bilinear_kernel(channels, factor).double()
    up = transposed_conv_scatter(x, weight, stride=factor, padding=(weight.shape[-1] - factor) // 2)
    expected = bilinear(x, (size[0] * factor, size[1] * factor))
    inside = (..., slice(factor, -factor), slice(factor, -factor))
    assert_equal(up[inside], expected[inside], 1e-6)  # the kernel is float32


def test_bilinear_transposed_convolution_fades_at_the_border():
    up = transposed_conv_scatter(torch.ones(1, 1, 4, 4), bilinear_kernel(1, 2), stride=2, padding=1)
    assert up[0, 0, 0, 0] == 0.75**2
    assert bilinear(torch.ones(1, 1, 4, 4), (8, 8))[0, 0, 0, 0] == 1


def test_gradients_flow_through_bilinear():
    x = randn(1, 1, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: bilinear(x, (7, 5)), x)


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match="factor is 0"):
        bilinear_kernel(3, 0)
    with pytest.raises(ValueError, match="at least 1"):
        bilinear_matrix(4, 0)
