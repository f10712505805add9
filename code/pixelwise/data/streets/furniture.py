"""Street furniture: posts with lamps and signs, and bins."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from .arrays import FloatArray, clip
from .canvas import Canvas
from .colours import BINS, BOARDS, LAMPLIGHT, POSTS, Colour, mix
from .knobs import Knobs
from .labels import POLE, SIGN, VOID
from .layout import SIDES, Placed, Road, choose_depth
from .light import TOWARDS_CAMERA, UPWARDS
from .rng import RandomStream
from .scheme import ColourScheme
from .shadows import Prism
from .shapes import Box, Capsule, Ellipse, Point, Polygon
from .view import View

GREY, RED, BLUE, WHITE = (0.30, 0.32, 0.34), (0.80, 0.12, 0.12), (0.10, 0.28, 0.66), (0.95, 0.95, 0.93)
TRAFFIC_LIGHTS = ((0.95, 0.16, 0.12), (0.98, 0.70, 0.15), (0.20, 0.85, 0.45))

Shade: TypeAlias = Callable[[Colour], Colour]


def pole_width(z: float, knobs: Knobs) -> float:
    """How wide a post at depth z is, in heights of the picture: the knob's pixels at 96 rows, a little more when
    near."""
    near, far = knobs.scale_range
    share = (far - z) / (far - near) if far > near else 0.5
    return knobs.pole_width * (0.75 + 0.5 * min(max(share, 0.0), 1.0)) / 96.0


def draw_pole(canvas: Canvas, view: View, X: float, z: float, height: float, width: float, colour: Colour) -> Point:
    """A post, `height` metres tall and `width` heights of the picture wide; returns its top."""
    foot, top = view.camera.project(X, 0.0, z), view.camera.project(X, height, z)
    canvas.start_object(POLE)
    shaft = Box(foot[0], (foot[1] + top[1]) / 2, width / 2, (foot[1] - top[1]) / 2)
    canvas.fill(shaft, view.light.shade(colour, TOWARDS_CAMERA, z))
    return top


@dataclass(frozen=True)
class Lamp:
    """A street lamp whose arm reaches over the road; width as `pole_width`."""

    X: float
    z: float
    height: float
    colour: Colour
    width: float

    def draw(self, canvas: Canvas, view: View) -> None:
        x, y = draw_pole(canvas, view, self.X, self.z, self.height, self.width, self.colour)
        light, scale = view.light, view.camera.scale(self.z)
        reach = (-1 if self.X > 0 else 1) * 1.5 * scale
        shade = light.shade(self.colour, TOWARDS_CAMERA, self.z)
        canvas.fill(Capsule((x, y), (x + reach, y - 0.25 * scale), 0.8 * self.width), shade)
        head = Ellipse(x + reach, y - 0.22 * scale, max(0.42 * scale, 0.009), max(0.13 * scale, 0.006))
        canvas.fill(head, mix(mix(shade, (0.8, 0.8, 0.78), 0.4), LAMPLIGHT, light.night))
        if light.night:
            cx, cy, r = x + reach, y - 0.2 * scale, 2.2 * scale

            def glow(px: FloatArray, py: FloatArray) -> FloatArray:
                d = clip(1.0 - ((px - cx) * (px - cx) + (py - cy) * (py - cy)) / (r * r))
                return 0.6 * light.night * d * d * d

            canvas.tint(Ellipse(cx, cy, r, r), LAMPLIGHT, glow)


class SignKind(Enum):
    """What is fixed to a post."""

    PROHIBITION = "prohibition"
    NO_ENTRY = "no entry"
    MANDATORY = "mandatory"
    WARNING = "warning"
    TRAFFIC_LIGHTS = "traffic lights"
    BOARD = "board"


SIGN_KINDS = (
    SignKind.PROHIBITION,
    SignKind.NO_ENTRY,
    SignKind.MANDATORY,
    SignKind.WARNING,
    SignKind.WARNING,
    SignKind.TRAFFIC_LIGHTS,
    SignKind.TRAFFIC_LIGHTS,
    SignKind.BOARD,
    SignKind.BOARD,
)


@dataclass(frozen=True)
class Sign:
    """A traffic sign, traffic lights or a board on its post.

    radius, and height of its middle, in metres; lit: which of the three lights is on; colour: a board's; width as
    `pole_width`.
    """

    X: float
    z: float
    kind: SignKind
    radius: float
    height: float
    lit: int
    colour: Colour
    width: float

    def draw(self, canvas: Canvas, view: View) -> None:
        draw_pole(canvas, view, self.X, self.z, self.height + self.radius, self.width, GREY)
        centre = view.camera.project(self.X, self.height, self.z)
        r = self.radius * view.camera.scale(self.z)
        sun = 0.35 + 0.5 * view.light.irradiance(TOWARDS_CAMERA)
        canvas.start_object(SIGN)

        def shade(albedo: Colour) -> Colour:
            return view.light.shade_lit(albedo, sun, self.z * 0.5)

        if self.kind is SignKind.TRAFFIC_LIGHTS:
            draw_traffic_lights(canvas, centre, r, shade, self.lit)
        elif self.kind is SignKind.BOARD:
            draw_board(canvas, centre, r, shade, self.colour)
        else:
            draw_traffic_sign(canvas, centre, r, shade, self.kind)


def draw_traffic_sign(canvas: Canvas, centre: Point, r: float, shade: Shade, kind: SignKind) -> None:
    """A round or triangular sign of radius r."""
    x, y = centre
    if kind is SignKind.WARNING:
        for size, colour in ((1.2, RED), (0.72, WHITE)):
            corners = [
                (x, y - size * r),
                (x + size * r, y + 0.75 * size * r),
                (x - size * r, y + 0.75 * size * r),
            ]
            canvas.fill(Polygon(corners), shade(colour))
        return
    canvas.fill(Ellipse(x, y, r, r), shade(BLUE if kind is SignKind.MANDATORY else RED))
    if kind is SignKind.PROHIBITION:
        canvas.fill(Ellipse(x, y, 0.68 * r, 0.68 * r), shade(WHITE))
    elif kind is SignKind.NO_ENTRY:
        canvas.fill(Box(x, y, 0.7 * r, 0.18 * r), shade(WHITE))
    else:
        canvas.fill(Capsule((x - 0.3 * r, y + 0.4 * r), (x + 0.3 * r, y - 0.4 * r), 0.3 * r), shade(WHITE))


def draw_traffic_lights(canvas: Canvas, centre: Point, r: float, shade: Shade, lit: int) -> None:
    """Three lights in a dark box, of which number `lit` is on."""
    x, y = centre
    canvas.fill(Box(x, y, 0.55 * r, 1.3 * r), shade((0.10, 0.11, 0.12)))
    for place, colour in enumerate(TRAFFIC_LIGHTS):
        glow = colour if place == lit else mix(colour, (0.1, 0.1, 0.1), 0.8)
        canvas.fill(Ellipse(x, y + (place - 1) * 0.8 * r, 0.34 * r, 0.34 * r), glow)


def draw_board(canvas: Canvas, centre: Point, r: float, shade: Shade, colour: Colour) -> None:
    """A coloured board with two lines of writing."""
    x, y = centre
    canvas.fill(Box(x, y, 1.5 * r, 0.85 * r), shade(WHITE))
    canvas.fill(Box(x, y, 1.36 * r, 0.71 * r), shade(colour))
    for row in (-0.3, 0.2):
        canvas.fill(Capsule((x - 0.9 * r, y + row * r), (x + 0.7 * r, y + row * r), 0.2 * r), shade(WHITE))


@dataclass(frozen=True)
class Bin:
    """A litter bin or a post box: street furniture that no class covers, so it is void. Width and height in metres."""

    X: float
    z: float
    width: float
    height: float
    colour: Colour

    def draw(self, canvas: Canvas, view: View) -> None:
        light, (x, y), unit = view.light, view.camera.project(self.X, 0.0, self.z), view.camera.scale(self.z)
        w, h = self.width * unit, self.height * unit
        canvas.start_object(VOID)
        side = light.shade_lit(self.colour, 0.7 * light.irradiance(TOWARDS_CAMERA) + 0.15, self.z)
        canvas.fill(Box(x, y - h / 2, w / 2, h / 2), side)
        canvas.fill(Ellipse(x, y - h, w / 2, 0.28 * w), light.shade(self.colour, UPWARDS, self.z))
        canvas.tint(Box(x, y - 0.72 * h, 0.33 * w, 0.06 * h), (0.05, 0.05, 0.05), 0.7)


def plan_posts(rng: RandomStream, road: Road, scheme: ColourScheme, knobs: Knobs) -> Iterator[Placed]:
    """Lamps and signs along the kerb."""
    for _ in range(max(0, int(2 * knobs.clutter + 0.5))):
        side = rng.choice(SIDES)
        X, z = side * (road.kerb + rng.uniform(0.3, 0.5)), choose_depth(rng, knobs.scale_range)
        lamp = Lamp(
            X=X,
            z=z,
            height=rng.uniform(5.5, 8.0),
            colour=scheme.tone(rng, POSTS),
            width=pole_width(z, knobs),
        )
        yield Placed(z, lamp, Prism([(X - 0.07, z), (X + 0.07, z), (X, z + 0.1)], lamp.height, 0.7))
    for _ in range(max(0, int(4 * knobs.clutter + 0.5))):
        side, z = rng.choice(SIDES), choose_depth(rng, knobs.scale_range)
        sign = Sign(
            X=side * (road.kerb + rng.uniform(0.3, 0.7)),
            z=z,
            kind=rng.choice(SIGN_KINDS),
            radius=rng.uniform(0.45, 0.62),
            height=rng.uniform(2.3, 3.0),
            lit=rng.integer(0, 2),
            colour=scheme.tone(rng, BOARDS),
            width=pole_width(z, knobs),
        )
        yield Placed(z, sign)


def plan_bins(rng: RandomStream, road: Road, scheme: ColourScheme, knobs: Knobs) -> Iterator[Placed]:
    """Bins and post boxes on the pavements."""
    for _ in range(int(knobs.clutter * rng.integer(0, 3) + 0.5)):
        z = choose_depth(rng, knobs.scale_range)
        thing = Bin(
            X=rng.choice(SIDES) * (road.kerb + rng.uniform(0.3, 0.9) * road.pavement),
            z=z,
            width=rng.uniform(0.45, 0.7),
            height=rng.uniform(0.9, 1.5),
            colour=scheme.tone(rng, BINS),
        )
        yield Placed(z, thing)
