import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from pixelwise.ops import max_pool_with_indices, max_unpool
from tests.helpers.laws import law, randn

small = st.tuples(st.integers(1, 3), st.integers(1, 3))


@law
@given(small, small, st.tuples(st.integers(3, 9), st.integers(3, 9)), st.integers(0, 2**31))
def test_pooling_and_unpooling_equal_the_library(kernel, stride, size, seed):
    x = randn(2, 3, *size, seed=seed)
    values, indices = max_pool_with_indices(x, kernel, stride)
    expected_values, expected_indices = F.max_pool2d(x, kernel, stride, return_indices=True)
    assert torch.equal(values, expected_values)
    assert torch.equal(indices, expected_indices)
    expected = F.max_unpool2d(values, indices, kernel, stride, output_size=size)
    assert torch.equal(max_unpool(values, indices, size), expected)


def test_the_gradient_goes_back_to_the_maxima():
    x = randn(1, 1, 4, 4).requires_grad_()
    values, indices = max_pool_with_indices(x, 2)
    max_unpool(values, indices, (4, 4)).sum().backward()
    assert x.grad.flatten().nonzero().flatten().tolist() == sorted(indices.flatten().tolist())


def test_wrong_sizes_are_explained():
    values, indices = max_pool_with_indices(torch.arange(16.0).view(1, 1, 4, 4), 2)
    with pytest.raises(ValueError, match="lies outside 2×4"):
        max_unpool(values, indices, (2, 4))
    with pytest.raises(ValueError, match="no 5×5 window"):
        max_pool_with_indices(torch.zeros(1, 1, 4, 4), 5)
