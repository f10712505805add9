"""PixelShuffle: upsampling as a rearrangement of channels, and the initialisation that keeps it free of checkerboards.

Sources: Shi et al. 2016, arXiv:1609.05158 (sub-pixel convolution); Aitken et al. 2017, arXiv:1707.02937 (ICNR).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def pixel_shuffle(x: Tensor, factor: int) -> Tensor:
    """Lay each group of factor² channels out as a factor × factor block of pixels.

    (N, C * factor², H, W) -> (N, C, H * factor, W * factor): output pixel (y, x) of channel c comes from channel
    c * factor² + (y % factor) * factor + x % factor. ValueError if the channels do not divide.
    """
    if x.shape[1] % factor**2:
        raise ValueError(f"{x.shape[1]} channels cannot be shuffled by {factor}; give a multiple of {factor**2}")
    blocks = x.unflatten(1, (-1, factor, factor))  # (N, C, factor, factor, H, W)
    return blocks.permute(0, 1, 4, 2, 5, 3).flatten(4).flatten(2, 3)


def pixel_unshuffle(x: Tensor, factor: int) -> Tensor:
    """The inverse of `pixel_shuffle`: (N, C, H, W) -> (N, C * factor², H / factor, W / factor)."""
    if x.shape[-2] % factor or x.shape[-1] % factor:
        raise ValueError(f"a {x.shape[-2]}×{x.shape[-1]} map cannot be unshuffled by {factor}; pad it to a multiple")
    blocks = x.unflatten(3, (-1, factor)).unflatten(2, (-1, factor))  # (N, C, H, factor, W, factor)
    return blocks.permute(0, 1, 3, 5, 2, 4).flatten(1, 3)


@torch.no_grad()
def icnr_(weight: Tensor, factor: int, init: Callable[[Tensor], object] = nn.init.kaiming_normal_) -> Tensor:
    """Fill the weight of a convolution that feeds `pixel_shuffle` so that it starts as nearest upsampling.

    weight (C * factor², C_in, kh, kw) is filled in place: one kernel is drawn by `init` for each output channel and
    repeated for the factor² pixels of its block, which are therefore equal and show no checkerboard. Returns weight.
    """
    if weight.shape[0] % factor**2:
        raise ValueError(f"{weight.shape[0]} output channels do not divide into blocks of {factor**2}")
    shared = torch.empty_like(weight[:: factor**2])
    init(shared)
    return weight.copy_(shared.repeat_interleave(factor**2, dim=0))
