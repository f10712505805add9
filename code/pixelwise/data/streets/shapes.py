"""Shapes in the picture, in heights of the picture: x from its middle to the right, y from the top down."""

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np

from .arrays import Field, FloatArray, clip

Point: TypeAlias = tuple[float, float]
Bounds: TypeAlias = tuple[float, float, float, float]
"""Left, right, top, bottom."""


class Shape(Protocol):
    """What a canvas can fill."""

    @property
    def bounds(self) -> Bounds:
        """The upright rectangle that holds the shape."""
        ...

    def depth(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """How far inside the edge the points (x, y) lie; negative outside."""
        ...


class Polygon(NamedTuple):
    """A convex polygon; `points` in either sense of rotation."""

    points: Sequence[Point]

    @property
    def bounds(self) -> Bounds:
        xs, ys = [p[0] for p in self.points], [p[1] for p in self.points]
        return min(xs), max(xs), min(ys), max(ys)

    def depth(self, x: FloatArray, y: FloatArray) -> FloatArray:
        lines: list[tuple[float, float, float]] = []
        area = 0.0
        for (ax, ay), (bx, by) in zip(self.points, [*self.points[1:], self.points[0]], strict=True):
            dx, dy = bx - ax, by - ay
            length = sqrt(dx * dx + dy * dy)
            area += ax * by - bx * ay
            if length > 1e-9:
                lines.append((dy / length, dx / length, (ax * dy - ay * dx) / length))
        if not lines:
            return np.full(np.broadcast_shapes(x.shape, y.shape), -1.0)
        a, b, c = np.array(lines if area >= 0 else [(-a, -b, -c) for a, b, c in lines]).T[:, :, None]
        return ((c[:, :, None] + b[:, :, None] * y) - (a * x)[:, None]).min(axis=0)


class Box(NamedTuple):
    """An upright rectangle about (x, y)."""

    x: float
    y: float
    half_width: float
    half_height: float

    @property
    def bounds(self) -> Bounds:
        return (
            self.x - self.half_width,
            self.x + self.half_width,
            self.y - self.half_height,
            self.y + self.half_height,
        )

    def depth(self, x: FloatArray, y: FloatArray) -> FloatArray:
        return np.minimum(self.half_width - np.abs(x - self.x), self.half_height - np.abs(y - self.y))


class Ellipse(NamedTuple):
    """An upright ellipse about (x, y); `ripple(x, y)`, where given, moves its edge outwards by that much."""

    x: float
    y: float
    half_width: float
    half_height: float
    ripple: Field | None = None

    @property
    def bounds(self) -> Bounds:
        return (
            self.x - self.half_width,
            self.x + self.half_width,
            self.y - self.half_height,
            self.y + self.half_height,
        )

    def depth(self, x: FloatArray, y: FloatArray) -> FloatArray:
        dx, dy = (x - self.x) / self.half_width, (y - self.y) / self.half_height
        depth = (1.0 - np.sqrt(dx * dx + dy * dy)) * min(self.half_width, self.half_height)
        return depth if self.ripple is None else depth + self.ripple(x, y)


class Capsule(NamedTuple):
    """A stroke of the given width with round ends."""

    start: Point
    end: Point
    width: float

    @property
    def bounds(self) -> Bounds:
        (x0, y0), (x1, y1), radius = self.start, self.end, self.width / 2
        return min(x0, x1) - radius, max(x0, x1) + radius, min(y0, y1) - radius, max(y0, y1) + radius

    def depth(self, x: FloatArray, y: FloatArray) -> FloatArray:
        px, py = x - self.start[0], y - self.start[1]
        dx, dy = self.end[0] - self.start[0], self.end[1] - self.start[1]
        along = clip((px * dx + py * dy) / max(dx * dx + dy * dy, 1e-12))
        px, py = px - along * dx, py - along * dy
        return self.width / 2 - np.sqrt(px * px + py * py)


def convex_hull(points: Iterable[Point]) -> list[Point]:
    """The corners of the convex hull, by Andrew's monotone chain."""
    ordered = sorted(set(points))
    chains = []
    for run in (ordered, ordered[::-1]):
        chain: list[Point] = []
        for p in run:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], p) <= 0:
                chain.pop()
            chain.append(p)
        chains.append(chain[:-1])
    return chains[0] + chains[1]


def _turn(a: Point, b: Point, c: Point) -> float:
    """Positive where the way from a over b to c turns towards the y axis, zero where it is straight."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def shrink(points: Sequence[Point], across: float, down: float) -> list[Point]:
    """A polygon's points drawn towards their middle, to these shares of their distance."""
    x = sum(p[0] for p in points) / len(points)
    y = sum(p[1] for p in points) / len(points)
    return [(x + across * (p[0] - x), y + down * (p[1] - y)) for p in points]
