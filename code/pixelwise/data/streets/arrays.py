"""Functions over pixels that come out the same on every machine.

They are + - * / sqrt, floor and comparisons in float64, one operation at a time, each of which IEEE 754 defines to the
last bit.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .colours import Colour

FloatArray: TypeAlias = NDArray[np.float64]
ByteArray: TypeAlias = NDArray[np.uint8]
Field: TypeAlias = Callable[[FloatArray, FloatArray], FloatArray]
"""A value for each pixel, from its x (w,) and y (h, 1)."""

LATTICE = 32
"""Cells to a side of the periodic lattice of noise."""


def clip(value: FloatArray, low: float = 0.0, high: float = 1.0) -> FloatArray:
    """np.clip without its overhead, which small arrays feel."""
    return np.minimum(np.maximum(value, low), high)


def band(value: FloatArray, low: float, high: float, pixel: FloatArray) -> FloatArray:
    """The share of a pixel of this width at `value` that lies between low and high."""
    half = 0.5 * pixel
    return np.maximum(np.minimum(value + half, high) - np.maximum(value - half, low), 0.0) / pixel


def value_noise(lattice: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """Smooth noise in [0, 1) from a periodic lattice (LATTICE, LATTICE), one cell a unit; x and y broadcast.

    A row x (w,) with a column y (h, 1) takes a shorter way: between the lattice's rows first, then along them.
    """
    left, top = np.floor(x), np.floor(y)
    u, v = x - left, y - top
    u, v = u * u * (3.0 - 2.0 * u), v * v * (3.0 - 2.0 * v)
    i, j = left.astype(np.int64) & (LATTICE - 1), top.astype(np.int64) & (LATTICE - 1)
    i1, j1 = (i + 1) & (LATTICE - 1), (j + 1) & (LATTICE - 1)
    if x.ndim == 1 and y.shape[-1] == 1:
        rows = lattice[j[:, 0]]
        rows += v * (lattice[j1[:, 0]] - rows)
        start = rows[:, i]
        return start + u * (rows[:, i1] - start)
    upper = lattice[j, i] + u * (lattice[j, i1] - lattice[j, i])
    lower = lattice[j1, i] + u * (lattice[j1, i1] - lattice[j1, i])
    return upper + v * (lower - upper)


def uniform_pixels(colour: Colour, height: int, width: int) -> FloatArray:
    """A colour as pixels (3, height, width), to be painted over."""
    return np.repeat(np.array(colour), height * width).reshape(3, height, width)


def blend(pixels: FloatArray, colour: Colour, share: float | FloatArray) -> None:
    """Lay a colour over pixels (3, h, w), in place; share broadcasts to (h, w)."""
    pixels += share * (np.array(colour)[:, None, None] - pixels)
