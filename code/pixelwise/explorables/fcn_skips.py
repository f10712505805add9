"""FCN skips: switch the levels of one trained FCN-8s on and off, and see what each adds to the picture."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch.nn import functional as F
from traitlets import Float, Int, List, TraitError, Unicode, validate

from .. import figures
from ..data.palette import CLASSES, VOID
from ..evaluation import metrics
from .host import Explorable
from .packing import classes, jpeg, pack, unpack

REACH = 3
"""Pixels from a contour that count as near a boundary."""


class FcnSkips(Explorable):
    """The levels of one trained FCN-8s to switch on and off, with the prediction and the scores of a chosen pixel."""

    name = "fcn-skips"
    caption = "FCN skips: one trained FCN-8s on one scene, with the levels of its sum switched on and off."

    scores = Unicode(help="what each level adds, as 16-bit integers in base64").tag(state=True)
    step = Float(help="score of one unit of those").tag(state=True)
    grid = List(Int(), help="height and width of the scores").tag(state=True)
    strides = List(Int(), help="of the levels, coarse to fine").tag(state=True)
    labels = Unicode(help="in base64, a byte a pixel").tag(state=True)
    image = Unicode(help="the scene, a JPEG in base64").tag(state=True)
    classes = List(help="label, name, colour, and whether it occurs").tag(state=True)
    reach = Int(REACH, help="pixels that are near a boundary").tag(state=True)
    on = Unicode(help='the levels that are switched on, such as "32 16"').tag(state=True)
    row = Int(0, min=0, help="of the chosen pixel").tag(state=True)
    column = Int(0, min=0, help="of the chosen pixel").tag(state=True)

    def __init__(
        self,
        contributions: ArrayLike,
        labels: ArrayLike,
        image: ArrayLike,
        strides: Sequence[int] = (32, 16, 8),
        **state: Any,
    ) -> None:
        """Take what each level adds to the scores, coarse to fine, on the finest level's grid: (levels, 11, h, w).

        With stride s of the finest level labels are (s·h, s·w), 0-10 or 255, and the image (3, s·h, s·w) uint8. State
        such as on="32 16".
        """
        contributions, labels = np.asarray(contributions, np.float32), np.asarray(labels, np.uint8)
        height, width = (strides[-1] * side for side in contributions.shape[-2:])
        if contributions.ndim != 4 or contributions.shape[:2] != (len(strides), len(CLASSES)):
            raise ValueError(
                f"contributions are of shape {contributions.shape}, expected ({len(strides)}, {len(CLASSES)}, h, w): "
                f"one map of scores for each of the strides {', '.join(map(str, strides))}"
            )
        if labels.shape != (height, width) or np.shape(image) != (3, height, width):
            raise ValueError(
                f"labels are {labels.shape} and the image {np.shape(image)}, expected ({height}, {width}) and "
                f"(3, {height}, {width}): {strides[-1]} times the scores"
            )
        step = float(np.abs(contributions).max()) / 32767 or 1.0
        self._contributions = np.rint(contributions / step).astype(np.int16)
        self._labels = labels
        recorded = {
            "scores": pack(self._contributions),
            "step": step,
            "grid": list(contributions.shape[-2:]),
            "strides": list(strides),
            "labels": pack(labels),
            "image": jpeg(image),
            "classes": classes(labels),
            "on": " ".join(map(str, strides)),
            "row": height // 2,
            "column": width // 2,
        }
        super().__init__(**recorded | state)

    @validate("on")
    def _known_levels(self, proposal: Mapping[str, Any]) -> str:
        known = list(map(str, self.strides))
        if known and not set(proposal["value"].split()) <= set(known):
            raise TraitError(
                f'on is {proposal["value"]!r}, expected strides of {" ".join(known)}, such as "{known[0]}"'
            )
        return proposal["value"]

    def prediction(self, on: str | None = None) -> torch.Tensor:
        """The labels (H, W) uint8 that the levels on (by default the switched-on ones) give."""
        switched_on = (self.on if on is None else on).split()
        levels = unpack(self.scores, "int16", (len(self.strides), len(CLASSES), *self.grid)) * np.float64(self.step)
        chosen = [level for stride, level in zip(self.strides, levels, strict=True) if str(stride) in switched_on]
        scores = torch.from_numpy(sum(chosen, np.zeros_like(levels[0])))[None]
        scores = F.interpolate(scores, scale_factor=self.strides[-1], mode="bilinear", align_corners=False)
        return scores[0].argmax(0).to(torch.uint8)

    def numbers(self, on: str | None = None) -> dict[str, float]:
        """Measure with pixelwise.evaluation.metrics: pixel accuracy, mean IoU, and accuracy near and off boundaries."""
        prediction, target = self.prediction(on), torch.from_numpy(self._labels)
        band, counted = metrics.boundary_band(target, self.reach), target != VOID
        correct = prediction == target
        matrix = metrics.confusion_matrix(prediction[None], target[None])
        return {
            "pixel accuracy": metrics.pixel_accuracy(matrix),
            "mean IoU": metrics.mean_iou(matrix),
            "near boundaries": correct[band & counted].double().mean().item(),
            "elsewhere": correct[~band & counted].double().mean().item(),
        }

    def picture(self) -> figures.Card:
        usual = [" ".join(map(str, self.strides[: i + 1])) for i in range(len(self.strides))]
        predictions = torch.stack([self.prediction(on) for on in usual])
        card, axes = figures.panels(2, len(usual), width=6, height=3.6)
        with figures.style():
            mistakes = figures.mark_mistakes(predictions, np.stack([self._labels] * len(usual)))
            for i, on in enumerate(usual):
                axes[0, i].imshow(figures.colourise(predictions[i]))
                axes[0, i].set_title(on.replace(" ", " + "), fontweight="normal")
                axes[1, i].imshow(mistakes[i])
                accuracy = self.numbers(on)["pixel accuracy"]
                axes[1, i].set_title(f"{accuracy:.1%} right", fontweight="normal", fontsize=10)
            for axis in axes.flat:
                axis.set_axis_off()
        return card

    def alt(self) -> str:
        usual = [" ".join(map(str, self.strides[: i + 1])) for i in range(len(self.strides))]
        parts = []
        for on in usual:
            numbers = self.numbers(on)
            parts.append(
                f"{on.replace(' ', ' + ')}: {numbers['near boundaries']:.1%} right near boundaries, "
                f"{numbers['elsewhere']:.1%} elsewhere"
            )
        return f"Predictions and wrong pixels of one FCN-8s with its levels by stride. {'; '.join(parts)}."
