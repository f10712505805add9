"""The light of one scene: sun, sky, haze."""

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple, TypeAlias

import numpy as np

from .arrays import FloatArray
from .colours import Colour, mix
from .rng import RandomStream

Vector: TypeAlias = tuple[float, float, float]
"""A direction: to the right, upwards, ahead."""

RIGHTWARDS: Vector = (1, 0, 0)
LEFTWARDS: Vector = (-1, 0, 0)
UPWARDS: Vector = (0, 1, 0)
TOWARDS_CAMERA: Vector = (0, 0, -1)


class Weather(NamedTuple):
    """The colours of the sky's zenith and horizon, of direct sun and of ambient light, and the cloudiness, 0-1."""

    zenith: Colour
    horizon: Colour
    sun: Colour
    ambient: Colour
    clouds: float


CLEAR = Weather((0.34, 0.56, 0.84), (0.80, 0.90, 0.95), (0.74, 0.67, 0.54), (0.47, 0.51, 0.59), 0.55)
GOLDEN = Weather((0.46, 0.60, 0.78), (1.00, 0.85, 0.64), (0.92, 0.64, 0.36), (0.45, 0.46, 0.56), 0.60)
OVERCAST = Weather((0.66, 0.70, 0.75), (0.88, 0.89, 0.90), (0.20, 0.20, 0.19), (0.74, 0.76, 0.79), 1.00)
MORNING = Weather((0.54, 0.72, 0.85), (0.99, 0.93, 0.83), (0.64, 0.57, 0.46), (0.53, 0.55, 0.60), 0.50)
ROSE = Weather((0.46, 0.50, 0.72), (1.00, 0.76, 0.68), (0.68, 0.46, 0.38), (0.50, 0.48, 0.58), 0.65)
STORM = Weather((0.42, 0.48, 0.56), (0.80, 0.81, 0.78), (0.60, 0.56, 0.46), (0.48, 0.51, 0.56), 0.90)
NIGHT = Weather((0.05, 0.07, 0.17), (0.24, 0.23, 0.33), (0.03, 0.03, 0.05), (0.24, 0.27, 0.38), 0.0)


@dataclass(frozen=True)
class Light:
    """Colours as in `Weather`; `direction` points to the sun (length 1); night and fog from 0 to 1."""

    zenith: Colour
    horizon: Colour
    sun: Colour
    ambient: Colour
    clouds: float
    direction: Vector
    night: float
    fog: float

    def irradiance(self, normal: Vector) -> float:
        """The share of direct sun that a surface with this normal gets, by Lambert's cosine."""
        return max(0.0, sum(n * d for n, d in zip(normal, self.direction, strict=True)))

    def shade(self, albedo: Colour, normal: Vector, z: float) -> Colour:
        """What the camera sees, z metres away, of a surface with this normal."""
        return self.shade_lit(albedo, self.irradiance(normal), z)

    def shade_lit(self, albedo: Colour, sun: float, z: float) -> Colour:
        """What the camera sees, z metres away, of a surface that gets this share of the sun."""
        haze = z * self._extinction
        haze = haze / (1.0 + haze)
        clear, ambient, direct, horizon = 1.0 - haze, self.ambient, self.sun, self.horizon
        return (
            albedo[0] * (ambient[0] + direct[0] * sun) * clear + horizon[0] * haze,
            albedo[1] * (ambient[1] + direct[1] * sun) * clear + horizon[1] * haze,
            albedo[2] * (ambient[2] + direct[2] * sun) * clear + horizon[2] * haze,
        )

    def shade_pixels(
        self, albedo: FloatArray, sun: float | FloatArray, z: FloatArray, emission: FloatArray | None = None
    ) -> FloatArray:
        """As `shade_lit`, for pixels: albedo and emission (light of their own) are (3, h, w), sun and z (h, w)."""
        haze = z * self._extinction
        haze = haze / (1.0 + haze)
        clear = 1.0 - haze
        shaded = np.empty(albedo.shape)
        for c in range(3):
            lit = albedo[c] * (self.ambient[c] + self.sun[c] * sun)
            if emission is not None:
                lit = lit + emission[c]
            shaded[c] = lit * clear + self.horizon[c] * haze
        return shaded

    @property
    def _extinction(self) -> float:
        return 0.0045 + 0.05 * self.fog * self.fog


def choose_light(rng: RandomStream, night: float, fog: float) -> Light:
    """A weather with its own exposure and warmth, as dark and as misty as `night` and `fog` say."""
    weather = rng.choice((CLEAR, CLEAR, GOLDEN, OVERCAST, MORNING, ROSE, STORM))
    exposure = rng.uniform(0.90, 1.16)
    warmth = rng.uniform(-0.07, 0.07)
    red, green, blue = exposure * (1 + warmth), exposure, exposure * (1 - warmth)

    def balance(day: Colour, dark: Colour) -> Colour:
        return mix((day[0] * red, day[1] * green, day[2] * blue), dark, night)

    horizon = balance(weather.horizon, NIGHT.horizon)
    x, y, z = rng.choice((-1, 1)) * rng.uniform(0.35, 1.0), rng.uniform(0.5, 1.0), rng.uniform(-0.9, 0.35)
    length = sqrt(x * x + y * y + z * z)
    return Light(
        zenith=mix(balance(weather.zenith, NIGHT.zenith), horizon, 0.85 * fog),
        horizon=horizon,
        sun=mix(balance(weather.sun, NIGHT.sun), (0.1, 0.1, 0.1), 0.7 * fog),
        ambient=balance(weather.ambient, NIGHT.ambient),
        clouds=weather.clouds * rng.uniform(0.5, 1.2),
        direction=(x / length, y / length, z / length),
        night=night,
        fog=fog,
    )
