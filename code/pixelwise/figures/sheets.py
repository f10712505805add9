"""Contact sheets: scenes, their labels, what networks made of them, and where those are wrong."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from ..data.palette import CLASSES, VOID
from ..data.scenes import Scenes
from .pixels import (
    DISPLAY_COLOURS,
    RIGHT_COLOUR,
    VOID_COLOUR,
    WRONG_COLOUR,
    Colours,
    as_batch,
    as_pictures,
    blend,
    check_aligned,
    class_colours,
    colourise,
    mark_mistakes,
)
from .style import CSS_DPI, DENSITY, FAINT, Card, style

Legend = list[tuple[str, tuple[int, int, int]]]
Row = tuple[str, np.ndarray, bool]
"""Name, pictures (N, H, W, 3) uint8, and whether they are photographs (which may be smoothed; labels never)."""
WIDEST, MARGIN, GAP, LINE, LABEL = 1200, 24, 10, 40, 46
"""Stored pixels: greatest width of a sheet, its margin, the gap between tiles, a line of text, room for row names."""
MOST_KEYS = 4
"""Entries of a legend in a line."""


@runtime_checkable
class LabelledImages(Protocol):
    """Images with their masks, as `data.Scenes` has them."""

    @property
    def images(self) -> ArrayLike: ...

    @property
    def masks(self) -> ArrayLike: ...


def show_scenes(
    images: ArrayLike | LabelledImages,
    masks: ArrayLike | None = None,
    predictions: ArrayLike | Mapping[str, ArrayLike] | None = None,
    *,
    title: str = "",
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    mistakes: bool = False,
    alpha: float | None = None,
) -> Card:
    """Show scenes side by side, one a column: image, labels, predictions, and with `mistakes` where those are wrong.

    images: (N, 3, H, W) uint8, or Scenes, which bring their masks along. masks: (N, H, W). predictions: (N, H, W), or
    several by name as {"FCN-32s": labels, ...}. `alpha` lays the labels over the image instead of showing them apart.
    titles: a short line for each scene. columns: scenes in a line. The legend names the classes that occur: CamVid's,
    or those that Scenes bring along, in their colours.
    """
    classes, colours = palette_of(images) if isinstance(images, Scenes) else (CLASSES, DISPLAY_COLOURS)
    count = len(classes)
    if isinstance(images, LabelledImages):
        images, masks = images.images, images.masks if masks is None else masks
    pictures = as_pictures(images)
    rows: list[Row] = [("image", pictures, True)]
    shown: list[np.ndarray] = []
    labels = None if masks is None else as_batch(masks, count=count)
    if labels is not None:
        check_aligned("images", pictures[..., 0], "masks", labels)
        shown.append(labels)
        if alpha is None:
            rows.append(("labels", colourise(labels, colours), False))
        else:
            rows = [("labels", blend(images, labels, alpha, colours), False)]
    if predictions is not None:
        named = predictions if isinstance(predictions, Mapping) else {"prediction": predictions}
        for name, predicted in named.items():
            predicted = as_batch(predicted, name, count)
            check_aligned("images", pictures[..., 0], name, predicted)
            shown.append(predicted)
            painted = colourise(predicted, colours) if alpha is None else blend(images, predicted, alpha, colours)
            rows.append((name, painted, False))
            if mistakes:
                if labels is None:
                    raise ValueError("mistakes=True needs masks, to compare the predictions with")
                rows.append(("mistakes", mark_mistakes(predicted, labels, count), False))
    legend = _class_legend(shown, classes, colours) + (_mistake_legend() if mistakes else [])
    return sheet(rows, legend, title, titles, columns)


def palette_of(scenes: Scenes) -> tuple[Sequence[str], Colours]:
    """Names and colours of the scenes' classes: their own, else CamVid's or generated ones."""
    return scenes.classes, scenes.colours or class_colours(len(scenes.classes))


def _class_legend(shown: list[np.ndarray], classes: Sequence[str], colours: Colours) -> Legend:
    present = set(np.unique(np.concatenate([labels.ravel() for labels in shown]))) if shown else set()
    entries = [(classes[label], colours[label]) for label in range(len(classes)) if label in present]
    return entries + ([("void", VOID_COLOUR)] if VOID in present else [])


def _mistake_legend() -> Legend:
    return [("right", RIGHT_COLOUR), ("wrong", WRONG_COLOUR)]


@style()
def sheet(
    rows: list[Row],
    legend: Legend,
    title: str,
    titles: Sequence[str] | None,
    columns: int | None,
    keys: int = MOST_KEYS,
) -> Card:
    """A card of rows of pictures, one below the other for each scene, over a legend with `keys` entries in a line."""
    count, height, width = rows[0][1].shape[:3]
    if count == 0:
        raise ValueError("there is no scene to show: the batch is empty")
    if titles is not None and len(titles) != count:
        raise ValueError(f"{len(titles)} titles for {count} scenes: give one each")
    label = LABEL if len(rows) > 1 else 0
    room = WIDEST - 2 * MARGIN - label
    columns = min(columns or max(1, (room + GAP) // (2 * width + GAP)), count)
    scale = (room - GAP * (columns - 1)) / columns / width
    scale = min(int(scale), 4) if scale >= 1 else scale  # whole steps keep every pixel of a mask the same size
    tile_width, tile_height = round(width * scale), round(height * scale)
    lines = -(-count // columns)
    block = len(rows) * (tile_height + GAP) + (LINE if titles is not None else 0)

    total_width = max(2 * MARGIN + label + columns * (tile_width + GAP) - GAP, 620)
    heading = textwrap.wrap(title, int(total_width / 20)) if title else []
    keys = max(1, min(keys, (total_width - 2 * MARGIN) // 250))
    top = MARGIN + len(heading) * LINE + (GAP if heading else 0)
    bottom = -(-len(legend) // keys) * LINE
    total_height = top + lines * block + (lines - 1) * GAP + bottom + MARGIN

    inch = CSS_DPI * DENSITY
    card = Card(total_width / inch, total_height / inch)

    def at(x: float, y: float, w: float = 0, h: float = 0) -> tuple[float, float, float, float]:
        return x / total_width, 1 - (y + h) / total_height, w / total_width, h / total_height

    def text(x: float, y: float, words: str, **options: Any) -> None:
        left, low, *_ = at(x, y)
        card.text(left, low, words, fontsize=options.pop("fontsize", 10.5), va="center", **options)

    for i, words in enumerate(heading):
        text(MARGIN, MARGIN + (i + 0.4) * LINE, words, fontsize=12, fontweight="bold")
    for scene in range(count):
        line, column = divmod(scene, columns)
        x, y = MARGIN + label + column * (tile_width + GAP), top + line * (block + GAP)
        if titles is not None:
            text(x, y + LINE / 2, titles[scene])
            y += LINE
        for r, (name, pictures, smooth) in enumerate(rows):
            axes = card.add_axes(at(x, y + r * (tile_height + GAP), tile_width, tile_height))
            axes.imshow(pictures[scene], interpolation="antialiased" if smooth and scale < 1 else "nearest")
            axes.set_axis_off()
            if label and column == 0:
                words = textwrap.shorten(name, max(6, int(tile_height / 13)), placeholder="…")
                text(MARGIN, y + r * (tile_height + GAP) + tile_height / 2, words, rotation=90)
    for i, (name, colour) in enumerate(legend):
        line, column = divmod(i, keys)
        x = MARGIN + label + column * (total_width - 2 * MARGIN - label) / keys
        y = total_height - MARGIN - bottom + line * LINE
        left, low, wide, high = at(x, y + 8, 30, 24)
        swatch = Rectangle((left, low), wide, high, transform=card.transFigure, lw=1, ec=FAINT)
        red, green, blue = (value / 255 for value in colour)
        swatch.set_facecolor((red, green, blue))
        card.add_artist(swatch)
        text(x + 42, y + LINE / 2, name, parse_math=False)
    return card
