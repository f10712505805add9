"""One claim, measured: what it says, whether it holds, and how it shows in a notebook."""

import html
import math
import operator
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

MIME = "application/vnd.pixelwise.claim+json"
UNCHECKED = "not checked at this budget"
MARKS = {"holds": "✓", UNCHECKED: "○", "does not hold": "✗", "not measured": "–"}
RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "equals": operator.eq,
    "at most": operator.le,
    "at least": operator.ge,
}


@dataclass(frozen=True)
class Claim:
    """A claim once measured: what it says, the values, the bound, whether it holds, and on which data."""

    sentence: str
    kind: str
    measured: tuple[float, ...]
    relation: str
    limit: float
    state: str
    where: str

    @property
    def name(self) -> str:
        """What identifies a claim: the words of its sentence, without the numbers, which move with a bound."""
        return claim_name(self.sentence)

    @property
    def bound(self) -> str:
        """The relation and the limit in words."""
        return f"{self.relation} {_number(self.limit)}" + (" for every seed" if self.kind == "trained" else "")

    @property
    def detail(self) -> str:
        """What was measured against which bound, in words."""
        if self.state in (UNCHECKED, "not measured"):
            return self.state
        return f"measured {', '.join(map(_number, self.measured))}; {self.bound}; {self.where}"

    def holds(self) -> bool:
        """Whether every value is finite and keeps the bound."""
        return all(math.isfinite(value) and RELATIONS[self.relation](value, self.limit) for value in self.measured)

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON: the fields, the name and the bound in words."""
        return {"name": self.name, **asdict(self), "bound": self.bound}

    def __str__(self) -> str:
        return f"{MARKS[self.state]} {self.sentence} [{self.kind}: {self.detail}]"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        state = self.state.replace(" ", "-")
        markup = (
            f'<div class="pw-claim pw-{state}" style="border-left:4px solid #7a8699;padding:.3em .8em;margin:.4em 0">'
            f"<strong>{MARKS[self.state]} Claim.</strong> {html.escape(self.sentence)}<br>"
            f"<small>{self.kind} · {html.escape(self.detail)}</small></div>"
        )
        return {"text/plain": str(self), "text/html": markup, MIME: self.to_dict()}


@dataclass(frozen=True)
class ClaimTable:
    """Several claims, shown as a table."""

    claims: tuple[Claim, ...]
    caption: str = "What this chapter asserts"

    def __repr__(self) -> str:
        return "\n".join(map(str, self.claims))

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><td>{MARKS[claim.state]}</td><th scope="row" style="text-align:left;font-weight:normal">'
            f"{html.escape(claim.sentence)}</th><td>{claim.kind}</td>"
            f'<td style="text-align:left">{html.escape(claim.detail)}</td></tr>'
            for claim in self.claims
        )
        head = "".join(f'<th scope="col">{title}</th>' for title in ("State", "Claim", "Kind", "Measured"))
        return (
            f'<table class="pw-claims"><caption>{html.escape(self.caption)}</caption><thead><tr>{head}</tr></thead>'
            f"<tbody>{rows}</tbody></table>"
        )


def claim_name(sentence: str) -> str:
    """The name of the claim that a sentence makes: "FCN-8s has ≥ 12 points more" is "fcn-8s-has-points-more".

    Digits inside a word stay, as in ResNet-18 and k3s2; numbers that stand alone go.
    """
    return "-".join(re.findall(r"(?<![^\W_])[^\W\d_][^\W_]*(?:-[^\W_]+)*", sentence.lower()))


def _number(value: float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:,.0f}" if value % 1 == 0 and abs(value) < 1e9 else f"{value:.3g}"
