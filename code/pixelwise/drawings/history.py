"""The history of the backbones at a glance: each network drawn to one scale, with its year, idea, error and cost.

Parameters, multiply-adds, depth and maps come from the networks, which torchvision builds; the errors are those that
torchvision publishes for its weights IMAGENET1K_V1 (one crop of 224×224), a single protocol for all. Papers trained and
tested each in its own way.
"""

import math
from typing import NamedTuple

from torch import nn

from ..analysis import profile
from ..analysis.trace import Step, Trace, trace
from .sketch import Sketch


class Entry(NamedTuple):
    """A network of torchvision: its name there and in print, its paper and the year, its idea in a few words."""

    key: str
    name: str
    year: int
    idea: str
    source: str


ENTRIES = (
    Entry("alexnet", "AlexNet", 2012, "deep convolutions on two GPUs", "Krizhevsky et al., NeurIPS 2012"),
    Entry("vgg16", "VGG-16", 2014, "small kernels, many of them", "arXiv:1409.1556"),
    Entry("googlenet", "GoogLeNet", 2014, "several kernels side by side", "arXiv:1409.4842"),
    Entry("resnet50", "ResNet-50", 2015, "add the input back", "arXiv:1512.03385"),
    Entry("densenet121", "DenseNet-121", 2016, "keep every earlier map", "arXiv:1608.06993"),
    Entry("mobilenet_v2", "MobileNetV2", 2018, "depthwise, widened inside", "arXiv:1801.04381"),
    Entry("efficientnet_b0", "EfficientNet-B0", 2019, "scale all sizes together", "arXiv:1905.11946"),
    Entry("vit_b_16", "ViT-B/16", 2020, "patches as words", "arXiv:2010.11929"),
    Entry("swin_t", "Swin-T", 2021, "attention in windows", "arXiv:2103.14030"),
    Entry("convnext_tiny", "ConvNeXt-T", 2022, "convolutions, modernised", "arXiv:2201.03545"),
)
ROW, LAYER = 62.0, 1.9


def timeline(entries: tuple[Entry, ...] = ENTRIES) -> Sketch:
    """One row a network, the oldest first: drawn to one scale, then error, parameters and multiply-adds."""
    sketch = Sketch(
        "Backbones since AlexNet, drawn to one scale",
        "Each block is the part of a network that works at one map size: as high as the root of that size, as long as "
        "its layers with weights on the longest way. Errors fall with the years, if not with every row; size and cost "
        "follow no such line.",
    )
    columns = {"error": 455.0, "parameters": 590.0, "multiply-adds": 680.0}
    heads = {"error": "top-1 error", "parameters": "parameters", "multiply-adds": "multiply-adds"}
    for what, x in columns.items():
        sketch.text((x, -34), heads[what], "soft", "start")
    for row, entry in enumerate(entries):
        y = row * ROW
        network, error = build(entry.key), published_error(entry.key)
        way = trace(network)
        cost = profile(network)
        sketch.text((0, y - 4), str(entry.year), "small soft", "start")
        sketch.mark(entry.key, "year")
        sketch.text((0, y + 12), entry.name, "strong", "start")
        sketch.text((0, y + 27), entry.idea, "small soft", "start")
        x = 196.0
        for size, depth in blocks(way):
            height, width = 3 + 2.6 * math.sqrt(size), depth * LAYER
            sketch.cell(x, y + 6 - height / 2, width, height, "fully connected" if size == 1 else kind_of(way))
            x += width + 2
        sketch.cell(columns["error"], y - 2, error * 1.5, 12, "data")
        for what, at, text in (
            ("error", columns["error"] + error * 1.5 + 8, f"{error:.1f} %"),
            ("parameters", columns["parameters"], f"{cost.parameters / 1e6:.1f} M"),
            ("multiply-adds", columns["multiply-adds"], f"{cost.multiply_adds / 1e9:.1f} G"),
        ):
            sketch.text((at, y + 9), text, "", "start")
            sketch.mark(entry.key, what)
        sketch.say(f"{entry.year}, {entry.name}: {entry.idea}; {max(step.depth for step in way)} layers deep")
    foot = (len(entries) - 1) * ROW + 50
    sketch.text((columns["error"], foot), "errors: torchvision, weights IMAGENET1K_V1", "small soft", "start")
    sketch.mark("torchvision", "source")
    sketch.legend()
    return sketch


def blocks(way: Trace) -> list[tuple[int, int]]:
    """(side of the map, layers in a row) for each size at which layers with weights put out their maps."""
    deepest: dict[int, int] = {}
    for step in way:
        if step.weighted:
            deepest[side(step)] = max(step.depth, deepest.get(side(step), 0))
    before = 0
    result: list[tuple[int, int]] = []
    for size, depth in sorted(deepest.items(), key=lambda pair: -pair[0]):
        if depth > before:
            result.append((size, depth - before))
            before = depth
    return result


def side(step: Step) -> int:
    """The side of the map that a step puts out; tokens in a row count as a square of them."""
    return step.size[0] if len(step.output) == 4 else math.isqrt(step.output[0])


def kind_of(way: Trace) -> str:
    """The colour of a network: attention where it has more fully connected layers than convolutions."""
    dense = sum(step.kind == "fully connected" for step in way)
    return (
        "attention" if 2 * dense > sum(step.weighted for step in way) and way.find("matrix product") else "convolution"
    )


def build(key: str) -> nn.Module:
    """The network as torchvision builds it, without weights."""
    from torchvision.models import get_model

    options = {"aux_logits": False, "init_weights": False} if key == "googlenet" else {}
    return get_model(key, weights=None, **options)


def published_error(key: str) -> float:
    """Top-1 error in per cent of torchvision's weights IMAGENET1K_V1, as it publishes it."""
    from torchvision.models import get_model_weights

    return 100 - get_model_weights(key)["IMAGENET1K_V1"].meta["_metrics"]["ImageNet-1K"]["acc@1"]
