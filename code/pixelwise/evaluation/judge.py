"""The figures by which a trained network is reported: over a split, by class, and along the outlines."""

import math
from collections.abc import Sequence
from typing import Any

import torch

from ..data.palette import CLASSES
from . import metrics

BAND = 3
"""Width of the boundary band in pixels at the training size, on either side of a contour."""


def judge(labels: torch.Tensor, targets: torch.Tensor, names: Sequence[str] = CLASSES) -> dict[str, Any]:
    """The figures of one split: labels and targets (N, H, W) uint8 to means, IoU of each class, and at boundaries.

    names: of the classes. None for what is undefined, such as the IoU of a class that does not occur.
    """
    classes = len(names)
    matrix = metrics.confusion_matrix(labels, targets, classes)
    band = metrics.confusion_matrix(labels, targets, classes, where=metrics.boundary_band(targets, BAND))
    return {
        "mean_iou": defined(metrics.mean_iou(matrix)),
        "pixel_accuracy": defined(metrics.pixel_accuracy(matrix)),
        "mean_class_accuracy": defined(metrics.mean_class_accuracy(matrix)),
        "class_iou": by_class(metrics.class_iou(matrix), names),
        "boundary_width": BAND,
        "boundary_band_mean_iou": defined(metrics.mean_iou(band)),
        "boundary_band_class_iou": by_class(metrics.class_iou(band), names),
        "boundary_iou": defined(metrics.boundary_iou(labels, targets, BAND, classes).nanmean().item()),
        "images": len(targets),
    }


def by_class(values: torch.Tensor, names: Sequence[str]) -> dict[str, float | None]:
    """One value a class by its name."""
    return {name: defined(v) for name, v in zip(names, values.tolist(), strict=True)}


def defined(value: float) -> float | None:
    """The value, or None for NaN, which JSON does not have."""
    return None if math.isnan(value) else value
