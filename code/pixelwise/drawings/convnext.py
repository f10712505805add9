"""ConvNeXt drawn: the stages as a strip, and its block, which borrows its order from the transformer's."""

from torch import nn

from ..analysis.trace import trace
from .block import draw_block
from .facts import close
from .sketch import Sketch
from .strip import Strip

Shape = tuple[int, int, int, int]


def convnext(network: nn.Module, shape: Shape = (1, 3, 224, 224)) -> Sketch:
    """A ConvNeXt of torchvision: a stem that cuts patches, and stages with a halving before all but the first."""
    way = trace(network, shape)
    sketch = Sketch(
        "ConvNeXt: patches, then stages of residual blocks, as a transformer is laid out",
        "The stem cuts the picture into patches, and each later stage begins with a convolution that halves the map; "
        "below the stages stand their blocks.",
    )
    strip = Strip(sketch, way, gap=30)
    strip.image()
    stem, *parts = [f"features.{name}" for name, _ in network.get_submodule("features").named_children()]
    strip.add(stem, "convolution", name="stem")
    repeats = []
    for number, name in enumerate(parts):
        if number % 2:
            strip.add(name, "convolution")
        else:
            slab = strip.add(name, "sum", name=f"stage {number // 2 + 1}")
            repeats.append((slab, way[name]))
    strip.step(way.find("global pooling")[-1], "pooling")
    strip.step(way.find("fully connected")[-1], "score", name="classes")
    strip.row("parts", "blocks", repeats)
    close(sketch, network, shape)
    return sketch


def convnext_block(network: nn.Module, shape: Shape = (1, 96, 56, 56)) -> Sketch:
    """A `CNBlock` of torchvision: a large filter on each channel alone, then two layers at each place alone."""
    sketch = Sketch(
        "ConvNeXt block: look around once, then think at each place",
        "A large filter for each channel does what attention does for a transformer; what follows is its MLP, wide in "
        "the middle, with one normalisation and one activation in all.",
    )
    draw_block(sketch, trace(network, shape))
    close(sketch, network, shape)
    return sketch
