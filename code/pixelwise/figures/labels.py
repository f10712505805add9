"""Labels beside the points of a chart, each where it covers neither a point nor a line nor another label."""

import itertools

import numpy as np
from matplotlib.axes import Axes

from .style import Card

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""


def place_labels(
    card: Card,
    axes: Axes,
    points: list[Point],
    labels: list[str],
    path: list[Point],
    seeds: list[np.ndarray],
) -> None:
    """Write each label at the first of 32 places by its point where it covers no point, no label and no path."""
    renderer = card.canvas.get_renderer()  # pyrefly: ignore[missing-attribute]  # the canvas is Agg's
    step = card.dpi / 72
    dots = axes.transData.transform(points)
    taken: list[Box] = []
    for (px, py), (x, _), values in zip(dots, points, seeds, strict=True):
        low, high = axes.transData.transform([(x, values.min()), (x, values.max())])[:, 1]
        taken.append((px - 6 * step, min(low, py - 6 * step), px + 6 * step, max(high, py + 6 * step)))
    for start, end in itertools.pairwise(axes.transData.transform(path)):
        (left, low), (right, high) = np.minimum(start, end), np.maximum(start, end)
        taken.append((left - 2, low - 2, right + 2, high + 2))
    frame = axes.get_window_extent(renderer).extents
    for (px, py), point, label in zip(dots, points, labels, strict=True):
        note = axes.annotate(label, point, (0, 0), textcoords="offset points", fontsize=10)
        note.set_in_layout(False)
        extent = note.get_window_extent(renderer)
        w, h = extent.width, extent.height
        costs = []
        for distance in (9, 18, 30, 44):
            d = distance * step
            for dx, dy in (
                (d, -h / 2), (-d - w, -h / 2), (-w / 2, d), (-w / 2, -d - h),
                (d * 0.7, d * 0.7), (-d * 0.7 - w, d * 0.7), (d * 0.7, -d * 0.7 - h), (-d * 0.7 - w, -d * 0.7 - h),
            ):  # fmt: skip
                box = (px + dx, py + dy, px + dx + w, py + dy + h)
                covered = sum(_overlap(box, other) for other in taken)
                outside = w * h - _overlap(box, frame)
                costs.append((round(covered + outside), len(costs), dx, dy, box))
        _, _, dx, dy, box = min(costs)
        note.set_position((dx / step, dy / step))
        if max(abs(dx + w / 2) - w / 2, abs(dy + h / 2) - h / 2) > 12 * step:
            end = np.clip((px, py), box[:2], box[2:])
            axes.plot(*axes.transData.inverted().transform([(px, py), end]).T, color="#8f8b82", lw=0.8, zorder=0)
        taken.append(box)


def _overlap(box: Box, other: Box) -> float:
    """Area that two boxes share."""
    width, height = min(box[2], other[2]) - max(box[0], other[0]), min(box[3], other[3]) - max(box[1], other[1])
    return max(width, 0) * max(height, 0)
