"""Deformable convolution drawn: the branch that says where to look, and where one kernel has looked."""

import math

import torch
from torch import Tensor

from ..analysis.trace import trace
from ..models import DeformableConv2d
from .canvas import Point
from .column import GAP, Column
from .sketch import Sketch

CELL = 42.0


def deformable_convolution(network: DeformableConv2d, shape: tuple[int, int, int, int] = (1, 64, 14, 14)) -> Sketch:
    """A `models.DeformableConv2d` as a graph, and beside it the positions that it reads for the middle of its output.

    The input is random, the same one each time; whoever wants to see positions that have moved gives a layer whose
    offsets are not zero.
    """
    way = trace(network, shape)
    sketch = Sketch(
        "Deformable convolution: each output says where its kernel looks",
        "An ordinary convolution predicts how far each position of the kernel moves, down and to the right; between "
        "pixels the map is read bilinearly. On the right, the rings are the positions of an ordinary kernel, the dots "
        "those that this one reads, and one of them has its four neighbours marked.",
    )
    offsets = way["offset"].main
    column = Column(sketch, 0)
    top = column.data(offsets.before, "x")
    side = Column(sketch, 150, top.y + 26 + GAP, start=(0, top.bottom[1] + GAP / 2))
    side.add(offsets)
    side.data(offsets, "offsets")
    sample = sketch.box(-62, side.y + GAP, None, "sampling", "bilinear sampling", width=124)
    sketch.arrow(column.boxes[-1].bottom, sample.top)
    sketch.arrow(side.boxes[-1].bottom, sample.right, (150, sample.right[1]), kind="sampling")
    weigh = sketch.box(-62, sample.y + 34 + GAP, None, "convolution", "weights, and sum", width=124)
    sketch.arrow(sample.bottom, weigh.top)
    column.boxes.append(weigh)
    column.y = weigh.bottom[1]
    column.data(way[""], "y")
    regular, moved = _positions(network, shape)
    _look(sketch, regular, moved, (350, 0))
    sketch.legend()
    return sketch


def _positions(network: DeformableConv2d, shape: tuple[int, int, int, int]) -> tuple[Tensor, Tensor]:
    """Row and column of each position of the kernel in the map, (K, 2), as they lie without offsets and with them."""
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        offsets = network.offset(x)[0].unflatten(0, (-1, 2))  # (K, 2, h, w)
    height, width = offsets.shape[2:]
    down, right = (torch.arange(network.kernel_size[i]) * network.dilation[i] - int(network.padding[i]) for i in (0, 1))
    start = torch.tensor([height // 2, width // 2]) * network.stride[0]
    regular = start + torch.cartesian_prod(down, right)
    return regular, regular + offsets[:, :, height // 2, width // 2]


def _look(sketch: Sketch, regular: Tensor, moved: Tensor, corner: Point) -> None:
    """The pixels of the map as cells, a ring and a dot for each position of the kernel, and an arrow between them."""
    both = torch.cat([regular, moved])
    first, last = (both.amin(0) - 0.5).floor().int().tolist(), (both.amax(0) + 0.5).ceil().int().tolist()
    middle = (moved - moved.floor() - 0.5).abs().amax(1).argmin()  # the dot most nearly in the middle of four pixels
    down, right = moved[middle].floor().int().tolist()

    def at(place: list[float]) -> Point:
        return corner[0] + (place[1] - first[1] + 0.5) * CELL, corner[1] + (place[0] - first[0] + 0.5) * CELL

    below = at([last[0] + 1.0, (first[1] + last[1]) / 2])
    sketch.text(below, "rings: an ordinary kernel", "soft")
    sketch.text((below[0], below[1] + 18), "dots: where this one reads", "soft")
    for row in range(first[0], last[0] + 1):
        for column in range(first[1], last[1] + 1):
            x, y = at([row - 0.5, column - 0.5])
            near = row - down in (0, 1) and column - right in (0, 1)
            sketch.cell(x, y, CELL, CELL, "data" if near else "")
    for before, after in zip(map(at, regular.tolist()), map(at, moved.tolist()), strict=True):
        length = math.dist(before, after)
        if length > 16:
            ux, uy = (after[0] - before[0]) / length, (after[1] - before[1]) / length
            sketch.arrow((before[0] + 5 * ux, before[1] + 5 * uy), (after[0] - 5 * ux, after[1] - 5 * uy))
        sketch.dot(before, 4, "convolution", hollow=True)
        sketch.dot(after, 5, "sampling")
