"""Charts of numbers: training curves, comparisons over seeds, classes, confusions, and trade-offs.

Where there are several seeds, all of them are seen: as dots, or as a band from the lowest to the highest.
"""

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.legend import Legend
from matplotlib.ticker import LogLocator, MaxNLocator, PercentFormatter
from numpy.typing import ArrayLike

from ..data.palette import CLASSES
from .labels import place_labels
from .pixels import as_array
from .style import DASHES, FAINT, INK, MARKERS, PAPER, SERIES, Card, style


@style()
def curves(
    runs: Mapping[str, Any],
    *,
    quantity: str = "loss",
    title: str = "",
    x: str = "epoch",
    y: str | None = None,
    percent: bool | None = None,
    log: bool = False,
    ticks: Sequence[object] | None = None,
    height: float = 3.6,
) -> Card:
    """Draw a line for each label: the mean over its seeds, in a band from the lowest seed to the highest.

    runs: label -> one run or a list of runs (one a seed); a run is a training History, a dict of lists with the key
    `quantity`, or a plain list of values. Its "epoch" (or whatever `x` names) gives the positions, else 1, 2, …
    percent: show 0-1 as per cent; by default when quantity names an accuracy or IoU. log: logarithmic y axis.
    ticks: what to write at the positions, in place of their numbers.
    """
    if not runs:
        raise ValueError("there is nothing to draw: runs is empty")
    percent = any(word in quantity for word in ("accuracy", "iou", "dice")) if percent is None else percent
    card, axes = _chart(title, height)
    ends: list[tuple[str, str]] = []
    at = np.empty(0)
    for i, (label, one_or_more) in enumerate(runs.items()):
        seeds = _seeds(one_or_more)
        series = [_series(run, quantity, label) for run in seeds]
        if len({len(values) for values in series}) > 1:
            raise ValueError(f"the seeds of {label!r} have {sorted(map(len, series))} values: expected equally many")
        values = np.array(series, float)
        at = _positions(seeds[0], x, values.shape[1])
        colour, mean = SERIES[i % len(SERIES)], values.mean(0)
        if len(values) > 1:
            axes.fill_between(at, values.min(0), values.max(0), color=colour, alpha=0.18, lw=0)
        marker = MARKERS[i % len(MARKERS)] if len(at) <= 24 else None
        axes.plot(at, mean, color=colour, ls=DASHES[i % len(DASHES)], marker=marker, ms=4.5, label=label)
        ends.append((label, colour))
    axes.set_xlabel(x)
    axes.set_ylabel((y or _in_words(quantity)) + (" (%)" if percent else ""))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    if ticks is not None:
        if len(ticks) != len(at):
            raise ValueError(f"there are {len(ticks)} ticks for {len(at)} positions: expected equally many")
        axes.set_xticks(at, list(map(str, ticks)))
    if log:
        axes.set_yscale("log")
    if percent:
        axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=""))
    if len(ends) > 1:
        legend = _legend(card, list(runs), handlelength=3.2)
        for text, (_, colour) in zip(legend.get_texts(), ends, strict=True):
            text.set_color(colour)
    return card


@style()
def bars(
    values: Mapping[str, ArrayLike],
    *,
    title: str = "",
    x: str = "",
    percent: bool = False,
    digits: int = 1,
    reference: float | None = None,
) -> Card:
    """Draw a bar for each label: the mean over seeds, each seed as a ring, the mean ± half the range as numbers.

    values: label -> a number or a list of numbers, one a seed. percent: values are 0-1 and shown as per cent.
    reference: a value to mark with a dashed line, say the baseline.
    """
    if not values:
        raise ValueError("there is nothing to draw: values is empty")
    factor = 100 if percent else 1
    runs = {label: np.atleast_1d(as_array(seeds).astype(float)) * factor for label, seeds in values.items()}
    several = any(len(seeds) > 1 for seeds in runs.values())
    card, axes = _chart(title, 0.9 + 0.42 * len(runs) + 0.2 * several)
    places = np.arange(len(runs))
    axes.barh(places, [seeds.mean() for seeds in runs.values()], height=0.62, color="#b5cbdd")
    longest = max(seeds.max() for seeds in runs.values())
    for place, seeds in zip(places, runs.values(), strict=True):
        if len(seeds) > 1:
            axes.plot(seeds, np.full(len(seeds), place), "o", ms=5, mfc="none", mec=SERIES[0], mew=1.3)
        spread = f" ± {(seeds.max() - seeds.min()) / 2:.{digits}f}" if len(seeds) > 1 else ""
        axes.annotate(
            f"{seeds.mean():.{digits}f}{spread}",
            (max(seeds.max(), 0), place),
            (7, 0),
            textcoords="offset points",
            va="center",
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1},
        )
    if reference is not None:
        axes.axvline(reference * factor, color=INK, ls=(0, (4, 3)), lw=1.2)
    axes.set_yticks(places, [textwrap.fill(label, 22) for label in runs])
    axes.set_xlim(min(0, min(seeds.min() for seeds in runs.values()) * 1.1), longest * (1.32 if several else 1.16) or 1)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(x + (" (%)" if percent else "") + ("\nmean of the seeds ± half their range" if several else ""))
    return card


@style()
def per_class_iou(
    values: Mapping[str, ArrayLike],
    *,
    classes: Sequence[str] = CLASSES,
    order: str = "class",
    shares: ArrayLike | None = None,
    title: str = "",
    x: str = "IoU",
) -> Card:
    """Draw a dot for each class and seed; several models share a class's row, each with its marker.

    values: label -> (C,) or (seeds, C) scores in 0-1, NaN where a class is absent. order: "class", or "score" (of the
    first label). shares: (C,) pixel shares in 0-1, written beside the names.
    """
    if order not in ("class", "score"):
        raise ValueError(f'order is {order!r}, expected "class" or "score"')
    runs = {label: np.atleast_2d(as_array(scores).astype(float)) for label, scores in values.items()}
    for label, scores in runs.items():
        if scores.ndim != 2 or scores.shape[1] != len(classes):
            raise ValueError(
                f"{label!r} holds {scores.shape} scores, expected ({len(classes)},) or (seeds, {len(classes)})"
            )
    means = {label: _mean(scores) for label, scores in runs.items()}
    rows = list(range(len(classes)))
    if order == "score":
        rows = np.argsort(-np.nan_to_num(next(iter(means.values())), nan=-1), kind="stable").tolist()
    card, axes = _chart(title, 1.1 + len(classes) * (0.26 + 0.1 * len(runs)))
    for i, (label, scores) in enumerate(runs.items()):
        colour, marker = SERIES[i % len(SERIES)], MARKERS[i % len(MARKERS)]
        at = np.arange(len(rows)) + (i - (len(runs) - 1) / 2) * 0.7 / len(runs)
        axes.hlines(at, 0, np.nan_to_num(means[label][rows]) * 100, color=colour, lw=1.2, alpha=0.45)
        for seed in scores:
            axes.plot(seed[rows] * 100, at, marker, color=colour, ms=5, alpha=0.55, mew=0)
        axes.plot(means[label][rows] * 100, at, marker, color=colour, ms=7.5, mec=PAPER, mew=0.8, label=label)
        for place, row in zip(at, rows, strict=True):
            if np.isnan(means[label][row]):
                axes.annotate("absent", (0, place), (4, 0), textcoords="offset points", va="center", fontsize=8)
    names = [classes[row] + (f" {100 * as_array(shares)[row]:.1f} %" if shares is not None else "") for row in rows]
    axes.set_yticks(np.arange(len(rows)), names)
    axes.set_xlim(0, 102)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    for edge in np.arange(len(rows) - 1) + 0.5:
        axes.axhline(edge, color=FAINT, lw=0.6)
    axes.set_xlabel(f"{x} (%)" + ("; beside the names: share of the pixels" if shares is not None else ""))
    if len(runs) > 1:
        _legend(card, list(runs))
    return card


@style()
def confusion(matrix: ArrayLike, *, classes: Sequence[str] = CLASSES, title: str = "") -> Card:
    """Draw a confusion matrix (C, C) of counts, rows target: each row in per cent of that class's pixels.

    Void is not in the matrix. Cells under 1 % stay empty; a class without a pixel has an empty row with a dash.
    """
    counts = as_array(matrix).astype(float)
    if counts.shape != (len(classes), len(classes)):
        raise ValueError(f"the matrix is {counts.shape}, expected {(len(classes), len(classes))}, rows target")
    sums = counts.sum(1, keepdims=True)
    shares = np.divide(100 * counts, sums, out=np.full_like(counts, np.nan), where=sums > 0)
    card, axes = _chart(title, 1.6 + 0.42 * len(classes))
    axes.imshow(np.nan_to_num(shares) ** 0.6, cmap="Blues", vmin=0, vmax=100**0.6 * 1.15, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        if np.isnan(share) and row == column:
            axes.text(column, row, "–", ha="center", va="center")
        elif share >= 1:
            axes.text(
                column, row, f"{share:.0f}", ha="center", va="center", color=PAPER if share > 45 else INK,
                fontweight="bold" if row == column else "normal",
            )  # fmt: skip
    axes.set_xticks(range(len(classes)), classes, rotation=55, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)), classes)
    axes.set(xlabel="predicted class", ylabel="true class (each row sums to 100 %)")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return card


@style()
def pareto(
    points: Mapping[str, tuple[float, ArrayLike]],
    *,
    x: str,
    y: str,
    title: str = "",
    log: bool = False,
    percent: bool = False,
    height: float = 4,
) -> Card:
    """Draw what each label costs (x, less is better) against what it brings (y, more is better), with the frontier.

    points: label -> (cost, score), where the score may be a list, one a seed: then a line spans lowest to highest.
    log: logarithmic cost. percent: scores are 0-1 and shown as per cent. Labels are placed so that they don't overlap.
    """
    if not points:
        raise ValueError("there is nothing to draw: points is empty")
    factor = 100 if percent else 1
    card, axes = _chart(title, height)
    cost = np.array([float(point[0]) for point in points.values()])
    scores = [np.atleast_1d(as_array(point[1]).astype(float)) * factor for point in points.values()]
    mean = np.array([seeds.mean() for seeds in scores])
    best = -np.inf
    frontier: list[int] = []
    for i in np.lexsort((-mean, cost)):
        if mean[i] > best:
            best = mean[i]
            frontier.append(i)
    axes.plot(cost[frontier], mean[frontier], drawstyle="steps-post", color="#8f8b82", lw=1.4, ls=(0, (4, 2)), zorder=1)
    for i, seeds in enumerate(scores):
        on_frontier = i in frontier
        axes.vlines(cost[i], seeds.min(), seeds.max(), color=SERIES[0], lw=1.4, zorder=2)
        axes.plot(
            cost[i], mean[i], "o", ms=8, mfc=SERIES[0] if on_frontier else PAPER, mec=SERIES[0], mew=1.6, zorder=3
        )
    if log:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("")
    axes.margins(0.16, 0.14)
    axes.set(xlabel=f"{x} (less is better)", ylabel=y + (" (%)" if percent else ""))
    card.draw_without_rendering()  # settles the layout, from which the room for labels is known
    steps = list(zip(cost[frontier], mean[frontier], strict=True))
    corners = [(x2, y1) for (_, y1), (x2, _) in itertools.pairwise(steps)]
    path = [corner for pair in zip(steps, corners) for corner in pair] + steps[-1:]  # noqa: B905 (one corner fewer)
    place_labels(card, axes, list(zip(cost, mean, strict=True)), list(points), path, scores)
    return card


def _chart(title: str, height: float) -> tuple[Card, Axes]:
    lines = textwrap.wrap(title, 54)
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.09)
    card = Card(6, height + 0.25 * len(lines), layout=layout)
    if lines:
        card.suptitle("\n".join(lines), x=0.022, ha="left", fontsize=12, fontweight="bold")
    return card, card.subplots()


def _legend(card: Card, labels: list[str], **options: Any) -> Legend:
    """Put the legend below the axes, in as many columns as the labels leave room for."""
    columns = int(5.6 / (0.75 + 0.088 * max(map(len, labels))))
    return card.legend(loc="outside lower left", ncols=min(max(columns, 1), len(labels)), **options)


def _in_words(quantity: str) -> str:
    return quantity.replace("val_", "validation ").replace("_", " ").replace("iou", "IoU")


def _seeds(runs: Any) -> list[Any]:
    """A list of runs, from one run or several."""
    if isinstance(runs, Mapping) or not isinstance(runs, (list, tuple, np.ndarray)):
        return [runs]
    if len(runs) == 0:
        raise ValueError("a label comes without any run: expected at least one")
    return [runs] if np.isscalar(runs[0]) else list(runs)


def _series(run: Any, quantity: str, label: str) -> list[float]:
    """The values of `quantity` in a History, a dict of lists, or a plain list."""
    if isinstance(run, Mapping):
        values = run.get(quantity)
        known = list(run)
    elif isinstance(run, (list, tuple, np.ndarray)):
        return list(run)
    else:
        values = getattr(run, quantity, None)
        known = list(vars(run))
    if values is None or len(values) == 0:
        raise ValueError(f"the run {label!r} has no values of {quantity!r}; it has {', '.join(map(str, known))}")
    return list(values)


def _positions(run: Any, x: str, count: int) -> list[float]:
    values = run.get(x) if isinstance(run, Mapping) else getattr(run, x, None)
    return list(values) if values is not None and len(values) == count else list(range(1, count + 1))


def _mean(scores: np.ndarray) -> np.ndarray:
    """Mean over seeds, NaN where no seed has a score, without a warning."""
    known = ~np.isnan(scores)
    return np.divide(np.nansum(scores, 0), known.sum(0), out=np.full(scores.shape[1], np.nan), where=known.any(0))
