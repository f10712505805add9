"""ASPP taps: which of a dilated kernel's nine taps see the feature map, and which fall into the padding."""

import numpy as np
from traitlets import Enum, Int

from .. import analysis, figures
from .host import Explorable

POOLING = "image pooling"


class AsppTaps(Explorable):
    """A 3×3 kernel at one position of a feature map: a branch of DeepLab's atrous spatial pyramid pooling (ASPP)."""

    name = "aspp-taps"
    caption = "ASPP taps: move the kernel, raise the rate, and count the taps that still see the map."

    height = Int(33, min=4, max=65, help="rows of the feature map").tag(state=True)
    width = Int(33, min=4, max=65, help="columns of the feature map").tag(state=True)
    rate = Int(6, min=1, max=48, help="dilation: how far apart the taps stand").tag(state=True)
    row = Int(4, min=0, max=64, help="of the middle tap; a row below the map counts as its last").tag(state=True)
    column = Int(4, min=0, max=64, help="of the middle tap, likewise").tag(state=True)
    branch = Enum(["dilated", POOLING], "dilated", help="which branch of the pyramid").tag(state=True)

    @property
    def position(self) -> tuple[int, int]:
        """(row, column) of the middle tap, inside the map."""
        return min(self.row, self.height - 1), min(self.column, self.width - 1)

    @property
    def taps(self) -> np.ndarray:
        """Which of the nine taps see the map: (3, 3) bool."""
        inside = [
            (place + self.rate * np.arange(-1, 2) >= 0) & (place + self.rate * np.arange(-1, 2) < length)
            for place, length in zip(self.position, (self.height, self.width), strict=True)
        ]
        return np.logical_and.outer(*inside)

    def numbers(self) -> dict[str, float]:
        """Count valid taps with `pixelwise.analysis`: here, their mean over the map, and shares of the positions."""
        valid = analysis.valid_taps(self.height, self.width, self.rate).double()
        return {
            "here": int(valid[self.position]),
            "mean": valid.mean().item(),
            "all nine": (valid == 9).double().mean().item(),
            "middle only": (valid == 1).double().mean().item(),
        }

    @figures.style()
    def picture(self) -> figures.Card:
        card, view = figures.panels(height=4.4)
        valid = analysis.valid_taps(self.height, self.width, self.rate).numpy()
        view.imshow(np.full_like(valid, 9) if self.branch == POOLING else valid, cmap="Blues", vmin=-4, vmax=16)
        view.grid(False)
        row, column = self.position
        if self.branch == POOLING:
            view.set_title("image pooling reads every position", fontweight="normal")
            view.plot(*np.meshgrid(range(self.width), range(self.height)), ".", ms=2, color=figures.SERIES[0])
        else:
            view.set_title(f"rate {self.rate} on {self.height} × {self.width}", fontweight="normal")
            steps = self.rate * np.arange(-1, 2)
            rows, columns = np.meshgrid(row + steps, column + steps, indexing="ij")
            for mask, sign, label in ((self.taps, "o", "sees the map"), (~self.taps, "x", "reads padding")):
                colour = figures.SERIES[0 if sign == "o" else 1]
                view.plot(columns[mask], rows[mask], sign, ms=8, mew=2.5, color=colour, label=label)
            card.legend(loc="outside lower center", ncols=2)
            view.set_xlim(-self.rate - 1, self.width + self.rate)
            view.set_ylim(self.height + self.rate, -self.rate - 1)
        view.plot(column, row, "o", ms=15, mfc="none", mec="#1d1f24", mew=1.5)
        return card

    def alt(self) -> str:
        valid, mean, nine, middle = self.numbers().values()
        size = f"{self.height} by {self.width}"
        if self.branch == POOLING:
            return f"A feature map of {size} positions. Image pooling reads every one of them, from every position."
        return (
            f"A 3×3 kernel with taps {self.rate} apart on a feature map of {size}. At row {self.position[0]}, column "
            f"{self.position[1]}: {valid} of 9 taps inside the map. Over the map it is {mean:.2f} on average, all nine "
            f"at {100 * nine:.0f} % of the positions, only the middle one at {100 * middle:.0f} %."
        )
