"""A network as a strip: its maps as slabs from left to right, each in the colour of the operation that made it."""

import math
from collections.abc import Iterable

from ..analysis.trace import Layer, Step, Trace
from .canvas import text_width
from .sketch import Sketch, Slab, has_number, slab_depth, slab_size, spell_number, spell_size


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
        self._lowest = axis  # of the skips below
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
        if rate := source.rate:
            self.sketch.text((middle, down + (28 if resized else 14)), f"rate {rate}", "small soft")
            self.sketch.mark(source.name if isinstance(source, Layer) else source.layer, "rate")
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

    def join(self, source: Step, kind: str, skip: Slab, *, through: Step | None = None, through_kind: str = "") -> Slab:
        """A map into which a skip comes from an earlier slab, along a line below all that is drawn there already.

        `through` is what the skip passes on its way, as a slab on that line below where it starts.
        """
        box = self.step(source, kind)
        start = (skip.bottom[0], skip.bottom[1] + 19)
        end = (box.bottom[0], box.bottom[1] + 4)
        if through is None:
            low = max(start[1] + 14, end[1] + 24, self._lowest + 16)
            self.sketch.arrow(start, end, (start[0], low), (end[0], low), kind=kind)
            self._lowest = low
            return box
        width, height = slab_size(through)
        low = max(start[1] + 40 + slab_depth(through) + height / 2, self._lowest + 34 + height / 2)
        passed = self.sketch.slab(start[0] - width / 2, low, through, through_kind, size=False)
        self.sketch.arrow(start, (passed.top[0], passed.top[1] - slab_depth(through) - 17))
        self.sketch.arrow(passed.right, end, (end[0], low), kind=kind)
        self._lowest = passed.bottom[1]
        return box
