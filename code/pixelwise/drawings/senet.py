"""Squeeze and excitation drawn: a map is squeezed to a value per channel, and these values weigh its channels."""

from torch import nn

from ..analysis.trace import trace
from .facts import close
from .sketch import Sketch
from .strip import Strip

KINDS = {"global pooling": "pooling", "convolution": "convolution", "sigmoid": "activation"}


def squeeze_excitation(network: nn.Module, shape: tuple[int, int, int, int] = (1, 256, 56, 56)) -> Sketch:
    """A `models.SqueezeExcitation` from left to right, as in figure 1 of its paper."""
    way = trace(network, shape)
    sketch = Sketch(
        "Squeeze and excitation: the whole map decides how much each channel counts",
        "The mean of each channel goes through a narrow layer and back, and becomes the channel's gate; the map that "
        "came in is multiplied by it, channel by channel.",
    )
    strip = Strip(sketch, way, gap=64, below=True)
    x = strip.image("")
    squeezed, *excited = [strip.step(step, KINDS[step.kind]) for step in way if step.kind in KINDS]
    gate = excited[-1]
    sketch.text((x.x - 8, 4), "x", "strong", "end")
    sketch.text((gate.roof[0], gate.roof[1] - 9), "gate", "strong")
    joint = sketch.joint(strip.x + 11, 0, "attention")
    sketch.arrow(gate.right, joint.left, kind="attention")
    sketch.arc(x.roof, joint.top, 26, "data")
    strip.x = joint.x + 22
    out = sketch.slab(strip.x + 30, 0, way[""], "attention", channels=False, size=False)
    sketch.arrow(joint.right, out.left)
    sketch.text((out.end + 8, 4), "gate · x", "strong", "start")
    sketch.number((out.bottom[0], out.bottom[1] + 14), way[""], "channels")
    sketch.number((out.bottom[0], out.bottom[1] + 28), way[""], "size")
    strip.row("operation", of=[(slab, slab.source) for slab in (squeezed, *excited)])
    sketch.brace(squeezed.x - 24, squeezed.end + 24, strip.foot + 4, "squeeze")
    sketch.brace(excited[0].x - 24, gate.end + 24, strip.foot + 4, "excite")
    close(sketch, network, shape)
    return sketch
