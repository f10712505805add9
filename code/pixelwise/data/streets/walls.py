"""Upright walls in perspective: what houses and fences are built of."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from .arrays import Field, FloatArray, clip
from .canvas import Canvas
from .light import LEFTWARDS, RIGHTWARDS, Vector
from .shapes import Polygon
from .view import NEAR, GroundPoint, View

WallField: TypeAlias = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
"""A value for each pixel of a wall, from metres along the wall, metres up, and the pixel's width in metres."""

Finish: TypeAlias = Callable[[FloatArray, FloatArray, FloatArray], tuple[FloatArray, FloatArray | None]]
"""As `WallField`: a wall's albedo (3, h, w) and the light of its own that it emits, if any (3, h, w)."""

STREAKS = np.full((1, 1), 0.37)
"""The row of the lattice whose noise runs down walls."""


def normal_of(side: int) -> Vector:
    """The normal of a wall on this side (-1 left, 1 right) that faces the road."""
    return LEFTWARDS if side > 0 else RIGHTWARDS


def draw_wall(
    canvas: Canvas,
    view: View,
    start: GroundPoint,
    end: GroundPoint,
    height: float,
    normal: Vector,
    finish: Finish,
    opacity: WallField | None = None,
) -> None:
    """An upright wall between two points of the ground, `height` metres tall."""
    camera, light = view.camera, view.light
    (Xa, za), (Xb, zb) = (start[0], max(start[1], NEAR)), (end[0], max(end[1], NEAR))
    corners = [camera.project(X, Y, z) for X, Y, z in ((Xa, 0, za), (Xb, 0, zb), (Xb, height, zb), (Xa, height, za))]
    xa, dx, dz = camera.lateral(Xa, za), camera.lateral(Xb, zb) - camera.lateral(Xa, za), zb - za
    length = abs(Xb - Xa) + abs(dz)

    def intersect(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Metres along and up, and depth, at which the rays of these pixels meet the wall."""
        ray = (x - camera.centre) / camera.focal
        slope = dx - ray * dz
        slope = np.where(np.abs(slope) < 1e-9, 1e-9, slope)
        along = clip((ray * za - xa) / slope)
        z = za + along * dz
        return along * length, camera.height - (y - camera.horizon) * z / camera.focal, z

    def colour(x: FloatArray, y: FloatArray) -> FloatArray:
        s, t, z = intersect(x, y)
        albedo, emission = finish(s, t, z / (camera.focal * canvas.height))
        return light.shade_pixels(albedo, light.irradiance(normal), z, emission)

    def in_picture(field: WallField) -> Field:
        def at(x: FloatArray, y: FloatArray) -> FloatArray:
            s, t, z = intersect(x, y)
            return field(s, t, z / (camera.focal * canvas.height))

        return at

    canvas.fill(Polygon(corners), colour, 1.0 if opacity is None else in_picture(opacity))
