"""Overlap lab: where a transposed convolution makes a checkerboard, for any kernel, stride, weights and depth."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F
from traitlets import Int, TraitError, Unicode, validate

from .. import analysis, figures
from .host import Explorable


class OverlapLab(Explorable):
    """A transposed convolution with weights to edit: overlap counts, phase sums, and what a constant and a step become.

    In two dimensions the kernel is the outer product of the weights with themselves. What is shown lies far from any
    border.
    """

    name = "overlap-lab"
    caption = "Overlap lab: set kernel, stride and weights, and find out what makes a checkerboard."

    kernel = Int(3, min=1, max=8, help="taps along one axis").tag(state=True)
    stride = Int(2, min=1, max=4).tag(state=True)
    layers = Int(1, min=1, max=3, help="how many such layers stand in a row").tag(state=True)
    weights = Unicode("", help="the taps, such as '.5 1 .5'; a missing one is 1").tag(state=True)
    dimensions = Int(1, min=1, max=2).tag(state=True)

    @validate("weights")
    def _only_numbers(self, proposal: Mapping[str, Any]) -> str:
        for word in proposal["value"].replace(",", " ").split():
            try:
                number = float(word)
            except ValueError:
                number = math.nan
            if not math.isfinite(number):
                raise TraitError(f"weights holds {word!r}, expected numbers such as '.5 1 .5'")
        return proposal["value"]

    @property
    def taps(self) -> list[float]:
        """The kernel's weights; set them, and kernel follows."""
        weights = [float(word) for word in self.weights.replace(",", " ").split()]
        return (weights + [1.0] * self.kernel)[: self.kernel]

    @taps.setter
    def taps(self, taps: Sequence[float]) -> None:
        self.kernel = len(taps)
        self.weights = " ".join(f"{tap:g}" for tap in taps)

    def _through(self, x: torch.Tensor, taps: torch.Tensor) -> torch.Tensor:
        for _ in range(self.layers):
            x = F.conv_transpose1d(x, taps[None, None], stride=self.stride)
        return x[0, 0]

    def numbers(self) -> dict[str, Any]:
        """Measure with PyTorch, in float64, along one axis and far from the borders.

        "overlaps" and "phase sums" are those of one layer, by phase. "paths", "constant" and "step" are those of all
        layers: how often each output pixel is reached, what a constant 1 becomes (one period of stride ** layers), and
        what a step from 0 to 1 becomes from the first output pixel that it reaches on. "flat" says whether the constant
        stays constant, "kept" is the library's verdict on a single layer in two dimensions.
        """
        taps = torch.tensor(self.taps, dtype=torch.float64)
        period = self.stride**self.layers
        reach = len(self._through(torch.ones(1, 1, 1, dtype=torch.float64), taps))
        before = -(-reach // period)  # as many input pixels as reach one output pixel
        ones = torch.ones(1, 1, 2 * before + 2, dtype=torch.float64)
        constant = self._through(ones, taps)[before * period :][:period]
        paths = self._through(ones, torch.ones_like(taps))[before * period :][:period]
        return {
            "overlaps": analysis.overlap_counts(self.kernel, self.stride),
            "phase sums": analysis.phase_sums(taps[None, None, None], self.stride)[0, 0, 0].tolist(),
            "paths": paths.round().int().tolist(),
            "constant": constant.tolist(),
            "step": self._through(ones, taps)[: (before + 1) * period].tolist(),
            "flat": bool(constant.max() - constant.min() <= 1e-6 * taps.abs().max() ** self.layers),
            "kept": analysis.keeps_constants(torch.outer(taps, taps)[None, None], self.stride),
        }

    @figures.style()
    def picture(self) -> figures.Card:
        numbers = self.numbers()
        period, count = len(numbers["constant"]), max(24, 2 * len(numbers["constant"]))
        before = max(4, count // 6)
        places = range(-before, count - before)
        paths, constant = ([numbers[name][o % period] for o in places] for name in ("paths", "constant"))
        rise = numbers["step"] + numbers["constant"] * (count // period + 1)
        step = [rise[o] if o >= 0 else 0 for o in places]
        rows = {"stamps that reach a pixel": paths, "output for a constant 1": constant, "output for a step": step}
        if self.dimensions == 2:
            card, views = figures.panels(1, 3, height=2.6)
            planes = ((paths, paths), (constant, constant), (constant, step))
            for view, words, (down, across) in zip(views, rows, planes, strict=True):
                plane = np.outer(down, across)
                view.imshow(plane, vmin=min(0, plane.min()))
                view.set(title=words, xticks=[], yticks=[])
                view.title.set_fontsize(9)
                view.grid(False)
            return card
        card, views = figures.panels(3, 1, height=4.6, sharex=True)
        colours = [figures.SERIES[o % self.stride] for o in places]
        for view, (words, values) in zip(views, rows.items(), strict=True):
            view.bar(places, values, color=colours)
            view.set_title(words, fontweight="normal")
        views[-1].set_xlabel("output pixel; one colour for each phase")
        return card

    def alt(self) -> str:
        numbers = self.numbers()
        low, high = min(numbers["constant"]), max(numbers["constant"])
        counts = ", ".join(map(str, numbers["overlaps"]))
        sums = ", ".join(f"{value:g}" for value in numbers["phase sums"])
        layers = "one layer" if self.layers == 1 else f"{self.layers} layers"
        outcome = f"stays flat at {low:.3g}" if numbers["flat"] else f"comes out between {low:.3g} and {high:.3g}"
        return (
            f"A transposed convolution of kernel {self.kernel}, stride {self.stride}, {layers}: its phases have "
            f"{counts} taps, which sum to {sums}. A constant 1 {outcome}."
        )
