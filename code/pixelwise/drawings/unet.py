"""U-Net drawn: down the contracting path, up the expanding one, and what goes across."""

from torch import nn

from ..analysis.trace import trace
from . import ink
from .facts import close
from .sketch import Sketch, Slab, slab_size

SHOWN = ("convolution", "max pooling", "transposed convolution", "nearest upsampling", "concatenation")
GAP = 13


def unet(network: nn.Module, shape: tuple[int, int, int, int] = (1, 3, 224, 224)) -> Sketch:
    """The U as in figure 1 of the paper, for any U-Net of this library on its own path: each step of the way a slab."""
    way = trace(network, shape)
    sketch = Sketch(
        f"{way.name}: a contracting path, an expanding path, and a skip at every height",
        "Maps shrink and gain channels on the way down, and grow again on the way up; at each height the map of the "
        "left is laid beside the one that comes from below.",
    )
    steps = [step for step in way if step.kind in SHOWN]
    image = steps[0].before
    last = sketch.slab(0, 0, image, "data", name="image")
    x, level, axes, skips = last.end + GAP, 0, [0.0], {0: last}
    for step in steps:
        kind = ink.OPERATIONS[step.kind] if step is not steps[-1] else "score"
        if kind == "pooling":
            skips[level] = last
            level += 1
            axes.append(axes[-1] + slab_size(last.source)[1] / 2 + 56 + slab_size(step)[1] / 2)
        elif kind == "upsampling":
            level -= 1
        changed = kind in ("pooling", "upsampling") or step.size != last.source.size
        box = sketch.slab(x, axes[level], step, kind, size=changed)
        _connect(sketch, last, box, kind)
        if kind == "concatenation":
            skip = skips[level]
            sketch.arrow((skip.end, skip.right[1]), box.left, kind=kind, behind=True)
        last, x = box, box.end + GAP
    close(sketch, network, shape)
    return sketch


def _connect(sketch: Sketch, before: Slab, after: Slab, kind: str) -> None:
    if kind == "pooling":
        start = (before.bottom[0], before.bottom[1] + 19)
        sketch.arrow(start, after.left, (start[0], after.left[1]), kind=kind)
    elif kind == "upsampling":
        end = (after.bottom[0], after.bottom[1] + 20)
        sketch.arrow(before.right, end, (end[0], before.right[1]), kind=kind)
    else:
        sketch.arrow(before.right, after.left)
