"""Metric traps: paint over a prediction, and see the metrics of segmentation disagree about it."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from traitlets import Dict, Int, List, TraitError, Unicode, validate

from .. import figures
from ..data.palette import CLASSES, VOID
from ..evaluation import metrics
from .host import Explorable

ARTWORK = """
................................
................................
......................bbbbbbbbbb
bbbbbbbb..............bbbbbbbbbb
bbbbbbbb..p...........bbbbbbbbbb
bbbbbbbb..p...........bbbbbbbbbb
bbbbbbbb..p...........bbbbbbbbbb
bbbbbbbb..p...........bbbbbbbbbb
bbbbbbbb..p.bbbbbbbb..bbbbbbbbbb
bbbbbbbb..p.bbbbbbbb..bbbbbbbbbb
bbbbbbbb..p.bbbbbbbb..bbbbbbbbbb
bbbbbbbb..p.bbbbbbbb..bbbbbbbbbb
bbbbbbbbbbpbbbbbbbbbbbbbbbbbbbbb
bbbbbbbbbbpbbbbbbbbbbbbbbbwbbbbb
bbbbbbbbbbpbbbbbbbbbbbbbbwwwbbbb
rrrrrrrrrrprrrcccrrrrrrrrrwrrrrr
rrrrrrrrrrprrcccccrrrrrrrrwrrrrr
rrrrrrrrrrrrrrcrcrrrrrrrrwrwrrrr
rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr
rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr
rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr
rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr
rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr
################################
"""
"""A street: sky, building, pole, road, car, and a pedestrian who walks; # is void (the bonnet of our own car)."""

SKY, BUILDING, POLE, ROAD, CAR = (CLASSES.index(name) for name in ("sky", "building", "pole", "road", "car"))
KEEP = 254
"""In edits: the pixel is as the starting point has it."""
_SIGNS = {".": SKY, "b": BUILDING, "p": POLE, "r": ROAD, "c": CAR, "w": CLASSES.index("pedestrian"), "#": VOID}
STREET = np.array([[_SIGNS[sign] for sign in row] for row in ARTWORK.split()], np.uint8)


class MetricTraps(Explorable):
    """A scene and a prediction to paint over, with pixel accuracy, mIoU, micro IoU, Dice and boundary IoU beside it."""

    name = "metric-traps"
    caption = "Metric traps: paint over the prediction and see the metrics disagree about it."

    target = Unicode(help="labels as runs, see encode").tag(state=True)
    width = Int(help="pixels a row").tag(state=True)
    classes = List(help="label, name and colour of each class that occurs").tag(state=True)
    starts = Dict(help="starting points by name, as runs").tag(state=True)
    start = Unicode("edges eaten", help="name of the starting point").tag(state=True)
    edits = Unicode("", help="what was painted over it, as runs; a dot keeps").tag(state=True)
    brush = Int(BUILDING, help="label to paint with").tag(state=True)
    size = Int(3, help="side of the brush in pixels: 1, 3 or 5").tag(state=True)

    def __init__(self, target: np.ndarray = STREET, **state: Any) -> None:
        """Take a scene's labels (H, W), 0-10 or 255, by default a street of 24 x 32; state such as start="majority"."""
        target = np.asarray(target, np.uint8)
        self._target = torch.from_numpy(target)[None]
        scene = {
            "target": encode(target),
            "width": target.shape[1],
            "classes": [
                [int(label), CLASSES[label], "#{:02x}{:02x}{:02x}".format(*figures.DISPLAY_COLOURS[label])]
                for label in np.unique(target[target != VOID])
            ],
            "starts": {name: encode(mask) for name, mask in starting_points(target).items()},
        }
        super().__init__(**scene | state)

    @validate("start")
    def _known_start(self, proposal: Mapping[str, Any]) -> str:
        if self.starts and proposal["value"] not in self.starts:
            raise TraitError(f"start is {proposal['value']!r}, expected one of {', '.join(self.starts)}")
        return proposal["value"]

    @property
    def prediction(self) -> np.ndarray:
        """The labels (H, W) uint8 as painted so far; set it to show a prediction of your own."""
        shape = self._target.shape[1:]
        started = decode(self.starts[self.start])
        painted = np.full_like(started, KEEP)
        edits = decode(self.edits)[: len(painted)]
        painted[: len(edits)] = edits
        known = np.isin(painted, [label for label, _, _ in self.classes])
        return np.where(known, painted, started).reshape(shape)

    @prediction.setter
    def prediction(self, labels: ArrayLike) -> None:
        labels = figures.pixels.as_labels(labels, "prediction")
        if labels.shape != self._target.shape[1:]:
            raise ValueError(f"prediction is of shape {labels.shape}, expected {tuple(self._target.shape[1:])}")
        known = [label for label, _, _ in self.classes]
        if not np.isin(labels, known).all():
            raise ValueError(
                f"prediction holds labels {np.setdiff1d(labels, known)}, expected those of the scene: {known}"
            )
        edits = np.where(labels.ravel() == decode(self.starts[self.start]), KEEP, labels.ravel())
        self.edits = "" if (edits == KEEP).all() else encode(edits)

    def numbers(self) -> dict[str, float]:
        """Measure the prediction with pixelwise.evaluation.metrics: the five metrics, each in 0-1."""
        prediction = torch.from_numpy(self.prediction)[None]
        matrix = metrics.confusion_matrix(prediction, self._target)
        return {
            "pixel accuracy": metrics.pixel_accuracy(matrix),
            "mIoU (macro)": metrics.mean_iou(matrix),
            "micro IoU": metrics.micro_iou(matrix),
            "Dice (macro)": metrics.dice(matrix).nanmean().item(),
            "boundary IoU, 1 px": metrics.boundary_iou(prediction, self._target, 1).nanmean().item(),
        }

    def picture(self) -> figures.Card:
        card = figures.Card(6, 4.6, layout="constrained")
        with figures.style():
            views = card.subplot_mosaic([["labels", "prediction"], ["bars", "bars"]], height_ratios=[1, 0.85])
            for name, mask in (("labels", self._target[0]), ("prediction", self.prediction)):
                views[name].imshow(figures.colourise(mask))
                views[name].set_title(name, fontweight="normal")
                views[name].set_axis_off()
            numbers = self.numbers()
            bars = views["bars"].barh(list(numbers), [100 * value for value in numbers.values()], color="#a9c3d9")
            views["bars"].bar_label(bars, fmt="%.1f", padding=5)
            views["bars"].set(xlim=(0, 112), xlabel="per cent")
            views["bars"].invert_yaxis()
            views["bars"].grid(axis="y", visible=False)
        return card

    def alt(self) -> str:
        numbers = ", ".join(f"{name} {100 * value:.1f} %" for name, value in self.numbers().items())
        names = ", ".join(name for _, name, _ in self.classes)
        return f'A scene with {names}, and the prediction "{self.start}" beside it. Bars: {numbers}.'


def starting_points(target: np.ndarray) -> dict[str, np.ndarray]:
    """Predictions (H, W) that each fall into one trap, by name; target is (H, W), 0-10 or 255.

    Behind void a prediction holds the label above it, as a network would.
    """
    perfect = target.copy()
    for row in range(len(perfect)):
        void = perfect[row] == VOID
        perfect[row, void] = perfect[row - 1, void] if row else SKY
    labels, counts = np.unique(target[target != VOID], return_counts=True)

    no_poles = perfect.copy()
    rows, columns = np.nonzero(perfect == POLE)
    no_poles[rows, columns] = perfect[rows, columns - 1]

    eaten, framed = perfect.copy(), np.pad(perfect, 1, mode="edge")
    around = np.stack([framed[:-2, 1:-1], framed[2:, 1:-1], framed[1:-1, :-2], framed[1:-1, 2:]])
    for ground in (ROAD, SKY):
        eaten[(around == ground).any(0) & (perfect != ROAD) & (perfect != SKY)] = ground

    blocks = perfect[2::4, 2::4]
    return {
        "perfect": perfect,
        "majority": np.full_like(perfect, labels[counts.argmax()]),
        "no poles": no_poles,
        "one pixel off": framed[1:-1, :-2],
        "edges eaten": eaten,
        "4×4 blocks": blocks.repeat(4, 0).repeat(4, 1),
    }


def encode(mask: np.ndarray) -> str:
    """Write labels row by row as runs: a letter (a is 0, z is void, a dot KEEP) and its length, "a32b8a2…"."""
    flat = mask.ravel()
    starts = np.flatnonzero(np.r_[True, flat[1:] != flat[:-1]])
    lengths = np.diff(np.r_[starts, flat.size])
    signs = {VOID: "z", KEEP: "."} | {label: chr(97 + label) for label in range(len(CLASSES))}
    return "".join(
        signs[flat[start]] + (str(length) if length > 1 else "") for start, length in zip(starts, lengths, strict=True)
    )


def decode(runs: str) -> np.ndarray:
    """Read what `encode` wrote: (H · W,) uint8; a run is cut at 65536."""
    labels = {"z": VOID, ".": KEEP}
    pairs = re.findall(r"([a-z.])(\d*)", runs)
    signs = [labels.get(sign, ord(sign) - 97) for sign, _ in pairs]
    return np.repeat(np.array(signs, np.uint8), [min(int(length or 1), 65536) for _, length in pairs])
