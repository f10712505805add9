"""Label a picture of any size by a network that was trained on pictures of one size.

The picture is brought to about as many pixels as the network was trained on, for a network knows things at the size at
which it met them. Its logits, not its labels, are then interpolated back to the picture's own size: labels that are
enlarged have steps for contours.
"""

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from ..data.augment import normalise
from ..data.palette import check_class_count
from .inference import heads, predicted_labels

SMALLEST_SIDE, LONGEST_SIDE = 32, 4096
"""Bounds in pixels on what the network is shown, which matter for a picture that is a line."""

ROWS = 256
"""Rows of the full-size picture that are labelled at once, so that memory stays small."""


def label(model: nn.Module, picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Labels (H, W) uint8 of a picture (3, H, W) uint8, by a network that was trained on pictures of `size`."""
    device = next(model.parameters()).device
    height, width = picture.shape[1:]
    resized = resize(picture, working_size((height, width), size))
    with torch.inference_mode():
        logits = heads(model(normalise(resized[None]).to(device)))[0][0]  # (C, h, w)
        return enlarge_and_label(logits, (height, width)).cpu()


def working_size(size: tuple[int, int], trained: tuple[int, int]) -> tuple[int, int]:
    """The (height, width) to show: the picture's own shape, with as many pixels as the training pictures had."""
    factor = (trained[0] * trained[1] / (size[0] * size[1])) ** 0.5
    height, width = (min(max(round(side * factor), SMALLEST_SIDE), LONGEST_SIDE) for side in size)
    return height, width


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
