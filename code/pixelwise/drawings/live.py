"""Machines at work on one picture: what each map holds, drawn where the map lies.

Maps of scores are shown as the class with the highest score, in the display colours; maps of features by their three
main directions of variation as red, green and blue, so that equal colours in one map mean equal features.
"""

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ..analysis import activations
from ..analysis.trace import Step
from ..data import normalise
from ..figures import colourise
from .canvas import Box
from .sketch import Sketch, spell_operation, spell_size

TILE = 112.0
Found = list[tuple[Step, Tensor]]


def fcn_scores(network: nn.Module, picture: Tensor) -> Sketch:
    """The score maps of an FCN-32s, -16s or -8s on a picture (3, H, W) uint8, from the coarsest to the result."""
    found = look_at(network, picture)
    sketch = Sketch(
        "FCN at work: the scores at every node",
        "Each tile shows the winning class of every cell, from the coarsest scores to the picture's own pixels. "
        "Compare what is added at each sum with what comes out of it.",
    )
    scores = [pair for pair in found if pair[0].layer.startswith("scores.")]
    sums = [pair for pair in found if pair[0].kind == "sum" and not pair[0].layer]
    ups = [last_of(found, f"upsamplings.{number}") for number in range(len(sums))]
    wide, gap = 94.0, 26.0
    height = wide * picture.shape[1] / picture.shape[2]
    below = height + 58
    middle = (below - height) / 2 + height / 2
    photo(sketch, 0, 0, picture, "picture", wide)
    x = wide + gap
    last = tile(sketch, x, 0, *scores[0], "score", wide)
    for up, total, score in zip(ups, sums, scores[1:], strict=True):
        x += wide + gap
        doubled = tile(sketch, x, 0, *up, "upsampled", wide)
        turn = x - gap / 2
        sketch.arrow(last.right, doubled.left, (turn, last.right[1]), (turn, doubled.left[1]), kind="upsampling")
        added = tile(sketch, x, below, *score, "finer score", wide)
        x += wide + gap
        joint = sketch.joint(x - gap / 2, middle + height / 2, "sum")
        sketch.arrow(doubled.right, joint.top, (joint.top[0], doubled.right[1]))
        sketch.arrow(added.right, joint.bottom, (joint.bottom[0], added.right[1]))
        x += 18
        last = tile(sketch, x, middle, *total, "sum", wide)
        sketch.arrow(joint.right, last.left, kind="sum")
    x += wide + gap
    result = tile(sketch, x, 0, *found[-1], "result", wide)
    turn = x - gap / 2
    sketch.arrow(last.right, result.left, (turn, last.right[1]), (turn, result.left[1]), kind="upsampling")
    sketch.legend()
    return sketch


def unet_maps(network: nn.Module, picture: Tensor) -> Sketch:
    """What a U-Net's maps hold on a picture (3, H, W) uint8: a tile for each level, down and up."""
    found = look_at(network, picture)
    sketch = Sketch(
        "U-Net at work: its maps at every level",
        "On the left the contracting path, on the right the expanding one at the same height, and below them the "
        "coarsest map of all.",
    )
    turning = [step.kind for step, _ in found]
    down: Found = []
    up: Found = []
    for number, (step, tensor) in enumerate(found[:-1]):
        following = turning[number + 1]
        if following == "max pooling":
            down.append((step, tensor))
        elif following in ("nearest upsampling", "transposed convolution"):
            up.append((step, tensor))
    bottom, *climbed = up
    climbed.append(next(pair for pair in reversed(found[:-1]) if pair[0].kind in ("ReLU", "convolution")))
    height = TILE * picture.shape[1] / picture.shape[2] + 40
    left, right = 0.0, 2 * (TILE + 60)
    previous: Box | None = None
    lefts = []
    for level, pair in enumerate(down):
        box = tile(sketch, left, level * height, *pair)
        if previous:
            sketch.arrow((previous.bottom[0], previous.bottom[1] + 20), box.top, kind="pooling")
        previous = box
        lefts.append(box)
    low = tile(sketch, (left + right) / 2, len(down) * height, *bottom)
    x, y = lefts[-1].bottom
    sketch.arrow((x, y + 20), low.left, (x, low.left[1]), kind="pooling")
    previous = low
    for level, pair in zip(reversed(range(len(down))), climbed, strict=True):
        box = tile(sketch, right, level * height, *pair)
        start = previous.right if previous is low else previous.top
        via = [(box.bottom[0], low.right[1])] if previous is low else []
        sketch.arrow(start, (box.bottom[0], box.bottom[1] + 20), *via, kind="upsampling")
        sketch.arrow(lefts[level].right, box.left, kind="concatenation")
        previous = box
    top = right + TILE + 60
    result = tile(sketch, top, 0, *found[-1], "result")
    assert previous is not None
    sketch.arrow(previous.right, result.left, kind="score")
    photo(sketch, top, height, picture, "picture")
    sketch.legend()
    return sketch


def aspp_answers(network: nn.Module, picture: Tensor, layer: str) -> Sketch:
    """What the five branches of an ASPP answer on one picture (3, H, W) uint8, side by side; `layer` is its name."""
    found = look_at(network, picture)
    sketch = Sketch(
        "ASPP at work: five answers about the same map",
        "The larger the rate, the wider the surroundings that colour a cell; the average of the whole map says one and "
        "the same thing everywhere.",
    )
    joined = next(step for step, _ in found if step.layer == layer and step.kind == "concatenation")
    height = TILE * picture.shape[1] / picture.shape[2]
    photo(sketch, 0, 0, picture, "picture")
    for number in range(len(joined.inputs)):
        inside = [pair for pair in found if f"{pair[0].layer}.".startswith(f"{layer}.convs.{number}.")]
        tensor = inside[-1][1]
        named = max((step for step, _ in inside if step.weighted), key=lambda step: step.dilation)
        if any(step.kind == "global pooling" for step, _ in inside):
            tensor, text = tensor.expand(-1, -1, *joined.size), "average of the map"
        else:
            text = spell_operation(named).replace("depthwise", "conv")
        row, column = divmod(number + 1, 3)
        paint(sketch, column * (TILE + 24), row * (height + 48), features(tensor[0]), text)
        sketch.say(text)
        if "average" not in text:
            sketch.mark(named.layer, "window")
    return sketch


def hypercolumn_at(network: nn.Module, picture: Tensor, place: tuple[int, int]) -> Sketch:
    """One pixel's hypercolumn: where it lies in each map that is stacked, and the values that it reads there.

    picture (3, H, W) uint8; `place` is (row, column) of the pixel.
    """
    found = look_at(network, picture)
    sketch = Sketch(
        "A hypercolumn: one pixel's values in every map",
        "The cross marks the same place in each map, ever coarser; beside each map stand the values of its channels "
        "there, and all of them together are the column that the classifier reads.",
    )
    number = next(i for i, (step, _) in enumerate(found) if step.kind == "concatenation" and not step.layer)
    stacked, columns = found[number]
    size = picture.shape[1:]
    at = [place[axis] * stacked.size[axis] // size[axis] for axis in (0, 1)]
    values = columns[0, :, at[0], at[1]].split([shape[1] for shape in stacked.inputs])
    maps = columns[0].split([shape[1] for shape in stacked.inputs])
    height = TILE * size[0] / size[1]
    pictured = photo(sketch, 0, 0, picture, "picture")
    _cross(sketch, pictured, place, size)
    for level, (part, read) in enumerate(zip(maps, values, strict=True)):
        x = (level + 1) * (TILE + 16)
        box = paint(sketch, x, 0, features(part), f"{len(read)} channels")
        sketch.mark("", "channels")
        _cross(sketch, box, place, size)
        sketch.say(f"{len(read)} channels at this place")
        ordered = (read / part.abs().amax().clamp(min=1e-9)).abs().clamp(0, 1).sqrt()
        bars = (255 * (1 - ordered)).byte()[None].numpy()
        sketch.picture(x, height + 26, png(np.stack([bars] * 3, -1)), TILE, 18, "values there" if level == 0 else "")
    return sketch


def _cross(sketch: Sketch, box: Box, place: tuple[int, int], size: torch.Size) -> None:
    x = box.x + (place[1] + 0.5) / size[1] * box.width
    y = box.y + (place[0] + 0.5) / size[0] * box.height
    sketch.line((x - 7, y), (x + 7, y), kind="loss")
    sketch.line((x, y - 7), (x, y + 7), kind="loss")


def look_at(network: nn.Module, picture: Tensor) -> Found:
    """The steps of a pass on a picture (3, H, W) uint8, wherever the network is, with their maps on the CPU."""
    x = normalise(picture[None]).to(next(network.parameters()).device)
    return [(step, tensor.cpu()) for step, tensor in activations(network, x)]


# -- tiles -------------------------------------------------------------------------------------------------------------


def tile(sketch: Sketch, x: float, y: float, step: Step, tensor: Tensor, scores: str = "", width: float = TILE) -> Box:
    """A map (1, C, H, W) as a tile with its size below: of features, or of scores, which have a name to stand above."""
    pixels = colourise(tensor[0].argmax(0)) if scores else features(tensor[0])
    box = paint(sketch, x, y, pixels, f"{step.channels} × {spell_size(step)}", width)
    sketch.mark(step.layer, "map")
    if scores:
        sketch.text((x + box.width / 2, y - 6), scores, "soft")
    sketch.say(f"{scores or 'features'} of {spell_size(step)}")
    return box


def photo(sketch: Sketch, x: float, y: float, picture: Tensor, text: str, width: float = TILE) -> Box:
    """The picture itself, (3, H, W) uint8."""
    sketch.say("the picture")
    return paint(sketch, x, y, picture.permute(1, 2, 0).numpy(), text, width)


def paint(sketch: Sketch, x: float, y: float, pixels: np.ndarray, text: str, width: float = TILE) -> Box:
    """Pixels (H, W, 3) uint8 as a tile."""
    return sketch.picture(x, y, png(pixels), width, width * pixels.shape[0] / pixels.shape[1], text)


def png(pixels: np.ndarray) -> bytes:
    """Pixels (H, W, 3) uint8 as a PNG of at most 64 colours."""
    out = io.BytesIO()
    Image.fromarray(pixels).quantize(64).save(out, format="PNG", optimize=True)
    return out.getvalue()


def features(x: Tensor) -> np.ndarray:
    """A map of features (C, H, W) as (H, W, 3) uint8: its three main directions of variation as red, green, blue."""
    flat = x.double().flatten(1)
    flat = flat - flat.mean(1, keepdim=True)
    if flat.abs().max() <= 1e-4 * x.abs().max():  # the same everywhere: no direction in which it varies
        return np.full((*x.shape[1:], 3), 128, np.uint8)
    _, vectors = torch.linalg.eigh(flat @ flat.T)
    main = vectors[:, -3:].flip(1)
    main = main * main.gather(0, main.abs().argmax(0, keepdim=True)).sign()  # the sign of a direction is arbitrary
    shown = main.T @ flat
    spread = shown.abs().amax(1, keepdim=True).clamp(min=1e-9)
    shown = torch.zeros(3, flat.shape[1], dtype=flat.dtype).index_copy(0, torch.arange(len(shown)), shown / spread)
    return (127.5 + 127.5 * shown).round().byte().view(3, *x.shape[1:]).permute(1, 2, 0).numpy()


def last_of(found: Found, layer: str) -> tuple[Step, Tensor]:
    """The last step inside a layer and what it put out."""
    return next(pair for pair in reversed(found) if f"{pair[0].layer}.".startswith(f"{layer}."))
