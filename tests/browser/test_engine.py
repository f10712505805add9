"""The engine against PyTorch, in Chromium: each operation on random shapes, and whole networks on odd pictures."""

import random

import pytest
import torch

from pixelwise.browser import Graph, packed
from pixelwise.browser.graph import Node
from pixelwise.browser.pack import quantised, rounded
from pixelwise.data import streets
from pixelwise.zoo import NetworkSpec, weights
from pixelwise.zoo.weights import Metadata
from tests.browser.conftest import ENGINE

pytestmark = pytest.mark.browser

METADATA = Metadata(NetworkSpec("compact", 11), tuple(f"class {i}" for i in range(11)), "streets", (180, 240))
SIZES = [(180, 240), (97, 131), (64, 64), (33, 70), (200, 61), (45, 37), (128, 33), (50, 199), (75, 75), (32, 32)]


def conv(generator, source, inputs, channels, **options):
    """A convolution with random weights of 255 levels a channel, on the map of node `source`."""
    groups = options.setdefault("groups", 1)
    shape = (channels, inputs // groups, options.pop("kernel"), 0)
    weight = torch.randn(*shape[:3], shape[2], generator=generator) / (shape[1] * shape[2] ** 2) ** 0.5
    bias = torch.randn(channels, generator=generator)
    options = {"stride": 1, "padding": 0, "dilation": 1} | options
    return Node("conv", channels, [source], options, weight=rounded(weight), bias=bias)


def picture_to_map(generator, channels):
    """The picture's bytes brought to about one, and mixed into some channels."""
    scaled = Node("affine", 3, [0], weight=torch.full((3,), 1 / 64), bias=torch.tensor([-1.0, -2, -3]))
    return [Node("image", 3), scaled, conv(generator, 1, 3, channels, kernel=1)]


OPERATIONS = ["convolution", "depthwise", "affine", "add", "concat", "mean", "max", "bilinear", "aligned", "nearest"]


def case(op, seed, multiple=1):
    """A graph that ends with one operation of random settings, and a picture of random size for it."""
    draw, generator = random.Random(f"{op} {seed}"), torch.Generator().manual_seed(seed)
    channels, others = multiple * draw.randint(1, 9), draw.randint(1, 9)
    kernel, dilation = draw.choice([1, 2, 3, 5]), draw.randint(1, 3)
    place = {"padding": draw.randint(0, dilation * (kernel - 1)), "stride": draw.randint(1, 3), "dilation": dilation}
    least = dilation * (kernel - 1) + 1
    height, width = draw.randint(least, 24), draw.randint(least, 24)
    nodes = picture_to_map(generator, channels)
    if op == "convolution":
        last = conv(generator, 2, channels, others, kernel=kernel, **place)
    elif op == "depthwise":
        channels = max(2, channels)
        nodes = picture_to_map(generator, channels)
        last = conv(generator, 2, channels, channels, kernel=kernel, groups=channels, **place)
    elif op == "affine":
        scale, shift = torch.randn(2, channels, generator=generator)
        last = Node("affine", channels, [2], weight=scale, bias=shift)
    elif op in ("add", "concat"):
        nodes += [conv(generator, 2, channels, channels if op == "add" else others, kernel=1)]
        last = Node(op, channels if op == "add" else channels + others, [2, 3])
    elif op == "mean":
        last = Node("mean", channels, [2])
    elif op == "max":
        size = draw.randint(1, 4)
        height, width = max(size, height), max(size, width)
        options = {"size": size, "stride": draw.randint(1, 3), "padding": draw.randint(0, size // 2)}
        last = Node("max", channels, [2], options)
    else:
        coarse = conv(generator, 2, channels, others, kernel=1, stride=draw.choice([1, 2, 3, 5, 100]))
        nodes.append(coarse)
        options = {"aligned": int(op == "aligned"), "nearest": int(op == "nearest")}
        last = Node("resize", others, [3, draw.choice([0, 2])], options)
    last.activation = draw.choice([None, "relu", "relu6"])
    pixels = torch.randint(256, (1, 3, height, width), generator=generator, dtype=torch.uint8)
    return Graph([*nodes, last]), pixels


def check_operation(run, op, multiple=1):
    """Hold every map of random cases of an operation to PyTorch's; `run` is one of the fixtures that compute."""
    for seed in range(12):
        graph, picture = case(op, seed, multiple)
        (maps,) = run(packed(graph, METADATA), [picture], range(len(graph.nodes)))
        expected = graph.run(picture)
        for i, (found, wanted) in enumerate(zip(maps, [*expected, expected[-1]], strict=True)):
            torch.testing.assert_close(
                found, wanted, rtol=1e-5, atol=2e-5, msg=lambda text, place=(seed, i): f"{place}: {text}"
            )


def check_network(run, name):
    """Logits to float32's rounding, and the same label wherever two classes are not equally likely to that rounding."""
    file = weights.SHIPPED[name]
    if not file.is_file():
        pytest.skip(f"this copy of the book is without {file.name}")
    model, metadata = weights.load(file)
    graph = quantised(Graph.of(model))
    pictures = [torch.from_numpy(streets.generate(i, seed=1, size=size)[0])[None] for i, size in enumerate(SIZES)]
    for picture, maps in zip(pictures, run(packed(graph, metadata), pictures), strict=True):
        wanted = graph.run(picture)[-1]
        torch.testing.assert_close(maps[-1], wanted, rtol=1e-4, atol=1e-3)
        best, second = wanted.topk(2, 1).values.unbind(1)
        sure = best - second > 1e-3
        assert (maps[-1].argmax(1) == wanted.argmax(1))[sure].all(), tuple(picture.shape)
        assert sure.float().mean() > 0.99


@pytest.mark.parametrize("op", OPERATIONS)
def test_an_operation_is_pytorchs(engine, op):
    check_operation(engine, op)


@pytest.mark.parametrize("name", weights.SHIPPED)
def test_a_whole_network_gives_pytorchs_labels(engine, name):
    check_network(engine, name)


def test_only_a_graph_of_its_own_format_is_run(engine):
    graph, picture = case("mean", 0)
    other = packed(graph, METADATA).replace("pixelwise graph 1", "pixelwise graph 9")
    with pytest.raises(Exception, match="the network is a pixelwise graph 9, expected a pixelwise graph 1"):
        engine(other, [picture])


def test_the_engine_is_small_and_needs_nothing():
    source = ENGINE.read_text(encoding="utf-8")
    assert len(source.encode()) <= 15_000
    assert "import" not in source
