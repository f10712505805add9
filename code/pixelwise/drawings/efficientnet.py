"""EfficientNets drawn: the stages as a strip, and their block, which is wide in the middle."""

from torch import nn

from ..analysis.trace import Layer, Step, trace
from ..models import EfficientNetLite
from .block import draw_block, gate_of
from .facts import close
from .sketch import Sketch, Slab
from .strip import Strip

Shape = tuple[int, int, int, int]

KINDS = {"sum": "sum", "batch normalisation": "convolution"}
"""What a stage ends with: blocks that repeat add what came in, a single one does not."""


def efficientnet(network: nn.Module, shape: Shape = (1, 3, 224, 224)) -> Sketch:
    """A network of `models.efficientnet` or `models.efficientnet_lite`: a slab for each stage, below it its blocks."""
    way = trace(network, shape)
    sketch = Sketch(
        "EfficientNet: a stem, seven stages of inverted bottlenecks, a wide last convolution",
        "Below each stage stand its blocks and the filter of the first; most blocks work on small maps, and "
        "the maps stay narrow up to the head.",
    )
    strip = Strip(sketch, way, gap=30)
    strip.image()
    stem, *stages, head = _parts(network)
    filters: list[tuple[Slab, Step | Layer]] = [(strip.add(stem, "convolution", name="stem"), way[stem].steps[0])]
    repeats: list[tuple[Slab, Step | Layer]] = []
    for number, name in enumerate(stages, start=1):
        stage = way[name]
        slab = strip.step(stage, KINDS[stage.steps[-1].kind], name=f"stage {number}")
        filters.append((slab, next(step for step in stage.steps if step.groups > 1)))
        repeats.append((slab, stage))
    strip.add(head, "convolution", name="head")
    strip.step(way.find("global pooling")[-1], "pooling")
    strip.step(way.find("fully connected")[0], "score", name="classes")
    strip.row("parts", "blocks", repeats)
    strip.row("window", "filter", filters)
    close(sketch, network, shape)
    return sketch


def _parts(network: nn.Module) -> list[str]:
    """The names of the stem, the stages and the head."""
    if isinstance(network, EfficientNetLite):
        return ["conv_stem", *(f"blocks.{name}" for name, _ in network.blocks.named_children()), "conv_head"]
    return [f"features.{name}" for name, _ in network.get_submodule("features").named_children()]


def inverted_bottleneck(network: nn.Module, shape: Shape = (1, 24, 56, 56)) -> Sketch:
    """The block of an EfficientNet (`models.MBConv`, with a gate) or of an EfficientNet-Lite (without one)."""
    gate = gate_of(network)
    sketch = Sketch(
        f"{type(network).__name__}: wide in the middle, narrow at its ends",
        "The filter that looks around works on each of the many channels for itself, which makes it cheap"
        + (", and a gate weighs them." if gate else "."),
    )
    draw_block(sketch, trace(network, shape), gate)
    close(sketch, network, shape)
    return sketch
