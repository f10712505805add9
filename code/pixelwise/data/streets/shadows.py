"""Shadows on the ground: what casts them, and how dark the ground lies below."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from .arrays import FloatArray
from .canvas import Canvas
from .shapes import Ellipse, Polygon, Shape, convex_hull
from .view import NEAR, GroundPoint, View


class Shadow(NamedTuple):
    """A shape in the picture, and the share of the sun that is missing in it."""

    shape: Shape
    strength: float


class Caster(Protocol):
    """Something that stands in the sun."""

    def shadows(self, view: View) -> list[Shadow]:
        """The shadows it throws on the ground."""
        ...


@dataclass(frozen=True)
class Prism:
    """An upright prism over these ground points, `height` metres tall."""

    corners: Sequence[GroundPoint]
    height: float
    strength: float = 0.92

    def shadows(self, view: View) -> list[Shadow]:
        sx, sy, sz = view.light.direction
        reach = min(self.height / sy, 14.0)
        tips = [(X - sx * reach, z - sz * reach) for X, z in self.corners]
        points = [view.camera.project(X, 0.0, z) for X, z in [*self.corners, *tips]]
        return [Shadow(Polygon(convex_hull(points)), self.strength)]


@dataclass(frozen=True)
class TreeTop:
    """A ragged crown of this radius, `height` metres up, on a trunk."""

    X: float
    z: float
    height: float
    radius: float

    def shadows(self, view: View) -> list[Shadow]:
        camera, (sx, sy, sz) = view.camera, view.light.direction
        X, z = self.X - sx / sy * self.height, max(self.z - sz / sy * self.height, self.radius + NEAR)
        (x, bottom), (_, top) = camera.project(X, 0.0, z - self.radius), camera.project(X, 0.0, z + self.radius)
        width = self.radius * camera.scale(z)

        def ripple(x: FloatArray, y: FloatArray) -> FloatArray:
            return (view.noise(x / (0.3 * width), y / (0.1 * width)) - 0.6) * (bottom - top) * 0.5

        crown = Shadow(Ellipse(x, (top + bottom) / 2, width, (bottom - top) / 2, ripple), 0.85)
        trunk = Prism([(self.X - 0.1, self.z), (self.X + 0.1, self.z), (self.X, self.z + 0.1)], self.height, 0.8)
        return [crown, *trunk.shadows(view)]


def shadow_map(canvas: Canvas, shadows: Iterable[Shadow]) -> FloatArray:
    """How much of the sun each pixel of the ground lacks, (H, W)."""
    dark = np.zeros((canvas.height, canvas.width))
    for shape, strength in shadows:
        covered = canvas.coverage(shape)
        if covered is not None:
            window, cover = covered
            np.maximum(dark[window], cover * strength, out=dark[window])
    return dark
