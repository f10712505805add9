"""Question: what a reader believes, committed to before it is shown what was measured."""

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from traitlets import List, TraitError, Unicode, validate

from .. import figures
from .host import Explorable

LONGEST = 40
"""Signs of a label in the figure, so that it fits a phone."""


class Claim(Protocol):
    """What settles a question: a claim that the chapter has asserted, as `claims.asserted` finds it."""

    @property
    def name(self) -> str: ...
    @property
    def sentence(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def detail(self) -> str: ...


class Question(Explorable):
    """A question with answers to choose from, or a scale to guess on, and what was measured, a value for each seed.

    The browser withholds the measurement until the reader commits to a guess, which it remembers under the question's
    key. `answer` is what is marked, `guess` what the reader has committed to; both are "" before.
    """

    name = "question"
    caption = "A guess first, then what was measured."

    key = Unicode(help="names the question in the whole book").tag(state=True)
    question = Unicode().tag(state=True)
    answers = List(Unicode(), help="to choose from; none where there is a scale").tag(state=True)
    right = Unicode(help="the answer that the claims settle").tag(state=True)
    scale = List(help="lowest and highest guess and the step, or nothing").tag(state=True)
    measured = List(help="label and values, one a seed, of each alternative").tag(state=True)
    unit = Unicode(help="what was measured, and in what").tag(state=True)
    verdict = Unicode(help="the answer in one sentence").tag(state=True)
    not_shown = Unicode(help="in one sentence, what the measurement does not show").tag(state=True)
    claims = List(help="name, sentence, state and detail of each claim that settles it").tag(state=True)
    answer = Unicode(help="an answer, or a number as text").tag(state=True)
    guess = Unicode(help="the same, once the reader has committed to it").tag(state=True)

    def __init__(
        self,
        key: str,
        question: str,
        *,
        measured: Mapping[str, Sequence[float]] | Sequence[float],
        unit: str,
        verdict: str,
        not_shown: str,
        claims: Sequence[Claim],
        answers: Sequence[str] = (),
        right: str = "",
        scale: tuple[float, float] | None = None,
        **state: Any,
    ) -> None:
        """Ask for one of two to five `answers`, of which one is `right`, or for a number on a `scale` (low, high).

        measured: values in `unit`, one a seed; for answers of each alternative, {label: values}, for a scale of the one
        quantity asked for. claims: those that settle it, made earlier in the chapter; the verdict says no more than
        they do. Values that are not finite, as of an untrained network, are left out. ValueError for what contradicts.
        """
        if bool(answers) == bool(scale):
            raise ValueError(f"{key!r} needs either answers to choose from or a scale (low, high) to guess on")
        if scale and (isinstance(measured, Mapping) or right):
            raise ValueError(f"{key!r} asks for a number: measured is a list, one value a seed, and nothing is right")
        if answers and not (2 <= len(set(answers)) == len(answers) <= 5 and right in answers):
            raise ValueError(f"{key!r} needs two to five different answers, one of them right; they are {answers}")
        if not claims or not verdict or not not_shown:
            raise ValueError(f"{key!r} needs a claim that settles it, a verdict, and a sentence on what is not shown")
        if scale and not scale[0] < scale[1]:
            raise ValueError(f"{key!r} has the scale {scale}; expected (low, high)")
        rows = measured if isinstance(measured, Mapping) else {"measured": measured}
        if long := [label for label in rows if len(label) > LONGEST]:
            raise ValueError(f"{key!r} has labels of more than {LONGEST} signs: {', '.join(long)}")
        kept = [[label, [_short(value) for value in values if math.isfinite(value)]] for label, values in rows.items()]
        if not any(values for _, values in kept):
            raise ValueError(f"{key!r} has measured nothing that is a finite number: {dict(rows)}")
        super().__init__(
            key=key,
            question=question,
            answers=list(answers),
            right=right,
            scale=[*map(float, scale), _step(scale[1] - scale[0])] if scale else [],
            measured=kept,
            unit=unit,
            verdict=verdict,
            not_shown=not_shown,
            claims=[
                {"name": claim.name, "sentence": claim.sentence, "state": claim.state, "detail": claim.detail}
                for claim in claims
            ],
            **state,
        )

    @validate("answer", "guess")
    def _possible(self, proposal: Mapping[str, Any]) -> str:
        text = proposal["value"]
        if text and self.answers and text not in self.answers:
            raise TraitError(f"the answer is {text!r}, expected one of {', '.join(self.answers)}")
        if text and self.scale and not _is_between(text, self.scale[0], self.scale[1]):
            raise TraitError(f"the answer is {text!r}, expected a number from {self.scale[0]:g} to {self.scale[1]:g}")
        return text

    @property
    def address(self) -> str:
        return f"question-{self.key}"

    @property
    def settled(self) -> bool:
        """Whether this run has asserted every claim that the verdict rests on, and all of them hold."""
        return all(claim["state"] == "holds" for claim in self.claims)

    def picture(self) -> figures.Card:
        return figures.bars({label: values for label, values in self.measured if values}, x=self.unit)

    def alt(self) -> str:
        rows = [f"{label} {', '.join(f'{value:g}' for value in values) or 'none'}" for label, values in self.measured]
        return f"What was measured, one value a seed, {self.unit}: {'; '.join(rows)}."

    def content(self) -> str:
        """The question, what there is to choose from, and the answer in a box that opens."""
        rows = [self.verdict if self.settled else "This run does not settle it."]
        rows += [f"What this does not show: {self.not_shown}"]
        answer = f"{self.right[:1].upper()}{self.right[1:]}. " if self.right and self.settled else ""
        scale = f"A number from {self.scale[0]:g} to {self.scale[1]:g}" if self.scale else ""
        choices = "".join(f"<li>{html.escape(text)}</li>" for text in self.answers or [scale])
        claims = "".join(
            f"<li>{html.escape(claim['sentence'])} <small>({html.escape(claim['detail'])})</small></li>"
            for claim in self.claims
        )
        return (
            f'<div class="pw-still"><p><strong>{html.escape(self.question)}</strong></p><ul>{choices}</ul>'
            f"<details><summary>The answer, as it was measured</summary>{super().content()}"
            f"<p><strong>{html.escape(answer + rows[0])}</strong></p><p>{html.escape(rows[1])}</p>"
            f"<p>It rests on what the chapter asserts:</p><ul>{claims}</ul></details></div>"
        )


def _short(value: float) -> float:
    """Four significant figures."""
    return float(f"{value:.4g}")


def _step(span: float) -> float:
    """1, 2 or 5 times a power of ten, the greatest of which a hundred or more make the span."""
    power = 10 ** math.floor(math.log10(span / 100))
    return float(f"{max(n * power for n in (1, 2, 5) if n * power <= span / 100 * (1 + 1e-9)):.3g}")


def _is_between(text: str, low: float, high: float) -> bool:
    try:
        return low <= float(text) <= high
    except ValueError:
        return False
