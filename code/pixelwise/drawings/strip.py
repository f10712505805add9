"""A network as a strip: its maps as slabs from left to right, each in the colour of the operation that made it."""

from ..analysis.trace import Layer, Step, Trace
from .sketch import Sketch, Slab


class Strip:
    """Slabs on one line, joined by arrows; channels stand above each, sizes below where they change."""

    def __init__(self, sketch: Sketch, way: Trace, x: float = 0, axis: float = 0, gap: float = 12) -> None:
        self.sketch = sketch
        self.way = way
        self.axis = axis
        self.gap = gap
        self.x = x
        self.last: Slab | None = None

    def image(self, name: str = "image") -> Slab:
        """The network's input."""
        return self.step(self.way.steps[0].before, "data", name=name)

    def add(self, layer: str, kind: str, *, name: str = "") -> Slab:
        """The output of a layer."""
        return self.step(self.way[layer], kind, name=name)

    def step(self, source: Step | Layer, kind: str, *, name: str = "") -> Slab:
        """The output of a step or of a layer."""
        before = self.last.source if self.last else None
        box = self.sketch.slab(
            self.x, self.axis, source, kind, name=name,
            size=before is None or before.size != source.size,
        )  # fmt: skip
        if self.last is not None:
            self.sketch.arrow(self.last.right, box.left)
        self.last = box
        self.x = box.end + self.gap
        return box
