"""What every drawing must be: true in each number, self-contained, small, and readable by who does not see it."""

import math
import re
from functools import cache
from itertools import combinations
from xml.etree import ElementTree

import pytest
import torch
import torchvision
from torch import nn

from pixelwise import drawings, models
from pixelwise.analysis import profile
from pixelwise.drawings import Sketch, ink
from pixelwise.drawings.canvas import text_width
from tests.drawings.every import DRAWN, Drawn

SVG = "{http://www.w3.org/2000/svg}"
EVERY = pytest.mark.parametrize("drawn", DRAWN.values(), ids=DRAWN.keys())
NAMES = re.compile(
    r"\b(conv|layer|stage ?|block ?|fc|pool|aux|ReLU|v|FCN|ResNet|DenseNet|VGG|B)-?\d+\w*\b|\b\d[a-e]\b|\bC\d\b"
)
"""What a text may say in digits that is a name and no measure: conv1, 4e, block 2, fc6, v3, FCN-8s, ResNet-50, C5."""


@cache
def sketch_of(drawn: Drawn) -> Sketch:
    return drawn.drawing()


def elements(drawn: Drawn) -> ElementTree.Element:
    return ElementTree.fromstring(sketch_of(drawn).svg())


def measured(network: nn.Module, shape: tuple[int, ...]) -> set[tuple[str, str]]:
    """(layer, number) for channels and size of each module's inputs and outputs, by plain hooks, computing nothing.

    In eval mode and, for what is there in training only, in train mode.
    """
    network = network.to("meta")
    seen: set[tuple[str, str]] = set()

    def note(name: str, module: nn.Module, tensors: object) -> None:
        for tensor in tensors if isinstance(tensors, (list, tuple)) else [tensors]:
            if not isinstance(tensor, torch.Tensor):
                continue
            shape = list(tensor.shape[1:])
            if tensor.ndim == 3 or type(module) in (nn.Linear, nn.LayerNorm):
                shape = [shape[-1], *shape[:-1]]  # tokens, and maps whose channels stand last
            if isinstance(module, models.EfficientSelfAttention):  # of a map whose channels stand last
                window = module.sr.stride[0] if module.sr else 1
                asked = math.prod(places // window for places in shape[:2])
                seen.add((name, f"{math.prod(shape[:2])} × {asked}"))
            channels, *places = shape
            height, width = [*places, 1, 1][:2]
            seen.add((name, str(channels)))
            seen.add((name, f"{height}²" if height == width else f"{height}×{width}"))
            if tensor.ndim == 3:
                seen.update((name, text) for text in matrices(module, height, channels))

    for name, parameter in network.named_parameters():
        if parameter.ndim == 3:  # tokens that are learned
            note(name, network, parameter)
    for name, module in network.named_modules():
        module.register_forward_hook(
            lambda module, args, out, name=name: note(name, module, [*args, *(out if type(out) is tuple else [out])])
        )
    for mode in (True, False):
        network.train(mode)(torch.empty(2, *shape[1:], device="meta"))
    return seen


def matrices(module: nn.Module, tokens: int, channels: int) -> set[str]:
    """How many tokens there are, and the matrices of tokens that a module, above all attention, makes of them."""
    texts = {f"{tokens} tokens" if tokens > 1 else "1 token", f"{tokens} × {channels}"}
    if isinstance(module, nn.MultiheadAttention):
        texts |= {f"{module.num_heads} heads", f"{tokens} × {module.head_dim}", f"{tokens} × {tokens}"}
    return texts


def says(text: str, what: str, module: nn.Module) -> bool:
    """Whether a text tells the module's window and stride, or how many parts it has."""
    if what == "parts":
        return text == f"×{len(list(module.children()))}"
    if not hasattr(module, "kernel_size"):
        return what == "operation"
    steps = re.search(r"(?:stride |/)(\d+)", text)
    window, stride = (pair if isinstance(pair, tuple) else (pair, pair) for pair in (module.kernel_size, module.stride))
    return text.startswith("×".join(map(str, window))) and int(steps[1] if steps else 1) == stride[0]


def is_about(text: str, count: int) -> bool:
    """Whether a text such as "12.8 M" is this count, rounded."""
    number, unit = text.split()
    scale = {"k": 10**3, "M": 10**6, "G": 10**9}[unit]
    return abs(float(number) * scale - count) <= scale * 0.51 * 10 ** -len(number.partition(".")[2])


@EVERY
def test_every_number_is_the_networks(drawn):
    """Sizes and channels against plain hooks, windows against the modules' own settings, costs against the profile."""
    networks = drawn.networks
    spent = [profile(network, drawn.shape).layers for network in networks]
    seen = set().union(*(measured(network, drawn.shape) for network in networks))
    anywhere = {text for _, text in seen}
    containers = {name for network in networks for name, module in network.named_modules() if any(module.children())}
    checked = 0
    for text in elements(drawn).iter(f"{SVG}text"):
        what, layer = text.get("data-number"), text.get("data-layer")
        if what in ("channels", "size", "map", "heads", "matrix"):
            # what runs between modules (a pooling, a concatenation) belongs to the module around it, as another's input
            for number in text.text.split(" × ") if what == "map" else [text.text]:
                assert (layer, number) in seen or (layer in containers and number in anywhere), (layer, number)
            checked += 1
        elif what == "multiply-adds":
            inside = [
                [x.multiply_adds for x in layers if f"{x.name}.".startswith(f"{layer}.".lstrip("."))]
                for layers in spent
            ]
            assert any(is_about(text.text, sum(counts)) for counts in inside), (layer, text.text)
            checked += 1
        elif what in ("operation", "window", "parts"):
            named = [modules[layer] for modules in map(dict, (n.named_modules() for n in networks)) if layer in modules]
            assert any(says(text.text, what, module) for module in named), (layer, text.text)
            checked += 1
        elif what == "rate":
            modules = [pair for network in networks for pair in network.named_modules()]
            inside = [m for name, m in modules if f"{name}.".startswith(f"{layer}.") and isinstance(m, nn.Conv2d)]
            assert text.text in {f"rate {m.dilation[0]}" for m in inside}
            checked += 1
    assert checked >= 3


def test_the_weights_of_bilinear_sampling_make_one():
    texts = elements(DRAWN["deformable convolution"]).iter(f"{SVG}text")
    weights = [float(text.text) for text in texts if text.get("data-number") == "weight"]
    assert len(weights) == 4
    assert sum(weights) == pytest.approx(1, abs=0.02)


@EVERY
def test_the_last_line_tells_the_facts(drawn):
    """Parameters and multiply-adds against the profile of each network that is drawn; the rest is `facts`'."""
    told = " ".join(text.text for text in elements(drawn).iter(f"{SVG}text") if text.get("data-number") == "facts")
    if drawn.draw is drawings.self_attention:
        assert not told  # it shows one layer of many
        return
    for network in drawn.networks:
        assert drawings.facts(network, drawn.shape).replace(" · ", " ") in told.replace(" · ", " ")


@EVERY
def test_no_number_is_typed(drawn):
    """Digits stand only in texts that come from the trace, and in names."""
    for text in elements(drawn).iter(f"{SVG}text"):
        if text.get("data-number") is None:
            assert not re.search(r"\d", NAMES.sub("", text.text)), text.text


@EVERY
def test_another_network_gives_other_numbers(drawn):
    """What is drawn follows the network: from half the picture come other sizes."""
    batch, *others = drawn.shape
    larger = (others[0], *(n + 16 for n in others[1:])) if len(others) == 3 else (others[0] + 16, others[1])
    try:
        other = drawn.drawing((batch, *larger))
    except (ValueError, AssertionError):
        pytest.skip("the network takes no other size near this one")
    assert other.svg() != sketch_of(drawn).svg()


@EVERY
def test_it_is_small_self_contained_and_says_what_it_shows(drawn):
    sketch = sketch_of(drawn)
    svg = sketch.svg()
    root = ElementTree.fromstring(svg)
    assert len(svg.encode()) <= 60_000
    assert not re.search(r"(href|src|url\()\W*https?:|@import|@font-face|<script", svg)
    assert root.find(f"{SVG}title").text == sketch.title
    assert root.find(f"{SVG}desc").text == sketch.alternative
    assert len(sketch.alternative.split()) >= 20


def text_box(text: ElementTree.Element) -> tuple[float, float, float, float]:
    """About where a text lies: its left, top, right and bottom, descenders left out."""
    style = text.get("class")
    size = 14 if "title" in style else 11 if "small" in style else 12
    width = text_width(text.text, size) * (1.1 if "title" in style or "strong" in style else 1)
    left = float(text.get("x")) - {"start": 0, "middle": width / 2, "end": width}[text.get("text-anchor")]
    return left, float(text.get("y")) - 0.7 * size, left + width, float(text.get("y"))


@EVERY
def test_nothing_lies_outside_the_paper(drawn):
    root = elements(drawn)
    left, top, width, height = map(float, root.get("viewBox").split())
    for part in root.iter(f"{SVG}rect"):
        x, y, w, h = (float(part.get(name)) for name in ("x", "y", "width", "height"))
        assert min(x - left, y - top, left + width - x - w, top + height - y - h) >= -0.1
    for text in root.iter(f"{SVG}text"):
        a, b, c, d = text_box(text)
        assert min(a - left, b - top, left + width - c, top + height - d) >= 5, text.text


@EVERY
def test_texts_keep_clear_of_each_other_and_within_their_boxes(drawn):
    root = elements(drawn)
    texts = [(text.text, text_box(text)) for text in root.iter(f"{SVG}text")]
    for (one, (a, b, c, d)), (other, (e, f, g, h)) in combinations(texts, 2):
        assert min(c, g) <= max(a, e) or min(d, h) <= max(b, f), (one, other)
    for box in [rect for rect in root.iter(f"{SVG}rect") if rect.get("rx") == "7"]:
        x, y, width, height = (float(box.get(name)) for name in ("x", "y", "width", "height"))
        for text, (left, top, right, bottom) in texts:
            if x < (left + right) / 2 < x + width and y < (top + bottom) / 2 < y + height:
                assert x <= left < right <= x + width, text


def contrast(first: str, second: str) -> float:
    """WCAG's contrast of two colours, #rrggbb."""

    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(first), light(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_texts_and_edges_are_readable_in_light_and_dark():
    for theme in (0, 1):
        fronts = [ink.PAPER[theme], *(tint[2 * theme] for tint in ink.TINTS.values())]
        assert min(contrast(ink.INK[theme], front) for front in fronts) >= 4.5
        assert contrast(ink.SOFT[theme], ink.PAPER[theme]) >= 4.5
        assert min(contrast(tint[2 * theme + 1], ink.PAPER[theme]) for tint in ink.TINTS.values()) >= 3


def test_a_kind_without_a_colour_is_refused():
    with pytest.raises(ValueError, match="'magic' is no kind of thing"):
        drawings.Sketch("A title", "What to see.").joint(0, 0, "magic")


@pytest.mark.parametrize(
    ("network", "shape", "cost", "depth_and_view"),
    [
        (
            models.valid_unet, (1, 1, 572, 572), "31.03 M parameters · 150.43 G multiply-adds on 572 × 572 pixels",
            "23 layers deep · sees 215 × 215 pixels",
        ),
        (
            models.resnet18, (1, 3, 224, 224), "11.69 M parameters · 1.81 G multiply-adds on 224 × 224 pixels",
            "18 layers deep · sees the whole picture",
        ),
        (  # without the auxiliary heads, which do not run
            models.googlenet, (1, 3, 224, 224), "6.62 M parameters · 1.50 G multiply-adds on 224 × 224 pixels",
            "22 layers deep · sees the whole picture",
        ),
        (  # with the weights that attention uses without running the module that holds them
            torchvision.models.vit_b_16, (1, 3, 224, 224),
            "86.57 M parameters · 17.56 G multiply-adds on 224 × 224 pixels", "50 layers deep · sees the whole picture",
        ),
        (
            lambda: models.BasicBlock(64, 64), (1, 64, 56, 56),
            "74.0 k parameters · 0.23 G multiply-adds on 56 × 56 places", "2 layers deep · sees 5 × 5 places",
        ),
        (  # nothing in it mixes all places, and the formula does not follow channels that stand last: nothing is said
            lambda: torchvision.models.convnext.CNBlock(96, 1e-6, 0.0), (1, 96, 56, 56),
            "79.3 k parameters · 0.25 G multiply-adds on 56 × 56 places", "3 layers deep",
        ),
    ],
)  # fmt: skip
def test_facts_are_the_networks(network, shape, cost, depth_and_view):
    with torch.device("meta"):
        assert drawings.facts(network(), shape) == f"{cost} · {depth_and_view}"
