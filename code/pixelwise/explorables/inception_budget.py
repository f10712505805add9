"""Inception budget: set the widths of an Inception module's branches, and see where its weights and operations go."""

import torch
from traitlets import Enum, Int, List

from .. import analysis, figures
from ..models.googlenet import TABLE, Inception
from .host import Explorable

WIDTHS = ("one", "reduce3", "three", "reduce5", "five", "project")
"""The branches in the order of TABLE, by the names of their sliders."""


class InceptionBudget(Explorable):
    """GoogLeNet's module 3a with widths to choose: weights and multiply-adds of each branch, naive and reduced."""

    name = "inception-budget"
    caption = "Inception budget: choose the widths of an Inception module, and see where its weights go."

    inputs = Int(192, min=1, help="channels that come in").tag(state=True)
    side = Int(28, min=1, help="side of the map").tag(state=True)
    paper = List(list(TABLE["3a"]), help="the paper's widths").tag(state=True)
    one = Int(TABLE["3a"][0], min=0, max=256, help="1×1 filters").tag(state=True)
    reduce3 = Int(TABLE["3a"][1], min=0, max=192, help="reduction before the 3×3").tag(state=True)
    three = Int(TABLE["3a"][2], min=0, max=320, help="3×3 filters").tag(state=True)
    reduce5 = Int(TABLE["3a"][3], min=0, max=192, help="reduction before the 5×5").tag(state=True)
    five = Int(TABLE["3a"][4], min=0, max=128, help="5×5 filters").tag(state=True)
    project = Int(TABLE["3a"][5], min=0, max=192, help="projection behind the pool").tag(state=True)
    form = Enum(["reduced", "naive"], "reduced", help="with 1×1 reductions, or without").tag(state=True)

    @property
    def channels(self) -> tuple[int, ...]:
        """The widths in the order of pixelwise.models.googlenet.TABLE."""
        return tuple(getattr(self, name) for name in WIDTHS)

    def numbers(self, form: str | None = None) -> dict[str, int]:
        """Build pixelwise.models.googlenet.Inception and profile it: weights, multiply-adds, channels out.

        Weights are those of the convolutions, without biases; widths must be 1 or more, else PyTorch has no such layer.
        """
        naive = (form or self.form) == "naive"
        with torch.device("meta"):
            module = Inception(self.inputs, self.channels, true_5x5=True, naive=naive, batch_norm=False)
        cost = analysis.profile(module.eval(), (1, self.inputs, self.side, self.side))
        weights = sum(p.numel() for p in module.parameters() if p.ndim == 4)
        return {"weights": weights, "multiply-adds": cost.multiply_adds, "channels out": module.out_channels}

    def picture(self) -> figures.Card:
        paper = InceptionBudget(inputs=self.inputs, side=self.side, **dict(zip(WIDTHS, self.paper, strict=True)))
        bars = {
            "yours": self.numbers()["weights"],
            "the paper's": paper.numbers()["weights"],
            "yours, naive": self.numbers("naive")["weights"],
        }
        card, axes = figures.panels(height=2.1)
        with figures.style():
            drawn = axes.barh(list(bars), list(bars.values()), color="#a9c3d9")
            axes.bar_label(drawn, [f"{value:,}" for value in bars.values()], padding=5)
            axes.set(xlim=(0, 1.25 * max(bars.values())), xticks=[], title="Weights of the module")
            axes.invert_yaxis()
            axes.grid(visible=False)
        return card

    def alt(self) -> str:
        numbers = self.numbers()
        return (
            f"Bars of the weights of an Inception module with widths {', '.join(map(str, self.channels))}: "
            f"{numbers['weights']:,} in the {self.form} form, {self.numbers('naive')['weights']:,} without reductions."
        )
