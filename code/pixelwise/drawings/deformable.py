"""Deformable convolution drawn: the branch that says where to look, and where one kernel has looked."""

import math

import torch
from torch import Tensor

from ..analysis.trace import trace
from ..models import DeformableConv2d
from .canvas import Box, Point
from .column import GAP, Column
from .facts import close
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
        "those that this one reads; of one of them the four neighbours say how much each counts.",
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
    x, y = look(sketch, regular, moved, (350, 0)).bottom
    sketch.text((x, y + 18), "rings: an ordinary kernel", "soft")
    sketch.text((x, y + 36), "dots: where this one reads", "soft")
    close(sketch, network, shape)
    return sketch


def _positions(network: DeformableConv2d, shape: tuple[int, int, int, int]) -> tuple[Tensor, Tensor]:
    """Of the middle of the output, as in `positions`."""
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        offsets = network.offset(x)[0]
    return positions(network, offsets, (offsets.shape[1] // 2, offsets.shape[2] // 2))


def positions(layer: DeformableConv2d, offsets: Tensor, place: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Row and column in the map of each position of the kernel, (K, 2), without the offsets (2K, h, w) and with them.

    `place` is (row, column) of the output.
    """
    down, right = (torch.arange(layer.kernel_size[i]) * layer.dilation[i] - int(layer.padding[i]) for i in (0, 1))
    regular = torch.tensor(place) * layer.stride[0] + torch.cartesian_prod(down, right)
    return regular, regular + offsets[:, place[0], place[1]].unflatten(0, (-1, 2))


def look(
    sketch: Sketch,
    regular: Tensor,
    moved: Tensor,
    corner: Point,
    *,
    cell: float = CELL,
    kinds: tuple[str, str] = ("convolution", "sampling"),
) -> Box:
    """The pixels of the map as cells, a ring and a dot for each position of the kernel, and an arrow between them.

    Of one dot the four neighbours say by how much each counts. `kinds` are the colours of rings and dots.
    """
    both = torch.cat([regular, moved])
    first, last = (both.amin(0) - 0.5).floor().int().tolist(), (both.amax(0) + 0.5).ceil().int().tolist()
    middle = (moved - moved.floor() - 0.5).abs().amax(1).argmin()  # the dot most nearly in the middle of four pixels
    weights = neighbours(moved[middle])

    def at(place: list[float]) -> Point:
        return corner[0] + (place[1] - first[1] + 0.5) * cell, corner[1] + (place[0] - first[0] + 0.5) * cell

    for row in range(first[0], last[0] + 1):
        for column in range(first[1], last[1] + 1):
            x, y = at([row - 0.5, column - 0.5])
            sketch.cell(x, y, cell, cell, "data" if (row, column) in weights else "")
    for before, after in zip(map(at, regular.tolist()), map(at, moved.tolist()), strict=True):
        length = math.dist(before, after)
        if length > 16:
            ux, uy = (after[0] - before[0]) / length, (after[1] - before[1]) / length
            sketch.arrow((before[0] + 5 * ux, before[1] + 5 * uy), (after[0] - 5 * ux, after[1] - 5 * uy))
        sketch.dot(before, 4, kinds[0], hollow=True)
        sketch.dot(after, 5, kinds[1])
    for (row, column), weight in weights.items():
        x, y = at([float(row), float(column)])
        down = row > moved[middle][0]
        sketch.text((x, y + (cell / 2 - 4 if down else 13 - cell / 2)), f"{weight:.2f}", "small halo")
        sketch.mark("", "weight")
    return Box(*corner, (last[1] - first[1] + 1) * cell, (last[0] - first[0] + 1) * cell)


def neighbours(place: Tensor) -> dict[tuple[int, int], float]:
    """The four pixels around a place (row, column), and the weight with which each is read."""
    (top, left), (down, right) = place.floor().int().tolist(), (place - place.floor()).tolist()
    return {
        (top + i, left + j): (down if i else 1 - down) * (right if j else 1 - right) for i in (0, 1) for j in (0, 1)
    }
