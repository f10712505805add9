"""DenseNet drawn: the whole network as a strip, and a dense block with everything that each of its layers reads."""

from torch import nn

from ..analysis.trace import Layer, Step, trace
from .block import draw_block
from .facts import close
from .sketch import Sketch, Slab
from .strip import Strip

Shape = tuple[int, int, int, int]

GAP = 17.0


def densenet(network: nn.Module, shape: Shape = (1, 3, 224, 224)) -> Sketch:
    """A network of `models.densenet`: the stem, dense blocks, and the transitions between them."""
    way = trace(network, shape)
    sketch = Sketch(
        "DenseNet: dense blocks that append channels, transitions that halve them",
        "Within a block every layer appends its few channels; a transition compresses them by half and halves the map.",
    )
    strip = Strip(sketch, way, gap=19)
    strip.image()
    strip.add("features.conv0", "convolution", name="conv0")
    strip.add("features.pool0", "pooling")
    for name, _ in network.get_submodule("features").named_children():
        if name.startswith("denseblock"):
            strip.add(f"features.{name}", "concatenation", name=name.replace("denseblock", "block "))
        elif name.startswith("transition"):
            strip.add(f"features.{name}.conv", "convolution")
            strip.add(f"features.{name}.pool", "pooling")
    strip.step(way.find("global pooling")[0], "pooling")
    strip.step(way.find("fully connected")[0], "score", name="classes")
    strip.row("parts", "layers")
    close(sketch, network, shape)
    return sketch


def dense_block(network: nn.Module, shape: Shape = (1, 64, 56, 56)) -> Sketch:
    """A `models.DenseBlock` layer by layer: what each appends, and the arcs over which all later ones read it."""
    way = trace(network, shape)
    sketch = Sketch(
        "Dense block: each layer reads all maps before it, concatenated",
        "Every layer appends the same few channels, the growth; what it reads becomes wider from layer to layer.",
    )
    maps = [_map(sketch, 0, way.steps[0].before, "data", "x₀")]
    names = [name for name, _ in network.named_children()]
    for number, name in enumerate(names, start=1):
        layer, index = way[name], chr(ord("₀") + number)
        x = maps[-1].end + GAP
        if number > 1:
            x = _join(sketch, maps, len(names), x, layer.steps[0].before) + GAP
        box = sketch.box(x, -20, layer, "convolution", f"H{index}", width=36, height=40)
        sketch.arrow((box.x - GAP, 0), box.left)
        maps.append(_map(sketch, box.x + box.width + GAP, layer.main, "convolution", f"x{index}"))
        sketch.arrow(box.right, maps[-1].left)
    x = _join(sketch, maps, len(names), maps[-1].end + GAP, way[""]) + GAP
    sketch.arrow((x - GAP, 0), _map(sketch, x, way[""], "concatenation", "").left)
    close(sketch, network, shape)
    return sketch


def dense_layer(network: nn.Module, shape: Shape = (1, 64, 56, 56)) -> Sketch:
    """A `models.DenseLayer`, which is what H stands for in the drawing of a dense block."""
    sketch = Sketch(
        "Dense layer: what is new is laid beside what came in",
        "A bottleneck of few channels, then the convolution that makes the new ones, each after its own normalisation.",
    )
    draw_block(sketch, trace(network, shape), name="H(x)")
    close(sketch, network, shape)
    return sketch


def _map(sketch: Sketch, x: float, source: Step | Layer, kind: str, name: str) -> Slab:
    """A slab with everything that is said of it below: above it there are arcs."""
    slab = sketch.slab(x, 0, source, kind, channels=False, size=False)
    down = slab.y + slab.height
    sketch.number((slab.bottom[0], down + 14), source, "map" if kind != "convolution" else "channels")
    if name:
        sketch.text((slab.bottom[0], down + 30), name, "strong")
    return slab


def _join(sketch: Sketch, maps: list[Slab], count: int, x: float, joined: Step | Layer) -> float:
    """Concatenate all maps so far of so many, say how many channels that makes, and return where the joint ends.

    Whatever reads a map gets it from a line at one height above it, the first map's highest.
    """
    joint = sketch.joint(x + 11, 0, "concatenation")
    sketch.number((x + 11, 26), joined, "channels")
    sketch.arrow(maps[-1].right, joint.left)
    for number, before in enumerate(maps[:-1]):
        sketch.arc(before.roof, joint.top, 16.0 + 13 * (count - 1 - number), "concatenation")
    return x + 22
