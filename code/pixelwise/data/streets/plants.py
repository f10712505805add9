"""Trees and bushes: their crowns are clumps of leaves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from .arrays import FloatArray, clip
from .canvas import Canvas
from .colours import Colour, mix
from .knobs import Knobs
from .labels import TREE
from .layout import SIDES, Placed, Road
from .light import TOWARDS_CAMERA
from .rng import RandomStream
from .scheme import ColourScheme
from .shadows import Prism, TreeTop
from .shapes import Capsule, Ellipse, Point
from .view import NEAR, Camera, View

TREES_END = 50.0
"""Metres to the last tree of a row."""


class Clump(NamedTuple):
    """A ball of leaves: place across and up within the crown, and radius, as shares of the tree's height."""

    across: float
    up: float
    radius: float


class Habit(NamedTuple):
    """The form of a tree: the share of its height that is bare trunk, and its clumps from the lowest to the highest."""

    bare: float
    clumps: tuple[Clump, ...]


ROUND = Habit(
    0.34,
    (
        Clump(-0.20, 0.30, 0.19),
        Clump(0.20, 0.32, 0.18),
        Clump(0.00, 0.40, 0.22),
        Clump(-0.13, 0.62, 0.18),
        Clump(0.14, 0.66, 0.17),
        Clump(0.00, 0.80, 0.15),
    ),
)
SLENDER = Habit(
    0.12, (Clump(0.00, 0.20, 0.11), Clump(0.02, 0.40, 0.13), Clump(-0.02, 0.60, 0.12), Clump(0.00, 0.80, 0.09))
)
CONE = Habit(
    0.10,
    (
        Clump(-0.08, 0.12, 0.17),
        Clump(0.09, 0.14, 0.17),
        Clump(0.00, 0.35, 0.17),
        Clump(0.00, 0.58, 0.13),
        Clump(0.00, 0.78, 0.09),
        Clump(0.00, 0.92, 0.05),
    ),
)
BUSH = Habit(0.0, (Clump(-0.35, 0.35, 0.42), Clump(0.35, 0.35, 0.40), Clump(0.00, 0.55, 0.45)))


@dataclass(frozen=True)
class Tree:
    """A trunk, unless none of it is bare, under a crown of clumps; height in metres, lean from -1 to 1."""

    X: float
    z: float
    height: float
    bare: float
    clumps: Sequence[Clump]
    colour: Colour
    lean: float
    has_border: bool

    def draw(self, canvas: Canvas, view: View) -> None:
        (x, foot), scale = view.camera.project(self.X, 0.0, self.z), view.camera.scale(max(self.z, NEAR))
        size = self.height * scale
        if canvas.window((x - 0.5 * size, x + 0.5 * size, foot - 1.1 * size, foot)) is None:
            return
        canvas.start_object(TREE, border=self.has_border)
        if self.bare:
            top = (x + 0.03 * size * self.lean, foot - (self.bare + 0.25) * size)
            sun = 0.5 * view.light.irradiance(TOWARDS_CAMERA)
            bark = view.light.shade_lit((0.34, 0.26, 0.20), sun, self.z)
            canvas.fill(Capsule((x, foot), top, max(0.055 * size, 0.008)), bark)
        step = 1 if size > 0.2 else 2 if size > 0.1 else 3
        for across, up, radius in self.clumps[::step]:
            colour = mix(self.colour, (0.10, 0.14, 0.08), 0.35 * (1.0 - up))
            centre = (x + across * size, foot - (self.bare + (1.0 - self.bare) * up) * size)
            draw_clump(canvas, view, centre, radius * size, colour, self.z, 0.75 + 0.35 * up)


def draw_clump(canvas: Canvas, view: View, centre: Point, radius: float, colour: Colour, z: float, sun: float) -> None:
    """One ball of leaves, ragged at the rim and brighter towards the sun."""
    (x, y), (to_sun, up, _) = centre, view.light.direction
    dark, bright = (np.array(view.light.shade_lit(colour, share, z))[:, None, None] for share in (0.0, 1.15))
    lift = bright - dark
    cell = max(radius * 0.30, 0.012)

    def ripple(px: FloatArray, py: FloatArray) -> FloatArray:
        return (view.noise(px / cell, py / cell) - 0.62) * radius * 0.75

    def leaves(px: FloatArray, py: FloatArray) -> FloatArray:
        leaf = view.noise(px / (0.5 * cell) + 5.0, py / (0.5 * cell)) - 0.5
        facing = 0.5 + 0.42 * ((px - x) / radius * to_sun - (py - y) / radius * up)
        return dark * 0.92 + lift * clip(sun * facing + 0.62 * leaf, -0.15, 1.0)

    canvas.fill(Ellipse(x, y, radius, radius, ripple), leaves)


def choose_tree(
    rng: RandomStream, X: float, z: float, height: float, habit: Habit, scheme: ColourScheme, knobs: Knobs
) -> Tree:
    """A tree of this habit, whose clumps are a little displaced."""
    return Tree(
        X=X,
        z=z,
        height=height,
        bare=habit.bare,
        clumps=[
            Clump(
                clump.across + rng.uniform(-0.04, 0.04),
                clump.up + rng.uniform(-0.03, 0.03),
                clump.radius * rng.uniform(0.9, 1.15),
            )
            for clump in habit.clumps
        ],
        colour=scheme.tone(rng, scheme.leaves),
        lean=rng.uniform(-1, 1),
        has_border=rng.chance(knobs.void_border),
    )


def plan_trees(rng: RandomStream, road: Road, scheme: ColourScheme, knobs: Knobs) -> Iterator[Placed]:
    """A row of trees of one kind on either pavement, or none."""
    for side in SIDES:
        if rng.chance(0.35):
            continue
        z, spacing = rng.uniform(6.0, 16.0), rng.uniform(9.0, 15.0)
        habit, height = rng.choice((ROUND, ROUND, SLENDER, CONE)), rng.uniform(4.0, 7.5)
        while z < TREES_END:
            X = side * (road.kerb + 0.35 * road.pavement + 0.3)
            tree = choose_tree(rng, X, z, height * rng.uniform(0.85, 1.15), habit, scheme, knobs)
            yield Placed(z, tree, TreeTop(X, z, 0.6 * tree.height, 0.26 * tree.height))
            z += spacing * rng.uniform(0.8, 1.2)


def plan_touching_bushes(rng: RandomStream, camera: Camera, scheme: ColourScheme, knobs: Knobs) -> Iterator[Placed]:
    """A row of round bushes across the view, each touching the next: one class, many objects."""
    z, radius = 8.0, min(0.75, 4.2 / max(knobs.touching, 1))
    start = camera.offset - camera.bend * z * z - (knobs.touching - 1) * 0.85 * radius
    for number in range(knobs.touching):
        X = start + number * 1.7 * radius
        bush = choose_tree(rng, X, z, radius * 2, BUSH, scheme, knobs)
        bush = replace(bush, clumps=[Clump(0.0, 0.5, 0.5)], has_border=True)
        foot = [(X - radius, z), (X + radius, z), (X, z + radius)]
        yield Placed(z - 0.01 * number, bush, Prism(foot, radius * 2, 0.8))
