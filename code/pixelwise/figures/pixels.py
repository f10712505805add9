"""From labels to colours: what every picture of a mask is made of.

CamVid's published colours serve files; on screen several of them are hard to tell apart. DISPLAY_COLOURS were searched
for instead: under normal vision, protanopia, deuteranopia and tritanopia (Machado et al., 2009) no two are closer than
13 in CIEDE2000, and classes that often meet are at least 16 apart for the red-green blind.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from ..data.palette import CLASSES, VOID, check_class_count

DISPLAY_COLOURS = (
    (190, 228, 245),
    (172, 98, 16),
    (244, 240, 20),
    (112, 106, 127),
    (248, 200, 190),
    (33, 92, 70),
    (224, 150, 84),
    (0, 172, 184),
    (52, 86, 250),
    (122, 8, 22),
    (88, 12, 128),
)
"""sRGB 0-255, in the order of CLASSES."""
#: What void is drawn in, sRGB 0-255.
VOID_COLOUR = (11, 8, 22)
RIGHT_COLOUR, WRONG_COLOUR = (214, 224, 230), (196, 48, 20)
"""Colours of the error map: rightly and wrongly labelled pixels; void keeps VOID_COLOUR."""
LEVELS = range(0, 256, 17)
"""Of each channel, among which colours for further classes are searched."""

Colours = Sequence[tuple[int, int, int]]
"""sRGB 0-255, one a class."""


@lru_cache
def class_colours(count: int) -> tuple[tuple[int, int, int], ...]:
    """A colour, sRGB 0-255, for each of 1 to 255 classes: DISPLAY_COLOURS, and beyond them generated ones.

    Each further colour is the one of a grid that is farthest from all before it and from void's, so they are distinct
    and the same everywhere, and those of a class stay when classes are added. Distances are weighted by how much the
    eye makes of each channel (Riemersma's "redmean"), in whole numbers.
    """
    check_class_count(count)
    grid = np.stack(np.meshgrid(LEVELS, LEVELS, LEVELS, indexing="ij"), -1).reshape(-1, 3).astype(np.int64)
    colours = [VOID_COLOUR, *DISPLAY_COLOURS]
    nearest = np.min([_distances(grid, colour) for colour in colours], axis=0)
    while len(colours) <= count:
        colours.append(tuple(grid[nearest.argmax()].tolist()))
        nearest = np.minimum(nearest, _distances(grid, colours[-1]))
    return tuple(colours[1 : count + 1])


def _distances(colours: np.ndarray, other: tuple[int, int, int]) -> np.ndarray:
    """512 times the squared "redmean" distance of (N, 3) colours from another."""
    red = colours[:, 0] + other[0]
    square = (colours - other) ** 2
    return (1024 + red) * square[:, 0] + 2048 * square[:, 1] + (1534 - red) * square[:, 2]


def colourise(mask: ArrayLike, colours: Colours = DISPLAY_COLOURS) -> np.ndarray:
    """Paint labels: (..., H, W) of places in `colours` or 255, torch or numpy, to (..., H, W, 3) uint8."""
    lookup = np.zeros((256, 3), np.uint8)
    lookup[: len(colours)] = colours
    lookup[VOID] = VOID_COLOUR
    return lookup[as_labels(mask, count=len(colours))]


def blend(images: ArrayLike, masks: ArrayLike, alpha: float = 0.6, colours: Colours = DISPLAY_COLOURS) -> np.ndarray:
    """Lay masks over images, with weight `alpha` in 0-1 for the mask; void leaves the image as it is.

    images (N, 3, H, W) or (3, H, W) uint8, masks (N, H, W) or (H, W); returns (N, H, W, 3) uint8.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is {alpha}, expected 0 (only the image) to 1 (only the mask)")
    pictures, labels = as_pictures(images), as_batch(masks, count=len(colours))
    check_aligned("images", pictures[..., 0], "masks", labels)
    weight = alpha * (labels != VOID)[..., None]
    return np.rint(pictures * (1 - weight) + colourise(labels, colours) * weight).astype(np.uint8)


def mark_mistakes(predictions: ArrayLike, masks: ArrayLike, count: int = len(CLASSES)) -> np.ndarray:
    """Paint where a prediction is right, wrong, or not counted (void in the mask): (N, H, W) to (N, H, W, 3) uint8."""
    predicted, labels = as_batch(predictions, "predictions", count), as_batch(masks, count=count)
    check_aligned("predictions", predicted, "masks", labels)
    painted = np.where(
        (predicted == labels)[..., None], np.array(RIGHT_COLOUR, np.uint8), np.array(WRONG_COLOUR, np.uint8)
    )
    painted[labels == VOID] = VOID_COLOUR
    return painted


def as_array(values: ArrayLike) -> np.ndarray:
    """Return a tensor on any device, a list or an array as an array."""
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)


def as_labels(mask: ArrayLike, name: str = "mask", count: int = len(CLASSES)) -> np.ndarray:
    """Return labels (..., H, W) as uint8; ValueError unless they are integers below `count` or 255."""
    labels = as_array(mask)
    if labels.dtype.kind not in "iu":
        raise ValueError(f"{name} is {labels.dtype}, expected integer labels: take logits.argmax(1) first")
    if labels.ndim < 2:
        raise ValueError(f"{name} is of shape {labels.shape}, expected (H, W) or (N, H, W)")
    undefined = (labels != VOID) & ((labels < 0) | (labels >= count))
    if undefined.any():
        raise ValueError(
            f"{name} holds label {labels[undefined][0]}, expected 0-{count - 1} or {VOID} (void): "
            "was the palette converted?"
        )
    return labels.astype(np.uint8)


def as_batch(masks: ArrayLike, name: str = "masks", count: int = len(CLASSES)) -> np.ndarray:
    """Return masks as (N, H, W) uint8, also when there is one (H, W) only."""
    labels = as_labels(masks, name, count)
    if labels.ndim > 3:
        raise ValueError(f"{name} are of shape {labels.shape}, expected (N, H, W) or (H, W)")
    return labels[None] if labels.ndim == 2 else labels


def as_pictures(images: ArrayLike) -> np.ndarray:
    """Return images (N, 3, H, W) or (3, H, W) uint8 as (N, H, W, 3)."""
    pictures = as_array(images)
    if pictures.dtype != np.uint8:
        raise ValueError(f"images are {pictures.dtype}, expected uint8: show them as loaded, before normalise()")
    pictures = pictures[None] if pictures.ndim == 3 else pictures
    if pictures.ndim != 4 or pictures.shape[1] != 3:
        raise ValueError(f"images are of shape {pictures.shape}, expected (N, 3, H, W) or (3, H, W)")
    return pictures.transpose(0, 2, 3, 1)


def check_aligned(name: str, one: np.ndarray, other_name: str, other: np.ndarray) -> None:
    """Raise ValueError unless two batches (N, H, W) are of one shape."""
    if one.shape != other.shape:
        raise ValueError(f"{name} are {one.shape} and {other_name} {other.shape} as (N, H, W): they must agree")
