"""What a setting may be, and what an argument must be: one wording, for Python and for the command line."""

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import SupportsFloat

from torch import Tensor


@dataclass(frozen=True)
class Range:
    """The finite numbers from `least` to `most`, or the whole ones among them; `open` leaves out one of the ends.

    `str(Range(0, 1, open="most"))` is "number from 0 to below 1", as messages and help say it.
    """

    least: float
    most: float
    whole: bool = False
    open: str = ""
    """"", "least", "most" or "both"."""

    def __contains__(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, Integral if self.whole else Real):
            return False
        number = _as_finite(value)
        if number is None:
            return False
        above = self.least < number or (self.least == number and self.open not in ("least", "both"))
        below = number < self.most or (self.most == number and self.open not in ("most", "both"))
        return above and below

    def __str__(self) -> str:
        kind = "whole number" if self.whole else "number"
        return f"{kind} {self.bounds}"

    @property
    def bounds(self) -> str:
        """Such as "from 1 to 64" or "above 0 and below 1"."""
        least, most = (f"{end:g}" if isinstance(end, float) else f"{end}" for end in (self.least, self.most))
        if self.open in ("least", "both"):
            return f"above {least} and {'below' if self.open == 'both' else 'at most'} {most}"
        return f"from {least} to {'below ' if self.open == 'most' else ''}{most}"

    def parse(self, text: str) -> float:
        """The number that `text` spells. ValueError, with the range, for any other text."""
        try:
            value = int(text) if self.whole else float(text)
        except ValueError:
            raise ValueError(f"{text!r} is no {self}") from None
        if value not in self:
            raise ValueError(f"{text!r} is no {self}")
        return value

    def check(self, name: str, value: object, error: type[ValueError] = ValueError, hint: str = "") -> None:
        """Raise `error`, which says the range and then `hint`, unless `value` is in it."""
        if value not in self:
            raise error(f"{name} is {value!r}, expected a {self}{hint}")


def check_tensors(**named: object) -> None:
    """Raise TypeError, by its name, for what is no tensor: an array looks like one until something fails."""
    for name, value in named.items():
        if not isinstance(value, Tensor):
            kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
            raise TypeError(f"{name} is a {kind}, expected a tensor: torch.as_tensor makes one of arrays and lists")


def _as_finite(value: SupportsFloat) -> float | None:
    """The number as a float; None for NaN, infinity, and a whole number that no float can hold."""
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
