"""Houses: their facades, end walls and roofs, and the rows in which they stand."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from .arrays import FloatArray, band, blend, clip, uniform_pixels
from .canvas import Canvas
from .colours import AWNINGS, FRONTS, GLASS, LAMPLIGHT, ROOFS, TRIMS, Colour, mix
from .gardens import plan_garden
from .knobs import Knobs
from .labels import BUILDING
from .layout import Placed, Road, Side
from .light import TOWARDS_CAMERA, Light
from .rng import RandomStream
from .scheme import ColourScheme
from .shadows import Prism
from .shapes import Box, Polygon
from .view import DETAIL_DISTANCE, NEAR, View
from .walls import STREAKS, Finish, draw_wall, normal_of

STREET_END = 60.0
"""Metres to the end of the street."""


class Window(NamedTuple):
    """Width as a share of a bay, sill and lintel as shares of a storey."""

    width: float
    sill: float
    lintel: float


WINDOWS = (
    Window(0.42, 0.30, 0.76),
    Window(0.36, 0.24, 0.80),
    Window(0.60, 0.32, 0.74),
    Window(0.80, 0.34, 0.78),
)


@dataclass(frozen=True)
class Facade:
    """Colours and parts of a house's walls; storey (height) and bay (width) in metres, texture as the knob."""

    wall: Colour
    roof: Colour
    trim: Colour
    front: Colour
    awning: Colour
    has_striped_awning: bool
    has_shop: bool
    has_string_courses: bool
    bay: float
    window: Window
    storey: float
    texture: float

    def finish(self, view: View, height: float, is_detailed: bool) -> Finish:
        """Storeys of windows, shop or door below; frames, courses and awnings where it is detailed."""

        def finish(s: FloatArray, t: FloatArray, pixel: FloatArray) -> tuple[FloatArray, FloatArray]:
            column, row = s / self.bay, t / self.storey
            i, j = np.floor(column), np.floor(row)
            fs, ft = column - i, row - j
            ps, pt = pixel / self.bay, pixel / self.storey
            w, sill, lintel = self.window.width / 2, self.window.sill, self.window.lintel
            upper = (t > self.storey) * (t < height - 0.5)
            streaks = view.noise(s * 1.3, STREAKS) - 0.5
            albedo = uniform_pixels(self.wall, *t.shape)
            albedo *= 1.0 + self.texture * 0.30 * streaks
            if is_detailed and self.has_string_courses:
                blend(albedo, mix(self.wall, (0.1, 0.08, 0.07), 0.5), 0.35 * band(ft, -1.0, 0.06, pt))
            if is_detailed:
                frame = band(fs, 0.46 - w, 0.54 + w, ps) * band(ft, sill - 0.05, lintel + 0.05, pt)
                blend(albedo, self.trim, 0.85 * frame * upper)
            pane = band(fs, 0.5 - w, 0.5 + w, ps) * band(ft, sill, lintel, pt) * upper
            variety = view.lattice[j.astype(np.int64) & 31, i.astype(np.int64) & 31]  # a number for each window
            reflection = clip(0.35 * ft + 0.9 * variety - 0.35) * (1.0 - view.light.night)
            ground_floor = band(t, -1.0, self.storey, pixel)
            if self.has_shop:
                shop = ground_floor * band(fs, 0.07, 0.93, ps) * band(ft, 0.10, 0.66, pt)
                blend(albedo, self.front, ground_floor)
                pane = np.maximum(pane, shop)
                stripes = band(2.0 * column - np.floor(2.0 * column), 0.0, 0.5, 2 * ps)
                awning = ground_floor * band(ft, 0.70, 0.92, pt)
                blend(albedo, self.awning, awning)
                if is_detailed and self.has_striped_awning:
                    blend(albedo, (0.94, 0.92, 0.87), 0.85 * awning * stripes)
            elif is_detailed:
                door = ground_floor * band(fs, 0.36, 0.64, ps) * band(ft, -1.0, 0.70, pt) * (variety > 0.45)
                lower = ground_floor * (variety <= 0.45) * band(fs, 0.5 - w, 0.5 + w, ps) * band(ft, sill, lintel, pt)
                pane = np.maximum(pane, lower)
                blend(albedo, self.front, door)
            for c in range(3):
                glass = GLASS[c] + reflection * (0.35 * view.light.zenith[c] + 0.35 * view.light.horizon[c])
                albedo[c] += pane * (glass - albedo[c])
            blend(albedo, self.trim, 0.9 * band(t, height - 0.40, height - 0.08, pixel))
            lit = pane * (variety > 1.0 - 0.06 - 0.5 * view.light.night) * (0.15 + 0.75 * view.light.night)
            return albedo, lit * np.array(LAMPLIGHT)[:, None, None]

        return finish


@dataclass(frozen=True)
class Building:
    """A house on one side of the street, from depth near to far, its front `line` metres from the road's middle.

    depth: metres from its front to its back; height: to the eaves, and roof: from there to the ridge, 0 if it is flat.
    """

    side: Side
    near: float
    far: float
    line: float
    depth: float
    height: float
    roof: float
    has_chimney: bool
    has_border: bool
    facade: Facade
    shows_end_wall: bool = True

    @property
    def ridge(self) -> float:
        """Metres to the highest edge."""
        return self.height + self.roof

    def draw(self, canvas: Canvas, view: View) -> None:
        """Its end wall, its wall along the street, its roof."""
        X, back = self.side * self.line, self.side * self.line + self.side * self.depth
        canvas.start_object(BUILDING, border=self.has_border)
        finish = self.facade.finish(view, self.height, is_detailed=self.near < DETAIL_DISTANCE)
        if self.shows_end_wall:
            draw_wall(canvas, view, (X, self.near), (back, self.near), self.height, TOWARDS_CAMERA, finish)
        draw_wall(canvas, view, (X, self.near), (X, self.far), self.height, normal_of(self.side), finish)
        if self.roof:
            self._draw_roof(canvas, view, X, back)

    def _draw_roof(self, canvas: Canvas, view: View, X: float, back: float) -> None:
        camera, light = view.camera, view.light
        near, far, height, ridge, middle = self.near, self.far, self.height, self.ridge, (X + back) / 2
        if self.shows_end_wall:
            gable = [camera.project(*p) for p in ((X, height, near), (middle, ridge, near), (back, height, near))]
            canvas.fill(Polygon(gable), light.shade(self.facade.wall, TOWARDS_CAMERA, near))
        tiles = [(X, height, near), (X, height, far), (middle, ridge, far), (middle, ridge, near)]
        slope = (-self.side * 0.6, 0.8, 0.0)
        canvas.fill(Polygon([camera.project(*p) for p in tiles]), light.shade(self.facade.roof, slope, near + 2))
        if self.has_chimney:
            z = near + (far - near) * 0.3
            x, top = camera.project(middle, ridge + 0.9, z)
            bottom = camera.project(middle, ridge - 0.6, z)[1]
            shaft = Box(x, (top + bottom) / 2, 0.45 * camera.scale(max(z, NEAR)), (bottom - top) / 2)
            canvas.fill(shaft, light.shade(mix(self.facade.wall, (0.35, 0.22, 0.18), 0.5), TOWARDS_CAMERA, z))


def choose_facade(rng: RandomStream, scheme: ColourScheme, storey: float, texture: float) -> Facade:
    """One of the town's facades, with storeys of this height in metres."""
    window = rng.choice(WINDOWS)
    return Facade(
        wall=scheme.tone(rng, scheme.facades),
        roof=scheme.tone(rng, ROOFS),
        trim=rng.choice(TRIMS),
        front=scheme.tone(rng, FRONTS),
        awning=scheme.tone(rng, AWNINGS),
        has_striped_awning=rng.chance(0.5),
        has_shop=rng.chance(0.45),
        has_string_courses=rng.chance(0.5),
        bay=rng.uniform(1.8, 3.0),
        window=window,
        storey=storey,
        texture=texture,
    )


def plan_houses(
    rng: RandomStream, side: Side, road: Road, light: Light, scheme: ColourScheme, storey: float, knobs: Knobs
) -> Iterator[Placed]:
    """The houses along one side, with gaps between them and gardens in front of some; storey is their height in
    metres."""
    grandeur = rng.uniform(0.0, 1.0)
    line = road.boundary
    z, before = rng.uniform(-6.0, 2.0), None
    while z < STREET_END:
        length = rng.uniform(7.0, 16.0)
        garden = rng.uniform(2.0, 4.0) if rng.chance(0.25) else 0.0
        house = Building(
            side=side,
            near=z,
            far=z + length,
            line=line + garden,
            depth=rng.uniform(7.0, 12.0),
            height=storey * rng.integer(2, 3 + int(2 * grandeur)) + 0.5,
            roof=rng.uniform(1.8, 3.4) if rng.chance(0.6 - 0.3 * grandeur) else 0.0,
            has_chimney=rng.chance(0.6),
            has_border=rng.chance(knobs.void_border),
            facade=choose_facade(rng, scheme, storey, knobs.texture),
        )
        is_gap = rng.chance(0.22)
        if is_gap or garden:
            yield from plan_garden(rng, side, z, z + length, line, is_gap, scheme, knobs)
        if not is_gap:
            if before is not None:
                house = replace(house, shows_end_wall=before.line > line or before.ridge < house.ridge)
            yield Placed(house.far, house, shading(house, light))
        before = None if is_gap else house
        z += length + (rng.uniform(1.0, 4.0) if garden else 0.0)


def shading(house: Building, light: Light) -> Prism | None:
    """What of a house casts a shadow into the street, where the sun stands behind it."""
    if house.far <= NEAR or house.side * light.direction[0] <= 0:
        return None
    front, back, near = house.side * house.line, house.side * house.line + house.side * 4, max(house.near, NEAR)
    return Prism([(front, near), (front, house.far), (back, house.far), (back, near)], house.height)
