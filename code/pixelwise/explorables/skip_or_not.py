"""Skip or not: depth and shortcuts, and the gradients and training losses that real runs recorded."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from traitlets import Enum, Int, List

from .. import figures
from .host import Explorable

POINTS = 60
"""Points of a training curve at most; each is the mean over its steps."""


class SkipOrNot(Explorable):
    """Recorded runs of plain and residual networks, by depth, with and without batch normalisation."""

    name = "skip-or-not"
    caption = "Skip or not: choose a depth and switch the shortcuts, and see what real runs recorded."

    runs = List(help="of each network its kind, depth, norm, gradients and losses, a list a seed").tag(state=True)
    steps = Int(1, min=1, help="training steps in all").tag(state=True)
    every = Int(1, min=1, help="training steps for each point of the losses").tag(state=True)
    depth = Int(help="layers").tag(state=True)
    kind = Enum(["plain", "residual"], "plain").tag(state=True)
    norm = Enum(["yes", "no"], "yes", help="batch normalisation").tag(state=True)
    layer = Int(0, min=0, max=100, help="where the gradient is read, per cent of the way to the last layer")
    layer.tag(state=True)
    step = Int(100, min=0, max=100, help="where the loss is read, per cent of the training").tag(state=True)

    def __init__(
        self,
        gradients: Mapping[tuple[str, int, bool], Sequence[Sequence[float]]],
        losses: Mapping[tuple[str, int], Sequence[Sequence[float]]],
        **state: Any,
    ) -> None:
        """Take what was recorded, one list a seed.

        gradients: {(kind, depth, normalised): [[norm at each layer, first to last], …]}, kind "plain" or "residual".
        losses: {(kind, depth): [[loss at each step], …]}, of networks with batch normalisation. State such as
        kind="residual".
        """
        if not gradients:
            raise ValueError("gradients are empty: expected {(kind, depth, normalised): one list of norms a seed}")
        for kind, depth, *_ in (*gradients, *losses):
            if kind not in ("plain", "residual"):
                raise ValueError(f'{(kind, depth)!r} is of kind {kind!r}, expected "plain" or "residual"')
        longest = max((len(curve) for curves in losses.values() for curve in curves), default=1)
        every = math.ceil(longest / POINTS)
        keys = dict.fromkeys([*gradients, *((kind, depth, True) for kind, depth in losses)])
        runs = [
            {
                "kind": kind,
                "depth": depth,
                "norm": "yes" if normalised else "no",
                "gradients": [list(map(_round, norms)) for norms in gradients.get((kind, depth, normalised), [])],
                "losses": [_thin(curve, every) for curve in losses.get((kind, depth), []) if normalised],
            }
            for kind, depth, normalised in keys
        ]
        depths = {depth for _, depth, _ in gradients}
        deepest = max(depths & {depth for _, depth in losses} or depths)
        super().__init__(**{"runs": runs, "steps": longest, "every": every, "depth": deepest} | state)

    @property
    def run(self) -> dict[str, Any]:
        """The recorded run that is shown; without gradients and losses where there is none."""
        shown = self.kind, self.depth, self.norm
        runs = [run for run in self.runs if (run["kind"], run["depth"], run["norm"]) == shown]
        return runs[0] if runs else dict(zip(("kind", "depth", "norm"), shown, strict=True), gradients=[], losses=[])

    def numbers(self) -> dict[str, float]:
        """Gradient norms of the first and last layer, and the training loss at the end.

        Norms are geometric means over the seeds, the loss is the mean of the last tenth of the steps; NaN where nothing
        was recorded.
        """
        gradients, losses = self.run["gradients"], self.run["losses"]

        def norm(i: int) -> float:
            return statistics.geometric_mean([norms[i] for norms in gradients]) if gradients else math.nan

        ends = [statistics.fmean(curve[-max(1, len(curve) // 10) :]) for curve in losses]
        return {
            "first layer": norm(0),
            "last layer": norm(-1),
            "final loss": statistics.fmean(ends) if ends else math.nan,
        }

    def picture(self) -> figures.Card:
        card, (sizes, curves) = figures.panels(1, 2, height=3.1)
        with figures.style():
            for i, kind in enumerate(("plain", "residual")):
                runs = [run for run in self.runs if (run["kind"], run["norm"]) == (kind, self.norm)]
                for run in runs:
                    shown = run["depth"] == self.depth
                    name = f"{kind}-{run['depth']}" if shown else None
                    look = {"color": figures.SERIES[i], "alpha": 1 if shown else 0.25, "lw": 2 if shown else 1}
                    for norms in run["gradients"]:
                        sizes.plot([j / (len(norms) - 1) for j in range(len(norms))], norms, **look)
                    sizes.plot([], label=name, **look)
                    for curve in run["losses"]:
                        curves.plot([self.every * (j + 1) for j in range(len(curve))], curve, **look)
            sizes.set(yscale="log", title="Gradient norm")
            sizes.set_xticks([0, 1], ["first", "last layer"])
            curves.set(xlabel="step", title="Training loss", ylim=(0, None))
            card.legend(loc="outside lower center", ncols=2)
        return card

    def alt(self) -> str:
        numbers = self.numbers()
        loss = (
            "not trained" if math.isnan(numbers["final loss"]) else f"final training loss {numbers['final loss']:.2f}"
        )
        norms = f"norm {numbers['first layer']:.3g} at the first layer, {numbers['last layer']:.3g} at the last"
        return (
            f"Gradient norm by layer and training loss by step of recorded runs. {self.kind}-{self.depth}: "
            f"{norms if self.run['gradients'] else 'gradient not looked into'}, {loss}."
        )


def _thin(values: Sequence[float], every: int) -> list[float]:
    return [_round(statistics.fmean(values[i : i + every])) for i in range(0, len(values), every)]


def _round(value: float) -> float:
    return float(f"{value:.4g}")
