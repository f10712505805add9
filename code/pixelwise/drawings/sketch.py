"""Draw with the parts that networks are made of: maps as slabs, operations as boxes, joints, braces, numbers.

Whatever number a drawing shows comes from a `Step` or a `Layer` of a trace, and each such text says in `data-layer` and
`data-number` where it comes from, so that a test can compare it with the network.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..analysis.trace import Layer, Step
from . import ink
from .canvas import Box, Canvas, Point, spell, spell_points, text_width


@dataclass(frozen=True)
class Slab(Box):
    """Where a slab's front lies, whose map it is, and how far it reaches back; arrows leave from its middle."""

    source: Step | Layer
    depth: float

    @property
    def right(self) -> Point:
        """Where an arrow leaves: half-way down its side."""
        return self.x + self.width + self.depth / 2, self.y + self.height / 2

    @property
    def roof(self) -> Point:
        """Where an arc leaves: the middle of its upper face."""
        return self.x + self.width / 2 + self.depth / 2, self.y - self.depth / 2

    @property
    def end(self) -> float:
        """The x at which all of it has ended."""
        return self.x + self.width + self.depth


class Sketch(Canvas):
    """A canvas for networks; each part that is drawn returns the `Box` it lies in, from which arrows start and end."""

    def slab(
        self,
        x: float,
        axis: float,
        source: Step | Layer,
        kind: str,
        *,
        name: str = "",
        channels: bool = True,
        size: bool = True,
        flat: bool = False,
    ) -> Slab:
        """A map as a slab around the line y = axis: as high as the root of its size, as wide as that of its channels.

        Above it stand its name and its channels, below it its size, unless it is told not to: what has not changed
        since the slab before need not be said again. A flat one is half as wide and has no depth.
        """
        (width, height), depth = slab_size(source), 0 if flat else slab_depth(source)
        width, top = width / 2 if flat else width, axis - height / 2
        shade = f"{ink.class_of(kind)} shade"
        right, low = x + width, top + height
        roof = [(x, top), (x + depth, top - depth), (right + depth, top - depth), (right, top)]
        side = [(right, top), (right + depth, top - depth), (right + depth, low - depth), (right, low)]
        self._use(kind)
        for points in () if flat else (roof, side):
            self._add("polygon", points=spell_points(points), **{"class": shade, "stroke-linejoin": "round"})
        self._add("rect", x=x, y=top, width=width, height=height, **{"class": ink.class_of(kind)})
        self._grow(x, top - depth, right + depth, low)
        if name:
            self.text((x + width / 2 + depth / 2, top - depth - (20 if channels else 6)), name, "small strong")
        if channels:
            self.number((x + width / 2 + depth / 2, top - depth - 5), source, "channels")
        if size:
            self.number((x + width / 2, low + 14), source, "size")
        self._told.append(f"{name or kind}: {source.channels} channels, {spell_size(source)}")
        return Slab(x, top, width, height, source, depth)

    def box(
        self, x: float, y: float, source: Step | Layer | None, kind: str, text: str = "", *, width: float = 104,
        height: float = 34,
    ) -> Box:  # fmt: skip
        """An operation as a box with its text; what the operation is comes from the step unless a text is given."""
        self._use(kind)
        self._add("rect", x=x, y=y, width=width, height=height, rx=7, **{"class": ink.class_of(kind)})
        self._grow(x, y, x + width, y + height)
        box = Box(x, y, width, height)
        across, down = box.centre
        step = source.main if isinstance(source, Layer) else source
        words = text or (spell_operation(step) if step else "")
        style = "strong" if 1.1 * text_width(words, 12) + 8 <= width else "small"
        if text:
            self.text((across, down + 4), text, style)
        elif step is not None:
            self.number((across, down + 4), step, "operation", style)
        self._told.append(words or kind)
        return box

    def joint(self, x: float, y: float, kind: str) -> Box:
        """Where two ways meet: ⊕ for a sum, ⊗ for a product, ‖ for a concatenation."""
        self._use(kind)
        sign = {"sum": "+", "attention": "×", "concatenation": "‖"}[kind]
        self._add("circle", cx=x, cy=y, r=11, **{"class": ink.class_of(kind)})
        self._grow(x - 11, y - 11, x + 11, y + 11)
        self.text((x, y + 5), sign, "strong title")
        self._told.append(kind)
        return Box(x - 11, y - 11, 22, 22)

    def frame(self, around: Box, kind: str) -> None:
        """A thick frame around a part."""
        self._use(kind)
        name = f"{ink.class_of(kind)}-line frame"
        self._add("rect", x=around.x, y=around.y, width=around.width, height=around.height, **{"class": name})

    def gather(self, parts: Sequence[Box], joint: Box, turn: float) -> None:
        """Arrows from parts that stand below each other into a joint, which meet at x = turn."""
        for part in parts:
            y = part.right[1]
            self.arrow(part.right, joint.left, (turn, y), (turn, joint.left[1]))

    def foot(self, pieces: Sequence[str]) -> None:
        """What is said of the whole at the very end, in as many lines as the width of the drawing asks for."""
        left, _, right, low = self._extent
        lines = [""]
        for piece in pieces:
            line = f"{lines[-1]} · {piece}" if lines[-1] else piece
            if text_width(line, 11) <= max(right - left, 300):
                lines[-1] = line
            else:
                lines.append(piece)
        for number, line in enumerate(lines):
            self.text((left, low + 20 + 16 * number), line, "small soft", "start")
            self.mark("", "facts")

    def mark(self, layer: str, what: str) -> None:
        """Say of the text that was just written what it is: which layer or tensor, and which of its numbers."""
        self._parts[-1].set("data-layer", layer)
        self._parts[-1].set("data-number", what)

    def say(self, words: str) -> None:
        """Add to what the drawing tells whoever does not see it."""
        self._told.append(words)

    def brace(self, left: float, right: float, y: float, text: str) -> None:
        """A brace under what lies between left and right, with a text below."""
        middle = (left + right) / 2
        path = (
            f"M{spell(left)} {spell(y)} q0 7 7 7 L{spell(middle - 7)} {spell(y + 7)} q7 0 7 7 q0 -7 7 -7 "
            f"L{spell(right - 7)} {spell(y + 7)} q7 0 7 -7"
        )
        self._stroke(path, "", False)
        self._grow(left, y, right, y + 14)
        self.text((middle, y + 27), text, "soft")

    def side_brace(self, top: float, bottom: float, x: float, text: str) -> None:
        """A brace to the left of what lies between top and bottom, with a text beside it."""
        middle = (top + bottom) / 2
        path = (
            f"M{spell(x)} {spell(top)} q-7 0 -7 7 L{spell(x - 7)} {spell(middle - 7)} q0 7 -7 7 q7 0 7 7 "
            f"L{spell(x - 7)} {spell(bottom - 7)} q0 7 7 7"
        )
        self._stroke(path, "", False)
        self._grow(x - 14, top, x, bottom)
        self.text((x - 20, middle + 4), text, "strong", "end")

    def number(
        self, at: Point, source: Step | Layer, what: str, style: str = "small soft", anchor: str = "middle"
    ) -> None:
        """What a trace says: "channels", "size", both as the "map", the "operation" with its window, the "window"
        alone, how many "parts" a layer has, its "multiply-adds", the "heads" of an attention, or the rows and columns
        of a "matrix" of tokens.
        """
        self.text(at, spell_number(source, what), style, anchor)
        layer = source.name if isinstance(source, Layer) else source.layer
        self.mark(layer, what)


def slab_size(source: Step | Layer) -> tuple[float, float]:
    """Width and height of a slab: a map of 224×224 is 128 high, 7×7 is 28; 3 channels are 5 wide, 2048 are 35.

    Tokens are as high as a square map of as many places.
    """
    side = math.sqrt(source.tokens) if source.tokens else source.size[0]
    return 4 + 0.68 * math.sqrt(source.channels), 8 + 8 * math.sqrt(side)


def slab_depth(source: Step | Layer) -> float:
    """How far a slab reaches back, to the right and up."""
    return 3 + slab_size(source)[1] / 18


def spell_number(source: Step | Layer, what: str) -> str:
    """What `Sketch.number` writes."""
    step = source.main if isinstance(source, Layer) else source
    if what == "operation":
        return spell_operation(step)
    if what == "window" and step.kernel:
        return f"{step.kernel[0]}×{step.kernel[1]}" + (f" /{step.stride}" if step.stride > 1 else "")
    if what == "parts" and isinstance(source, Layer):
        return f"×{source.parts}"
    if what == "multiply-adds":
        return spell_count(source.multiply_adds)
    if what == "matrix":
        return " × ".join(map(str, (source.tokens, source.channels) if source.tokens else source.size))
    if what == "heads":
        return f"{source.channels} heads"
    channels, size = str(source.channels), spell_size(source)
    both = (size, channels) if source.tokens else (channels, size)
    return {"channels": channels, "size": size, "map": " × ".join(both)}[what]


def has_number(source: Step | Layer, what: str) -> bool:
    """Whether there is such a number: a "window" only where one slides, "parts" only where a layer repeats them."""
    step = source.main if isinstance(source, Layer) else source
    return {"window": step.kernel is not None, "parts": isinstance(source, Layer) and source.parts > 1}.get(what, True)


def spell_count(count: int) -> str:
    """Two or three digits and a unit: 12.8 M, 303 M, 1.5 G."""
    for unit, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if count >= unit:
            return f"{count / unit:.{0 if count >= 100 * unit else 1}f} {letter}"
    return str(count)


def spell_size(source: Step | Layer) -> str:
    """Height × width; a square once, as in 56²; of tokens how many there are."""
    if source.tokens:
        return f"{source.tokens} token{'s' if source.tokens > 1 else ''}"
    height, width = source.size
    return f"{height}²" if height == width else f"{height}×{width}"


def spell_operation(step: Step) -> str:
    """The operation with its window: "7×7 conv, stride 2"."""
    words = {
        "convolution": "conv", "transposed convolution": "up-conv", "deformable convolution": "deformable conv",
        "max pooling": "max pool", "average pooling": "avg pool", "global pooling": "global avg pool",
        "fully connected": "fc", "batch normalisation": "BN", "layer normalisation": "LN",
        "bilinear upsampling": "bilinear", "nearest upsampling": "nearest", "scaling": "scale",
    }  # fmt: skip
    name = words.get(step.kind, step.kind)
    if step.groups > 1 and step.kind == "convolution":
        name = "depthwise" if step.groups == step.output[1] == step.inputs[0][1] else f"{name}, {step.groups} groups"
    window = f"{step.kernel[0]}×{step.kernel[1]} " if step.kernel else ""
    ends = [f"stride {step.stride}"] if step.stride > 1 else []
    ends += [f"rate {step.dilation}"] if step.dilation > 1 else []
    ends += [f"{step.factor:g}×"] if "upsampling" in step.kind else []
    return ", ".join([window + name, *ends])
