"""Nearest and bilinear interpolation by hand, and the transposed convolution that equals the bilinear one.

Where in the input does output pixel i look? A pixel is a small square, so the picture spans n units, and two
conventions exist for laying n_out squares over n_in:

    align_corners=False   the pictures' *edges* coincide:            (i + 1/2) * n_in / n_out - 1/2
    align_corners=True    the *centres* of the corner pixels do:     i * (n_in - 1) / (n_out - 1)

With False the scale is exactly n_in / n_out whatever the size, the outermost outputs lie outside the outermost centres
and repeat the edge. With True nothing is extrapolated, but the scale changes with the size, so that a network
interpolates differently at another resolution.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, einsum


def nearest(x: Tensor, size: Sequence[int]) -> Tensor:
    """Output pixel i copies input pixel floor(i * n_in / n_out).

    (N, C, H, W) -> (N, C, *size). Equals `torch.nn.functional.interpolate(mode="nearest")` except where PyTorch's
    single-precision scale rounds a whole i * n_in / n_out down (at 28 -> 76 and the like, never at whole factors).
    """
    rows, columns = (torch.arange(out, device=x.device) * n // out for n, out in zip(x.shape[-2:], size, strict=True))
    return x[:, :, rows[:, None], columns]


def bilinear(x: Tensor, size: Sequence[int], *, align_corners: bool = False) -> Tensor:
    """Each output pixel is a weighted mean of the four input pixels around the place where it looks.

    (N, C, H, W) -> (N, C, *size). Separable: a matrix on the rows and one on the columns, R @ x @ C'. Equals
    `torch.nn.functional.interpolate(mode="bilinear")`, without antialiasing.
    """
    rows, columns = (
        bilinear_matrix(n, out, align_corners=align_corners).to(x) for n, out in zip(x.shape[-2:], size, strict=True)
    )
    return einsum("yh,nchw,xw->ncyx", rows, x, columns)


def bilinear_matrix(size_in: int, size_out: int, *, align_corners: bool = False) -> Tensor:
    """The (size_out, size_in) float64 matrix that interpolates a line; every row sums to one."""
    if min(size_in, size_out) < 1:
        raise ValueError(f"cannot interpolate {size_in} pixels to {size_out}; both sizes must be at least 1")
    position = source_position(size_in, size_out, align_corners=align_corners).clamp(0, size_in - 1)
    return (1 - (position[:, None] - torch.arange(size_in)).abs()).clamp(min=0)  # a tent over each input pixel


def source_position(size_in: int, size_out: int, *, align_corners: bool = False) -> Tensor:
    """Where each output pixel looks, in input pixels: (size_out,) float64; may lie up to 1/2 outside the centres."""
    i = torch.arange(size_out, dtype=torch.float64)
    if align_corners:
        return i * (size_in - 1) / max(size_out - 1, 1)
    return (i + 0.5) * size_in / size_out - 0.5


def bilinear_kernel(channels: int, factor: int) -> Tensor:
    """The weight that makes a transposed convolution interpolate bilinearly, each channel on its own.

    Returns (channels, channels, k, k), float32, with k = 2 * factor - factor % 2, for `stride=factor` and
    `padding=(k - factor) // 2`; H becomes H * factor. It equals `bilinear` with align_corners False wherever the
    output is at least `factor` pixels inside: at the border a transposed convolution fades into the zeros outside.
    FCN starts its learned upsampling so (Long et al. 2015, arXiv:1411.4038, section 3.3).
    """
    if factor < 1:
        raise ValueError(f"the upsampling factor is {factor}, but must be a whole number of at least 1")
    size = 2 * factor - factor % 2
    tent = 1 - (torch.arange(size) - (size - 1) / 2).abs() / factor  # 2: 1/4 3/4 3/4 1/4, 3: 1/3 2/3 1 2/3 1/3
    return torch.eye(channels)[:, :, None, None] * torch.outer(tent, tent)
