"""One scene: its plan, and painting it from far to near."""

from collections.abc import Iterator

from .arrays import LATTICE, ByteArray
from .buildings import plan_houses
from .canvas import Canvas
from .furniture import plan_bins, plan_posts
from .ground import choose_markings, draw_ground
from .knobs import Knobs
from .layout import Placed, choose_road
from .light import choose_light
from .people import plan_people
from .plants import plan_touching_bushes, plan_trees
from .rng import RandomStream, Stream
from .scheme import choose_scheme
from .sky import draw_sky, draw_skyline
from .vehicles import plan_traffic
from .view import View, choose_camera


def paint_scene(index: int, seed: int, size: tuple[int, int], knobs: Knobs) -> tuple[ByteArray, ByteArray]:
    """Image (3, H, W) and mask (H, W), uint8, of scene `index` at this size (H, W)."""

    def stream(part: Stream) -> RandomStream:
        return RandomStream(seed, index, part)

    look, layout = stream(Stream.LOOK), stream(Stream.PLAN)
    camera, light = choose_camera(layout), choose_light(look, knobs.night, knobs.fog)
    view = View(camera, light, stream(Stream.SURFACE).array(LATTICE, LATTICE))
    scheme, storey = choose_scheme(look, knobs.colour_overlap), look.uniform(2.8, 3.3)
    road, markings = choose_road(layout), choose_markings(layout)

    def plan() -> Iterator[Placed]:
        yield from plan_houses(stream(Stream.HOUSES_LEFT), -1, road, light, scheme, storey, knobs)
        yield from plan_houses(stream(Stream.HOUSES_RIGHT), 1, road, light, scheme, storey, knobs)
        yield from plan_trees(stream(Stream.TREES), road, scheme, knobs)
        yield from plan_traffic(stream(Stream.TRAFFIC), road, scheme, knobs)
        yield from plan_posts(stream(Stream.POSTS), road, scheme, knobs)
        yield from plan_people(stream(Stream.PEOPLE), road, scheme, knobs)
        yield from plan_bins(stream(Stream.BINS), road, scheme, knobs)
        yield from plan_touching_bushes(stream(Stream.TOUCHING), camera, scheme, knobs)

    things = sorted(plan(), key=lambda placed: placed.depth, reverse=True)
    shadows = [shadow for placed in things if placed.caster is not None for shadow in placed.caster.shadows(view)]

    canvas = Canvas(size)
    draw_sky(canvas, view, look)
    draw_skyline(canvas, view, scheme, stream(Stream.SKYLINE))
    draw_ground(canvas, view, road, markings, scheme, knobs, shadows)
    for placed in things:
        placed.thing.draw(canvas, view)
    canvas.draw_mask()
    return canvas.develop(stream(Stream.NOISE), knobs.blur, knobs.noise), canvas.mask
