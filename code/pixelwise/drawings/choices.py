"""What a trained network chooses on one picture: how much each channel counts, and where a kernel looks."""

import numpy as np
import torch
from torch import Tensor, nn

from ..analysis import activations
from ..data import normalise
from ..models import DeformableConv2d
from .deformable import look, positions
from .live import paint, photo
from .sketch import Sketch

SHOWN = 3
"""So many channels are shown of those that count most, and of those that count least."""

TILE, BAR, STEP, CELL = 92.0, 80.0, 104.0, 38.0
POSITIVE, NEGATIVE = (11, 98, 168), (178, 58, 18)
KINDS = ("sampling", "attention", "upsampling", "sum")


def gate_values(network: nn.Module, picture: Tensor, layer: str) -> Sketch:
    """The gate of a squeeze-and-excitation on a picture (3, H, W) uint8, channel by channel; `layer` is its name.

    Below it stand the maps of the channels that it lets through most and least, before and after.
    """
    found = activations(network, normalise(picture[None]))
    first = next(i for i, (step, _) in enumerate(found) if f"{step.layer}.".startswith(f"{layer}."))
    before = found[first - 1][1][0]
    gates = next(x for step, x in found[first:] if step.kind == "sigmoid")[0, :, 0, 0]
    sketch = Sketch(
        "A gate at work: how much each channel counts for this picture",
        "Above the line are the channels that the gate lets through more than the mean, below it those that it damps. "
        "The maps are those of the channels that count most and least, before the gate and after it: blue is positive, "
        "orange negative, and both of a pair are to one scale.",
    )
    order = gates.argsort(descending=True).tolist()
    chosen = [*order[:SHOWN], *order[-SHOWN:]]
    photo(sketch, 0, 0, picture, "picture", TILE)
    _bars(sketch, TILE + 40, gates, layer, chosen)
    for number, channel in enumerate(chosen):
        x, y = STEP * number, BAR + 46
        most = before[channel].abs().max()
        above = paint(sketch, x, y, signed(before[channel] / most), "", TILE)
        low = y + above.height + 34
        below = paint(sketch, x, low, signed(gates[channel] * before[channel] / most), "", TILE)
        sketch.arrow((above.bottom[0], above.bottom[1]), below.top, kind="attention")
        sketch.text((above.bottom[0] + 10, above.bottom[1] + 21), f"× {gates[channel]:.2f}", "strong", "start")
        sketch.mark(layer, f"gate {channel}")
        sketch.say(f"the map of a channel with the gate {gates[channel]:.2f}")
    for name, start in (("let through most", 0), ("let through least", SHOWN)):
        middle = STEP * (start + (SHOWN - 1) / 2) + TILE / 2
        sketch.text((middle, BAR + 36), name, "soft")
    return sketch


def _bars(sketch: Sketch, left: float, gates: Tensor, layer: str, chosen: list[int]) -> None:
    """A bar for each channel from the mean of the gates to its own, those that are shown in a colour."""
    width = (STEP * (2 * SHOWN - 1) + TILE - left) / len(gates)
    low, mean, high = gates.min(), gates.mean(), gates.max()
    scale = (BAR - 12) / (high - low).clamp(min=1e-6)
    line = float((high - mean) * scale)
    for channel, gate in enumerate(gates):
        up = float((gate - mean) * scale)
        kind = "attention" if channel in chosen else "data"
        sketch.cell(left + channel * width, line - max(up, 0), max(width - 1, 1), max(abs(up), 0.5), kind)
    sketch.line((left, line), (left + len(gates) * width, line))
    for value, y in ((high, 4.0), (mean, line + 4), (low, BAR - 8)):
        sketch.text((left - 6, y), f"{value:.2f}", "small soft", "end")
        sketch.mark(layer, "gate")
    sketch.say(f"a bar for each of {len(gates)} channels, from {low:.2f} to {high:.2f}")


def deformable_samples(
    network: nn.Module, picture: Tensor, layer: str, places: list[tuple[int, int]], *, width: float = 420
) -> Sketch:
    """Where a `models.DeformableConv2d` looks for some places (row, column) of a picture (3, H, W) uint8.

    `layer` is its name. Each place, four at most, is shown once more with the pixels of the map that is read.
    """
    deformable = network.get_submodule(layer)
    assert isinstance(deformable, DeformableConv2d)
    found = activations(network, normalise(picture[None]))
    step, offsets = next((step, x[0]) for step, x in found if step.layer == f"{layer}.offset")
    sketch = Sketch(
        "Offsets at work: where a kernel looks on this picture",
        "Rings are the positions of an ordinary kernel, dots those that this one has chosen, a colour for each "
        "place. Below the picture the same places lie on the pixels of the map that is read; the four neighbours of "
        "one dot say how much each counts.",
    )
    size, pixels = picture.shape[1:], step.inputs[0][2:]
    shown = photo(sketch, 0, 0, picture, "", width)
    for line, text in enumerate(("rings: an ordinary kernel", "dots: where this one reads")):
        sketch.text((width + 20, 14 + 18 * line), text, "soft", "start")
    left = 0.0
    for (row, column), kind in zip(places, KINDS, strict=False):
        place = (row * step.size[0] // size[0], column * step.size[1] // size[1])
        regular, moved = positions(deformable, offsets, place)
        for points, hollow in ((regular, True), (moved, False)):
            for down, right in points.tolist():
                at = (right + 0.5) / pixels[1] * width, (down + 0.5) / pixels[0] * shown.height
                sketch.dot(at, 3.5, kind, hollow=hollow)
        left += 20 + look(sketch, regular, moved, (left, shown.height + 24), cell=CELL, kinds=(kind, kind)).width
        far = (moved - regular).norm(dim=1).mean()
        sketch.say(f"a place whose positions move by {far:.1f} pixels of the map on average")
    return sketch


def signed(x: Tensor) -> np.ndarray:
    """Values (H, W) in [−1, 1] as (H, W, 3) uint8: white is nothing, blue positive, orange negative."""
    ends = torch.where((x > 0)[..., None], torch.tensor(POSITIVE), torch.tensor(NEGATIVE))
    mixed = 255 + x.abs().clamp(0, 1)[..., None] * (ends - 255)
    return mixed.round().byte().numpy()
