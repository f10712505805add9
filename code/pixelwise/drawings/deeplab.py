"""DeepLab drawn: dilation in the encoder, the pyramid of rates (ASPP) of v2 and v3, and v3+'s decoder."""

from torch import nn

from ..analysis.trace import Trace, trace
from .encoder import encoder
from .facts import close
from .sketch import Sketch
from .strip import Strip
from .zoom import branches

ROW = 112.0
"""From one classifier of DeepLab v2 to the next."""


def deeplab_largefov(network: nn.Module, shape: tuple[int, int, int, int] = (1, 3, 224, 224)) -> Sketch:
    """DeepLab v1: a VGG that stops shrinking at stride 8 and dilates instead, with fc6 as a dilated 3×3."""
    way = trace(network, shape)
    sketch = Sketch(
        "DeepLab v1 (LargeFOV): the last pools keep the size, dilation keeps the view",
        "After the third pooling the map stays at an eighth of the picture; fc6 is a convolution at a large rate.",
    )
    strip = Strip(sketch, way)
    encoder(strip, way)
    for step in way.find("convolution"):
        if step.layer.startswith("classifier"):
            strip.step(step, "score" if step.layer == way.steps[-2].layer else "convolution")
    strip.step(way.find("bilinear upsampling", "")[-1], "upsampling", name="logits")
    close(sketch, network, shape)
    return sketch


def deeplab_v2(network: nn.Module, shape: tuple[int, int, int, int] = (1, 3, 224, 224)) -> Sketch:
    """DeepLab v2: the dilated VGG of v1, read by parallel classifiers at several rates, whose scores are added."""
    way = trace(network, shape)
    sketch = Sketch(
        "DeepLab v2 (ASPP): one map, classified at growing rates, and the scores summed",
        "Each row is a classifier of its own: a dilated fc6, fc7 and the scores. A small rate sees what is small, a "
        "large one what is large, and their scores are added class by class.",
    )
    names = [name for name in way.layers if name.startswith("classifier.") and name.count(".") == 1]
    middle = ROW * (len(names) - 1) / 2
    strip = Strip(sketch, way, axis=middle)
    before = encoder(strip, way)[-1]
    # pyrefly: ignore[implicit-any-empty-container]  # of slabs
    left, scores = strip.x + 26, []
    for number, name in enumerate(names):
        row = Strip(sketch, way, left, ROW * number, gap=20)
        *hidden, score = [step for step in way[name].steps if step.weighted]
        for step, title in zip(hidden, ("fc6", "fc7"), strict=True):
            row.step(step, "convolution", name="" if number else title)
        scores.append(row.step(score, "score", name="" if number else "score"))
        first, turn = row.slabs[0], left - 14
        sketch.arrow(before.right, first.left, (turn, middle), (turn, ROW * number))
    joint = sketch.joint(scores[-1].end + 54, middle, "sum")
    sketch.gather(scores, joint, joint.x - 16)
    tail = Strip(sketch, way, joint.x + 36, middle)
    total = tail.step(way.find("sum", "classifier")[-1], "sum")
    sketch.arrow(joint.right, total.left)
    tail.step(way.find("bilinear upsampling", "")[-1], "upsampling", name="logits")
    close(sketch, network, shape)
    return sketch


def aspp(network: nn.Module, shape: tuple[int, int, int, int] = (1, 2048, 28, 28)) -> Sketch:
    """Atrous spatial pyramid pooling: one map read at several rates and as a whole, concatenated and projected."""
    way = trace(network, shape)
    sketch = Sketch(
        "ASPP: one map, read at five scales",
        "A 1×1 convolution, three dilated ones at growing rates and the average of the whole map look at the same "
        "place; their answers are laid side by side and mixed.",
    )
    joined = way.find("concatenation")[0]
    branches(sketch, [way[f"convs.{number}"] for number in range(len(joined.inputs))], joined, way["project"].main)
    close(sketch, network, shape)
    return sketch


def deeplab(network: nn.Module, shape: tuple[int, int, int, int] = (1, 3, 224, 224)) -> Sketch:
    """DeepLab v3 or v3+, whichever it is: encoder, ASPP, and for v3+ the decoder that takes a fine map along."""
    way = trace(network, shape)
    low = way.find("concatenation", "")
    sketch = Sketch(
        "DeepLab v3+: ASPP, then a decoder with one skip" if low else "DeepLab v3: a dilated encoder and ASPP",
        "The pyramid reads the coarse map at several rates; " + (
            "its answer, enlarged, meets a fine map that a 1×1 convolution has thinned." if low else
            "its answer is scored and interpolated to the picture in one go."),
    )  # fmt: skip
    strip = Strip(sketch, way)
    maps = encoder(strip, way)
    joined = next(step for step in way.find("concatenation") if step.layer)
    strip.step(joined, "concatenation", name="ASPP")
    strip.step(way[f"{joined.layer}.project"], "convolution")
    if low:
        up, final = way.find("bilinear upsampling", "")
        strip.step(up, "upsampling")
        skip = next(slab for slab in maps if slab.source.size == low[0].size and slab.source.channels > 64)
        strip.join(low[0], "concatenation", skip, through=way["decoder.block1"].main, through_kind="convolution")
        strip.step(way["decoder.block2"], "convolution")
        strip.step(way["segmentation_head"].main, "score")
    else:
        final = way.find("bilinear upsampling", "")[-1]
        tail = [step for step in way.find("convolution") if step.layer.startswith("classifier") and ".convs" not in
                step.layer and ".project" not in step.layer]  # fmt: skip
        for step in tail:
            strip.step(step, "score" if step is tail[-1] else "convolution")
    strip.step(final, "upsampling", name="logits")
    close(sketch, network, shape)
    return sketch


def compact(network: nn.Module, shape: tuple[int, int, int, int] = (1, 3, 96, 128)) -> Sketch:
    """The book's own compact network: separable, dilated blocks at an eighth, a pyramid, two steps back."""
    way: Trace = trace(network, shape)
    sketch = Sketch(
        "The compact network: separable blocks with growing rates, a pyramid, two joins on the way back",
        "All parts are the papers'; most of the work is done at an eighth of the picture by separable convolutions.",
    )
    strip = Strip(sketch, way)
    strip.image()
    half = strip.add("stem", "convolution", name="stem")
    quarter = strip.add("stage1", "convolution", name="stage1")
    strip.add("stage2", "convolution", name="stage2")
    strip.step(way.find("concatenation", "pyramid")[0], "concatenation", name="ASPP")
    strip.add("pyramid.project", "convolution")
    joins, ups = way.find("concatenation", ""), way.find("bilinear upsampling", "")
    for number, (name, skip) in enumerate((("decode_quarter", quarter), ("decode_half", half))):
        strip.step(ups[number], "upsampling")
        strip.join(joins[number], "concatenation", skip)
        strip.add(name, "convolution")
    strip.add("score", "score")
    strip.step(ups[-1], "upsampling", name="logits")
    close(sketch, network, shape)
    return sketch
