"""Convolution arithmetic: what kernel, stride, padding and dilation do to a size; dilated is not transposed."""

from typing import Any

import numpy as np
import torch
from torch.nn import functional as F
from traitlets import Enum, Int

from .. import figures
from .host import Explorable

CONVOLUTION, TRANSPOSED, ZEROS = DIRECTIONS = ("convolution", "transposed", "transposed, as zeros inserted")


class ConvolutionArithmetic(Explorable):
    """A convolution or a transposed one on a square input, and the place where its window reads or writes."""

    name = "convolution-arithmetic"
    caption = "Convolution arithmetic: set the numbers, step the window, and read off the size."

    direction = Enum(DIRECTIONS, CONVOLUTION, help="a transposed one shows its stamps, or its zeros").tag(state=True)
    input = Int(5, min=1, max=8, help="rows and columns").tag(state=True)
    kernel = Int(3, min=1, max=5).tag(state=True)
    stride = Int(2, min=1, max=3).tag(state=True)
    padding = Int(1, min=0, max=4).tag(state=True)
    dilation = Int(1, min=1, max=3).tag(state=True)
    output_padding = Int(0, min=0, max=2, help="of a transposed convolution").tag(state=True)
    step = Int(0, min=0, help="where the window is, row by row").tag(state=True)

    def numbers(self) -> dict[str, Any]:
        """Let PyTorch convolve ones with a kernel of ones, along one axis.

        "output" is its size, 0 where PyTorch refuses. "places" is how many the window has: output pixels, or the input
        pixels that stamp. "touched" holds, for each of them, the pixels on the other side that it is wired to.
        """
        settings = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        x = torch.ones(1, 1, self.input, requires_grad=True)
        kernel = torch.ones(1, 1, self.kernel)
        try:
            if self.direction == CONVOLUTION:
                y = F.conv1d(x, kernel, **settings)
            else:
                y = F.conv_transpose1d(x, kernel, **settings, output_padding=self.output_padding)
        except RuntimeError:
            return {"output": 0, "places": 0, "touched": []}
        gradients = [torch.autograd.grad(one, x, retain_graph=True)[0] for one in y[0, 0]]
        wired = torch.cat(gradients)[:, 0]  # (output, input)
        wires = wired.T if self.direction == TRANSPOSED else wired
        touched = [row.nonzero().flatten().tolist() for row in wires]
        return {"output": y.shape[-1], "places": len(touched), "touched": touched}

    @property
    def position(self) -> tuple[int, int]:
        """(row, column) of the window: an output pixel, or the input pixel that stamps; ValueError without output."""
        places = self.numbers()["places"]
        if not places:
            raise ValueError(f"there is no output, so the window has no position; change the settings {self.state}")
        return divmod(self.step % places**2, places)

    @figures.style()
    def picture(self) -> figures.Card:
        numbers = self.numbers()
        card, sides = figures.panels(1, 2, height=3)
        sizes = {
            f"{name}, {size} × {size}": size for name, size in (("input", self.input), ("output", numbers["output"]))
        }
        for side, (title, size) in zip(sides, sizes.items(), strict=True):
            side.set_title(title, fontweight="normal")
            side.set_axis_off()
            if not size:
                side.text(0.5, 0.5, "no output", ha="center", transform=side.transAxes)
                continue
            plane = np.zeros((size, size))
            if numbers["places"]:
                row, column = self.position
                window = (self.direction == TRANSPOSED) == (side is sides[1])
                rows, columns = (numbers["touched"][place] if window else [place] for place in (row, column))
                plane[np.ix_(rows, columns)] = 1
            side.pcolormesh(plane, cmap="Blues", vmin=-0.1, vmax=1.4, edgecolors="#8b8a86", linewidth=0.8)
            side.set(xlim=(0, max(sizes.values())), ylim=(max(sizes.values()), 0), aspect="equal")
        return card

    def alt(self) -> str:
        numbers = self.numbers()
        settings = f"kernel {self.kernel}, stride {self.stride}, padding {self.padding}, dilation {self.dilation}"
        kind = "A convolution" if self.direction == CONVOLUTION else "A transposed convolution"
        if not numbers["output"]:
            return f"{kind} with {settings} has no output for an input of {self.input} by {self.input}."
        row, column = self.position
        side, verb = ("input", "writes") if self.direction == TRANSPOSED else ("output", "reads")
        return (
            f"{kind} with {settings} takes {self.input} by {self.input} to {numbers['output']} by {numbers['output']}. "
            f"The {side} pixel at row {row}, column {column} {verb} rows {_listed(numbers['touched'][row])} and "
            f"columns {_listed(numbers['touched'][column])} of the other side."
        )


def _listed(places: list[int]) -> str:
    return ", ".join(map(str, places)) or "none"
