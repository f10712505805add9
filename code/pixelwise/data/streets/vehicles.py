"""Cars, vans and lorries: a body and a tapering cabin, seen from behind or, oncoming, from the front."""

from collections.abc import Iterator
from dataclasses import dataclass

from pixelwise.data.streets.canvas import Canvas
from pixelwise.data.streets.colours import GLASS, PAINTS, Colour, mix
from pixelwise.data.streets.knobs import Knobs
from pixelwise.data.streets.labels import CAR
from pixelwise.data.streets.layout import SIDES, Placed, Road, choose_depth
from pixelwise.data.streets.light import LEFTWARDS, RIGHTWARDS, TOWARDS_CAMERA, UPWARDS, Vector
from pixelwise.data.streets.rng import RandomStream
from pixelwise.data.streets.scheme import ColourScheme
from pixelwise.data.streets.shadows import Prism
from pixelwise.data.streets.shapes import Box, Ellipse, Point, Polygon, convex_hull, shrink
from pixelwise.data.streets.view import DETAIL_DISTANCE, StreetPoint, View

RUBBER = (0.06, 0.06, 0.07)
LEAN_OF_WINDSCREEN, LEAN_OF_REAR_WINDOW = 0.65, 0.3
"""Metres from the foot of a window to its top, lengthwise."""


@dataclass(frozen=True)
class CarModel:
    """A car's measures in metres; belt: height of the lower edge of its windows. A lorry has a windscreen only."""

    length: float
    width: float
    height: float
    belt: float
    bonnet: float
    boot: float
    has_rear_windows: bool = True


HATCHBACK = CarModel(3.7, 1.68, 1.48, 0.92, 0.85, 0.05)
SALOON = CarModel(4.4, 1.76, 1.42, 0.88, 1.05, 0.65)
ESTATE = CarModel(4.5, 1.78, 1.50, 0.90, 1.05, 0.05)
VAN = CarModel(4.9, 1.95, 2.20, 1.15, 0.65, 0.02)
LORRY = CarModel(6.8, 2.30, 3.10, 1.25, 0.30, 0.02, has_rear_windows=False)


@dataclass(frozen=True)
class Car:
    """A car whose end towards the camera stands at (X, z)."""

    X: float
    z: float
    model: CarModel
    is_oncoming: bool
    colour: Colour
    has_border: bool

    def draw(self, canvas: Canvas, view: View) -> None:
        canvas.start_object(CAR, border=self.has_border)
        flank = self._visible_flank(view)
        self._draw_body(canvas, view, flank)
        self._draw_cabin(canvas, view, flank)
        self._draw_lamps(canvas, view)

    @property
    def _far(self) -> float:
        return self.z + self.model.length

    def _project(self, view: View, across: float, up: float, z: float) -> Point:
        return view.camera.project(self.X + across, up, z)

    def _outline(self, view: View, *corners: StreetPoint) -> list[Point]:
        return [self._project(view, *corner) for corner in corners]

    def _shade(self, view: View, albedo: Colour, normal: Vector) -> Colour:
        return view.light.shade(albedo, normal, self.z)

    def _visible_flank(self, view: View) -> int:
        """1 if the camera sees its right flank, -1 if it sees its left one, else 0."""
        w = self.model.width / 2
        if self._project(view, w, 0, self._far)[0] > self._project(view, w, 0, self.z)[0]:
            return 1
        return -1 if self._project(view, -w, 0, self._far)[0] < self._project(view, -w, 0, self.z)[0] else 0

    def _draw_body(self, canvas: Canvas, view: View, flank: int) -> None:
        near, far, w, belt = self.z, self._far, self.model.width / 2, self.model.belt
        scale = view.camera.scale(near)
        profile = ((0.02, near + 0.2), (0.35, near), (0.35, far), (0.02, far - 0.2))
        under = self._outline(view, *((x, y, z) for x in (-w, w) for y, z in profile))
        canvas.fill(Polygon(convex_hull(under)), RUBBER)
        if flank:
            s, normal = flank * w, RIGHTWARDS if flank > 0 else LEFTWARDS
            side = self._outline(view, (s, 0.24, near), (s, 0.24, far), (s, belt, far), (s, belt, near))
            canvas.fill(Polygon(side), self._shade(view, self.colour, normal))
            for z in (near + 0.75, far - 0.8):
                self._draw_wheel(canvas, view, s, z, normal)
        deck = self._outline(view, (-w, belt, near), (w, belt, near), (w, belt, far), (-w, belt, far))
        canvas.fill(Polygon(deck), self._shade(view, self.colour, UPWARDS))
        x, y = self._project(view, 0.0, (belt + 0.22) / 2, near)
        end = Box(x, y, w * scale, (belt - 0.22) / 2 * scale)
        canvas.fill(end, self._shade(view, self.colour, TOWARDS_CAMERA))

    def _draw_wheel(self, canvas: Canvas, view: View, across: float, z: float, normal: Vector) -> None:
        (x0, y), (x1, _) = self._project(view, across, 0.32, z - 0.33), self._project(view, across, 0.32, z + 0.33)
        r = 0.33 * view.camera.scale(z)
        canvas.fill(Ellipse((x0 + x1) / 2, y, max(abs(x1 - x0) / 2, 0.25 * r), r), RUBBER)
        if z < DETAIL_DISTANCE:
            hub = Ellipse((x0 + x1) / 2, y, max(abs(x1 - x0) / 4, 0.1 * r), 0.5 * r)
            canvas.tint(hub, self._shade(view, (0.55, 0.56, 0.58), normal), 0.9)

    def _draw_cabin(self, canvas: Canvas, view: View, flank: int) -> None:
        model, light = self.model, view.light
        before, behind = (model.bonnet, model.boot) if self.is_oncoming else (model.boot, model.bonnet)
        leans = LEAN_OF_WINDSCREEN, LEAN_OF_REAR_WINDOW
        lean_near, lean_far = leans if self.is_oncoming else leans[::-1]
        near, far, w, roof = self.z + before, self._far - behind, model.width / 2, model.width * 0.40
        base = self._outline(
            view, *((x * w * 0.96, model.belt, z) for x, z in ((-1, near), (1, near), (1, far), (-1, far)))
        )
        near, far = near + lean_near, far - lean_far
        top = self._outline(
            view, *((x * roof, model.height, z) for x, z in ((-1, near), (1, near), (1, far), (-1, far)))
        )
        if flank:
            i, j = (1, 2) if flank > 0 else (0, 3)
            normal = RIGHTWARDS if flank > 0 else LEFTWARDS
            side = [base[i], base[j], top[j], top[i]]
            canvas.fill(Polygon(side), self._shade(view, self.colour, normal))
            if model.has_rear_windows:
                canvas.tint(Polygon(shrink(side, 0.86, 0.72)), self._shade(view, GLASS, normal))
        screen = [base[0], base[1], top[1], top[0]]
        canvas.fill(Polygon(screen), self._shade(view, self.colour, TOWARDS_CAMERA))
        canvas.fill(Polygon(top), mix(self._shade(view, self.colour, UPWARDS), light.horizon, 0.12))
        if model.has_rear_windows or self.is_oncoming:
            glass = mix(self._shade(view, GLASS, TOWARDS_CAMERA), light.horizon, 0.28 * (1 - light.night))
            canvas.tint(Polygon(shrink(screen, 0.86, 0.80)), glass)

    def _draw_lamps(self, canvas: Canvas, view: View) -> None:
        """Lamps, bumper and number plate on the end that faces the camera."""
        w, scale = self.model.width / 2, view.camera.scale(self.z)

        def patch(across: float, up: float, width: float, height: float) -> Box:
            return Box(*self._project(view, across, up, self.z), width * scale / 2, height * scale / 2)

        if self.z < DETAIL_DISTANCE:
            canvas.tint(patch(0.0, 0.32, 2 * w, 0.20), self._shade(view, (0.14, 0.14, 0.15), TOWARDS_CAMERA), 0.75)
            canvas.tint(patch(0.0, 0.52, 0.52, 0.12), self._shade(view, (0.93, 0.92, 0.82), TOWARDS_CAMERA))
        colour = (0.98, 0.96, 0.86) if self.is_oncoming else (0.86, 0.10, 0.10)
        lamp = mix(self._shade(view, colour, TOWARDS_CAMERA), colour, 0.35 + 0.65 * view.light.night)
        for side in (-0.78, 0.78):
            canvas.tint(patch(side * w, self.model.belt - 0.18, 0.32 * w, 0.24), lamp)


def place_car(
    rng: RandomStream, X: float, z: float, is_oncoming: bool, scheme: ColourScheme, knobs: Knobs
) -> tuple[Placed, float]:
    """A car of any model at (X, z), and its length in metres."""
    model = rng.choice((HATCHBACK, HATCHBACK, SALOON, SALOON, ESTATE, ESTATE, VAN, LORRY))
    car = Car(
        X=X,
        z=z,
        model=model,
        is_oncoming=is_oncoming,
        colour=scheme.tone(rng, PAINTS),
        has_border=rng.chance(knobs.void_border),
    )
    w, far = model.width / 2, z + model.length
    foot = [(X - w, z), (X + w, z), (X + w, far), (X - w, far)]
    return Placed(z, car, Prism(foot, model.height * 0.85)), model.length


def plan_traffic(rng: RandomStream, road: Road, scheme: ColourScheme, knobs: Knobs) -> Iterator[Placed]:
    """Parked cars along either kerb, and perhaps one that drives in either lane."""
    near, far = knobs.scale_range
    for side in SIDES:
        is_oncoming = side != road.traffic_side
        has_parked_cars = rng.chance(0.75)
        z = near + rng.uniform(0.0, 8.0) * min(1.0, (far - near) / 8.0)
        while has_parked_cars and z < far:
            if rng.chance(min(0.8, 0.55 * knobs.clutter)):
                placed, length = place_car(rng, side * (road.kerb - 1.05), z, is_oncoming, scheme, knobs)
                yield placed
                z += length
            else:
                z += 5.0
            z += rng.uniform(0.8, 3.0)
        if rng.chance(min(1.0, 0.55 * knobs.clutter)):
            z = max(choose_depth(rng, knobs.scale_range), near + 0.3 * (far - near))
            lane = side * (0.9 + 0.22 * (road.kerb - 3.1))
            yield place_car(rng, lane, z, is_oncoming, scheme, knobs)[0]
