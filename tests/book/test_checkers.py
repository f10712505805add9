"""Exercises in a page: the compiled checkers say what Python's say, and a reader's text is read as it was meant."""

import itertools
import math
import random
import re

import pytest

from book import checkers
from book.extensions.exercises import label_choices
from pixelwise import exercises
from pixelwise.exercises import Hint, number
from tests.test_exercises import ALL, WRONG
from tools import stamp

SCRIPT = (stamp.ROOT / "book/theme/static/exercises.js").read_text(encoding="utf-8")
ASKED = [case.id for case in ALL if checkers.asked(case.id)]
JUDGE = "([name, values]) => values.map((value) => Exercises.judge(Exercises.all[name], value))"
READ = "([kind, text]) => Exercises.read({ kind }, text)"


@pytest.fixture(scope="module")
def page(browser):
    """A tab that holds the script and the compiled checkers of all chapters."""
    tab = browser.new_page()
    tab.evaluate(SCRIPT + checkers.script(ASKED))
    yield tab
    tab.close()


def test_pages_check_what_is_no_function():
    functions = {case.id for case, (_, solution) in ((case, case.values) for case in ALL) if "def answer" in solution}
    assert {case.id for case in ALL} - set(ASKED) == functions - {"resnet.paths"}  # that one takes a number too


def around(value: float) -> list[float]:
    """A number, its near misses on both sides of the usual tolerances, and what often stands in its place."""
    misses = [value * (1 + sign * step) for sign in (-1, 1) for step in (1e-13, 1e-7, 1e-4, 0.0049, 0.0051, 0.03)]
    return [value, -value, value + 1, value - 1, value + 0.5, 2 * value, value / 2, 100 * value, *misses]


def grid(name: str) -> list:
    """Answers to an exercise: right, wrong, nearly right, and rubbish."""
    code = checkers.compiled(name)
    if options := re.search(r"options: \[(.*?)\]", code):
        return re.findall(r'"(.*?)"', options[1])
    constants = {float(number) for number in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?", code)}
    if 'kind: "number"' in code:
        rubbish = [0, 0.1, -5, 1e-300, 1e300, 12345.678, 17, 0.9999, 368, 352, 16, 48]
        return [*rubbish, *(near for constant in sorted(constants) for near in around(constant))]
    lists = [[float(one) for one in found.split(",")] for found in re.findall(r"\[([\d., ]+)\]", code)]
    lists += [list(found) for found in itertools.product(range(6), repeat=3)]
    lists += [[6, 1, 1], [1, 6, 1], [-1, 4, 5], [1.5, 2, 3], [], [1], [0] * 9, [352, 384], [320, 400], [11.2, 10.8]]
    generator = random.Random(0)
    lists += [generator.choices(sorted(constants), k=generator.randint(1, 5)) for _ in range(300)]
    return [*lists, *(found[::-1] for found in lists), *([near, *found[1:]] for found in lists for near in found[:1])]


@pytest.mark.browser
@pytest.mark.parametrize("name", ASKED)
def test_a_compiled_checker_says_what_the_notebook_says(page, name):
    answers = grid(name)
    answers += [answer for answer, _ in WRONG[name] if not callable(answer)]
    said = page.evaluate(JUDGE, [name, answers])
    expected = [exercises.grade(name, answer) for answer in answers]
    assert [(one["correct"], one["message"]) for one in said] == [(one.correct, one.message) for one in expected]
    assert {one.correct for one in expected} == {True, False}, "the grid has no right answer, or no wrong one"


@pytest.mark.browser
def test_the_folded_solutions_pass_in_a_page(page):
    space = {"math": math, "torch": pytest.importorskip("torch")}
    for case in ALL:
        name, solution = case.values
        if name in ASKED and "def answer" not in solution:
            exec(solution, space)
            assert page.evaluate(JUDGE, [name, [space["answer"]]])[0]["correct"], name


@pytest.mark.browser
@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("number", "0.115", 0.115),
        ("number", " .5 ", 0.5),
        ("number", "1e-3", 0.001),
        ("number", "102,764,544", 102_764_544),
        ("number", "33/17", 33 / 17),
        ("number", "2^27", 2**27),
        ("number", "-2**2", -4),
        ("number", "2**-1", 0.5),
        ("number", "4096 · (512 × 49 + 1)", 102_764_544),
        ("number", "7 − 2 - 1", 4),
        ("number", "8 / 2 / 2", 2),
        ("number", "85 %", 0.85),
        ("numbers", "[3, 2]", [3, 2]),
        ("numbers", "352 368", [352, 368]),
        ("numbers", "(256; 128; 6; 6)", [256, 128, 6, 6]),
        ("numbers", "1 + 2, 3 * 2", [3, 6]),
        ("choice", "B", "B"),
    ],
)
def test_text_is_read_as_it_was_meant(page, kind, text, value):
    assert page.evaluate(READ, [kind, text]) == value


@pytest.mark.browser
@pytest.mark.survives("Rubbish typed into an exercise")
@pytest.mark.parametrize(
    "text",
    [
        "abc",
        "0,065",
        "1..2",
        "1 2",
        "2 +",
        "(1",
        "**",
        "1/0",
        "0x10",
        "NaN",
        "()",
        "alert(1)",
        "constructor",
        "(" * 200,
    ],
)
def test_rubbish_is_answered_with_what_is_wanted(page, text):
    judge = "([name, text]) => Exercises.judge(Exercises.all[name], Exercises.read(Exercises.all[name], text))"
    for name, wanted in (("comparison.scale", "A number is wanted here"), ("deeplab.rates", "3 whole numbers are")):
        verdict = page.evaluate(judge, [name, text])
        assert not verdict["correct"]
        assert verdict["message"].startswith(wanted)


def test_a_checker_that_a_page_cannot_run_stops_the_build(monkeypatch):
    monkeypatch.setitem(exercises.CHECKERS, "unet.looping", looping)
    assert checkers.asked("unet.looping")
    with pytest.raises(checkers.NotForAPageError, match=r"unet\.looping asks for numbers.*for _ in range\(int\(value"):
        checkers.compiled("unet.looping")
    monkeypatch.setitem(exercises.CHECKERS, "unet.formatting", formatting)
    with pytest.raises(checkers.NotForAPageError, match="cannot do this of its checker: value"):
        checkers.compiled("unet.formatting")


def looping(answer):
    """A checker with a loop over the answer."""
    value = number(answer)
    for _ in range(int(value)):
        raise Hint("Too much.")
    return "Fine."


def formatting(answer):
    """A checker that formats the answer."""
    value = number(answer)
    raise Hint(f"Not {value:.3f}.")


def test_a_choice_is_labelled_with_what_the_exercise_says_of_it():
    inline = "What is zero: (a) the weights, (b) its bias, or (c) what it hands on?"
    assert label_choices(["a", "b", "c", "all"], inline) == [
        "a: the weights",
        "b: its bias",
        "c: what it hands on",
        "all",
    ]
    listed = 'Why? Answer "a" or "b". "a": dropout draws. "b": the mean of a scene.'
    assert label_choices(["a", "b"], listed) == ["a: dropout draws", "b: the mean of a scene"]
    assert label_choices(["a", "b"], listed.replace('"a"', "“a”").replace('"b"', "“b”"))[1] == "b: the mean of a scene"
    assert label_choices(["A", "B"], "A map? A: stride 4. B: stride 8, wide.") == ["A: stride 4", "B: stride 8, wide"]
    assert checkers.options("fcn.train_mode") == ["a", "b", "c", "d"]
    assert checkers.options("fcn.map_size") == []
