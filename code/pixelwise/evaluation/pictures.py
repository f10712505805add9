"""Label a picture of any size by a network that was trained on pictures of one size.

The picture's shorter side is brought to that of the pictures that the network was trained on, for a network knows
things at the size at which it met them; or to a multiple of it, for small things far away, and then the picture is seen
through overlapping windows. The logits, not the labels, are then interpolated back to the picture's own size: labels
that are enlarged have steps for contours.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from ..data.augment import normalise
from ..data.palette import check_class_count
from .inference import predicted_labels, scores
from .tiles import overlap_tile

SMALLEST_SIDE, LONGEST_SIDE = 32, 4096
"""Bounds in pixels on what the network is shown, which matter for a picture that is a line."""

MOST_TIMES = 4
"""So many times the pixels of a training picture are shown at once at most, which matters for a panorama."""

ROWS = 256
"""Rows of the full-size picture that are labelled at once, so that memory stays small."""


def label(
    model: nn.Module, picture: Tensor, size: tuple[int, int], closer: int = 1, scales: Sequence[float] = (1.0,)
) -> Tensor:
    """Labels (H, W) uint8 of a picture (3, H, W) uint8, by a network that was trained on pictures of `size`.

    `closer` is how many training pictures high it is shown; above 1, a window at a time. With more than one of `scales`
    the answers at these sizes are averaged; see `inference.scores`.
    """
    device = next(model.parameters()).device
    scored = partial(scores, model, scales=scales)
    height, width = picture.shape[1:]
    images = normalise(resize(picture, working_size((height, width), size, closer))[None]).to(device)
    with torch.inference_mode():
        if closer == 1:
            logits = scored(images)
        else:
            side = window_side(size)
            logits = overlap_tile(scored, images, window=side, margin=side // 4, step=side // 2)
        return enlarge_and_label(logits[0], (height, width)).cpu()


def working_size(size: tuple[int, int], trained: tuple[int, int], closer: int = 1) -> tuple[int, int]:
    """The (height, width) to show: the picture's own shape, its shorter side `closer` times that of `trained`.

    It is less where that would be more than MOST_TIMES · closer² training pictures in pixels.
    """
    most = (MOST_TIMES * trained[0] * trained[1] / (size[0] * size[1])) ** 0.5
    factor = closer * min(min(trained) / min(size), most)
    height, width = (min(max(round(side * factor), SMALLEST_SIDE), LONGEST_SIDE) for side in size)
    return height, width


def window_side(trained: tuple[int, int]) -> int:
    """The side of the square windows: the shorter side of the training pictures, or the next multiple of 32 above."""
    return -(-min(trained) // 32) * 32


def resize(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """The picture (3, H, W) uint8 at another size, smoothed where it shrinks, as the training pictures were."""
    small = Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy()).resize(size[::-1], Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1)


def enlarge_and_label(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """argmax over the classes of logits (C, h, w), bilinearly interpolated to `size`: (H, W) uint8.

    The same as F.interpolate and argmax, but some rows at a time: all logits of a large photograph would fill memory.
    ValueError for more classes than uint8 can tell apart.
    """
    check_class_count(len(logits))
    height, width = size
    scale = logits.shape[1] / height
    wide = F.interpolate(logits[None], (logits.shape[1], width), mode="bilinear", align_corners=False)[0]
    labels = torch.empty(size, dtype=torch.uint8, device=logits.device)
    for top in range(0, height, ROWS):
        rows = torch.arange(top, min(top + ROWS, height), device=logits.device)
        place = ((rows + 0.5) * scale - 0.5).clamp(0, logits.shape[1] - 1)
        above = place.floor().long()
        below = (above + 1).clamp(max=logits.shape[1] - 1)
        share = (place - above).to(wide.dtype)[:, None]
        labels[rows] = predicted_labels(torch.lerp(wide[:, above], wide[:, below], share)[None])[0].to(torch.uint8)
    return labels
