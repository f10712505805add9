"""Transformers drawn: ViT as a strip, its encoder block, and self-attention as the matrices that it multiplies."""

from dataclasses import replace
from math import sqrt

from torch import nn

from ..analysis.trace import Layer, Step, trace
from . import ink
from .block import pass_by
from .canvas import Box, text_width
from .column import GAP, Column
from .facts import close
from .sketch import Sketch, Slab, spell_operation
from .strip import Strip

ROW, ROOT = 92.0, 3.3

Picture = tuple[int, int, int, int]
Tokens = tuple[int, int, int]


def vit(network: nn.Module, shape: Picture = (1, 3, 224, 224)) -> Sketch:
    """A vision transformer of torchvision: patches become tokens, and each block lets all of them see each other."""
    way = trace(network, shape)
    sketch = Sketch(
        "ViT: patches become tokens, and every block looks at all of them",
        "One convolution turns each patch into a token; a token for the class joins them, and positions are added, for "
        "attention knows no order. From then on the shape never changes.",
    )
    strip = Strip(sketch, way, gap=13, below=True)
    strip.image()
    strip.add("conv_proj", "convolution", name="patches")
    strip.x += 24
    joined = way.find("concatenation", "")[0]
    _enter(strip, strip.step(joined, "concatenation"), replace(joined.before, layer="class_token"), "class token")
    strip.x += 60
    added = way.find("sum", "encoder")[0]
    _enter(strip, strip.step(added, "sum"), replace(added.before, layer="encoder"), "positions")
    strip.x += 24
    blocks = [name for name in way.layers if name.startswith("encoder.layers.") and name.count(".") == 2]
    drawn = [strip.add(name, "attention") for name in blocks]
    strip.step(way.find("layer normalisation", "encoder.ln")[0], "normalisation", name="norm")
    head = way.find("fully connected")[-1]
    strip.step(head.before, "data", name="class token")
    strip.step(head, "score", name="classes")
    low = drawn[0].bottom[1] + 12
    sketch.brace(drawn[0].x, drawn[-1].end, low, "encoder blocks")
    sketch.number(((drawn[0].x + drawn[-1].end) / 2 + 58, low + 27), way["encoder.layers"], "parts", anchor="start")
    close(sketch, network, shape)
    return sketch


def _enter(strip: Strip, slab: Slab, source: Step, name: str) -> None:
    """What a step takes besides the strip's map, as a slab below it."""
    low = slab.bottom[1] + 74
    below = strip.sketch.slab(slab.x, low, source, "data", channels=False, size=False)
    strip.sketch.text((slab.bottom[0], below.bottom[1] + 15), name, "small strong")
    strip.sketch.number((slab.bottom[0], below.bottom[1] + 29), source, "map")
    strip.sketch.arrow((below.roof[0] - 3, below.roof[1]), (slab.bottom[0], slab.bottom[1] + 33))


def encoder_block(network: nn.Module, shape: Tokens = (1, 197, 768)) -> Sketch:
    """An `EncoderBlock` of torchvision's ViT: attention between tokens, then two layers for each token alone."""
    way = trace(network, shape)
    sketch = Sketch(
        "Encoder block: tokens look at each other, then each works for itself",
        "Attention is the only place where tokens meet; the two fully connected layers treat every token alike. Both "
        "halves are residual, with the normalisation inside the branch.",
    )
    norms = way.find("layer normalisation")
    column = Column(sketch, 0, least=2 * way.steps[0].channels)
    column.leads.add("normalisation")
    top = column.data(way.steps[0].before, "x")
    first = [column.add(norms[0]), column.add(way["self_attention"], "self-attention", "attention")]
    heads = way.find("softmax")[0]
    sketch.number((first[1].right[0] + 8, first[1].right[1] + 4), heads, "heads", "small soft", "start")
    joint = column.joint("sum")
    x = 160.0
    pass_by(sketch, (0, top.bottom[1] + GAP / 2), joint, x)
    sketch.side_brace(first[0].y, joint.y - GAP, -130, "attention")
    second = [column.add(step) for step in (norms[1], *way["mlp"].steps)]
    end = column.joint("sum")
    pass_by(sketch, (0, joint.bottom[1] + GAP / 2), end, x)
    sketch.side_brace(second[0].y, end.y - GAP, -130, "MLP")
    column.data(way[""], "y")
    close(sketch, network, shape)
    return sketch


def self_attention(
    network: nn.Module, shape: Picture = (1, 3, 224, 224), *, layer: str = "encoder.layers.encoder_layer_0"
) -> Sketch:
    """The attention of one block of torchvision's ViT, from tokens and positions on: a matrix for whatever it computes.

    Heights and widths are roots, as everywhere; of several heads one is drawn before the others.
    """
    way = trace(network, shape)
    attention = way[f"{layer}.self_attention"]
    mixed, _, scores, read, out = attention.steps
    placed = way.find("sum", "encoder")[0]
    sketch = Sketch(
        "Self-attention: every token asks all others, and reads what answers",
        "The query of one token, multiplied by the key of another, says how much that one matters to it; softmax makes "
        "weights of each row of such scores, and by them the token averages the values of all. Without the positions "
        "that are added at the start the order of the tokens would make no difference.",
    )
    tokens = _matrix(sketch, 0, -ROW / 2, placed.before, "data", "tokens")
    positions = _matrix(sketch, 0, ROW / 2, placed.before, "data", "positions")
    add = sketch.joint(tokens.x + tokens.width + 26, 0, "sum")
    sketch.arrow(tokens.right, add.top, (add.top[0], tokens.right[1]))
    sketch.arrow(positions.right, add.bottom, (add.bottom[0], positions.right[1]))
    split = _operation(sketch, add, mixed)
    x = split.x + split.width + 42
    names = ("queries", "keys", "values")
    parts = [_matrix(sketch, x, ROW * (n - 1), read, "fully connected", name, 2) for n, name in enumerate(names)]
    for part in parts:
        turn = x - 22
        sketch.arrow(split.right, part.left, (turn, 0), (turn, part.left[1]))
    product = sketch.joint(parts[0].x + parts[0].width + 42, -ROW / 2, "attention")
    _multiply(sketch, product, parts[0], parts[1])
    soft = _operation(sketch, product, scores)
    weights = _matrix(sketch, soft.x + soft.width + 22, -ROW / 2, scores, "activation", "weights", 2)
    sketch.arrow(soft.right, weights.left)
    average = sketch.joint(weights.x + weights.width + 34, ROW / 2, "attention")
    _multiply(sketch, average, weights, parts[2])
    answer = _matrix(sketch, average.x + 48, ROW / 2, read, "attention", "answers", 2)
    sketch.arrow(average.right, answer.left)
    sketch.number((answer.bottom[0], answer.bottom[1] + 30), scores, "heads")
    last = _operation(sketch, answer, out)
    result = _matrix(sketch, last.x + last.width + 22, ROW / 2, attention, "attention", "tokens")
    sketch.arrow(last.right, result.left)
    sketch.legend()
    return sketch


def _operation(sketch: Sketch, before: Box, step: Step) -> Box:
    """A small box to the right of a part, and the arrow to it."""
    width = text_width(spell_operation(step), 12) + 18
    box = sketch.box(before.right[0] + 22, before.right[1] - 17, step, ink.OPERATIONS[step.kind], width=width)
    sketch.arrow(before.right, box.left)
    return box


def _multiply(sketch: Sketch, joint: Box, above: Box, below: Box) -> None:
    sketch.arrow(above.right, joint.top, (joint.top[0], above.right[1]))
    sketch.arrow(below.right, joint.bottom, (joint.bottom[0], below.right[1]))


def _matrix(sketch: Sketch, x: float, y: float, source: Step | Layer, kind: str, name: str, sheets: int = 0) -> Box:
    """A row for each token, as a rectangle around the line of this y, with so many sheets behind it."""
    rows, columns = (source.tokens, source.channels) if source.tokens else source.size
    width, height = ROOT * sqrt(columns), ROOT * sqrt(rows)
    for sheet in range(sheets, -1, -1):
        sketch.cell(x + 4 * sheet, y - height / 2 - 4 * sheet, width, height, kind)
    sketch.text((x + width / 2 + 2 * sheets, y - height / 2 - 4 * sheets - 7), name, "small strong")
    sketch.number((x + width / 2, y + height / 2 + 15), source, "matrix")
    sketch.say(f"{name}, {rows} × {columns}")
    return Box(x, y - height / 2, width, height)
