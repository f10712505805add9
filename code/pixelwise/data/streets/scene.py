"""One scene: its plan, and painting it from far to near."""

from collections.abc import Iterator

from pixelwise.data.streets.arrays import LATTICE, ByteArray
from pixelwise.data.streets.buildings import plan_houses
from pixelwise.data.streets.canvas import Canvas
from pixelwise.data.streets.furniture import plan_bins, plan_posts
from pixelwise.data.streets.ground import choose_markings, draw_ground
from pixelwise.data.streets.knobs import Knobs
from pixelwise.data.streets.layout import Placed, choose_road
from pixelwise.data.streets.light import choose_light
from pixelwise.data.streets.people import plan_people
from pixelwise.data.streets.plants import plan_touching_bushes, plan_trees
from pixelwise.data.streets.rng import RandomStream, Stream
from pixelwise.data.streets.scheme import choose_scheme
from pixelwise.data.streets.sky import draw_sky, draw_skyline
from pixelwise.data.streets.vehicles import plan_traffic
from pixelwise.data.streets.view import View, choose_camera


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
