"""A block as a graph, from top to bottom: operations as boxes, what they hand on beside the arrows."""

from collections.abc import Sequence

from ..analysis.trace import Step
from .canvas import text_width
from .sketch import Sketch, spell_operation

WIDTH, HEIGHT, DROP = 112.0, 34.0, 74.0
KINDS = {"max pooling": "pooling", "average pooling": "pooling", "global pooling": "pooling"}


def branches(sketch: Sketch, columns: Sequence[Sequence[Step]], joined: Step, after: Step | None = None) -> None:
    """Columns of steps over one map, side by side, joined at the foot by a sum or a concatenation, then `after`."""
    every = [step for column in columns for step in column]
    wide = max(WIDTH, *(text_width(spell_operation(step), 13) + 14 for step in every))
    rows, pitch = max(map(len, columns)), wide + 16
    middle = (len(columns) - 1) * pitch / 2 + wide / 2
    before = columns[0][0].before
    source = sketch.box(middle - wide / 2, 0, before, "data", "map before", width=wide)
    sketch.number((source.right[0] + 8, source.right[1] + 4), before, "map", "soft", "start")
    join = sketch.joint(middle, (rows + 1) * DROP + 17, "sum" if joined.kind == "sum" else "concatenation")
    for number, column in enumerate(columns):
        centre = number * pitch + wide / 2
        above = source
        for row, step in enumerate(column, start=1 + rows - len(column)):
            box = sketch.box(centre - wide / 2, row * DROP, step, KINDS.get(step.kind, "convolution"), width=wide)
            if above is source:
                turn = source.bottom[1] + 20
                sketch.arrow(source.bottom, box.top, (middle, turn), (centre, turn))
            else:
                sketch.arrow(above.bottom, box.top)
            sketch.number((centre + 6, box.bottom[1] + 14), step, "channels", anchor="start")
            above = box
        turn = join.y - 14
        sketch.line(above.bottom, (centre, turn), (middle, turn))
    sketch.arrow((middle, join.y - 14), join.top)
    below = join
    if after is not None:
        sketch.number((middle + 16, join.bottom[1] + 16), joined, "channels", anchor="start")
        below = sketch.box(middle - wide / 2, join.bottom[1] + 30, after, "convolution", width=wide)
        sketch.arrow(join.bottom, below.top)
    out = sketch.box(middle - wide / 2, below.bottom[1] + 30, None, "data", "map after", width=wide)
    sketch.arrow(below.bottom, out.top)
    sketch.number((out.right[0] + 8, out.right[1] + 4), after or joined, "map", "soft", "start")
