"""Every claim of the book is a test: a sentence, the value that was measured, and the bound that it must keep.

There are three kinds. An *exact* claim is an identity. A *deterministic* one is a computed figure with a bound: a
count, a ratio, the gradient of a fresh network. Both are asserted at every budget. A *trained* claim rests on at
least three trained networks, one for each seed, and is asserted at the budgets `cpu` and `gpu`; at `smoke` it says
"not checked at this budget". A false claim raises `ClaimError`, so the notebook stops. On another data set than the
chapter's own (*streets*) a trained claim that does not hold is reported, not raised: that is what the confirmation is
for.
"""

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from IPython.display import display

from ..training import history
from . import course
from .claim import UNCHECKED, Claim, ClaimTable, claim_name

TOLERANCE = 1e-3
"""An identity may miss by rounding; what needs more room than this is a figure, not an identity."""


class ClaimError(AssertionError):
    """A sentence of the book turned out false."""


def exact(sentence: str, measured: float, *, equals: float | None = None, at_most: float | None = None) -> None:
    """Assert an identity at every budget: `equals` a value, or an error of `at_most` a tolerance up to 1e-3.

    With `equals=True` it is shown as true. ValueError unless exactly one bound is given, or for a wider tolerance.
    """
    if at_most is not None and not at_most <= TOLERANCE:
        raise ValueError(
            f"{sentence!r}: an identity has a tolerance of at most {TOLERANCE:g}, not {at_most:g}; a figure with a "
            "bound is claims.deterministic"
        )
    _settle(sentence, "exact", [_truth(measured, equals)], {"equals": equals, "at most": at_most})


def deterministic(
    sentence: str,
    measured: float | Sequence[float],
    *,
    equals: float | None = None,
    at_most: float | None = None,
    at_least: float | None = None,
) -> None:
    """Assert a computed figure, or several, at every budget; nothing was trained for it. Exactly one bound is given."""
    values = measured if isinstance(measured, Sequence) else [measured]
    bounds = {"equals": equals, "at most": at_most, "at least": at_least}
    _settle(sentence, "deterministic", [_truth(value, equals) for value in values], bounds)


def trained(
    sentence: str,
    measured: Sequence[float],
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    recorded: dict[str, Any] | None = None,
) -> None:
    """Assert a result of training for **every** seed: `measured` holds one value a seed, three or more.

    `recorded` (from `course.results`) says that the values come from a recorded run; they are then checked at every
    budget. ValueError for fewer than three values at `cpu` or `gpu`, and where fewer networks than values were trained
    before: what needs no training is `deterministic`.
    """
    values = list(measured)
    checked = recorded is not None or course.current().budget != "smoke"
    if checked and len(values) < 3:
        raise ValueError(f"{sentence!r} is trained and has {len(values)} values; it needs one for each of >= 3 seeds")
    if recorded is None and history.finished() < len(values):
        raise ValueError(
            f"{sentence!r} has {len(values)} values, but {history.finished()} networks were trained here; what needs "
            "no training is claims.deterministic, and a training loop of one's own ends with training.note_finished()"
        )
    _settle(sentence, "trained", values, {"at most": at_most, "at least": at_least}, checked, recorded)


def table(recorded: dict[str, Any] | None = None) -> "ClaimTable":
    """The claims that this chapter has made so far, as one table; or what became of its trained ones elsewhere.

    `recorded` (from `course.results`) holds the values of another data set. They are held against the bounds of today,
    whatever bounds they were recorded with; a claim that was not measured there says so.
    """
    made = course.current().claims
    if recorded is None:
        return ClaimTable(tuple(made))
    there = {claim_name(claim["sentence"]): claim for claim in recorded["claims"] if claim["kind"] == "trained"}
    own = [claim for claim in made if claim.kind == "trained" and claim.where == course.current().dataset]
    claims = tuple(_rescored(claim, there.get(claim.name), recorded["dataset"]) for claim in own)
    return ClaimTable(claims, f"The trained claims, measured in the same way on {recorded['dataset']}")


def asserted(*sentences: str) -> tuple[Claim, ...]:
    """The claims of these sentences, or names, which this chapter has made before: what a question's verdict rests on.

    ValueError for a sentence that no claim has made yet, with those that come near.
    """
    made = {claim.name: claim for claim in course.current().claims}
    for sentence in sentences:
        if claim_name(sentence) not in made:
            near = difflib.get_close_matches(claim_name(sentence), made, cutoff=0.3)
            raise ValueError(f"nothing before this cell claims {sentence!r}; near it: {', '.join(near) or 'nothing'}")
    return tuple(made[claim_name(sentence)] for sentence in sentences)


def _rescored(claim: Claim, there: Mapping[str, Any] | None, where: str) -> Claim:
    if there is None:
        return replace(claim, measured=(), state="not measured", where=where)
    measured = tuple(math.nan if value is None else value for value in there["measured"])  # a record has no NaN
    elsewhere = replace(claim, measured=measured, where=where)
    return replace(elsewhere, state="holds" if elsewhere.holds() else "does not hold")


def _settle(
    sentence: str,
    kind: str,
    values: Sequence[float],
    bounds: Mapping[str, float | None],
    checked: bool = True,
    recorded: dict[str, Any] | None = None,
) -> None:
    given = {relation: limit for relation, limit in bounds.items() if limit is not None}
    if len(given) != 1:
        raise ValueError(f"{sentence!r} needs exactly one bound of {', '.join(bounds)}; it has {len(given)}")
    [(relation, limit)] = given.items()
    if not math.isfinite(limit):
        raise ValueError(f"{sentence!r} has the bound {limit}, which nothing could break; give a finite one")
    run = course.current()
    where = f"{recorded['dataset']}, recorded {recorded['date']}" if recorded else run.dataset
    claim = Claim(sentence, kind, tuple(map(_plain, values)), relation, _plain(limit), UNCHECKED, where)
    if checked:
        claim = replace(claim, state="holds" if claim.holds() else "does not hold")
    elsewhere = kind == "trained" and recorded is None and run.dataset != "streets"
    if claim.state == "does not hold" and not elsewhere:
        raise ClaimError(f"{sentence} ({claim.detail})")
    run.claims[:] = [other for other in run.claims if other.name != claim.name] + [claim]
    display(claim)


def _truth(value: float, equals: float | None) -> float | bool:
    """A measured 0 or 1 as false or true, where a truth is asked for."""
    value = _plain(value)
    return bool(value) if equals is True and value in (0, 1) else value


def _plain(value: float) -> float | bool:
    """A number of any kind (of Python, NumPy, PyTorch) as Python's own."""
    return value if isinstance(value, bool) else float(value)
