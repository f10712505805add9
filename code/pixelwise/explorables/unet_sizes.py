"""U-Net sizes: which picture sizes fit through a U-Net, what comes out, and how tiles cover a picture of any size."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from traitlets import Enum, Int

from .. import figures
from ..models.unet import ContractingPath, UNet, ValidUNet, is_valid_size, nearest_valid_sizes
from .host import Explorable


class UnetSizes(Explorable):
    """The sides of all maps of a U-Net for a chosen input, valid (the paper's) or padded, and tiles on a picture."""

    name = "unet-sizes"
    caption = "U-Net sizes: choose an input size and see what fits, what comes out, and how tiles cover a picture."

    size = Int(572, min=1, max=700, help="side of the input in pixels").tag(state=True)
    form = Enum(["valid", "padded"], "valid", help="valid as in the paper, or padded").tag(state=True)
    depth = Int(4, min=1, max=5, help="poolings").tag(state=True)
    whole = Int(512, min=256, max=1200, help="side of the picture that tiles cover, in pixels").tag(state=True)
    tile = Int(0, min=0, help="the chosen tile, row by row").tag(state=True)

    def numbers(self) -> dict[str, Any]:
        """Send an empty picture through pixelwise.models.unet: sides [before, after] a level, or why there are none.

        `fits`: whether the side goes through without a remedy; `nearest`: the sides that do; `down` and `up`:
        the sides of the maps; `output`: the side of the logits, None where nothing comes out.
        """
        unit = 2**self.depth
        if self.form == "valid":
            fits, nearest = is_valid_size(self.size, self.depth), nearest_valid_sizes(self.size, self.depth)
        else:
            fits = self.size % unit == 0
            below = self.size - self.size % unit
            nearest = [self.size] if fits else [side for side in (below, below + unit) if side]
        numbers: dict[str, Any] = {"fits": fits, "nearest": nearest, "down": [], "up": [], "output": None}
        with torch.device("meta"):  # shapes without memory
            if self.form == "valid":
                network = ValidUNet(1, 1, width=1, depth=self.depth).eval()
                down, up = network.contracting.stages, network.expanding
            else:
                contracting = ContractingPath(1, width=1, depth=self.depth)
                network = UNet(contracting, 1).eval()
                down, up = contracting.stages, network.decoder.blocks
            image = torch.empty(1, 1, self.size, self.size)

        def note(sides: list[list[int]]) -> Callable[[nn.Module, tuple[torch.Tensor, ...], torch.Tensor], None]:
            def hook(module: nn.Module, inputs: tuple[torch.Tensor, ...], out: torch.Tensor) -> None:
                sides.append([(out if self.form == "padded" else inputs[0]).shape[-1], out.shape[-1]])

            return hook

        for maps, sides in ((down, numbers["down"]), (up, numbers["up"])):
            for module in maps:
                module.register_forward_hook(note(sides))
        if fits or (self.form == "padded" and self.size >= unit):
            numbers["output"] = network(image).shape[-1]
        return numbers

    def picture(self) -> figures.Card:
        numbers = self.numbers()
        card, axes = figures.panels(width=6, height=3.4)
        with figures.style():
            axes.set_axis_off()
            axes.set(xlim=(0, 10), ylim=(-self.depth - 0.6, 0.8))
            look = {"ha": "center", "va": "center", "fontsize": 11}
            box = {"boxstyle": "round,pad=0.35", "facecolor": "#dbe6f2", "edgecolor": figures.SERIES[0]}

            def write(x: float, level: int, pair: list[int]) -> None:
                text = f"{pair[0]}" if pair[0] == pair[1] else f"{pair[0]} → {pair[1]}"
                axes.text(x, -level, text, bbox=box, **look)

            for level, pair in enumerate(numbers["down"]):
                write(5 if level == self.depth else 1.5, level, pair)
            for level, pair in enumerate(reversed(numbers["up"])):
                write(8.5, level, pair)
                axes.annotate("", (7, -level), (3, -level), arrowprops={"arrowstyle": "->", "color": "#6d6a64"})
                crop = (numbers["down"][level][1] - pair[0]) // 2
                if crop:
                    axes.text(5, -level + 0.22, f"crop {crop} each side", ha="center", va="bottom", fontsize=10)
            if not numbers["down"]:
                axes.text(5, -self.depth / 2, f"{self.size} does not fit", **look)
            axes.set_title(self._title(numbers))
        return card

    def _title(self, numbers: dict[str, Any]) -> str:
        if numbers["output"] is None:
            return f"{self.size} does not fit; nearest: {' and '.join(map(str, numbers['nearest']))}"
        return f"{self.size} in, {numbers['output']} out"

    def alt(self) -> str:
        numbers = self.numbers()
        down = ", ".join(f"{before} to {after}" for before, after in numbers["down"])
        up = ", ".join(f"{before} to {after}" for before, after in numbers["up"])
        kind = "the paper's U-Net without padding" if self.form == "valid" else "a padded U-Net"
        sides = f" Sides on the way down: {down}; on the way up: {up}." if down else ""
        return f"The maps of {kind} with {self.depth} poolings. {self._title(numbers)}.{sides}"
