"""Small tensors as grids of numbers: how operations are drawn cell by cell."""

from collections.abc import Callable

from torch import Tensor

from .canvas import Box
from .sketch import Sketch

CELL = 24.0


def grid(
    sketch: Sketch,
    x: float,
    y: float,
    values: Tensor,
    name: str,
    kind: Callable[[int, int], str] | str = "data",
    *,
    cell: float = CELL,
    numbers: bool = True,
    title: str = "",
) -> Box:
    """A tensor (H, W) of whole numbers as cells, zeros left empty; `kind(row, column)` is a cell's colour.

    Each number says in `data-layer` which tensor of the drawing it belongs to, and its place in `data-number`.
    """
    rows, columns = values.shape
    for row in range(rows):
        for column in range(columns):
            value = values[row, column].item()
            tint = (kind if isinstance(kind, str) else kind(row, column)) if value or not isinstance(kind, str) else ""
            left, top = x + column * cell, y + row * cell
            sketch.cell(left, top, cell, cell, tint)
            if numbers and value:
                sketch.text((left + cell / 2, top + cell / 2 + 4), f"{value:g}", "small")
                sketch.mark(name, f"value {row},{column}")
    box = Box(x, y, columns * cell, rows * cell)
    if title:
        sketch.text((x + box.width / 2, y - 8), title, "soft")
    return box


def window(sketch: Sketch, x: float, y: float, rows: int, columns: int, kind: str, *, cell: float = CELL) -> None:
    """A frame around cells of a grid, in the colour of a kind."""
    sketch.frame(Box(x, y, columns * cell, rows * cell), kind)


KIND_OF_PLACE = ("convolution", "pooling", "upsampling", "concatenation")
"""The colours that tell the four places of a 2×2 map, or the four shifts, apart."""


def place_kind(row: int, column: int) -> str:
    """The colour of a place in a 2×2 pattern."""
    return KIND_OF_PLACE[2 * (row % 2) + column % 2]
