"""Hypercolumn probe: choose a place, see the features stacked over it, and which other places have similar ones."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike
from traitlets import Float, Int, List, TraitError, Unicode, validate

from .. import figures
from ..data.palette import CLASSES, VOID
from .host import Explorable
from .packing import classes, jpeg, pack, photograph, unpack


class HypercolumnProbe(Explorable):
    """A scene whose places have hypercolumns: the one of a chosen place, and the places whose own are nearest to it."""

    name = "hypercolumn-probe"
    caption = "Hypercolumn probe: choose a place and see which other places have similar features, layer by layer."

    features = Unicode(help="(channels, places) as 8-bit integers in base64").tag(state=True)
    step = Float(help="of those").tag(state=True)
    grid = List(Int(), help="rows and columns of places").tag(state=True)
    layers = List(help="name and number of channels of each, fine to coarse").tag(state=True)
    labels = Unicode(help="in base64, a byte a place").tag(state=True)
    image = Unicode(help="the scene, a JPEG in base64").tag(state=True)
    classes = List(help="label, name, colour, and whether it occurs").tag(state=True)
    on = Unicode(help='the layers that count, such as "0 1"').tag(state=True)
    row = Int(0, min=0, help="of the chosen place").tag(state=True)
    column = Int(0, min=0, help="of the chosen place").tag(state=True)
    k = Int(40, min=1, max=100, help="neighbours").tag(state=True)

    def __init__(
        self,
        features: ArrayLike,
        layers: Sequence[tuple[str, int]],
        labels: ArrayLike,
        image: ArrayLike,
        **state: Any,
    ) -> None:
        """Take features (C, rows, columns), their C channels by layer: [(name, channels), …] from fine to coarse.

        Scale each layer to a total variance of 1, so that all count alike in the Euclidean distance. Labels are (rows,
        columns), 0-10 or 255; the image (3, H, W) uint8. State such as row=3 or on="0 4".
        """
        features, labels = np.asarray(features, np.float32), np.asarray(labels, np.uint8)
        channels = sum(count for _, count in layers)
        if features.ndim != 3 or channels != len(features):
            raise ValueError(
                f"features are of shape {features.shape} and the layers have {channels} channels: "
                "expected (channels, rows, columns)"
            )
        if labels.shape != features.shape[1:]:
            raise ValueError(f"labels are of shape {labels.shape}, expected one for each place, {features.shape[1:]}")
        step = min(float(np.abs(features).max()), 4.0) / 127 or 1.0
        recorded = {
            "features": pack(np.clip(np.rint(features / step), -127, 127).astype(np.int8)),
            "step": step,
            "grid": list(labels.shape),
            "layers": [[name, count] for name, count in layers],
            "labels": pack(labels),
            "image": jpeg(image),
            "classes": classes(labels),
            "on": " ".join(map(str, range(len(layers)))),
            "row": labels.shape[0] // 2,
            "column": labels.shape[1] // 2,
        }
        super().__init__(**recorded | state)

    @validate("on")
    def _known_layers(self, proposal: Mapping[str, Any]) -> str:
        known = list(map(str, range(len(self.layers))))
        if known and (not proposal["value"].split() or not set(proposal["value"].split()) <= set(known)):
            raise TraitError(f"on is {proposal['value']!r}, expected one or more of {' '.join(known)}")
        return proposal["value"]

    @property
    def chosen(self) -> list[int]:
        """The indices of the layers that count, at least one; set it to choose others."""
        return sorted(map(int, self.on.split()))

    @chosen.setter
    def chosen(self, layers: Iterable[int]) -> None:
        self.on = " ".join(map(str, layers))

    def nearest(self) -> np.ndarray:
        """The places (k, 2), row and column, nearest to the chosen one; void places and itself left out."""
        labels, place = unpack(self.labels, "uint8", (-1,)), self.row * self.grid[1] + self.column
        features = unpack(self.features, "int8", (-1, labels.size)).astype(np.int64)
        counts = np.repeat(np.isin(np.arange(len(self.layers)), self.chosen), [n for _, n in self.layers])
        distance = ((features - features[:, place, None])[counts] ** 2).sum(0)
        order = np.argsort(distance, kind="stable")
        order = order[(order != place) & (labels[order] != VOID)][: self.k]
        return np.stack(np.divmod(order, self.grid[1]), 1)

    def numbers(self) -> dict[str, float]:
        """The share of the nearest places with the chosen one's class, the share by chance, and their mean distance.

        Shares are in 0-1, NaN for a void place; the distance is Euclidean, in places.
        """
        labels, neighbours = unpack(self.labels, "uint8", tuple(self.grid)), self.nearest()
        label, others = labels[self.row, self.column], labels != VOID
        distance = np.hypot(*(neighbours - [self.row, self.column]).T).mean().item()
        if label == VOID:
            return {"share": np.nan, "chance": np.nan, "distance": distance}
        others[self.row, self.column] = False
        share = (labels[tuple(neighbours.T)] == label).mean().item()
        return {"share": share, "chance": (labels[others] == label).mean().item(), "distance": distance}

    def _class(self) -> str:
        label = unpack(self.labels, "uint8", tuple(self.grid))[self.row, self.column]
        return "void" if label == VOID else CLASSES[label]

    def picture(self) -> figures.Card:
        card, axes = figures.panels(height=4.2, width=5)
        rows, columns = self.grid
        with figures.style():
            axes.imshow(photograph(self.image), extent=(0, columns, rows, 0))
            for row, column in self.nearest():
                axes.add_patch(Rectangle((column, row), 1, 1, fill=False, edgecolor="white", lw=1.2))
            axes.add_patch(Rectangle((self.column, self.row), 1, 1, fill=False, edgecolor="#ffe600", lw=3))
            axes.set_axis_off()
            axes.set_title(f"{self._class()}: its {self.k} nearest places in feature space", fontweight="normal")
        return card

    def alt(self) -> str:
        numbers = self.numbers()
        names = ", ".join(self.layers[i][0] for i in self.chosen)
        return (
            f"A scene with a chosen place, {self._class()}, and the {self.k} places with the nearest hypercolumns of "
            f"{names}: {numbers['share']:.0%} of them have its class, by chance {numbers['chance']:.0%} would."
        )
