"""Fully convolutional networks and hypercolumns drawn: scores summed on the way back, features stacked."""

from torch import nn

from ..analysis.trace import Step, trace
from .encoder import encoder
from .facts import close
from .sketch import Sketch, Slab, slab_size
from .strip import Strip


def fcn(network: nn.Module, shape: tuple[int, int, int, int] = (1, 3, 224, 224)) -> Sketch:
    """FCN-32s, -16s or -8s, whichever it is: scores are doubled and added to those of finer maps (figure 3)."""
    way = trace(network, shape)
    sums = way.find("sum", "")
    sketch = Sketch(
        "FCN: class scores of the coarsest map" + (", doubled and summed with those of finer maps" if sums else ""),
        "A 1×1 convolution scores each map that takes part; the scores climb back to the picture, and what is added on "
        "the way are scores, never features." if sums else
        "A 1×1 convolution scores the last map, and one large interpolation brings the scores to the picture's size.",
    )  # fmt: skip
    strip = Strip(sketch, way)
    maps = {slab.source.output: slab for slab in encoder(strip, way)}
    scored = [step for step in way.find("convolution") if step.layer.startswith("scores.")]
    strip.step(scored[0], "score", name="score")
    for number, total in enumerate(sums):
        up = way[f"upsamplings.{number}"]
        strip.step(up, "upsampling")
        skip = maps[scored[number + 1].inputs[0]]
        strip.join(total, "sum", skip, through=scored[number + 1], through_kind="score")
    strip.step(way.find("bilinear upsampling", "")[-1], "upsampling", name="logits")
    close(sketch, network, shape)
    return sketch


def hypercolumn(network: nn.Module, shape: tuple[int, int, int, int] = (1, 3, 96, 128)) -> Sketch:
    """Every map of the encoder brought to the finest one's size and stacked: a column of features at each pixel."""
    way = trace(network, shape)
    sketch = Sketch(
        "Hypercolumn: all maps at one size, stacked, and one classifier on the stack",
        "Each map is interpolated to the finest one's size; laid on each other they give every pixel a column of "
        "features, from the finest map to the coarsest.",
    )
    stacked = way.find("concatenation", "")[0]
    *ups, last_up = way.find("bilinear upsampling", "")
    height = slab_size(stacked)[1] + 46
    middle = (len(stacked.inputs) - 1) * height / 2
    previous: Slab | None = None
    rows: list[Slab] = []
    for row, shape_in in enumerate(stacked.inputs):
        up = ups[row - len(stacked.inputs)] if row >= len(stacked.inputs) - len(ups) else None
        source = up.before if up else Step(shape_in, "", "map", ())
        slab = sketch.slab(-slab_size(source)[0] / 2, row * height, source, "convolution")
        if previous is not None:
            sketch.arrow((previous.bottom[0], previous.bottom[1] + 19), (slab.top[0], slab.top[1] - 24))
        previous = slab
        if up is not None and up.factor != 1:
            large = sketch.slab(100 - slab_size(up)[0] / 2, row * height, up, "upsampling", size=False)
            sketch.arrow(slab.right, large.left)
            slab = large
        rows.append(slab)
    joint = sketch.joint(230, middle, "concatenation")
    sketch.gather(rows, joint, 190)
    strip = Strip(sketch, way, x=272, axis=middle)
    box = strip.step(stacked, "concatenation", name="column")
    sketch.arrow(joint.right, box.left)
    for step in way.find("convolution"):
        if step.layer.startswith("classifier"):
            strip.step(step, "score" if step.channels == last_up.channels else "convolution")
    strip.step(last_up, "upsampling", name="logits")
    close(sketch, network, shape)
    return sketch
