"""What was understood of a folder of pictures and masks, on one sheet for a person to check."""

import warnings

import numpy as np

from ..data.own import Folder
from ..data.palette import VOID
from ..data.scenes import Scenes
from .pixels import as_pictures, blend, colourise
from .sheets import Legend, Row, palette_of, sheet
from .style import Card

SHOWN, COLUMNS, LONGEST = 8, 4, 36
CHECKS = (150, 215)
"""Greys of the two fields that void is chequered with: any one colour may be a class's own."""


def show_understood(folder: Folder, scenes: Scenes, shown: int = SHOWN) -> Card:
    """Pictures, their labels in colours, and both over each other; a legend with each class's code and how often it is.

    scenes: of a split of the folder. Among the at most `shown` pictures every class is, as far as there is room, the
    rarest first. Swapped colours and masks that belong to another picture are seen at once.
    """
    classes, colours = palette_of(scenes)
    chosen = scenes[_choice(scenes.masks.numpy(), len(classes), shown)]
    labels = chosen.masks.numpy()
    painted = np.where((labels == VOID)[..., None], _checks(chosen.size)[..., None], colourise(labels, colours))
    rows: list[Row] = [
        ("picture", as_pictures(chosen.images), True),
        ("labels", painted.astype(np.uint8), False),
        ("both", blend(chosen.images, labels, 0.5, colours), False),
    ]
    legend: Legend = []
    for i, (name, code) in enumerate(zip(classes, folder.table.codes, strict=True)):
        value = code if isinstance(code, int) else ", ".join(map(str, code))
        text = f"{_plain(name, LONGEST)} ({value}): {folder.share(i):.1%}, in {folder.pictures[i]} pictures"
        legend.append((text, colours[i]))
    legend.append((f"void, chequered as the padding: {folder.share(-1):.1%}", (CHECKS[1],) * 3))
    keys = 2 if max(len(text) for text, _ in legend) <= LONGEST else 1
    title = f"{_plain(folder.name, 60)}: {sum(map(len, folder.splits.values()))} pictures with masks"
    names = [_plain(name.rpartition("/")[2], 14) for name in chosen.names]
    title, *names = (text.replace("$", r"\$") for text in (title, *names))  # no formulas
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # of a script that the book's font has not
        card = sheet(rows, legend, title, names, COLUMNS, keys)
        card.canvas.draw()
    return card


def _checks(size: tuple[int, int]) -> np.ndarray:
    """Fields of 4×4 pixels in two greys, (H, W)."""
    row, column = (np.arange(side) // 4 for side in size)
    return np.array(CHECKS)[(row[:, None] + column) % 2]


def _plain(name: str, longest: int) -> str:
    """Anybody's name as text for a figure: printable, and not too long."""
    name = "".join(letter if letter.isprintable() else "?" for letter in name)
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _choice(masks: np.ndarray, classes: int, most: int) -> list[int]:
    """Positions of at most `most` masks (N, H, W): for each class, the rarest first, one that has much of it."""
    counts = np.stack([np.bincount(mask.ravel(), minlength=VOID + 1)[:classes] for mask in masks])
    chosen: list[int] = []
    for label in counts.sum(0).argsort():
        if len(chosen) < most and counts[:, label].any() and not counts[chosen, label].any():
            chosen.append(int(counts[:, label].argmax()))
    others = [int(i) for i in np.linspace(0, len(masks) - 1, min(most, len(masks))).round()]
    return sorted([*chosen, *[i for i in others if i not in chosen][: most - len(chosen)]])
