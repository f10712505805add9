"""A network as a strip: its maps as slabs from left to right, each in the colour of the operation that made it."""

import math

from ..analysis.trace import Layer, Step, Trace
from .canvas import text_width
from .sketch import Sketch, Slab, slab_size, spell_number, spell_size


class Strip:
    """Slabs on one line, joined by arrows.

    Channels stand above each, sizes below where they change; `below` puts both below and only where they change, for
    strips with arcs above. `flat` slabs are half as wide and have no depth, for networks of many layers.
    """

    def __init__(
        self,
        sketch: Sketch,
        way: Trace,
        x: float = 0,
        axis: float = 0,
        gap: float = 12,
        *,
        below: bool = False,
        flat: bool = False,
    ) -> None:
        self.sketch = sketch
        self.way = way
        self.axis = axis
        self.gap = gap
        self.x = x
        self.below = below
        self.flat = flat
        self.last: Slab | None = None
        self.foot = axis  # below all slabs and their numbers
        self.told = -math.inf  # where the last number ends

    def image(self, name: str = "image") -> Slab:
        """The network's input."""
        return self.step(self.way.steps[0].before, "data", name=name)

    def add(self, layer: str, kind: str, *, name: str = "") -> Slab:
        """The output of a layer."""
        return self.step(self.way[layer], kind, name=name)

    def step(self, source: Step | Layer, kind: str, *, name: str = "") -> Slab:
        """The output of a step or of a layer."""
        before = self.last.source if self.last else None
        resized = before is None or before.size != source.size
        told = not self.below or resized or before is None or before.channels != source.channels
        width = text_width(max(spell_number(source, "channels"), spell_size(source) if resized else "", key=len), 11)
        if told:
            self.x = max(self.x, self.told + 5 + width / 2 - slab_size(source)[0] / (4 if self.flat else 2))
        box = self.sketch.slab(
            self.x, self.axis, source, kind, name=name, flat=self.flat,
            channels=not self.below, size=resized and not self.below,
        )  # fmt: skip
        middle, down = box.bottom
        if self.below and told:
            self.sketch.number((middle, down + 14), source, "channels")
        if self.below and resized:
            self.sketch.number((middle, down + 28), source, "size")
        if self.last is not None:
            self.sketch.arrow(self.last.right, box.left)
        self.last, self.x = box, box.end + self.gap
        self.told = middle + width / 2 if told else self.told
        self.foot = max(self.foot, down + 34)
        return box

    def skip(self, before: Slab, after: Slab, rise: float, *, dashed: bool = False) -> None:
        """An arc above the strip from a slab to a later one."""
        start, end = before.roof, after.roof
        self.sketch.arc((start[0] + 3, start[1]), (end[0] - 3, end[1]), rise, dashed=dashed)
