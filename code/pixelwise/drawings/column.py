"""A block as a column: its operations as boxes from top to bottom, what stands on each other and what is joined."""

from collections.abc import Callable, Iterable
from math import sqrt

from ..analysis.trace import Layer, Step
from . import ink
from .canvas import Box, Point, text_width
from .sketch import Sketch, spell_operation

SMALL = {"normalisation", "activation"}
GAP = 20.0


class Column:
    """Boxes around the line x = middle, each below the last one, from y on.

    An arrow leads from group to group, with the channels beside it where an operation may have changed them; the boxes
    of a group stand on each other. A group starts with any operation that is neither normalisation nor activation; in a
    block that is `preactivated`, which has these before its convolutions, it starts with a normalisation.
    Given the `least` channels of the block, boxes are as wide as the root of their channels. A column that branches
    off has a `start`, from which its first arrow comes.
    """

    def __init__(
        self,
        sketch: Sketch,
        middle: float,
        y: float = 0,
        *,
        least: int | None = None,
        preactivated: bool = False,
        start: Point | None = None,
    ) -> None:
        self.sketch = sketch
        self.middle = middle
        self.y = y
        self.least = least
        self.leads = {"normalisation"} if preactivated else {*ink.OPERATIONS.values(), "attention"} - SMALL
        self.start = start
        self.boxes: list[Box] = []
        self.said: Step | Layer | None = None
        self.unsaid: Step | Layer | None = None

    def data(self, source: Step | Layer, text: str) -> Box:
        """A map that comes in or goes out, with its channels and size beside it."""
        width, self.unsaid = self._width(source, text), None
        box = self._place(
            width, 26, True, lambda x, y: self.sketch.box(x, y, None, "data", text, width=width, height=26)
        )
        self.sketch.number((box.right[0] + 8, box.right[1] + 4), source, "map", "soft", "start")
        self.said = source
        return box

    def add(self, step: Step | Layer, text: str = "", kind: str = "") -> Box:
        """An operation, with its name and window; or with a text, in the colour of a kind."""
        kind = kind or ink.OPERATIONS[step.kind]
        width = self._width(step, text or spell_operation(step.main if isinstance(step, Layer) else step))
        height = 22 if kind in SMALL else 34
        starts = not self.boxes or kind in self.leads
        box = self._place(
            width, height, starts, lambda x, y: self.sketch.box(x, y, step, kind, text, width=width, height=height)
        )
        if kind not in SMALL:
            self.unsaid = step
        return box

    def steps(self, steps: Iterable[Step]) -> None:
        """All of them."""
        for step in steps:
            self.add(step)

    def joint(self, kind: str, y: float = 0) -> Box:
        """A sum, a product or a concatenation with what comes from the side, at least as far down as y."""
        self.y = max(self.y, y - GAP)
        return self._place(22, 22, True, lambda x, y: self.sketch.joint(x + 11, y + 11, kind))

    def into(self, joint: Box, kind: str = "") -> None:
        """End in the side of a joint in another column, with an arrow in the colour of this kind."""
        last = self.boxes[-1]
        side = joint.right if self.middle > joint.centre[0] else joint.left
        self._say(last.bottom[1] + 14)
        self.sketch.arrow(last.bottom, side, (self.middle, side[1]), kind=kind)

    def _width(self, source: Step | Layer, text: str) -> float:
        width = 104 * sqrt(source.channels / self.least) if self.least else 104
        return max(width, 1.1 * text_width(text, 12) + 14)

    def _place(self, width: float, height: float, starts: bool, draw: Callable[[float, float], Box]) -> Box:
        gap = 0 if not self.boxes else GAP if starts else 3
        box = draw(self.middle - width / 2, self.y + gap)
        if not self.boxes and self.start is not None:
            self.sketch.arrow(self.start, box.top, (self.middle, self.start[1]))
        elif self.boxes and starts:
            bottom = self.boxes[-1].bottom
            self._say(bottom[1] + 13)
            self.sketch.arrow(bottom, box.top)
        self.boxes.append(box)
        self.y = box.bottom[1]
        return box

    def _say(self, y: float) -> None:
        step, self.unsaid = self.unsaid, None
        if step is None:
            return
        what = "channels" if self.said is not None and self.said.size == step.size else "map"
        self.sketch.number((self.middle - 7, y), step, what, anchor="end")
        self.said = step
