"""Why a transposed convolution leaves a checkerboard, and how strong it is: overlaps, phase sums, spectral energy.

Output pixel o of a transposed convolution belongs to phase (o + padding) % stride, and only the taps t of the kernel
with t % stride == phase ever reach it. How *many* there are is the overlap count (Odena et al. 2016, Distill,
doi:10.23915/distill.00003); equal counts need a kernel divisible by the stride. But what a constant input comes out as
is the *sum* of the taps of each phase: it stays constant if and only if these sums are equal, whatever the counts.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def overlap_counts(kernel: int, stride: int) -> list[int]:
    """How many input pixels reach an output pixel of each phase 0 ... stride - 1, along one axis: ceil((k - p) / s).

    Kernel 3 at stride 2 gives [2, 1], kernel 4 [2, 2]; kernel 2 at stride 3 gives [1, 1, 0]: gaps.
    """
    if min(kernel, stride) < 1:
        raise ValueError(f"kernel {kernel} and stride {stride} must both be at least 1")
    return [-((phase - kernel) // stride) for phase in range(stride)]


def overlap_map(kernel: int, stride: int, size: int) -> Tensor:
    """The overlap counts as they lie in two dimensions: what an all-ones kernel makes of a size × size map of ones.

    Returns (H_out, H_out) int64 with H_out = (size - 1) * stride + kernel, the borders included.
    """
    ones = torch.ones(1, 1, size, size)
    return F.conv_transpose2d(ones, torch.ones(1, 1, kernel, kernel), stride=stride)[0, 0].long()


def phase_sums(weight: Tensor, stride: int) -> Tensor:
    """The sums of the taps of a transposed convolution's kernel over each stride phase.

    weight (C_in, C_out, kh, kw) -> (C_in, C_out, stride, stride). Away from the borders, a constant c on input channel
    i comes out of channel o as c * sums[i, o, phase].
    """
    grid = [
        torch.stack([weight[..., i::stride, j::stride].sum((-2, -1)) for j in range(stride)], -1) for i in range(stride)
    ]
    return torch.stack(grid, -2)


def keeps_constants(weight: Tensor, stride: int, tolerance: float = 1e-6) -> bool:
    """Does every constant input come out constant, borders aside? The exact criterion for no checkerboard.

    True if the phase sums of each pair of channels differ by at most `tolerance` of the largest weight. At stride 2 the
    kernel [.5, 1, .5] passes though its overlaps are uneven, and a random one of size 4 fails though they are even.
    """
    sums = phase_sums(weight, stride).flatten(2)
    spread = (sums.amax(-1) - sums.amin(-1)).max()
    return bool(spread <= tolerance * weight.abs().max())


def stride_energy(x: Tensor, stride: int) -> Tensor:
    """The share of a picture's variance that repeats with the stride: 0 is no checkerboard, 1 nothing else.

    (..., H, W) -> (...): spectral power at the frequencies that are multiples of 1 / stride along either axis, over all
    power but the mean's; the picture is first cut to a multiple of the stride. White noise has about
    (stride² - 1) / (H * W - 1), and a constant picture 0. Cut the borders off before measuring: they are not periodic.
    ValueError if the stride is below 2 or the picture smaller than two strides.
    """
    height, width = (size // stride * stride for size in x.shape[-2:])
    if stride < 2 or min(height, width) < 2 * stride:
        raise ValueError(
            f"a {x.shape[-2]}×{x.shape[-1]} picture shows no frequency 1/{stride}; give at least two periods"
        )
    x = x[..., :height, :width]
    power = torch.fft.fft2(x - x.mean((-2, -1), keepdim=True), norm="forward").abs().square()
    total = power.sum((-2, -1))
    at_stride = power[..., :: height // stride, :: width // stride].sum((-2, -1))
    rounding = torch.finfo(x.dtype).eps ** 2 * x.square().mean((-2, -1))
    return torch.where(total > 100 * rounding, at_stride / total, 0)
