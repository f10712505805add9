"""The camera, the light and the chosen colours of one scene."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from pixelwise.data.streets.canvas import mix

NEAR = 0.7
"""Nothing is projected from nearer than this many metres."""

RIGHTWARDS, LEFTWARDS, UPWARDS, TOWARDS = (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, 0, -1)

MOODS = {  # zenith, horizon, sun, ambient light, cloudiness
    "clear": ((0.34, 0.56, 0.84), (0.80, 0.90, 0.95), (0.74, 0.67, 0.54), (0.47, 0.51, 0.59), 0.55),
    "golden": ((0.46, 0.60, 0.78), (1.00, 0.85, 0.64), (0.92, 0.64, 0.36), (0.45, 0.46, 0.56), 0.60),
    "overcast": ((0.66, 0.70, 0.75), (0.88, 0.89, 0.90), (0.20, 0.20, 0.19), (0.74, 0.76, 0.79), 1.00),
    "morning": ((0.54, 0.72, 0.85), (0.99, 0.93, 0.83), (0.64, 0.57, 0.46), (0.53, 0.55, 0.60), 0.50),
    "rose": ((0.46, 0.50, 0.72), (1.00, 0.76, 0.68), (0.68, 0.46, 0.38), (0.50, 0.48, 0.58), 0.65),
    "storm": ((0.42, 0.48, 0.56), (0.80, 0.81, 0.78), (0.60, 0.56, 0.46), (0.48, 0.51, 0.56), 0.90),
}
NIGHT = ((0.05, 0.07, 0.17), (0.24, 0.23, 0.33), (0.03, 0.03, 0.05), (0.24, 0.27, 0.38))


@dataclass(frozen=True)
class Camera:
    """A pinhole `height` metres above a street that bends `bend` z² to the side, `offset` metres right of its middle.

    Street coordinates are metres: X to the right of the road's middle, Y up, z ahead. focal, horizon and centre are in
    heights of the picture.
    """

    height: float
    focal: float
    horizon: float
    centre: float
    offset: float
    bend: float

    def scale(self, z):
        """Heights of the picture to a metre at depth z."""
        return self.focal / z

    def aside(self, X, z):
        """Metres to the right of the camera's axis."""
        return X - self.offset + self.bend * z * z

    def project(self, X, Y, z):
        z = max(z, NEAR)
        return self.centre + self.aside(X, z) * self.focal / z, self.horizon + (self.height - Y) * self.focal / z


@dataclass(frozen=True)
class Light:
    """Where the light comes from, and its colours; `night` and `fog` from 0 to 1."""

    zenith: tuple
    horizon: tuple
    sun: tuple
    ambient: tuple
    clouds: float
    direction: tuple
    night: float
    fog: float

    def on(self, normal):
        """The share of direct sun that a surface with this normal gets."""
        return max(0.0, sum(n * d for n, d in zip(normal, self.direction, strict=True)))

    def colour(self, albedo, sun, z):
        """What the camera sees, z metres away, of a surface that gets this share of the sun."""
        haze = self.haze(z)
        parts = zip(albedo, self.ambient, self.sun, self.horizon, strict=True)
        return tuple(a * (m + s * sun) * (1.0 - haze) + h * haze for a, m, s, h in parts)

    def haze(self, z):
        reach = z * (0.0045 + 0.05 * self.fog * self.fog)
        return reach / (1.0 + reach)

    def over(self, albedo, sun, z, glow=None):
        """As `colour`, for pixels: albedo and glow (light of its own) are (3, h, w), sun and z broadcast to (h, w)."""
        haze = self.haze(z)
        seen = np.empty(albedo.shape)
        for c in range(3):
            lit = albedo[c] * (self.ambient[c] + self.sun[c] * sun)
            if glow is not None:
                lit = lit + glow[c]
            seen[c] = lit * (1.0 - haze) + self.horizon[c] * haze
        return seen


def choose_camera(dice):
    return Camera(
        height=dice.uniform(1.5, 2.7),
        focal=dice.uniform(0.85, 1.2),
        horizon=dice.uniform(0.34, 0.56),
        centre=dice.uniform(-0.2, 0.2),
        offset=dice.uniform(-2.6, 2.6),
        bend=dice.choice((0.0, 1.0, 1.0)) * dice.uniform(-0.0028, 0.0028),
    )


def choose_light(dice, night, fog):
    mood = dice.choice(("clear", "clear", "golden", "overcast", "morning", "rose", "storm"))
    zenith, horizon, sun, ambient, clouds = MOODS[mood]
    exposure = dice.uniform(0.90, 1.16)
    warmth = dice.uniform(-0.07, 0.07)
    balance = (exposure * (1 + warmth), exposure, exposure * (1 - warmth))
    colours = []
    for day, dark in zip((zenith, horizon, sun, ambient), NIGHT, strict=True):
        day = tuple(c * b for c, b in zip(day, balance, strict=True))
        colours.append(mix(day, dark, night))
    colours[0] = mix(colours[0], colours[1], 0.85 * fog)
    colours[2] = mix(colours[2], (0.1, 0.1, 0.1), 0.7 * fog)
    x, y, z = dice.choice((-1, 1)) * dice.uniform(0.35, 1.0), dice.uniform(0.5, 1.0), dice.uniform(-0.9, 0.35)
    length = sqrt(x * x + y * y + z * z)
    clouds = clouds * dice.uniform(0.5, 1.2)
    return Light(*colours, clouds, (x / length, y / length, z / length), night, fog)
