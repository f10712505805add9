"""Branches over one map as a graph, from top to bottom: operations as boxes, what they hand on beside the arrows."""

from collections.abc import Sequence

from ..analysis.trace import Layer, Step
from . import ink
from .canvas import Box, text_width
from .sketch import Sketch, spell_operation

WIDTH, DROP = 104.0, 74.0


def branches(
    sketch: Sketch,
    layers: Sequence[Layer],
    joined: Step,
    after: Step | None = None,
    *,
    left: float = 0,
    pitch: float = 0,
    rows: int = 0,
    cost: bool = False,
) -> Box:
    """Layers over one map, side by side, joined at the foot, then `after`; returns the box of the map that comes out.

    Of each layer its convolutions and poolings are shown. The branches stand `pitch` apart, or as far as their texts
    need, in so many rows or more; with `cost` each says its multiply-adds.
    """
    chains = [[step for step in layer.steps if step.weighted or "pooling" in step.kind] for layer in layers]
    every = [step for chain in chains for step in chain]
    wide = min(WIDTH, pitch - 6) if pitch else max(text_width(spell_operation(step), 13) + 14 for step in every)
    pitch, rows = pitch or wide + 16, max(rows, *map(len, chains))
    middle = left + (len(chains) - 1) * pitch / 2 + wide / 2
    source = sketch.box(middle - WIDTH / 2, 0, None, "data", "map before", width=WIDTH)
    sketch.number((source.right[0] + 8, source.right[1] + 4), every[0].before, "map", "soft", "start")
    join = sketch.joint(middle, (rows + 1) * DROP + 17 + 16 * cost, ink.OPERATIONS[joined.kind])
    bus = join.y - 14
    for number, (layer, chain) in enumerate(zip(layers, chains, strict=True)):
        x, above = left + number * pitch + wide / 2, source
        for row, step in enumerate(chain, start=1 + rows - len(chain)):
            box = sketch.box(x - wide / 2, row * DROP, step, ink.OPERATIONS[step.kind], width=wide)
            if above is source:
                turn = source.bottom[1] + 20
                sketch.arrow(source.bottom, box.top, (middle, turn), (x, turn))
            else:
                sketch.arrow(above.bottom, box.top)
            sketch.number((x + 6, box.bottom[1] + 14), step, "channels", anchor="start")
            above = box
        sketch.line(above.bottom, (x, bus), (middle, bus))
        if cost and layer.multiply_adds:
            sketch.number((x - 6, bus - 6), layer, "multiply-adds", "small strong", anchor="end")
    sketch.arrow((middle, bus), join.top)
    below = join
    if after is not None:
        sketch.number((middle + 6, join.bottom[1] + 16), joined, "channels", anchor="start")
        below = sketch.box(middle - WIDTH / 2, join.bottom[1] + 30, after, ink.OPERATIONS[after.kind], width=WIDTH)
        sketch.arrow(join.bottom, below.top)
    out = sketch.box(middle - WIDTH / 2, below.bottom[1] + 24, None, "data", "map after", width=WIDTH)
    sketch.arrow(below.bottom, out.top)
    sketch.number((out.right[0] + 8, out.right[1] + 4), after or joined, "map", "soft", "start")
    return out
