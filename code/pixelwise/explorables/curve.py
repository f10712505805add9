"""Curve: how a quantity goes, drawn by the reader's hand before it is shown how it was measured to go."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from traitlets import List, TraitError, validate

from .. import figures
from .question import Claim, Question, _short


class Curve(Question):
    """A question that is answered by drawing: a value at each of a few places, and what was measured there.

    It is kept, settled and withheld as every question. `answer` and `guess` hold a number for each place, as text with
    blanks between.
    """

    name = "curve"
    caption = "A curve drawn by hand, then what was measured."

    over = List(help="what lies along the curve, and its values in order").tag(state=True)

    def __init__(
        self,
        key: str,
        question: str,
        *,
        over: tuple[str, Sequence[float]],
        measured: Mapping[str, Sequence[float]],
        unit: str,
        scale: tuple[float, float],
        verdict: str,
        not_shown: str,
        claims: Sequence[Claim],
        **state: Any,
    ) -> None:
        """Ask how `unit` goes over so many places, as over=("layers", [8, 20, 32, 56]), on a scale (low, high).

        measured: {label of a seed: its value at each place}. The rest is Question's. ValueError for what contradicts.
        """
        along, places = over[0], list(over[1])
        if not 3 <= len(set(places)) == len(places) <= 12:
            raise ValueError(f"{key!r} needs three to twelve different places along the curve; they are {places}")
        if wrong := [label for label, values in measured.items() if len(values) != len(places)]:
            raise ValueError(f"{key!r} has {len(places)} places, and other numbers of values for {', '.join(wrong)}")
        every = [value for values in measured.values() for value in values]
        if outside := [value for value in every if not scale[0] <= value <= scale[1]]:
            raise ValueError(f"{key!r} has measured {outside}, which is not on its scale {scale}")
        super().__init__(
            key, question, measured=every, unit=unit, scale=scale, verdict=verdict, not_shown=not_shown,
            claims=claims, over=[along, places], **state,
        )  # fmt: skip
        self.measured = [[label, [_short(value) for value in values]] for label, values in measured.items()]

    @validate("answer", "guess")
    def _possible(self, proposal: Mapping[str, Any]) -> str:
        text, (low, high, *_) = proposal["value"], self.scale
        try:
            values = [float(value) for value in text.split()]
        except ValueError:
            values = [float("nan")]
        if values and not (len(values) == len(self.over[1]) and all(low <= value <= high for value in values)):
            raise TraitError(f"the curve is {text!r}, expected {len(self.over[1])} numbers from {low:g} to {high:g}")
        return text

    def picture(self) -> figures.Card:
        along, places = self.over
        runs = [{along: places, self.unit: values} for _, values in self.measured]
        return figures.curves({"measured": runs}, quantity=self.unit, x=along, y=self.unit, percent=False)

    def alt(self) -> str:
        along, places = self.over
        at = ", ".join(f"{place:g}" for place in places)
        rows = [f"{label} {', '.join(f'{value:g}' for value in values)}" for label, values in self.measured]
        return f"What was measured, {self.unit} at {at} {along}: {'; '.join(rows)}."

    def content(self) -> str:
        """As Question's, with what there is to draw in place of a number to choose."""
        number = f"<li>A number from {self.scale[0]:g} to {self.scale[1]:g}</li>"
        curve = f"A curve over {self.over[0]}, from {self.over[1][0]:g} to {self.over[1][-1]:g}"
        return super().content().replace(number, f"<li>{html.escape(curve)}</li>", 1)
