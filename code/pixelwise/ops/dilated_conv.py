"""Dilated (atrous) convolution by hand, twice: a kernel filled with zeros, and a gather of the taps.

A dilated convolution is an ordinary convolution whose taps stand `dilation` pixels apart (Yu and Koltun 2016,
arXiv:1511.07122). It multiplies as many values as before; only the extent of the input that it covers grows, from k to
dilation * (k - 1) + 1. Nothing is upsampled: it is a convolution, not a transposed one.
"""

import torch.nn.functional as F
from torch import Tensor, einsum

Pair = int | tuple[int, ...]  # one number for both axes, or (vertical, horizontal)


def pair(value: Pair) -> tuple[int, int]:
    """The vertical and the horizontal value of a setting that may be given as one number for both."""
    vertical, horizontal = (value, value) if isinstance(value, int) else value
    return vertical, horizontal


def insert_zeros(x: Tensor, step: Pair) -> Tensor:
    """Spread the values of the last two dimensions `step` apart, with zeros between them and none outside.

    (..., H, W) -> (..., (H - 1) * step + 1, (W - 1) * step + 1). On a kernel this makes a dilated convolution, on an
    input it makes a transposed one.
    """
    step_h, step_w = pair(step)
    height, width = x.shape[-2:]
    spread = x.new_zeros(*x.shape[:-2], (height - 1) * step_h + 1, (width - 1) * step_w + 1)
    spread[..., ::step_h, ::step_w] = x
    return spread


def dilated_conv_zeros(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, *, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1
) -> Tensor:
    """Dilated convolution as an ordinary one, with `dilation - 1` zeros inserted between the taps of the kernel.

    x (N, C_in, H, W), weight (C_out, C_in, kh, kw), bias (C_out,) -> (N, C_out, H_out, W_out), where
    H_out = (H + 2 * padding - dilation * (kh - 1) - 1) // stride + 1. Equals `torch.nn.functional.conv2d`.
    """
    return F.conv2d(x, insert_zeros(weight, dilation), bias, stride, padding)


def dilated_conv_taps(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, *, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1
) -> Tensor:
    """Dilated convolution as a sum over the taps: shift the picture under the tap, weigh it, add it up.

    Shapes as in `dilated_conv_zeros`, but no zero is ever multiplied: the cost does not depend on the dilation. Raises
    ValueError if the padded input is smaller than the extent of the kernel.
    """
    (stride_h, stride_w), (pad_h, pad_w), (dilation_h, dilation_w) = pair(stride), pair(padding), pair(dilation)
    kernel_h, kernel_w = weight.shape[-2:]
    x = F.pad(x, (pad_w, pad_w, pad_h, pad_h))
    room_h = x.shape[-2] - dilation_h * (kernel_h - 1) - 1  # how far the kernel can travel
    room_w = x.shape[-1] - dilation_w * (kernel_w - 1) - 1
    if min(room_h, room_w) < 0:
        raise ValueError(
            f"the kernel covers {x.shape[-2] - room_h}×{x.shape[-1] - room_w} pixels, but the padded input is only "
            f"{x.shape[-2]}×{x.shape[-1]}; use a smaller dilation or more padding"
        )
    out = x.new_zeros(())
    for i in range(kernel_h):
        for j in range(kernel_w):
            top, left = i * dilation_h, j * dilation_w
            under_tap = x[:, :, top : top + room_h + 1 : stride_h, left : left + room_w + 1 : stride_w]
            out = out + einsum("nihw,oi->nohw", under_tap, weight[:, :, i, j])  # (N, C_out, H_out, W_out)
    return out if bias is None else out + bias[:, None, None]
