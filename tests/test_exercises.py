"""Every exercise of every chapter: its folded solution passes its checker, and a wrong answer gets a hint."""

import itertools
import json
import math
import re

import pytest
import torch
from book import stamp

from pixelwise import exercises

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


@pytest.mark.parametrize("path", stamp.notebooks(), ids=lambda path: path.stem)
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


WRONG = {
    "segmentation.all_road": [(0.33, "pixel accuracy"), (0.33 / 12, "void is not a class"), (3, "percentage")],
    "segmentation.micro_iou": [
        (0.85, "counts twice"),
        (2 * 0.85 / 1.85, "turned the fraction round"),
        (0.7, "100 pixels"),
    ],
    "segmentation.dice": [
        (lambda iou: iou / (2 - iou), "way back"),
        (lambda iou: 2 * iou, "exceed 1"),
        (lambda iou: iou.mean(), "one Dice score each"),
    ],
    "segmentation.absent_class": [(0.5, "as 0"), (2.5 / 3, "as 1"), (1.5, "0 / 0")],
    "beyond_resnet.se_weights": [(1.257, "one fully connected layer")],
    "beyond_resnet.compound": [(3.5, "counted width and resolution once")],
    "beyond_resnet.offsets": [(15000, "two, down and right")],
    "upsampling.overlaps": [([2, 3], "wrong order"), ([9, 6, 6, 4], "one axis")],
    "upsampling.size": [(13, "output_padding"), (16, "cuts the edge")],
    "upsampling.phase_sums": [([3, 7], "in half"), ([2, 2], "counts")],
    "upsampling.strides": [([2, 3], "1 and 6"), ([2, 4, 6], "stride 4")],
    "segmentation.pole_shift": [(0.5, "union has grown"), (0, "still shared"), (0.9, "four columns")],
}


@pytest.mark.parametrize(
    ("name", "answer", "hint"), [(name, answer, hint) for name, cases in WRONG.items() for answer, hint in cases]
)
def test_the_likely_mistake_is_named(name, answer, hint):
    verdict = exercises.grade(name, answer)
    assert verdict.correct is False
    assert hint in verdict.message


def test_an_unknown_exercise_is_refused():
    with pytest.raises(KeyError, match=r"no exercise 'segmentation\.nothing'"):
        exercises.grade("segmentation.nothing", 1)
    with pytest.raises(KeyError, match=r"no exercise 'nothing\.at_all'"):
        exercises.grade("nothing.at_all", 1)
