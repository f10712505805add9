"""Networks that are one chain of layers, drawn as strips: AlexNet and the VGGs."""

from itertools import pairwise

from torch import nn

from ..analysis.trace import trace
from . import ink
from .facts import close
from .sketch import Sketch
from .strip import Strip

Shape = tuple[int, int, int, int]


def alexnet(network: nn.Module, shape: Shape = (1, 3, 224, 224)) -> Sketch:
    """AlexNet as torchvision has it: five convolutions, three pools, three fully connected layers."""
    sketch = Sketch(
        "AlexNet: five convolutions, then three fully connected layers",
        "The first window is large and takes long steps; the map is small from then on, and gains channels.",
    )
    strip = _chain(sketch, network, shape, gap=33)
    strip.row("window", "window")
    close(sketch, network, shape)
    return sketch


def vgg(network: nn.Module, shape: Shape = (1, 3, 224, 224)) -> Sketch:
    """A network of `models.vgg`: blocks of equal convolutions, each closed by a pool."""
    sketch = Sketch(
        "VGG: five blocks of equal convolutions, then three fully connected layers",
        "Within a block the map stays as it is; each pool halves it, and the next block has twice the channels.",
    )
    strip = _chain(sketch, network, shape, gap=8)
    pools = [i for i, slab in enumerate(strip.slabs) if "pool" in getattr(slab.source, "kind", "")]
    for number, (first, last) in enumerate(pairwise([0, *pools]), start=1):
        sketch.brace(strip.slabs[first + 1].x, strip.slabs[last].end, strip.foot, f"block {number}")
    close(sketch, network, shape)
    return sketch


def _chain(sketch: Sketch, network: nn.Module, shape: Shape, gap: float) -> Strip:
    """Every operation that makes another map; a pool that finds it small enough already makes none."""
    way = trace(network, shape)
    steps = [step for step in way if step.weighted or ("pool" in step.kind and step.inputs[0] != step.output)]
    strip = Strip(sketch, way, gap=gap)
    strip.image()
    for step in steps:
        last = step is steps[-1]
        strip.step(step, "score" if last else ink.OPERATIONS[step.kind], name="classes" if last else "")
    return strip
