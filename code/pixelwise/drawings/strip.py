"""A network as a strip: its maps as slabs from left to right, each in the colour of the operation that made it."""

from ..analysis.trace import Layer, Step, Trace
from .canvas import text_width
from .sketch import Sketch, Slab, slab_depth, slab_size, spell_size


class Strip:
    """Slabs on one line, joined by arrows; channels stand above each, sizes and rates below where they change."""

    def __init__(self, sketch: Sketch, way: Trace, x: float = 0, axis: float = 0, gap: float = 12) -> None:
        self.sketch = sketch
        self.way = way
        self.axis = axis
        self.gap = gap
        self.x = x
        self.last: Slab | None = None
        self._texts_end = x - 100
        self._lowest = axis

    def image(self, name: str = "image") -> Slab:
        """The network's input."""
        return self.step(self.way.steps[0].before, "data", name=name)

    def add(self, layer: str, kind: str, *, name: str = "") -> Slab:
        """The output of a layer."""
        return self.step(self.way[layer], kind, name=name)

    def step(self, source: Step | Layer, kind: str, *, name: str = "") -> Slab:
        """The output of a step or of a layer."""
        changed = self.last is None or self.last.source.size != source.size
        width, depth = slab_size(source)[0], slab_depth(source)
        texts = [text_width(name, 13.5), text_width(str(source.channels), 11), text_width(spell_size(source), 11)]
        room = max(texts if changed else texts[:2]) / 2 - width / 2 - depth / 2
        self.x = max(self.x, self._texts_end + 6 + room)
        box = self.sketch.slab(self.x, self.axis, source, kind, name=name, size=changed)
        self._texts_end = box.end + room - depth / 2
        if rate := source.rate:
            self.sketch.text((box.bottom[0], box.bottom[1] + (28 if changed else 14)), f"rate {rate}", "small soft")
            self.sketch.mark(source.name if isinstance(source, Layer) else source.layer, "rate")
        if self.last is not None:
            self.sketch.arrow(self.last.right, box.left)
        self.last = box
        self.x = box.end + self.gap
        return box

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
