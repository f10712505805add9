"""SegFormer drawn: a transformer that halves its maps, and a decoder that stacks them all."""

from torch import nn

from ..analysis.trace import trace
from .facts import close
from .sketch import Sketch, Slab
from .strip import Strip

ROW = 144.0


def segformer(network: nn.Module, shape: tuple[int, int, int, int] = (1, 3, 224, 224)) -> Sketch:
    """SegFormer, ours or segmentation-models-pytorch's: the maps of all stages mixed, enlarged, and stacked."""
    way = trace(network, shape)
    sketch = Sketch(
        "SegFormer: four stages of attention, and a decoder of fully connected layers",
        "Each stage begins with a convolution that shrinks the map, and looks at all of it; the decoder brings every "
        "stage to the same channels and the finest size, and scores the stack.",
    )
    stages = [name for name in way.layers if name.startswith("encoder.block") and name.count(".") == 1]
    joined = way.find("concatenation", "decoder")[0]
    ups = way.find("bilinear upsampling", "decoder")[::-1]
    mixes = [f"decoder.mlp_stage.{number}" for number in range(len(stages))][::-1]
    middle = ROW * (len(stages) - 1) / 2
    image = Strip(sketch, way).image()
    # pyrefly: ignore[implicit-any-empty-container]  # of slabs
    left, rows, previous = image.end + 40, [], image
    for number, (stage, mix, up) in enumerate(zip(stages, mixes, ups, strict=True)):
        row = Strip(sketch, way, left, ROW * number, gap=34)
        slab = row.add(stage, "attention", name=f"stage {number + 1}")
        sketch.number((slab.bottom[0], slab.bottom[1] + 28), way[stage], "parts")
        row.add(mix, "fully connected")
        if up.factor != 1:
            row.step(up, "upsampling")
        rows.append(row.slabs[-1])
        _lead(sketch, previous, slab, first=number == 0)
        previous = slab
    joint = sketch.joint(left + 200, middle, "concatenation")
    sketch.gather(rows, joint, joint.x - 18)
    tail = Strip(sketch, way, joint.x + 40, middle)
    stacked = tail.step(joined, "concatenation")
    sketch.arrow(joint.right, stacked.left)
    tail.add("decoder.fuse_stage", "convolution")
    tail.add("segmentation_head.0", "score", name="score")
    tail.step(way.find("bilinear upsampling")[-1], "upsampling", name="logits")
    close(sketch, network, shape)
    return sketch


def _lead(sketch: Sketch, before: Slab, after: Slab, *, first: bool) -> None:
    if first:
        sketch.arrow(before.right, after.left)
    else:
        sketch.arrow((before.bottom[0], before.bottom[1] + 34), (before.bottom[0], after.roof[1] - 32))
