"""Transposed convolution three ways: scatter, zero insertion, and the transpose of a matrix.

All three take the arguments of `torch.nn.functional.conv_transpose2d` and give its result:

    x (N, C_in, H, W), weight (C_in, C_out / groups, kh, kw), bias (C_out,) -> (N, C_out, H_out, W_out)
    H_out = (H - 1) * stride - 2 * padding + dilation * (kh - 1) + 1 + output_padding

The weight has the layout of the ordinary convolution that is transposed, which goes from C_out channels back to C_in.
It is the adjoint of that convolution, <A x, y> = <x, A' y>, and not its inverse. Source: Dumoulin and Visin 2016,
"A guide to convolution arithmetic for deep learning", arXiv:1603.07285, chapter 4.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, einsum

from .dilated_conv import Pair, insert_zeros, pair


def transposed_conv_scatter(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Every input pixel stamps the kernel, times its value, onto the output; stamps lie `stride` apart and add up."""
    height, width = transposed_size(x.shape[-2:], weight.shape[-2:], stride, padding, output_padding, dilation)
    weight = ungroup(weight, groups)  # (C_in, C_out, kh, kw)
    (stride_h, stride_w), (pad_h, pad_w), (dilation_h, dilation_w) = pair(stride), pair(padding), pair(dilation)
    canvas = x.new_zeros(x.shape[0], weight.shape[1], height + 2 * pad_h, width + 2 * pad_w)
    reach_h, reach_w = (x.shape[-2] - 1) * stride_h + 1, (x.shape[-1] - 1) * stride_w + 1
    for i in range(weight.shape[-2]):
        for j in range(weight.shape[-1]):  # one tap of all stamps at a time
            top, left = i * dilation_h, j * dilation_w
            ink = einsum("nihw,io->nohw", x, weight[:, :, i, j])
            canvas[:, :, top : top + reach_h : stride_h, left : left + reach_w : stride_w] += ink
    out = canvas[:, :, pad_h : pad_h + height, pad_w : pad_w + width]  # padding cuts the edge off
    return out if bias is None else out + bias[:, None, None]


def transposed_conv_zero_insertion(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Insert `stride - 1` zeros between the input pixels, then convolve with the flipped kernel at stride 1."""
    transposed_size(x.shape[-2:], weight.shape[-2:], stride, padding, output_padding, dilation)
    weight = ungroup(weight, groups).flip(-2, -1).transpose(0, 1)  # (C_out, C_in, kh, kw)
    (pad_h, pad_w), (dilation_h, dilation_w) = pair(padding), pair(dilation)
    extra_h, extra_w = pair(output_padding)
    border_h = dilation_h * (weight.shape[-2] - 1) - pad_h  # a full border lets every tap reach the first pixel
    border_w = dilation_w * (weight.shape[-1] - 1) - pad_w
    x = F.pad(insert_zeros(x, stride), (border_w, border_w + extra_w, border_h, border_h + extra_h))
    return F.conv2d(x, weight, bias, dilation=dilation)


def transposed_conv_matrix(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Multiply the flattened input by the transpose of the matrix of the ordinary convolution (see `conv_matrix`)."""
    size = transposed_size(x.shape[-2:], weight.shape[-2:], stride, padding, output_padding, dilation)
    weight = ungroup(weight, groups)
    matrix = _matrix(weight, size, x.shape[-2:], stride, padding, dilation)  # (C_in * H * W, C_out * H_out * W_out)
    out = (x.flatten(1) @ matrix).unflatten(1, (weight.shape[1], *size))
    return out if bias is None else out + bias[:, None, None]


def conv_matrix(
    weight: Tensor, size: Sequence[int], *, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1
) -> Tensor:
    """The matrix A of a convolution: A @ x.flatten() equals conv2d(x, weight).flatten() for one picture x.

    weight (C_out, C_in, kh, kw), size (H, W) of the input -> (C_out * H_out * W_out, C_in * H * W). Each row holds
    the kernel at the place where it sees the input; its transpose is the transposed convolution, and backpropagation.
    """
    settings = zip(size, weight.shape[-2:], pair(stride), pair(padding), pair(dilation), strict=True)
    size_out = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in settings]
    if min(size_out) < 1:
        raise ValueError(f"a {size[0]}×{size[1]} input is smaller than the kernel; enlarge it or add padding")
    return _matrix(weight, size, size_out, stride, padding, dilation)


def _matrix(
    weight: Tensor,
    size: Sequence[int],
    size_out: Sequence[int],
    stride: Pair,
    padding: Pair,
    dilation: Pair,
) -> Tensor:
    rows, columns = (
        _placement(*settings)  # (k, H_out, H) and (k, W_out, W): is tap k of output y the input x?
        for settings in zip(size, size_out, weight.shape[-2:], pair(stride), pair(padding), pair(dilation), strict=True)
    )
    matrix = einsum("oikl,kyh,lxw->oyxihw", weight, rows.to(weight), columns.to(weight))
    return matrix.flatten(3).flatten(0, 2)


def _placement(size: int, size_out: int, kernel: int, stride: int, padding: int, dilation: int) -> Tensor:
    position = torch.arange(size_out) * stride - padding + dilation * torch.arange(kernel)[:, None]
    return position[..., None] == torch.arange(size)


def ungroup(weight: Tensor, groups: int) -> Tensor:
    """The weight of a grouped transposed convolution as that of an ordinary one: zeros outside the groups' blocks.

    (C_in, C_out / groups, kh, kw) -> (C_in, C_out, kh, kw).
    """
    blocks = weight.unflatten(0, (groups, -1))  # (groups, C_in / groups, C_out / groups, kh, kw)
    full = weight.new_zeros(groups, blocks.shape[1], groups, *blocks.shape[2:])
    each = torch.arange(groups)
    full[each, :, each] = blocks
    return full.flatten(2, 3).flatten(0, 1)


def transposed_size(
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    dilation: Pair = 1,
) -> tuple[int, int]:
    """The (H_out, W_out) of a transposed convolution.

    Several input sizes of a strided convolution give the same output size: `output_padding` says which one to go back
    to, and must be smaller than the stride (or the dilation). ValueError if it is not, or if padding leaves nothing.
    """
    size_out = []
    settings = (size, kernel, pair(stride), pair(padding), pair(output_padding), pair(dilation))
    for n, k, s, p, extra, d in zip(*settings, strict=True):
        if not 0 <= extra < max(s, d):
            raise ValueError(f"output_padding is {extra}, but must be at least 0 and below stride {s} or dilation {d}")
        size_out.append((n - 1) * s - 2 * p + d * (k - 1) + 1 + extra)
    if min(size_out) < 1:
        raise ValueError(f"padding {padding} leaves an output of {size_out[0]}×{size_out[1]}; use less padding")
    height, width = size_out
    return height, width
