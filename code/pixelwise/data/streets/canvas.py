"""An image and its mask, painted together from far to near."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..palette import VOID
from .arrays import ByteArray, Field, FloatArray, clip
from .colours import Colour
from .rng import RandomStream
from .shapes import Bounds, Shape

Window: TypeAlias = tuple[slice, slice]
"""Rows and columns."""


class Canvas:
    """An image and its mask. What is painted later occludes what was painted before.

    Coordinates are heights of the picture: x from the middle to the right, y from the top down, so that a scene is the
    same at every size. `image` is float64 (3, H, W), about 0-1; `mask` uint8 (H, W), complete after `draw_mask`.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.height, self.width = size
        self.x: FloatArray = (np.arange(self.width) + 0.5 - self.width / 2) / self.height
        self.y: FloatArray = ((np.arange(self.height) + 0.5) / self.height)[:, None]
        self.image: FloatArray = np.zeros((3, self.height, self.width))
        self.mask: ByteArray = np.full((self.height, self.width), VOID, np.uint8)
        self._owner: NDArray[np.int16] = np.zeros((self.height, self.width), np.int16)
        self._labels, self._bordered = [VOID], [False]

    def start_object(self, label: int, border: bool = False) -> None:
        """Begin an object: what is filled from now on belongs to it. `border`: a thin void line goes round it."""
        self._labels.append(label)
        self._bordered.append(border)

    def window(self, bounds: Bounds) -> Window | None:
        """Rows and columns that a shape with these bounds can touch, or None off the canvas."""
        left, right, top, bottom = bounds
        half = self.width / 2
        c0, c1 = max(0, int(left * self.height + half) - 1), min(self.width, int(right * self.height + half) + 2)
        r0, r1 = max(0, int(top * self.height) - 1), min(self.height, int(bottom * self.height) + 2)
        return (slice(r0, r1), slice(c0, c1)) if c0 < c1 and r0 < r1 else None

    def coverage(self, shape: Shape) -> tuple[Window, FloatArray] | None:
        """The window of a shape and how much of each of its pixels the shape covers, or None off the canvas."""
        window = self.window(shape.bounds)
        if window is None:
            return None
        depth = shape.depth(self.x[window[1]], self.y[window[0]])
        return window, clip(depth * self.height + 0.5)

    def fill(self, shape: Shape, colour: Colour | Field, opacity: float | Field = 1.0) -> None:
        """Paint a shape and give its pixels to the current object. A field of colours gives (3, h, w)."""
        self._paint(shape, colour, opacity, mark=True)

    def tint(self, shape: Shape, colour: Colour | Field, opacity: float | Field = 1.0) -> None:
        """Paint a shape and leave the mask as it is: lights, details."""
        self._paint(shape, colour, opacity, mark=False)

    def _paint(self, shape: Shape, colour: Colour | Field, opacity: float | Field, mark: bool) -> None:
        covered = self.coverage(shape)
        if covered is None:
            return
        (rows, columns), cover = covered
        x, y = self.x[columns], self.y[rows]
        if mark:
            np.copyto(self._owner[rows, columns], len(self._labels) - 1, where=cover >= 0.5)
        if not isinstance(opacity, (int, float)):
            cover = cover * opacity(x, y)
        elif opacity != 1:
            cover = cover * opacity
        pixels = self.image[:, rows, columns]
        pixels += cover * ((np.array(colour)[:, None, None] if isinstance(colour, tuple) else colour(x, y)) - pixels)

    def draw_mask(self) -> None:
        """Label every pixel by the last object that covered it; what touches a bordered object from behind turns void,
        as under an annotator's outline."""
        np.copyto(self.mask, np.array(self._labels, np.uint8)[self._owner], where=self._owner > 0)
        for _ in range(max(1, self.height // 120)):
            owner = self._owner
            front = owner.copy()
            np.maximum(front[1:], owner[:-1], out=front[1:])
            np.maximum(front[:-1], owner[1:], out=front[:-1])
            np.maximum(front[:, 1:], owner[:, :-1], out=front[:, 1:])
            np.maximum(front[:, :-1], owner[:, 1:], out=front[:, :-1])
            edge = (front > owner) & np.array(self._bordered)[front]
            self.mask[edge] = VOID
            self._owner = np.where(edge, front, owner)

    def develop(self, rng: RandomStream, blur: float, noise: float) -> ByteArray:
        """The picture as a camera would give it, uint8 (3, H, W): blurred by about `blur` pixels at 96 rows, with
        sensor noise of `noise` grey levels."""
        levels = (clip(self.image) * 16320.0).astype(np.int32)
        amount = int(blur * 16.0 * self.height / 96.0)
        while amount > 0:
            weight = min(amount, 16)
            wide = np.pad(levels, ((0, 0), (1, 1), (1, 1)), mode="edge")
            wide = wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]
            wide = wide[:, :, :-2] + 2 * wide[:, :, 1:-1] + wide[:, :, 2:]
            levels = ((16 - weight) * 16 * levels + weight * wide) >> 8
            amount -= 16
        grain = rng.bytes(2, 3, self.height, self.width).astype(np.int32)
        scale = int(noise * 64.0 * 16.0 / 104.5)  # two bytes' sum has a standard deviation of 104.5
        levels = levels + (((grain[0] + grain[1] - 255) * scale) >> 4)
        return np.clip((levels + 32) >> 6, 0, 255).astype(np.uint8)
