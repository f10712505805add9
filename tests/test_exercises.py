"""Every exercise of every chapter: its folded solution passes its checker, and a wrong answer gets a hint."""

import importlib
import itertools
import json
import math
import random
import re

import pytest
import torch

from book import toc
from pixelwise import exercises
from tools import stamp

CHECK = re.compile(r'exercises\.check\("([\w.]+)", \.\.\.\)')
FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)


def exercises_of(path):
    """(name, solution code) for each exercise of a notebook; a cell's solutions are folded below it, in its order."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for place, cell in enumerate(cells):
        if cell["cell_type"] == "code" and (names := CHECK.findall(stamp.source(cell))):
            below = "".join(stamp.source(other) for other in cells[place + 1 :] if other["cell_type"] == "markdown")
            folded = FOLDED.search(below)
            solutions = CODE.findall(folded.group()) if folded else []
            for name, solution in itertools.zip_longest(names, solutions[: len(names)]):
                yield pytest.param(name, solution, id=name)


ALL = [case for path in stamp.notebooks() for case in exercises_of(path)]


TAUGHT = [path for path in stamp.notebooks() if toc.purpose(path.stem)]  # not the reference part's


@pytest.mark.parametrize("path", TAUGHT, ids=lambda path: path.stem)
def test_every_chapter_has_exercises(path):
    assert len(list(exercises_of(path))) >= 3


@pytest.mark.parametrize(("name", "solution"), ALL)
def test_the_folded_solution_passes(name, solution):
    assert solution, f"{name}: no <details> with a python block follows its cell"
    space = {"math": math, "torch": torch, "nn": torch.nn, "F": torch.nn.functional}  # as in the chapters
    exec(solution, space)
    verdict = exercises.grade(name, space["answer"])
    assert verdict.correct, verdict.message


@pytest.mark.parametrize(("name", "solution"), ALL)
def test_a_wrong_answer_gets_a_hint_and_no_answer_none(name, solution):
    assert exercises.grade(name, ...).correct is None
    for wrong in ("a word", -123.456, lambda *arguments: None):
        verdict = exercises.grade(name, wrong)
        assert verdict.correct is False
        assert len(verdict.message) > 20


def likely_mistakes():
    """{exercise: [(wrong answer, words of the hint), …]} from the modules in tests/exercises, one for a chapter."""
    modules = [
        importlib.import_module(f"tests.exercises.{path.stem}")
        for path in sorted((stamp.ROOT / "tests/exercises").glob("*.py"))
    ]
    return {name: cases for module in modules for name, cases in module.WRONG.items()}


WRONG = likely_mistakes()


def test_every_exercise_names_its_three_likely_mistakes():
    assert WRONG.keys() == {case.id for case in ALL}
    assert [name for name, cases in WRONG.items() if len(cases) < 3] == []


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [pytest.param(name, answer, hint, id=f"{name}-{hint}") for name, cases in WRONG.items() for answer, hint in cases],
)
def test_the_likely_mistake_is_named(name, answer, hint):
    random.seed(0)
    torch.manual_seed(0)
    verdict = exercises.grade(name, answer)
    assert verdict.correct is False
    assert hint in verdict.message
    assert verdict.message != exercises.grade(name, -123.456).message, "that is what any wrong answer is told"


def test_an_unknown_exercise_is_refused():
    with pytest.raises(KeyError, match=r"no exercise 'segmentation\.nothing'"):
        exercises.grade("segmentation.nothing", 1)
    with pytest.raises(KeyError, match=r"no exercise 'nothing\.at_all'"):
        exercises.grade("nothing.at_all", 1)
