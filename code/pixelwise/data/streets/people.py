"""Pedestrians and bicyclists."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from .arrays import Field, FloatArray, clip
from .canvas import Canvas
from .colours import CLOTHES, HAIRS, PAINTS, SKINS, TROUSERS, Colour, mix
from .knobs import Knobs
from .labels import BICYCLIST, PEDESTRIAN
from .layout import SIDES, Placed, Road, choose_depth
from .light import TOWARDS_CAMERA
from .rng import RandomStream
from .scheme import ColourScheme
from .shadows import Prism
from .shapes import Capsule, Ellipse, Point, Polygon, convex_hull
from .view import DETAIL_DISTANCE, View

HEAD_RADIUS = 0.125

FRAME = (
    ((-0.54, 0.35), (-0.14, 0.34), (-0.2, 0.86)),
    ((-0.14, 0.34), (0.42, 0.82), (-0.18, 0.80)),
    ((0.54, 0.35), (0.40, 0.98)),
)
"""The tubes of a bicycle's frame: metres along and up."""


@dataclass(frozen=True)
class Person:
    """Where someone is, and how they look. `size` is a multiple of the usual; `turn` foreshortens them, and its sign
    says which way they face; `stride` in metres."""

    X: float
    z: float
    size: float
    turn: float
    stride: float
    has_long_coat: bool
    coat: Colour
    legs: Colour
    skin: Colour
    hair: Colour
    bag: Colour | None
    has_border: bool

    def shading(self, view: View) -> Callable[[Colour], Colour]:
        """How a colour is seen there."""
        sun = 0.25 + 0.6 * view.light.irradiance(TOWARDS_CAMERA)
        return lambda albedo: view.light.shade_lit(albedo, sun, self.z)


@dataclass(frozen=True)
class Pedestrian:
    """Someone walking: legs, coat, arms, head, perhaps a bag."""

    person: Person

    def draw(self, canvas: Canvas, view: View) -> None:
        person, stride, shade = self.person, self.person.stride, self.person.shading(view)
        (x, y), unit = view.camera.project(person.X, 0.0, person.z), view.camera.scale(person.z) * person.size

        def at(across: float, up: float) -> Point:
            return x + across * unit * person.turn, y - up * unit

        def draw_arm(shoulder: float, hand: float, colour: Colour) -> None:
            if person.z < DETAIL_DISTANCE:
                canvas.fill(Capsule(at(shoulder, 1.32), at(hand, 0.83), 0.11 * unit), shade(colour))

        canvas.start_object(PEDESTRIAN, border=person.has_border)
        for foot in (-stride, stride):
            canvas.fill(Capsule(at(foot * 0.3, 0.86), at(foot, 0.05), 0.17 * unit), shade(person.legs))
        draw_arm(-0.20, -0.26 - 0.4 * stride, mix(person.coat, (0, 0, 0), 0.25))
        hem = 0.62 if person.has_long_coat else 0.84
        torso = [at(-0.23, 1.40), at(0.23, 1.40), at(0.25, hem), at(-0.25, hem), at(-0.1, 1.48), at(0.1, 1.48)]
        canvas.fill(Polygon(convex_hull(torso)), shade(person.coat))
        draw_arm(0.22, 0.26 + 0.4 * stride, mix(person.coat, (1, 1, 1), 0.1))
        if person.bag is not None:
            canvas.fill(Ellipse(*at(-0.32, 0.82), 0.14 * unit, 0.17 * unit), shade(person.bag))
        face, hair = at(0.0, 1.62), at(-0.02, 1.62 + 0.06)
        draw_head(canvas, face, hair, HEAD_RADIUS * unit, shade(person.skin), shade(person.hair))


@dataclass(frozen=True)
class Bicyclist:
    """A rider leaning over a bicycle; `turn` foreshortens it from side view (1) towards a view from behind."""

    rider: Person
    turn: float
    frame: Colour
    helmet: Colour

    def draw(self, canvas: Canvas, view: View) -> None:
        rider, shade = self.rider, self.rider.shading(view)
        (x, y), unit = view.camera.project(rider.X, 0.0, rider.z), view.camera.scale(rider.z)

        def at(along: float, up: float) -> Point:
            return x + along * unit * self.turn, y - up * unit

        canvas.start_object(BICYCLIST, border=rider.has_border)
        tube, narrowing = max(0.055 * unit, 0.005), max(abs(self.turn), 0.12)
        for hub in (-0.54, 0.54):
            tyre = Ellipse(*at(hub, 0.35), 0.36 * unit * narrowing, 0.36 * unit)
            canvas.fill(tyre, shade((0.07, 0.07, 0.08)), wheel_opacity(tyre))
        for path in FRAME:
            for a, b in pairwise(path):
                canvas.fill(Capsule(at(*a), at(*b), tube), shade(self.frame))
        for foot in ((-0.02, 0.20), (0.08, 0.46)):
            knee = (0.22, foot[1] + 0.42)
            canvas.fill(Capsule(at(-0.18, 0.95), at(*knee), 0.17 * unit), shade(rider.legs))
            canvas.fill(Capsule(at(*knee), at(*foot), 0.12 * unit), shade(rider.legs))
        back = 0.32 if abs(self.turn) > 0.5 else 0.38
        canvas.fill(Capsule(at(-0.16, 1.05), at(0.12, 1.42), back * unit), shade(rider.coat))
        canvas.fill(Capsule(at(0.14, 1.42), at(0.42, 1.02), 0.10 * unit), shade(mix(rider.coat, (0, 0, 0), 0.15)))
        face, helmet = at(0.0 + 0.26, 1.68), at(-0.02 + 0.26, 1.68 + 0.06)
        draw_head(canvas, face, helmet, HEAD_RADIUS * unit, shade(rider.skin), shade(self.helmet))


def draw_head(canvas: Canvas, face: Point, hair: Point, radius: float, skin: Colour, cover: Colour) -> None:
    """A head with its middle at `face`, under hair or a helmet with its middle at `hair`."""
    canvas.fill(Ellipse(*face, radius, 1.15 * radius), skin)
    canvas.tint(Ellipse(*hair, 1.02 * radius, 0.85 * radius), cover)


def wheel_opacity(tyre: Ellipse) -> Field:
    """The opacity of a wheel: its tyre dark, its spokes a hint."""

    def opacity(x: FloatArray, y: FloatArray) -> FloatArray:
        dx, dy = (x - tyre.x) / tyre.half_width, (y - tyre.y) / tyre.half_height
        return clip((dx * dx + dy * dy - 0.5) * 4.0, 0.12, 1.0)

    return opacity


def choose_person(rng: RandomStream, X: float, z: float, scheme: ColourScheme, knobs: Knobs) -> Person:
    """Someone at (X, z)."""
    return Person(
        X=X,
        z=z,
        size=rng.uniform(0.92, 1.06),
        turn=rng.choice(SIDES) * rng.uniform(0.8, 1.0),
        stride=rng.uniform(0.08, 0.30),
        has_long_coat=rng.chance(0.4),
        coat=scheme.tone(rng, CLOTHES),
        legs=rng.choice(TROUSERS),
        skin=rng.choice(SKINS),
        hair=rng.choice(HAIRS),
        bag=scheme.tone(rng, CLOTHES) if rng.chance(0.35) else None,
        has_border=rng.chance(knobs.void_border),
    )


def plan_people(rng: RandomStream, road: Road, scheme: ColourScheme, knobs: Knobs) -> Iterator[Placed]:
    """Pedestrians, most of them on the pavements, and bicyclists beside the kerb."""
    for _ in range(int(knobs.clutter * rng.integer(1, 6) + 0.5)):
        z, across = choose_depth(rng, knobs.scale_range), rng.uniform(0.25, 0.9)
        X = rng.choice(SIDES) * (road.kerb + across * road.pavement)
        if rng.chance(0.15):
            X = X * rng.uniform(0.1, 0.8)
        pedestrian = Pedestrian(choose_person(rng, X, z, scheme, knobs))
        yield Placed(z, pedestrian, Prism([(X - 0.2, z), (X + 0.2, z), (X, z + 0.2)], 1.7, 0.75))
    for _ in range(int(knobs.clutter * rng.choice((0, 1, 1, 2)) + 0.5)):
        z, X = choose_depth(rng, knobs.scale_range), rng.choice(SIDES) * (road.kerb - rng.uniform(0.8, 2.2))
        turn = rng.choice(SIDES) * rng.choice((0.3, 0.6, 0.95))
        bicyclist = Bicyclist(
            rider=choose_person(rng, X, z, scheme, knobs),
            turn=turn,
            frame=scheme.tone(rng, PAINTS),
            helmet=scheme.tone(rng, PAINTS),
        )
        yield Placed(z, bicyclist, Prism([(X - 0.5, z), (X + 0.5, z), (X, z + 0.2)], 1.5, 0.7))
