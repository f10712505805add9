"""The receptive field by formula: which part of the input one output pixel can depend on.

It is an extent, not a number of values: a dilated 3×3 convolution multiplies nine values and covers
2 * dilation + 1 pixels. Along one axis three numbers describe it, in input pixels: its size, the jump from one output
pixel to the next, and where it starts for output pixel 0 (negative: in the padding). A window of k taps gives

    size  += dilation * (k - 1) * jump        start -= padding * jump        jump *= stride

Where branches meet (Inception, residual, skip) the field is the hull of all paths. Source: Araujo, Norris and Sim 2019,
"Computing receptive fields of convolutional neural networks", Distill, doi:10.23915/distill.00021.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple


class Axis(NamedTuple):
    """The receptive field along one axis, in input pixels; an infinite size means the whole image."""

    size: Fraction | float = Fraction(1)
    jump: Fraction = Fraction(1)
    start: Fraction | float = Fraction(0)

    def after(self, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> "Axis":
        """Behind a convolution or a pool."""
        reach = dilation * (kernel - 1)
        return Axis(self.size + reach * self.jump, self.jump * stride, self.start - padding * self.jump)

    def after_transposed(self, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> "Axis":
        """Behind a transposed convolution: output o sees the inputs between (o + p - d (k - 1)) / s and (o + p) / s."""
        reach = dilation * (kernel - 1)
        return self.resampled(Fraction(1, stride), Fraction(padding, stride), Fraction(reach, stride), Fraction(0))

    def resampled(self, step: Fraction, offset: Fraction, left: Fraction, right: Fraction) -> "Axis":
        """Behind an interpolation: output o looks at input o * step + offset, and as far as left and right of it."""
        size = self.size + (left + right) * self.jump
        return Axis(size, self.jump * step, self.start + (offset - left) * self.jump)

    @property
    def whole(self) -> "Axis":
        """Behind an operation that mixes all positions."""
        return Axis(math.inf, self.jump, -math.inf)


def hull(axes: list[Axis], length: int) -> Axis:
    """The smallest field that holds all of these at each of `length` output pixels; its jump is that of the first."""
    jump = axes[0].jump
    if any(axis.size == math.inf for axis in axes):
        return axes[0].whole
    starts = [axis.start + i * (axis.jump - jump) for axis in axes for i in (0, length - 1)]
    ends = [axis.start + axis.size + i * (axis.jump - jump) for axis in axes for i in (0, length - 1)]
    return Axis(max(ends) - min(starts), jump, min(starts))


@dataclass(frozen=True)
class ReceptiveField:
    """The receptive field of the pixels of one feature map, along the vertical and the horizontal axis."""

    rows: Axis
    columns: Axis

    @property
    def size(self) -> tuple[float, float]:
        """(height, width) in input pixels: whole numbers, or math.inf where one pixel can see the whole image."""
        height, width = (math.inf if a.size == math.inf else math.ceil(a.size) for a in (self.rows, self.columns))
        return height, width

    @property
    def jump(self) -> tuple[float, float]:
        """Input pixels from one output pixel to the next: the output stride; below 1 where the map is upsampled."""
        down, right = (int(a.jump) if a.jump.denominator == 1 else float(a.jump) for a in (self.rows, self.columns))
        return down, right

    def window(self, row: int, column: int) -> tuple[range, range]:
        """The input rows and columns that output pixel [row, column] can see; those below zero lie in the padding."""
        if math.inf in self.size:
            raise ValueError("this layer sees the whole image, so it has no window; ask for one before global pooling")
        top = self.rows.start + row * self.rows.jump
        left = self.columns.start + column * self.columns.jump
        rows = range(math.floor(top), math.ceil(top + self.rows.size))
        return rows, range(math.floor(left), math.ceil(left + self.columns.size))
