"""The encoder of a segmentation network as the first part of its strip: the maps that it hands on."""

from ..analysis.trace import Layer, Step, Trace
from .sketch import Slab
from .strip import Strip


def encoder(strip: Strip, way: Trace) -> list[Slab]:
    """Draw the image and the encoder's maps, and return their slabs, fine to coarse.

    Of a VGG these are its pooled maps, then fc6 and fc7 where they are convolutions; of a ResNet its stem and stages.
    """
    slabs = [strip.image()]
    for source, kind, name in stages(way):
        slabs.append(strip.step(source, kind, name=name))
    return slabs


def stages(way: Trace) -> list[tuple[Step | Layer, str, str]]:
    """(what to draw, its kind, its name) for each stage of the encoder of a network, whatever it is called there."""
    layers = {name.rpartition(".")[2]: name for name in way.layers if name.count(".") <= 1}
    if "layer1" in layers:
        stem = [(way.find("max pooling")[0], "pooling", "stem")]
        return [*stem, *((way[layers[f"layer{n}"]], "convolution", f"layer{n}") for n in range(1, 5))]
    pooled = [(step, "pooling", f"pool{n}") for n, step in enumerate(way.find("max pooling"), 1)]
    dilated = [step for step in way.find("convolution") if step.rate and step.layer.startswith("backbone")]
    if dilated:  # a VGG whose last stage is dilated: its convolutions stand before the last pooling
        pooled.insert(-1, (dilated[-1], "convolution", "conv5"))
    dense = [(way[layers[name]].main, "convolution", name) for name in ("fc6", "fc7") if name in layers]
    return [*pooled, *dense]
