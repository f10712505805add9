"""The sky, and the skyline that closes the street."""

from .arrays import FloatArray, clip
from .canvas import Canvas
from .colours import mix
from .labels import BUILDING, SKY, TREE
from .rng import RandomStream
from .scheme import ColourScheme
from .shapes import Box, Ellipse
from .view import View

SKYLINE_DISTANCE = 110.0
"""Metres to the skyline."""


def draw_sky(canvas: Canvas, view: View, rng: RandomStream) -> None:
    """A gradient from horizon to zenith, clouds, and a glow about the sun."""
    light = view.light
    rows = int(view.camera.horizon * canvas.height) + 2
    y, x = canvas.y[:rows], canvas.x
    up = clip((view.camera.horizon - y) / 0.5)
    up = up * (2.0 - up)
    phase = rng.uniform(0, 32)
    stretch = rng.uniform(1.2, 3.2)
    u, v = x / stretch, y * (1.0 - 0.5 * y)
    cloud = 0.52 * view.noise(u * 7.0 + phase, v * 9.0 + phase)
    cloud = cloud + 0.28 * view.noise(u * 17.0 + phase, v * 19.0)
    cloud = cloud + 0.20 * view.noise(u * 40.0, v * 41.0 + phase)
    cloud = clip((cloud - 0.80 + 0.45 * light.clouds) * 3.6) * clip(up * 3.0, 0.1, 1.0)
    dx, dy = (x - light.direction[0] * 0.9), (y - 0.15)
    glow = (0.45 if light.direction[2] > -0.3 else 0.12) / (1.0 + 14.0 * (dx * dx + dy * dy)) * (1.0 - light.night)
    red, green, blue = (0.5 * a + 0.60 * s + 0.34 for a, s in zip(light.ambient, light.sun, strict=True))
    cloud_colour = mix(light.horizon, (red, green, blue), 0.6)
    cloud_colour = mix(cloud_colour, light.horizon, max(light.night, light.fog))
    for c in range(3):
        tone = light.horizon[c] + up * (light.zenith[c] - light.horizon[c])
        tone = tone + glow * (1.0 - tone) * (1.0, 0.8, 0.5)[c]
        canvas.image[c, :rows] = tone + 0.85 * cloud * (cloud_colour[c] - tone)
    canvas.mask[:rows] = SKY


def draw_skyline(canvas: Canvas, view: View, scheme: ColourScheme, rng: RandomStream) -> None:
    """What closes the street: far houses and trees, pale with distance."""

    def ripple(x: FloatArray, y: FloatArray) -> FloatArray:
        return (view.noise(x * 60.0, y * 60.0) - 0.6) * 0.04

    x = -1.2
    while x < 1.2:
        width, height, is_tree = rng.uniform(0.06, 0.18), rng.uniform(0.02, 0.075), rng.chance(0.45)
        albedo = scheme.tone(rng, scheme.leaves if is_tree else scheme.facades)
        sun = rng.uniform(0.2, 0.7) * view.light.irradiance((0, 0.5, -0.8))
        colour = view.light.shade_lit(albedo, sun, SKYLINE_DISTANCE)
        foot = view.camera.horizon + 0.03
        if is_tree:
            canvas.start_object(TREE)
            canvas.fill(Ellipse(x + width / 2, foot, width * 0.7, height, ripple), colour)
        else:
            canvas.start_object(BUILDING)
            canvas.fill(Box(x + width / 2, foot - height / 2, width / 2, height / 2), colour)
        x += width * 0.8
