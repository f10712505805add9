import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st

from pixelwise.ops import dilated_conv_taps, dilated_conv_zeros, insert_zeros
from tests.helpers.laws import assert_equal, law, randn

two = lambda low, high: st.tuples(st.integers(low, high), st.integers(low, high))  # noqa: E731


@law
@given(two(1, 4), two(1, 9), two(1, 3), two(0, 3), two(1, 4), st.booleans(), st.integers(0, 2**31))
def test_both_ways_equal_the_library(kernel, size, stride, padding, dilation, with_bias, seed):
    fits = [n + 2 * p > d * (k - 1) for n, p, d, k in zip(size, padding, dilation, kernel, strict=True)]
    assume(all(fits))
    x, weight = randn(2, 3, *size, seed=seed), randn(2, 3, *kernel, seed=seed + 1)
    bias = randn(2, seed=seed + 2) if with_bias else None
    setting = {"stride": stride, "padding": padding, "dilation": dilation}
    expected = F.conv2d(x, weight, bias, **setting)
    assert_equal(dilated_conv_zeros(x, weight, bias, **setting), expected)
    assert_equal(dilated_conv_taps(x, weight, bias, **setting), expected)


def test_inserted_zeros_stand_between_the_values():
    x = torch.tensor([[1, 2], [3, 4]])
    assert insert_zeros(x, (2, 3)).tolist() == [[1, 0, 0, 2], [0, 0, 0, 0], [3, 0, 0, 4]]


def test_too_small_an_input_is_explained():
    with pytest.raises(ValueError, match="covers 9×9 pixels, but the padded input is only 7×7"):
        dilated_conv_taps(randn(1, 1, 5, 5), randn(1, 1, 3, 3), padding=1, dilation=4)
