import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from pixelwise.ops import icnr_, nearest, pixel_shuffle, pixel_unshuffle
from tests.helpers.laws import law, randn

small = st.integers(1, 4)


@law
@given(small, small, small, small)
def test_shuffle_and_unshuffle_equal_the_library(factor, channels, height, width):
    x = randn(2, channels * factor**2, height, width)
    shuffled = pixel_shuffle(x, factor)
    assert torch.equal(shuffled, F.pixel_shuffle(x, factor))
    assert torch.equal(pixel_unshuffle(shuffled, factor), x)


@law
@given(st.integers(2, 4), small)
def test_icnr_starts_as_nearest_upsampling(factor, channels):
    weight = icnr_(torch.empty(channels * factor**2, 3, 3, 3, dtype=torch.float64), factor)
    x = randn(1, 3, 5, 6)
    expected = nearest(F.conv2d(x, weight[:: factor**2], padding=1), (5 * factor, 6 * factor))
    assert torch.allclose(pixel_shuffle(F.conv2d(x, weight, padding=1), factor), expected, rtol=0, atol=1e-12)
    assert weight.std() > 0


def test_wrong_sizes_are_explained():
    with pytest.raises(ValueError, match="multiple of 4"):
        pixel_shuffle(randn(1, 6, 2, 2), 2)
    with pytest.raises(ValueError, match="pad it"):
        pixel_unshuffle(randn(1, 1, 3, 4), 2)
    with pytest.raises(ValueError, match="blocks of 9"):
        icnr_(torch.empty(12, 1, 1, 1), 3)
