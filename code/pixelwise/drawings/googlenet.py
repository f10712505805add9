"""GoogLeNet drawn: the whole network as a strip, and one Inception module, naive and reduced."""

from dataclasses import replace

from torch import nn

from ..analysis.trace import Layer, Step, Trace, trace
from .facts import close
from .sketch import Sketch, Slab
from .strip import Strip
from .zoom import branches

Shape = tuple[int, int, int, int]
STAGES = (
    ("conv1", "convolution"), ("maxpool1", "pooling"), ("conv2", "convolution"), ("conv3", "convolution"),
    ("maxpool2", "pooling"), ("inception3a", "concatenation"), ("inception3b", "concatenation"),
    ("maxpool3", "pooling"), ("inception4a", "concatenation"), ("inception4b", "concatenation"),
    ("inception4c", "concatenation"), ("inception4d", "concatenation"), ("inception4e", "concatenation"),
    ("maxpool4", "pooling"), ("inception5a", "concatenation"), ("inception5b", "concatenation"),
)  # fmt: skip


AUXILIARY = {"aux1": "inception4a", "aux2": "inception4d"}
"""The classifiers that only training has, and what they look at."""


def googlenet(network: nn.Module, shape: Shape = (1, 3, 224, 224)) -> Sketch:
    """GoogLeNet from the image to the classes: the stem, nine Inception modules, and the auxiliary classifiers."""
    way = trace(network, shape)
    sketch = Sketch(
        "GoogLeNet: a convolutional stem, nine Inception modules, one global average",
        "Five halvings in all. Between them the maps keep their size, and no module narrows them. Two "
        "classifiers on the way are there in training only.",
    )
    strip = Strip(sketch, way, gap=13)
    strip.image()
    seen = {}
    for name, kind in STAGES:
        seen[name] = strip.add(name, kind, name=name.removeprefix("inception") if "inception" in name else "")
    strip.step(way.find("global pooling")[0], "pooling")
    strip.step(way.find("fully connected")[0], "score", name="classes")
    heads = [(name, seen[where]) for name, where in AUXILIARY.items() if hasattr(network, name)]
    for lane, (name, slab) in enumerate(reversed(heads)):
        _auxiliary(sketch, network.get_submodule(name), name, slab, 104.0 + 84 * lane)
    close(sketch, network, shape)
    return sketch


def _auxiliary(sketch: Sketch, head: nn.Module, name: str, slab: Slab, axis: float) -> None:
    """A classifier on a module's map, as a strip of its own below the network, at the height of this axis."""
    way = trace(head, (1, *slab.source.output[1:]))

    def steps(kind: str) -> list[Step]:  # by their names in the network
        return [replace(step, layer=f"{name}.{step.layer}".rstrip(".")) for step in way.find(kind)]

    x = slab.bottom[0]
    strip = Strip(sketch, way, x + 20, axis)
    first = strip.step(steps("average pooling")[0], "pooling")
    sketch.arrow((x, slab.bottom[1] + 2), first.left, (x, axis), dashed=True)
    strip.step(steps("convolution")[0], "convolution")
    *hidden, scores = steps("fully connected")
    for step in hidden:
        strip.step(step, "fully connected")
    strip.step(scores, "score", name=name)


def inceptions(naive: nn.Module, reduced: nn.Module, shape: Shape = (1, 192, 28, 28)) -> Sketch:
    """Figure 2 of the paper, with what each branch costs: a module as it was first thought of, and with reductions."""
    sketch = Sketch(
        "Inception, naive and with reductions: the same windows, at another price",
        "Below each branch stand its multiply-adds. Convolutions to few channels make the large windows cheap, and "
        "keep the pooled branch from putting out all that came in.",
    )
    for left, name, network in ((0.0, "naive", naive), (382.0, "with reductions", reduced)):
        way = trace(network, shape)
        sketch.heading((left + 93 * 1.5 + 43.5, -14), name)
        middle, low = branches(sketch, *_parts(way), left=left, pitch=93, rows=2, cost=True).bottom
        sketch.number((middle - 8, low + 18), way[""], "multiply-adds", "strong", anchor="end")
        sketch.text((middle - 3, low + 18), "multiply-adds", "soft", "start")
    sketch.legend()
    close(sketch, naive, shape, "naive")
    close(sketch, reduced, shape, "with reductions")
    return sketch


def inception(network: nn.Module, shape: Shape = (1, 192, 28, 28)) -> Sketch:
    """One Inception module as a graph: what comes in goes through four branches, which are laid side by side."""
    sketch = Sketch(
        "Inception module: four branches over one map, concatenated",
        "Each branch keeps the map's height and width, so that their outputs can be laid side by side.",
    )
    branches(sketch, *_parts(trace(network, shape)), pitch=150)
    close(sketch, network, shape)
    return sketch


def _parts(way: Trace) -> tuple[list[Layer], Step]:
    """A module's four branches, and what lays them side by side."""
    return [way[f"branch{number}"] for number in range(1, 5)], way.find("concatenation")[0]
