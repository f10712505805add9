"""A network as a strip: its maps as slabs from left to right, each in the colour of the operation that made it."""

import math
from collections.abc import Iterable

from ..analysis.trace import Layer, Step, Trace
from .canvas import text_width
from .sketch import Sketch, Slab, has_number, slab_size, spell_number, spell_size


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
        self.slabs: list[Slab] = []
        self.foot = axis  # below all slabs and their numbers
        self.told = self.named = -math.inf  # where the last number and the last name end

    @property
    def last(self) -> Slab | None:
        """The slab that was drawn last."""
        return self.slabs[-1] if self.slabs else None

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
        front = slab_size(source)[0] / (2 if self.flat else 1)
        if told:
            self.x = max(self.x, self.told + 5 + (width - front) / 2)
        if name:
            self.x = max(self.x, self.named + 9 + (text_width(name, 12) - front) / 2)
        if resized and self.last is not None:
            self.x = max(self.x, self.last.end + 3 + (width - front) / 2)
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
        self.slabs.append(box)
        self.x = box.end + self.gap
        self.told = middle + width / 2 if told else self.told
        self.named = middle + text_width(name, 12) / 2 if name else self.named
        self.foot = max(self.foot, down + 34)
        return box

    def skip(self, before: Slab, after: Slab, rise: float, *, dashed: bool = False) -> None:
        """An arc above the strip from a slab to a later one."""
        start, end = before.roof, after.roof
        self.sketch.arc((start[0] + 3, start[1]), (end[0] - 3, end[1]), rise, dashed=dashed)

    def row(self, what: str, title: str = "", of: Iterable[tuple[Slab, Step | Layer]] | None = None) -> None:
        """A number of each slab that has one, in a row below all, with a title below the image.

        `of` says which slabs instead, and whose number stands below each.
        """
        for slab, source in of or [(slab, slab.source) for slab in self.slabs if has_number(slab.source, what)]:
            self.sketch.number((slab.bottom[0], self.foot + 14), source, what)
        if title:
            self.sketch.text((self.slabs[0].x + 18, self.foot + 14), title, "small soft", "end")
        self.foot += 18
