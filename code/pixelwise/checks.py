"""What a setting may be, and what an argument must be: one wording, for Python and for the command line."""

import math
from dataclasses import dataclass
from numbers import Integral, Real

from torch import Tensor


@dataclass(frozen=True)
class Range:
    """The finite numbers from `least` to `most`, or the whole ones among them; `open` leaves out one of the ends.

    ``str(Range(0, 1, open="most"))`` is "number from 0 to below 1", as messages and help say it.
    """

    least: float
    most: float
    whole: bool = False
    open: str = ""
    """"", "least", "most" or "both"."""

    def __contains__(self, value) -> bool:
        if isinstance(value, bool) or not isinstance(value, Integral if self.whole else Real) or not _finite(value):
            return False
        above = self.least < value or (self.least == value and self.open not in ("least", "both"))
        below = value < self.most or (self.most == value and self.open not in ("most", "both"))
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
            value = None
        if value not in self:
            raise ValueError(f"{text!r} is no {self}")
        return value

    def check(self, name: str, value, error: type[ValueError] = ValueError, hint: str = "") -> None:
        """Raise `error`, which says the range and then `hint`, unless `value` is in it."""
        if value not in self:
            raise error(f"{name} is {value!r}, expected a {self}{hint}")


def require_tensor(name: str, value, error: type[ValueError] = ValueError) -> None:
    """Raise `error` unless `value` is a torch tensor; a NumPy array looks like one until something fails."""
    if not isinstance(value, Tensor):
        kind = type(value)
        raise error(
            f"{name}: expected a torch tensor, got {kind.__module__.partition('.')[0]}.{kind.__qualname__}; "
            "torch.from_numpy makes one of an array"
        )


def _finite(value) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        return False
