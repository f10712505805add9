"""Overlap-tile: a picture of any size through a window of fixed size, without a seam.

Ronneberger et al., U-Net (2015), figure 2. What a window lacks at the edge of the picture is mirrored, and of what it
predicts only the part is kept that saw all of its surroundings.
"""

from collections.abc import Callable

import torch
from torch import Tensor


def overlap_tile(network: Callable[[Tensor], Tensor], images: Tensor, *, window: int, margin: int, step: int) -> Tensor:
    """Logits (N, K, H, W) for images (N, C, H, W) of any size, from windows of window × window pixels, `step` apart.

    The network may be valid, and shrink its input by `margin` pixels on each side, or padded, and keep the size: then
    `margin` pixels of its output are cut off on each side. ValueError when step is larger than what is left of a
    window, or the network does something else.

    The result equals one run over the whole mirrored picture if step is a multiple of the network's stride, and, for a
    padded network, if margin is at least the reach of its receptive field to either side.
    """
    inner = window - 2 * margin
    if not 0 < step <= inner:
        raise ValueError(
            f"step is {step}, but a window of {window} with a margin of {margin} leaves {inner} pixels: "
            f"choose a step from 1 to {inner}"
        )
    height, width = images.shape[-2:]
    rows, columns = (-(-side // step) for side in (height, width))
    tall, wide = ((count - 1) * step + inner for count in (rows, columns))
    padded = mirror(images, (margin, margin + tall - height), (margin, margin + wide - width))
    bands = []
    for top in range(0, rows * step, step):
        parts = [_run(network, padded, top, left, window, inner, step) for left in range(0, columns * step, step)]
        bands.append(torch.cat(parts, 3))
    return torch.cat(bands, 2)[..., :height, :width]


def _run(
    network: Callable[[Tensor], Tensor], padded: Tensor, top: int, left: int, window: int, inner: int, step: int
) -> Tensor:
    """Logits of one window's first step × step inner pixels."""
    logits = network(padded[..., top : top + window, left : left + window])
    cut = {inner: 0, window: (window - inner) // 2}.get(logits.shape[-1])
    if cut is None or logits.shape[-1] != logits.shape[-2]:
        raise ValueError(
            f"the network turned {window}×{window} into {logits.shape[-2]}×{logits.shape[-1]}; "
            f"expected {inner}×{inner} (valid) or {window}×{window} (padded)"
        )
    return logits[..., cut : cut + step, cut : cut + step]


def mirror(images: Tensor, rows: tuple[int, int], columns: tuple[int, int]) -> Tensor:
    """Images (..., H, W) continued by reflection, the edge not repeated, by so many rows (above, below) and columns.

    Further than one picture the reflection is reflected again; a negative number cuts off.
    """
    places = [
        _reflected(side, *more, images.device) for side, more in zip(images.shape[-2:], (rows, columns), strict=True)
    ]
    return images[..., places[0][:, None], places[1]]


def _reflected(side: int, before: int, after: int, device: torch.device) -> Tensor:
    period = max(2 * (side - 1), 1)
    places = torch.arange(-before, side + after, device=device) % period
    return torch.where(places < side, places, period - places)
