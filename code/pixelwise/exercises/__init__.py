"""Exercises that answer back: `check("segmentation.road_iou", answer)` accepts, or hints at the likely mistake.

One module a chapter holds its exercises. An exercise is a function that looks at an answer and returns the sentence
that confirms it, or raises `Hint`; answers that are functions are tried on fresh random inputs. A checker that reads
its answer by one of READERS asks for numbers or a choice; the site checks such answers in the page.
"""

import importlib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Checker = Callable[[Any], str]  # an answer may be anything
CHECKERS: dict[str, Checker] = {}


class Hint(Exception):
    """A wrong answer, and the thought that helps on."""


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right (None: not answered yet) and what to tell the reader."""

    correct: bool | None
    message: str


def exercise(name: str) -> Callable[[Checker], Checker]:
    """Register a checker under `chapter.name`."""

    def register(checker: Checker) -> Checker:
        CHECKERS[name] = checker
        return checker

    return register


def grade(name: str, answer: object) -> Verdict:
    """Judge an answer. KeyError for an unknown exercise; an answer of `...` counts as not answered yet."""
    chapter = name.partition(".")[0]
    try:
        importlib.import_module(f"{__name__}.{chapter}")
        checker = CHECKERS[name]
    except (ModuleNotFoundError, KeyError):
        raise KeyError(f"no exercise {name!r}; known here: {', '.join(sorted(CHECKERS)) or 'none'}") from None
    if answer is ...:
        return Verdict(None, "Not answered yet: put your answer in place of `...` and run the cell again.")
    try:
        return Verdict(True, checker(answer))
    except Hint as hint:
        return Verdict(False, str(hint))
    except Exception as error:  # a reader's function may fail in any way; the failure is the hint
        return Verdict(False, f"Your answer raised {type(error).__name__}: {error}")


def check(name: str, answer: object) -> None:
    """Judge an answer and print the verdict."""
    verdict = grade(name, answer)
    print({True: "✓", False: "✗", None: "○"}[verdict.correct], verdict.message)


def number(answer: Any) -> float:
    """Return a reader's answer as a float, or hint that a number is wanted."""
    try:
        value = float(answer)
    except (TypeError, ValueError):
        raise Hint(f"A number is wanted here; this is {type(answer).__name__}.") from None
    if not math.isfinite(value):
        raise Hint(f"A finite number is wanted here, not {value}.")
    return value


def numbers(answer: object, wanted: str) -> list[float]:
    """Return a reader's answer as a list of floats, or hint what is `wanted`, such as "two counts, phase 0 first"."""
    if not isinstance(answer, Iterable) or isinstance(answer, str):
        raise Hint(f"A list is wanted: {wanted}.")
    return [number(value) for value in answer]


def whole_numbers(answer: Any, count: int, wanted: str) -> tuple[int, ...]:
    """Return a reader's answer as `count` whole numbers, or hint what is `wanted`, such as "(rows, columns)"."""
    hint = f"{count} whole numbers are wanted: {wanted}."
    try:
        values = tuple(number(value) for value in answer)
    except TypeError:
        raise Hint(hint) from None
    if len(values) != count or any(value % 1 for value in values):
        raise Hint(hint)
    return tuple(int(value) for value in values)


def choice(answer: object, *options: str) -> str:
    """Return the one of `options` that a reader chose, in whatever case and quotes, or hint what they are."""
    given = str(answer).strip().strip("\"'").lower()
    for option in options:
        if given == option.lower():
            return option
    *others, last = (f'"{option}"' for option in options)
    raise Hint(f"Answer {', '.join(others)} or {last}.")


READERS = (number, numbers, whole_numbers, choice)
"""What reads an answer that is no function."""


def close(value: float, target: float, tolerance: float = 0.005) -> bool:
    """Whether two numbers agree within a relative tolerance."""
    return math.isclose(value, target, rel_tol=tolerance, abs_tol=1e-12)


def matches(value: float, target: float) -> bool:
    """Whether a count is the right one; counts leave no room for rounding."""
    return abs(value - target) < 0.5
