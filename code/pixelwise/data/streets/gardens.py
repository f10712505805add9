"""Fences, and the bushes and trees behind them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, band, blend, uniform_pixels
from .canvas import Canvas
from .colours import FENCES, Colour, mix
from .knobs import Knobs
from .labels import FENCE
from .layout import Placed, Side
from .plants import BUSH, CONE, ROUND, SLENDER, choose_tree
from .rng import RandomStream
from .scheme import ColourScheme
from .view import View
from .walls import STREAKS, draw_wall, normal_of


@dataclass(frozen=True)
class Fence:
    """A fence of pickets or a low wall, from depth near to far, `line` metres from the road's middle.

    height, and spacing from picket to picket, in metres; texture as the knob.
    """

    side: Side
    near: float
    far: float
    line: float
    is_solid: bool
    colour: Colour
    height: float
    spacing: float
    texture: float

    def draw(self, canvas: Canvas, view: View) -> None:
        canvas.start_object(FENCE)

        def finish(s: FloatArray, t: FloatArray, pixel: FloatArray) -> tuple[FloatArray, None]:
            albedo = uniform_pixels(self.colour, *t.shape)
            albedo *= 1.0 + 0.5 * self.texture * (view.noise(s * 2.0, STREAKS) - 0.5)
            rail = band(np.abs(t - 0.55 * self.height), -1, 0.06, pixel)
            blend(albedo, mix(self.colour, (0.1, 0.1, 0.1), 0.5), 0.6 * rail)
            blend(albedo, mix(self.colour, (1.0, 1.0, 1.0), 0.35), 0.6 * band(t, self.height - 0.12, 9.0, pixel))
            return albedo, None

        def pickets(s: FloatArray, t: FloatArray, pixel: FloatArray) -> FloatArray:
            phase = s / self.spacing - np.floor(s / self.spacing)
            rails = band(t, 0.45 * self.height, 0.62 * self.height, pixel)
            rails = np.maximum(rails, band(t, self.height - 0.14, 9.0, pixel))
            return np.maximum(0.25, np.maximum(rails, band(phase, 0.0, 0.6, pixel / self.spacing)))

        X, opacity = self.side * self.line, None if self.is_solid else pickets
        draw_wall(canvas, view, (X, self.near), (X, self.far), self.height, normal_of(self.side), finish, opacity)


def plan_garden(
    rng: RandomStream,
    side: Side,
    near: float,
    far: float,
    line: float,
    is_gap: bool,
    scheme: ColourScheme,
    knobs: Knobs,
) -> Iterator[Placed]:
    """Behind the pavement, whose inner edge is `line` metres from the road's middle: a fence, bushes and, in a gap
    between houses, trees."""
    near = max(near, 1.5)
    if far <= near + 1:
        return
    like_houses = "fence" in knobs.context_only
    is_wall = rng.choice((False, False, False, True))
    fence = Fence(
        side=side,
        near=near,
        far=far,
        line=line,
        is_solid=like_houses or is_wall,
        colour=scheme.tone(rng, scheme.facades if like_houses else FENCES),
        height=rng.uniform(1.0, 1.7),
        spacing=rng.uniform(0.22, 0.5),
        texture=knobs.texture,
    )
    if rng.chance(0.8):
        yield Placed(far, fence)
    for _ in range(rng.integer(2, 4) if is_gap else 1):
        X = side * (line + rng.uniform(2.5, 8.0 if is_gap else 2.6))
        height = rng.uniform(4.0, 9.0) if is_gap else rng.uniform(1.2, 2.2)
        habit = rng.choice((ROUND, ROUND, CONE, SLENDER)) if is_gap else BUSH
        yield Placed(far + 0.1, choose_tree(rng, X, rng.uniform(near, far), height, habit, scheme, knobs))
