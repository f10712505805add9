"""Every claim of the book is a test: a sentence, the value that was measured, and the bound that it must keep.

An *exact* claim is an identity and is asserted at every budget. A *trained* claim rests on at least three seeds and
is asserted at the budgets `cpu` and `gpu`; at `smoke` it says "not checked at this budget". A false claim raises
`ClaimError`, so the notebook stops. On another data set than the chapter's own (*streets*) a trained claim that does
not hold is reported, not raised: that is what the confirmation is for.
"""

import html
import math
import operator
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from IPython.display import display

from . import course

MIME = "application/vnd.pixelwise.claim+json"
MARKS = {"holds": "✓", "not checked at this budget": "○", "does not hold": "✗"}


class ClaimError(AssertionError):
    """A sentence of the book turned out false."""


@dataclass(frozen=True)
class Claim:
    """A claim once measured: what it says, the values, the bound, whether it holds, and on which data."""

    name: str
    sentence: str
    kind: str
    measured: tuple[float, ...]
    bound: str
    state: str
    where: str

    def __str__(self) -> str:
        return f"{MARKS[self.state]} {self.sentence} [{self.kind}: {self.detail}]"

    @property
    def detail(self) -> str:
        """What was measured against which bound, in words."""
        if self.state == "not checked at this budget":
            return self.state
        return f"measured {', '.join(map(_number, self.measured))}; {self.bound}; {self.where}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        state = self.state.replace(" ", "-")
        markup = (
            f'<div class="pw-claim pw-{state}" style="border-left:4px solid #7a8699;padding:.3em .8em;margin:.4em 0">'
            f"<strong>{MARKS[self.state]} Claim.</strong> {html.escape(self.sentence)}<br>"
            f"<small>{self.kind} · {html.escape(self.detail)}</small></div>"
        )
        return {"text/plain": str(self), "text/html": markup, MIME: asdict(self)}


def exact(
    name: str,
    sentence: str,
    measured: float,
    *,
    equals: float | None = None,
    at_most: float | None = None,
    at_least: float | None = None,
) -> None:
    """Assert an identity at every budget; with `equals=True` it is shown as true. Exactly one bound must be given."""
    value = float(measured)
    if equals is True and value in (0, 1):
        value = bool(value)
    _settle(name, sentence, "exact", (value,), equals, at_most, at_least, checked=True)


def trained(
    name: str,
    sentence: str,
    measured: Sequence[float],
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    recorded: dict[str, Any] | None = None,
) -> None:
    """Assert a result of training for **every** seed: `measured` holds one value a seed, three or more.

    `recorded` (from `course.results`) says that the values come from a recorded run; they are then checked at every
    budget. Fewer than three values at `cpu` or `gpu` raise ValueError.
    """
    values = tuple(float(value) for value in measured)
    checked = recorded is not None or course.current().budget != "smoke"
    if checked and len(values) < 3:
        raise ValueError(
            f"claim {name!r} is trained and has {len(values)} measured values; it needs one for each of >= 3 seeds"
        )
    _settle(name, sentence, "trained", values, None, at_most, at_least, checked=checked, recorded=recorded)


def table(recorded: dict[str, Any] | None = None) -> "ClaimTable":
    """Return the claims that this chapter has made so far, or the trained ones of a recorded run, as one table.

    `recorded` (from `course.results`) shows what became of the same sentences on another data set, the ✗ included.
    """
    if recorded is None:
        return ClaimTable(tuple(course.current().claims))
    claims = tuple(Claim(**claim) for claim in recorded["claims"] if claim["kind"] == "trained")
    return ClaimTable(claims, f"The trained claims, measured in the same way on {recorded['dataset']}")


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


def _settle(
    name: str,
    sentence: str,
    kind: str,
    values: tuple[float, ...],
    equals: float | None,
    at_most: float | None,
    at_least: float | None,
    *,
    checked: bool,
    recorded: dict[str, Any] | None = None,
) -> None:
    relations = ("equals", equals, operator.eq), ("at most", at_most, operator.le), ("at least", at_least, operator.ge)
    bounds = [(word, bound, relation) for word, bound, relation in relations if bound is not None]
    if len(bounds) != 1:
        raise ValueError(f"claim {name!r} needs exactly one bound (equals, at_most or at_least); it has {len(bounds)}")
    word, bound, relation = bounds[0]
    if not math.isfinite(bound):
        raise ValueError(
            f"claim {name!r} has the bound {word} {bound}, expected a finite number: any value would keep it"
        )
    run = course.current()
    holds = all(math.isfinite(value) and relation(value, bound) for value in values)
    state = "not checked at this budget" if not checked else "holds" if holds else "does not hold"
    claim = Claim(
        name=name,
        sentence=sentence,
        kind=kind,
        measured=values,
        bound=f"{word} {_number(bound)}" + (" for every seed" if kind == "trained" else ""),
        state=state,
        where=f"{recorded['dataset']}, recorded {recorded['date']}" if recorded else run.dataset,
    )
    elsewhere = kind == "trained" and recorded is None and run.dataset != "streets"
    if state == "does not hold" and not elsewhere:
        raise ClaimError(f"{sentence} ({claim.detail})")
    run.claims[:] = [other for other in run.claims if other.name != name] + [claim]
    display(claim)


def _number(value: float | None) -> str:
    if value is None:  # NaN, in a record
        return "nan"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:,.0f}" if value % 1 == 0 and abs(value) < 1e9 else f"{value:.3g}"
