"""The ground: road, its markings, pavements, and the gardens beyond."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, band, blend, uniform_pixels
from .canvas import Canvas
from .colours import Colour, mix
from .knobs import Knobs
from .labels import PAVEMENT, ROAD, TREE, VOID
from .layout import Road
from .light import UPWARDS
from .rng import RandomStream
from .scheme import ColourScheme
from .shadows import Shadow, shadow_map
from .view import View

WHITE, YELLOW = (0.93, 0.92, 0.88), (0.90, 0.72, 0.26)


@dataclass(frozen=True)
class Markings:
    """Paint on the road. Lengths in metres.

    period: from one dash of the centre line to the next; dash: a dash's share of it. centre: X of the centre line, and
    offset: of its left edge from there. zebra: depth of a zebra crossing, or None.
    """

    period: float
    dash: float
    colour: Colour
    centre: float
    offset: float
    has_edge_lines: bool
    edge_colour: Colour
    zebra: float | None


def choose_markings(rng: RandomStream) -> Markings:
    """A centre line and, by chance, edge lines and a zebra crossing."""
    return Markings(
        period=rng.uniform(4.5, 7.0),
        dash=rng.choice((0.45, 0.6, 1.0)),
        colour=rng.choice((WHITE, WHITE, YELLOW)),
        centre=rng.uniform(-0.1, 0.1),
        offset=rng.choice((-0.07, -0.07, 0.07)),
        has_edge_lines=rng.chance(0.45),
        edge_colour=rng.choice((WHITE, YELLOW)),
        zebra=rng.uniform(6.5, 18.0) if rng.chance(0.25) else None,
    )


def draw_ground(
    canvas: Canvas,
    view: View,
    road: Road,
    markings: Markings,
    scheme: ColourScheme,
    knobs: Knobs,
    shadows: Iterable[Shadow],
) -> None:
    """Road, pavement and the gardens beyond: one texture, divided by the kerb."""
    camera, light = view.camera, view.light
    first = max(0, int(camera.horizon * canvas.height))
    y = canvas.y[first:]
    z = camera.focal * camera.height / np.maximum(y - camera.horizon, 0.25 / canvas.height)
    X = (canvas.x - camera.centre) * z / camera.focal + camera.offset - camera.bend * z * z
    pixel = z / (camera.focal * canvas.height)
    distance = np.abs(X)

    grain = view.noise(X * 9.0, z * 4.0) / (1.0 + 0.12 * z) - 0.5 / (1.0 + 0.12 * z)
    wear = view.noise(X * 0.8, z * 0.25) - 0.5
    coarse = knobs.texture * (0.26 * grain + 0.16 * wear)
    albedo = uniform_pixels(scheme.asphalt, *X.shape)
    if "pavement" not in knobs.context_only:
        slabs = np.maximum(
            band(X - np.floor(X), -1, 0.06, pixel), band(z * 0.8 - np.floor(z * 0.8), -1, 0.05, pixel * 3)
        )
        blend(albedo, mix(scheme.asphalt, (0.74, 0.64, 0.52), 0.8), (distance > road.kerb) * (1.0 - 0.35 * slabs))
    blend(albedo, scheme.grass, band(distance, road.boundary, 1e9, pixel))
    albedo *= 1.0 + coarse
    paint_markings(albedo, markings, road, X, z, pixel, 0.8 + 0.4 * grain + 0.3 * wear)
    stone = band(distance, road.kerb, road.kerb + 0.16, pixel)
    gutter = band(distance, road.kerb - 0.22, road.kerb, pixel)
    blend(albedo, mix(scheme.asphalt, (0.92, 0.90, 0.86), 0.75), knobs.kerb * stone)
    blend(albedo, mix(scheme.asphalt, (0.1, 0.1, 0.1), 0.6), knobs.kerb * gutter)

    sun = light.irradiance(UPWARDS) * (1.0 - shadow_map(canvas, shadows)[first:])
    canvas.image[:, first:] = light.shade_pixels(albedo, sun, z)
    label = np.where(distance < road.kerb, ROAD, np.where(distance < road.boundary, PAVEMENT, TREE)).astype(np.uint8)
    label[np.abs(distance - road.kerb) < 0.06 + 0.4 * pixel] = VOID
    canvas.mask[first:] = label


def paint_markings(
    albedo: FloatArray,
    markings: Markings,
    road: Road,
    X: FloatArray,
    z: FloatArray,
    pixel: FloatArray,
    paint_left: FloatArray,
) -> None:
    """Paint the markings onto the road's albedo (3, h, w), in place.

    X and z are each pixel's place in metres, pixel its width; paint_left is the share of the paint that wear left.
    """
    phase = z / markings.period - np.floor(z / markings.period)
    dashes = band(phase, 0.0, markings.dash, np.minimum(pixel * 6, 1.0))
    line = band(np.abs(X - markings.centre), markings.offset, markings.offset + 0.15, pixel)
    blend(albedo, markings.colour, paint_left * dashes * line)
    if markings.has_edge_lines:
        edge = band(np.abs(X), road.kerb - 0.62, road.kerb - 0.50, pixel)
        blend(albedo, markings.edge_colour, 0.9 * paint_left * edge)
    if markings.zebra is not None:
        phase = X / 1.1 - np.floor(X / 1.1)
        bars = band(phase, 0.0, 0.5, pixel) * band(z, markings.zebra, markings.zebra + 3.0, pixel * 5)
        blend(albedo, WHITE, paint_left * bars * band(np.abs(X), -1.0, road.kerb - 0.4, pixel))
