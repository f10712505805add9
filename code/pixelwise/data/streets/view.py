"""The camera, and what everything is drawn with: camera, light and noise of one scene."""

from dataclasses import dataclass
from typing import TypeAlias

from .arrays import FloatArray, value_noise
from .light import Light
from .rng import RandomStream
from .shapes import Point

GroundPoint: TypeAlias = tuple[float, float]
"""X and z of a point of the street, metres."""

StreetPoint: TypeAlias = tuple[float, float, float]
"""X, Y and z of a point, metres."""

NEAR = 0.7
"""The near plane: nothing is projected from nearer than this many metres."""

DETAIL_DISTANCE = 26.0
"""Metres within which details are drawn."""


@dataclass(frozen=True)
class Camera:
    """A pinhole `height` metres above a street that bends `bend` z² to the side, `offset` metres right of its middle.

    Street coordinates are metres: X to the right of the road's middle, Y up, z ahead. Picture coordinates, and with
    them focal (length), horizon (its y) and centre (the vanishing point's x), are heights of the picture.
    """

    height: float
    focal: float
    horizon: float
    centre: float
    offset: float
    bend: float

    def scale(self, z: float) -> float:
        """Heights of the picture to a metre at depth z."""
        return self.focal / z

    def lateral(self, X: float, z: float) -> float:
        """Metres to the right of the camera's axis."""
        return X - self.offset + self.bend * z * z

    def project(self, X: float, Y: float, z: float) -> Point:
        """Where in the picture a point of the street lies."""
        z = max(z, NEAR)
        return self.centre + self.lateral(X, z) * self.focal / z, self.horizon + (self.height - Y) * self.focal / z


@dataclass(frozen=True)
class View:
    """The camera, the light, and the lattice of noise that gives surfaces their texture."""

    camera: Camera
    light: Light
    lattice: FloatArray

    def noise(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Smooth noise in [0, 1) at x and y, one cell a unit."""
        return value_noise(self.lattice, x, y)


def choose_camera(rng: RandomStream) -> Camera:
    """A camera such as a car or a person carries, on a street that is straight or bends a little."""
    return Camera(
        height=rng.uniform(1.5, 2.7),
        focal=rng.uniform(0.85, 1.2),
        horizon=rng.uniform(0.34, 0.56),
        centre=rng.uniform(-0.2, 0.2),
        offset=rng.uniform(-2.6, 2.6),
        bend=rng.choice((0.0, 1.0, 1.0)) * rng.uniform(-0.0028, 0.0028),
    )
