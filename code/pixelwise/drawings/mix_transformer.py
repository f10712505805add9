"""SegFormer's encoder drawn: a block with the patches before it, and what sequence reduction makes of the scores."""

import torch
from torch import nn

from ..analysis.trace import Trace, trace
from ..models.mix_transformer import EfficientSelfAttention
from .block import pass_by
from .canvas import Box
from .column import GAP, Column
from .facts import close
from .grid import place_kind
from .sketch import Sketch, spell_operation

CELL = 11.0
"""Of the scores; those of a map are twice as large, those of a reduced map as large as what they stand for."""


def segformer_block(network: nn.Module, shape: tuple[int, int, int, int] = (1, 3, 224, 224)) -> Sketch:
    """The patches of a stage and the first block behind them, nn.Sequential(patch_embed1, block1[0]), opened up."""
    way = trace(network, shape)
    sketch = Sketch(
        "SegFormer's block: patches that overlap, attention with fewer keys, and Mix-FFN",
        "A strided convolution makes tokens of the picture. Every token asks; keys and values are read off a smaller "
        "copy of the map. Then two fully connected layers work at each place, with a look at the neighbours between "
        "them. Both halves are residual, with the normalisation inside the branch.",
    )
    sums = way.find("sum", "1")
    column = Column(sketch, 0, least=sums[0].channels)
    column.data(way.steps[0].before, "picture")
    patches = [column.add(step) for step in way["0"].steps]
    tokens = column.data(way["0"], "tokens")
    column.leads.add("normalisation")
    x = 300.0
    first = column.add(way["1.norm1"].main)
    _attend(column, way)
    joint = column.joint("sum")
    pass_by(sketch, (0, tokens.bottom[1] + GAP / 2), joint, x)
    second = [column.add(step) for step in (way["1.norm2"].main, *way["1.mlp"].steps)]
    end = column.joint("sum")
    pass_by(sketch, (0, joint.bottom[1] + GAP / 2), end, x)
    column.data(sums[1], "tokens")
    for name, top, bottom in (
        ("patches", patches[0].y, tokens.y - GAP),
        ("attention", first.y, joint.y - GAP),
        ("Mix-FFN", second[0].y, end.y - GAP),
    ):
        sketch.side_brace(top, bottom, -118, name)
    close(sketch, network, shape)
    return sketch


def _attend(column: Column, way: Trace) -> None:
    """The attention of a block: queries down the column, keys and values on its right."""
    sketch, attention = column.sketch, way["1.attn"]
    query, *asked = [step for step in attention.steps if step.layer != "1.attn"][:-1]
    scores, out = way.find("softmax", "1.attn")[0], attention.steps[-1]
    start = 0, column.boxes[-1].bottom[1] + GAP / 2
    column.add(query, "fc: queries")
    side = Column(sketch, 178, column.boxes[-1].y + 14, least=column.least, start=start)
    for step in asked[:-1]:
        side.add(step)
    pair = side.add(asked[-1], "fc: keys, values")
    product = column.joint("attention", pair.bottom[1] + GAP)
    side.into(product, "attention")
    column.add(scores)
    left, level = column.boxes[-1].left
    sketch.text((left - 8, level - 3), "weights", "small", "end")
    sketch.number((left - 8, level + 11), scores, "matrix", anchor="end")
    average = column.joint("attention")
    sketch.arrow((178, product.right[1]), average.right, (178, average.right[1]), kind="attention")
    for joint, name in ((product, "keys"), (average, "values")):
        sketch.text((joint.right[0] + 42, joint.right[1] - 6), name, "small soft")
    column.add(out)


def sequence_reduction(side: int = 4, reductions: tuple[int, ...] = (1, 2)) -> Sketch:
    """A map of side × side places that asks itself, reduced and not: who asks, who is asked, and a cell a score."""
    sketch = Sketch(
        "Sequence reduction: every place asks, and fewer are asked",
        "All places of a map ask. Without reduction each of them is asked, too; with it one cell stands for a square "
        "of them, and the table of scores keeps its rows and loses most of its columns.",
    )
    half, y = side // 2, 0.0
    for reduction in reductions:
        with torch.device("meta"):
            layer = EfficientSelfAttention(8, 1, reduction)
            rows, columns = layer.attend(torch.zeros(1, side, side, 8))[0].shape[-2:]
        few, name = side // reduction, f"reduction {reduction}"
        high = rows * CELL
        maps = []
        for x, count in ((0.0, side), (5 * side * CELL, few)):
            size = 2 * CELL * side / count
            for number in range(count**2):
                row, place = divmod(number, count)
                kind = place_kind(row * 2 // count, place * 2 // count) if x else "data"
                sketch.cell(x + place * size, y + (high - 2 * side * CELL) / 2 + row * size, size, size, kind)
            maps.append(Box(x, y + (high - 2 * side * CELL) / 2, 2 * side * CELL, 2 * side * CELL))
        asks, asked = maps
        left = asked.right[0] + 1.6 * side * CELL
        for row in range(rows):
            for column in range(columns):
                kind = place_kind(column // few * 2 // few, column % few * 2 // few)
                sketch.cell(left + column * CELL, y + row * CELL, CELL, CELL, kind)
        chosen = (half - 1) * side + half  # the place whose row is framed
        size = 2 * CELL
        sketch.frame(Box(asks.x + half * size, asks.y + (half - 1) * size, size, size), "attention")
        sketch.frame(Box(left, y + chosen * CELL, columns * CELL, CELL), "attention")
        for box, words, count in ((asks, "ask", rows), (asked, "are asked", columns)):
            sketch.text((box.top[0], box.y - 8), f"{count} {words}", "small strong")
            sketch.mark(name, words)
        sketch.text((0, y + 12), f"R = {reduction}", "strong", "start")
        sketch.mark(name, "reduction")
        sketch.arrow((asks.right[0] + 6, asks.right[1]), (asked.x - 6, asked.left[1]))
        if layer.sr is not None:
            step = trace(layer, (1, side, side, 8)).find("convolution")[0]
            sketch.text(((asks.right[0] + asked.x) / 2, asks.left[1] - 8), spell_operation(step), "small soft")
            sketch.mark(name, "operation")
        sketch.arrow((asked.right[0] + 6, asked.right[1]), (left - 6, asked.right[1]))
        words = f"{rows} × {columns} = {rows * columns} scores"
        sketch.text((left + columns * CELL + 10, y + high / 2 + 4), words, "strong", "start")
        sketch.mark(name, "scores")
        y += high + 34
        sketch.say(f"R = {reduction}: {rows} places ask {columns}, {rows * columns} scores")
    return sketch
