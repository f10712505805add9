import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from pixelwise.analysis import keeps_constants, overlap_counts, overlap_map, phase_sums, stride_energy
from pixelwise.ops import bilinear_kernel, icnr_, nearest, pixel_shuffle
from tests.helpers.laws import assert_equal, law, randn

small = st.integers(1, 6)


@law
@given(small, small)
def test_overlap_formula_equals_the_count(kernel, stride):
    counts = torch.tensor(overlap_counts(kernel, stride))
    counted = overlap_map(kernel, stride, 10)
    inside = range(kernel, len(counted) - kernel)  # every stamp that could reach these pixels is there
    phases = torch.tensor([i % stride for i in inside])
    interior = counted[inside.start : inside.stop, inside.start : inside.stop]
    assert torch.equal(interior, torch.outer(counts[phases], counts[phases]))


def test_overlaps_of_known_kernels():
    assert overlap_counts(3, 2) == [2, 1]
    assert overlap_counts(4, 2) == [2, 2]
    assert overlap_counts(2, 3) == [1, 1, 0]
    assert overlap_map(3, 2, 4)[2:-2, 2:-2].unique().tolist() == [1, 2, 4]


@st.composite
def kernels(draw):
    """A random kernel and stride; half of the time the phase sums are made equal."""
    kernel, stride, channels = draw(small), draw(st.integers(1, 4)), draw(st.integers(1, 2))
    weight = randn(channels, 2, kernel, kernel, seed=draw(st.integers(0, 2**31)))
    if draw(st.booleans()) and kernel >= stride:
        sums = phase_sums(weight, stride)
        weight[..., :stride, :stride] += 1 - sums  # the first stride × stride taps stand in one phase each
    return weight, stride


@law
@given(kernels())
def test_constants_stay_constant_if_and_only_if_the_phase_sums_are_equal(case):
    weight, stride = case
    kernel = weight.shape[-1]
    channels = torch.eye(len(weight), dtype=torch.float64)[:, :, None, None].expand(-1, -1, 12, 12)
    out = F.conv_transpose2d(channels, weight, stride=stride)  # one picture for a constant 1 on each channel
    inside = out[..., kernel : 11 * stride, kernel : 11 * stride]
    is_constant = bool((inside.amax((2, 3)) - inside.amin((2, 3))).max() < 1e-9)
    assert keeps_constants(weight, stride, 1e-9) == is_constant


@law
@given(kernels())
def test_phase_sums_are_what_a_constant_becomes(case):
    weight, stride = case
    kernel = weight.shape[-1]
    start = -(-kernel // stride) * stride  # the first interior pixel of phase 0
    out = F.conv_transpose2d(torch.ones(1, len(weight), 12, 12, dtype=torch.float64), weight, stride=stride)
    period = out[0, :, start : start + stride, start : start + stride]
    assert_equal(phase_sums(weight, stride).sum(0), period)


def test_counts_are_not_the_criterion():
    tent = torch.tensor([0.5, 1, 0.5])
    assert overlap_counts(3, 2) == [2, 1]
    assert keeps_constants(torch.outer(tent, tent)[None, None], 2)
    assert overlap_counts(4, 2) == [2, 2]
    assert not keeps_constants(randn(1, 1, 4, 4), 2)


@pytest.mark.parametrize("factor", [2, 3, 4, 5])
def test_bilinear_kernels_keep_constants(factor):
    assert keeps_constants(bilinear_kernel(2, factor), factor)


@law
@given(st.integers(2, 4), st.integers(0, 2**31))
def test_stride_energy_is_the_share_of_the_phase_means(stride, seed):
    x = randn(2, 4 * stride, 5 * stride, seed=seed)
    phases = x.unflatten(2, (5, stride)).unflatten(1, (4, stride)).mean((1, 3))  # (2, stride, stride)
    expected = phases.var((1, 2), correction=0) / x.var((1, 2), correction=0)
    assert_equal(stride_energy(x, stride), expected)


def test_energy_at_random_initialisation():
    """Transposed 3×3 at stride 2 peaks at the stride frequency; nearest + convolution and ICNR do not."""
    x = nearest(randn(4, 8, 6, 6), (24, 24)) + 1  # smooth pictures, not noise
    transposed = F.conv_transpose2d(x, randn(8, 8, 3, 3), stride=2)[..., 4:-4, 4:-4]
    resized = F.conv2d(nearest(x, (48, 48)), randn(8, 8, 3, 3))[..., 4:-4, 4:-4]
    shuffled = pixel_shuffle(F.conv2d(x, icnr_(torch.empty(32, 8, 3, 3).double(), 2)), 2)[..., 4:-4, 4:-4]
    energy = [stride_energy(picture, 2).mean() for picture in (transposed, resized, shuffled)]
    assert energy[0] > 20 * max(energy[1:])


def test_extremes_of_the_energy():
    stripes = torch.tensor([0.0, 1.0]).repeat(4).expand(8, 8)
    assert stride_energy(stripes, 2) == 1
    assert stride_energy(torch.full((8, 8), 0.1), 2) == 0


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match="two periods"):
        stride_energy(torch.zeros(8, 5), 3)
    with pytest.raises(ValueError, match="at least 1"):
        overlap_counts(0, 2)
