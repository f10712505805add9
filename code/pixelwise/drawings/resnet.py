"""ResNets drawn as strips: every block with the arc of its shortcut, and a plain network of the same layers."""

from torch import nn

from ..analysis.trace import trace
from .facts import close
from .sketch import Sketch
from .strip import Strip

Shape = tuple[int, int, int, int]

KINDS = {
    "convolution": "convolution", "max pooling": "pooling", "global pooling": "pooling", "sum": "sum",
    "fully connected": "score",
}  # fmt: skip


def resnet(network: nn.Module, shape: Shape = (1, 3, 224, 224), *, inside: bool = True) -> Sketch:
    """A network of `models.resnet` or `models.resnet_cifar` from the image to the classes, an arc for each shortcut.

    Each convolution of a branch is a slab, and each sum; without `inside` only the sums are, for deep networks.
    """
    way = trace(network, shape)
    sketch = Sketch(
        f"{way.name}: a stem, stages of residual blocks, one global average",
        "Each arc is a shortcut: over it a map passes its block as it is, or, where the arc is dashed, is only brought "
        "to the shape of the next stage.",
    )
    strip = Strip(sketch, way, gap=11 if inside else 8, below=True)
    for stage, (left, right) in _draw(strip, inside).items():
        sketch.brace(left, right, strip.foot + 4, stage)
    close(sketch, network, shape)
    return sketch


def plain_and_residual(plain: nn.Module, residual: nn.Module, shape: Shape = (1, 3, 32, 32)) -> Sketch:
    """Two networks of the same layers below each other, without shortcuts and with them, as in figure 3 of the paper.

    Slabs are layers: the last one of a block is its sum, where the block has one.
    """
    sketch = Sketch(
        "A plain network and a residual one: the same layers, and a shortcut over every second",
        "What the lower network has more is its arcs; where the map shrinks, they are dashed.",
    )
    axis = 0.0
    for name, network in (("plain", plain), ("residual", residual)):
        strip = Strip(sketch, trace(network, shape), axis=axis, gap=13, below=True, flat=True)
        sketch.heading((-12, axis + 4), name, "end")
        stages = _draw(strip, inside=True)
        axis += strip.foot + 60
    for stage, (left, right) in stages.items():
        sketch.brace(left, right, strip.foot + 4, stage)
    sketch.legend()
    close(sketch, plain, shape, "plain")
    close(sketch, residual, shape, "residual")
    return sketch


def _draw(strip: Strip, inside: bool) -> dict[str, tuple[float, float]]:
    """Draw all slabs and arcs, and return where each stage begins and ends."""
    chain = [step for step in strip.way if step.kind in KINDS and "downsample" not in step.layer]
    stages: dict[str, tuple[float, float]] = {}
    entry = strip.image("" if strip.flat else "image")
    for step, after in zip(chain, [*chain[1:], None], strict=True):
        stage = step.layer.split(".")[0]
        in_stage = stage.startswith("layer")
        if step.kind == "convolution" and in_stage and (not inside or (after and after.kind == "sum")):
            continue
        box = strip.step(step, KINDS[step.kind], name="classes" if step.kind == "fully connected" else "")
        if step.kind == "sum":
            projected = any(other.layer.startswith(f"{step.layer}.downsample") for other in strip.way)
            strip.skip(entry, box, 22, dashed=projected)
        if step.kind == "sum" or not in_stage:
            entry = box
        if in_stage:
            stages[stage] = stages.get(stage, (box.x, 0))[0], box.end
    return stages
