"""Receptive field builder: how far a unit sees through a list of layers, and which pixels in there it reads."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.ticker import MaxNLocator
from torch.nn import functional as F
from traitlets import Int, TraitError, Unicode, validate

from .. import analysis, figures
from .host import Explorable

NETWORKS = {
    "FCN-AlexNet": "11s4 3s2 5 3s2 3 3 3 3s2 6",
    "FCN-VGG-16": "3 3 2s2 3 3 2s2 3 3 3 2s2 3 3 3 2s2 3 3 3 2s2 7",
    "FCN-GoogLeNet": "7s2 3s2 3 3s2 5 5 3s2 5 5 5 5 5 3s2 5 5 7",
    "ResNet-18": "7s2 3s2 3 3 3 3 3s2 3 3 3 3s2 3 3 3 3s2 3 3 3",
    "ResNet-50": "7s2 3s2 3 3 3 3s2 3 3 3 3s2 3 3 3 3 3 3s2 3 3",
    "ResNet-50 at stride 8": "7s2 3s2 3 3 3 3s2 3 3 3 3 3d2 3d2 3d2 3d2 3d2 3d2 3d4 3d4",
}
"""Layers with more than one tap on the longest path; FCN's end with the layer that used to be fully connected."""

_LAYER = re.compile(r"(\d+)(?:s(\d+))?(?:d(\d+))?")
_LIMITS = {"kernel": 15, "stride": 4, "dilation": 48}
_MOST, _LARGEST = 40, 4096


class ReceptiveFieldBuilder(Explorable):
    """A list of layers to edit, the window of one of its units, and the pixels in there that some path reads.

    Nothing is padded: unit 0 sees the window that begins at pixel 0.
    """

    name = "receptive-field-builder"
    caption = "Receptive field builder: stack layers, and see how far a unit sees and what it misses."

    layers = Unicode("3 3d2 3d9", help="kernel, s stride, d dilation of each, such as '7s2 3 3d2'").tag(state=True)
    unit = Int(0, min=0, max=6, help="whose window is shown, along both axes").tag(state=True)

    @validate("layers")
    def _right_layers(self, proposal: Mapping[str, Any]) -> str:
        stack: list[list[int]] = []
        for word in proposal["value"].split():
            match = _LAYER.fullmatch(word)
            if match is None:
                raise TraitError(f"layers holds {word!r}, expected kernel, stride and dilation such as '7s2' or '3d2'")
            layer = [int(number or 1) for number in match.groups()]
            for (name, most), number in zip(_LIMITS.items(), layer, strict=True):
                if not 1 <= number <= most:
                    raise TraitError(f"layer {word!r} has {name} {number}, expected 1 to {most}")
            stack.append(layer)
        if len(stack) > _MOST:
            raise TraitError(f"layers holds {len(stack)} layers, expected {_MOST} at most")
        size = _field(stack).size[0]
        if size > _LARGEST:
            raise TraitError(f"these layers see {size} pixels, expected {_LARGEST} at most")
        return " ".join(proposal["value"].split())

    @property
    def stack(self) -> list[tuple[int, int, int]]:
        """(kernel, stride, dilation) of each layer; set it to a list of such, or of kernels alone."""
        matches = _LAYER.finditer(self.layers)
        return [(int(match[1]), int(match[2] or 1), int(match[3] or 1)) for match in matches]

    @stack.setter
    def stack(self, layers: Iterable[int | Sequence[int]]) -> None:
        full = [((layer,) if isinstance(layer, int) else tuple(layer)) + (1, 1) for layer in layers]
        self.layers = " ".join(f"{k}{f's{s}' * (s != 1)}{f'd{d}' * (d != 1)}" for k, s, d, *_ in full)

    @property
    def paths(self) -> torch.Tensor:
        """Over how many paths the unit gets each pixel of its window, along one axis: (size,), by PyTorch."""
        counts = torch.ones(1, 1, 1, dtype=torch.float64)
        for kernel, stride, dilation in reversed(self.stack):  # a gradient's way back, through kernels of ones
            counts = F.conv_transpose1d(counts, counts.new_ones(1, 1, kernel), stride=stride, dilation=dilation)
        return counts[0, 0]

    def numbers(self) -> dict[str, Any]:
        """Measure with the library's formula and PyTorch.

        "size" and "jump" in input pixels, "window" the first and last pixel that the unit sees, "coverage" the share of
        the window's pixels that are read, "shared" the share of those read along an axis that the next unit reads too.
        """
        field = _field(self.stack)
        window, jump = field.window(self.unit, self.unit)[0], field.jump[0]
        read = (self.paths > 0).double()
        return {
            "size": field.size[0],
            "jump": jump,
            "window": [window[0], window[-1]],
            "coverage": read.mean().item() ** 2,
            "shared": ((read[jump:] * read[: len(read) - jump]).sum() / read.sum()).item() if jump < len(read) else 0.0,
        }

    @figures.style()
    def picture(self) -> figures.Card:
        card, (steps, window) = figures.panels(1, 2, height=3.4, width_ratios=(3, 2))
        sizes = [_field(self.stack[:count]).size[0] for count in range(len(self.stack) + 1)]
        steps.plot(range(len(sizes)), sizes, marker="o", ms=4)
        steps.set(xlabel="layers", ylabel="receptive field (pixels)", ylim=(0, None))
        steps.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        paths = self.paths.numpy()
        strength = np.sqrt(np.outer(paths, paths)) / paths.max()
        shades = np.where(strength > 0, 0.25 + 0.75 * strength, 0).round(1)  # few, for a light picture
        window.imshow(shades, cmap="Blues", vmin=0, vmax=1.1)
        share = 100 * self.numbers()["coverage"]
        window.set_title(f"{sizes[-1]} × {sizes[-1]}, {share:.0f} % read", fontsize=9, fontweight="normal")
        window.set(xticks=[], yticks=[])
        window.grid(False)
        return card

    def alt(self) -> str:
        size, jump, _, share, _ = self.numbers().values()
        return (
            f"{len(self.stack)} layers ({self.layers}) let a unit see {size} by {size} pixels at a jump of {jump}; "
            f"{100 * share:.0f} % of these pixels are read."
        )


def _field(stack: Iterable[Sequence[int]]) -> analysis.ReceptiveField:
    return analysis.stack_receptive_field(*((kernel, stride, 0, dilation) for kernel, stride, dilation in stack))
