"""Max-pooling that remembers where each maximum stood, and the unpooling that puts it back there.

Sources: Zeiler and Fergus 2014, arXiv:1311.2901 (switches); Badrinarayanan et al. 2015, arXiv:1511.00561 (SegNet).
"""

from collections.abc import Sequence

from torch import Tensor

from .dilated_conv import Pair, pair


def max_pool_with_indices(x: Tensor, kernel: Pair, stride: Pair | None = None) -> tuple[Tensor, Tensor]:
    """The maximum of each window and its place, as `torch.nn.functional.max_pool2d(return_indices=True)` gives them.

    (N, C, H, W) -> two (N, C, H_out, W_out): the values, and the int64 flat index row * W + column of each in x.
    ValueError if x is smaller than the window.
    """
    (kernel_h, kernel_w), (stride_h, stride_w) = pair(kernel), pair(kernel if stride is None else stride)
    height, width = x.shape[-2:]
    if height < kernel_h or width < kernel_w:
        raise ValueError(f"a {height}×{width} map has no {kernel_h}×{kernel_w} window; pool less or enlarge the input")
    windows = x.unfold(2, kernel_h, stride_h).unfold(3, kernel_w, stride_w).flatten(4)  # (N, C, H_out, W_out, kh * kw)
    values, within = windows.max(dim=-1)
    row = within.new_tensor(range(windows.shape[2]))[:, None] * stride_h + within // kernel_w
    column = within.new_tensor(range(windows.shape[3])) * stride_w + within % kernel_w
    return values, row * width + column


def max_unpool(values: Tensor, indices: Tensor, size: Sequence[int]) -> Tensor:
    """Put each value back at the place it was taken from; every other pixel is zero.

    values and indices (N, C, h, w) from `max_pool_with_indices`, size (H, W) of what was pooled -> (N, C, H, W).
    ValueError if an index lies outside that size. Equals `torch.nn.functional.max_unpool2d`.
    """
    height, width = size
    if indices.numel() and indices.max() >= height * width:
        raise ValueError(f"index {indices.max()} lies outside {height}×{width}; give the size that was pooled")
    empty = values.new_zeros(*values.shape[:2], height * width)
    return empty.scatter(2, indices.flatten(2), values.flatten(2)).unflatten(2, (height, width))
