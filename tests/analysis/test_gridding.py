import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from pixelwise.analysis import coverage, gradient_support, hdc_distance, valid_taps
from tests.helpers.laws import assert_equal, heavy_law


@pytest.mark.parametrize(
    ("dilations", "percent"), [([2, 2, 2], 29), ([2, 4, 8], 27), ([1, 2, 9], 71), ([1, 2, 5], 100), ([1, 2, 4], 100)]
)
def test_coverage_of_known_rates(dilations, percent):
    assert round(100 * coverage(dilations)) == percent


@heavy_law
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.sampled_from([3, 5]))
def test_coverage_is_the_share_of_pixels_with_a_gradient(dilations, kernel):
    net = nn.Sequential(*(nn.Conv2d(1, 1, kernel, dilation=dilation) for dilation in dilations))
    for parameter in net.parameters():
        nn.init.ones_(parameter)
    side = 1 + (kernel - 1) * sum(dilations)
    support = gradient_support(net, (1, 1, side, side))
    assert support.double().mean().item() == pytest.approx(coverage(dilations, kernel))


def test_the_hdc_test_is_not_sufficient():
    assert hdc_distance([1, 2, 5]) == 2
    assert hdc_distance([1, 2, 9]) == 5  # fails the test M₂ <= 3
    assert hdc_distance([1, 5, 2]) == 8
    assert hdc_distance([2, 2, 2]) == 2  # passes it
    assert coverage([2, 2, 2]) < 0.3


@pytest.mark.parametrize(("dilation", "mean"), [(6, 6.95), (18, 3.64), (36, 1.0)])
def test_mean_valid_taps_on_33(dilation, mean):
    assert valid_taps(33, 33, dilation).double().mean().item() == pytest.approx(mean, abs=0.005)


@pytest.mark.parametrize(("dilation", "percent"), [(6, 27), (12, 0), (18, 0)])
def test_all_nine_taps_valid_on_22x30(dilation, percent):
    assert round(100 * (valid_taps(22, 30, dilation) == 9).double().mean().item()) == percent


@heavy_law
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 6), st.sampled_from([1, 3, 5]))
def test_valid_taps_are_what_a_kernel_of_ones_counts(height, width, dilation, kernel):
    ones, padding = torch.ones(1, 1, kernel, kernel), dilation * (kernel // 2)
    counted = nn.functional.conv2d(torch.ones(1, 1, height, width), ones, padding=padding, dilation=dilation)[0, 0]
    assert_equal(valid_taps(height, width, dilation, kernel).float(), counted)


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match="one for each layer"):
        coverage([])
    with pytest.raises(ValueError, match="two layers up"):
        hdc_distance([2])
