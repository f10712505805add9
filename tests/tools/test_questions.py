"""A question whose verdict rests on nothing is found, in whatever way it came to that."""

import copy
import html
import json

import pytest

from tests.helpers.notebooks import save, sound_notebook
from tools import questions, reading, stamp

CLAIM = {"name": "poles-gain", "sentence": "Poles gain 8 points", "state": "holds", "detail": "measured 9; at least 8"}
STATE = {"key": "poles-rare", "question": "Do poles gain?", "right": "", "verdict": "They gain.", "claims": [CLAIM]}


def claim(**changes):
    return {"output_type": "display_data", "data": {"text/plain": "", reading.CLAIM: CLAIM | changes}}


def question(**changes):
    state = html.escape(json.dumps(STATE | changes))
    host = f'<div class="pw-explorable" data-explorable="question" {reading.QUESTION}poles-rare" data-state="{state}">'
    return {"output_type": "execute_result", "data": {"text/html": [host[:40], host[40:]], "text/plain": "."}}


def notebook(*outputs):
    made = sound_notebook()
    made["cells"][2]["outputs"] = copy.deepcopy(list(outputs))
    return made


def test_a_question_is_read_as_it_was_stored():
    assert questions.stored(notebook(claim(), question())) == [STATE]
    assert questions.faults(notebook(claim(), question())) == []
    assert questions.faults(sound_notebook()) == []


@pytest.mark.parametrize(
    ("outputs", "fault"),
    [
        ([question()], "code cell 2 asks 'poles-rare', but no cell above it claims 'Poles gain 8 points'"),
        ([question(), claim()], "no cell above it claims"),
        ([claim(state="does not hold"), question()], "but 'Poles gain 8 points' does not hold"),
        ([claim(), question(claims=[CLAIM | {"state": "does not hold"}])], "but 'Poles gain 8 points' does not hold"),
        ([claim(sentence="Poles gain 9 points"), question()], "now reads 'Poles gain 9 points'; record"),
        ([claim(), question(claims=[])], "without a verdict that rests on a claim"),
        ([claim(), question(verdict="")], "without a verdict that rests on a claim"),
        ([claim(), question(), question()], "'poles-rare' is asked 2 times"),
        ([claim(), question(verdict="Poles gain 40 points.")], "and says 40, which none of its claims does"),
        ([claim(), question(verdict="Poles gain forty-one or twelve.")], "and says 12, which none"),
    ],
)
def test_a_verdict_that_rests_on_nothing_is_a_fault(outputs, fault):
    assert any(fault in found for found in questions.faults(notebook(*outputs))), questions.faults(notebook(*outputs))


def test_two_chapters_may_not_share_the_name_of_a_question(tmp_path):
    paths = [save(notebook(claim(), question()), tmp_path / f"{name}.ipynb") for name in ("one", "two")]
    assert questions.alike(paths) == ["one.ipynb, two.ipynb: 'poles-rare' names a question in each"]
    assert questions.alike(paths[:1]) == []


def test_a_question_is_read_as_one_and_is_no_figure():
    before, after = reading.measure(notebook()), reading.measure(notebook(claim(), question()))
    assert (after.questions, after.figures) == (before.questions + 1, before.figures)
    assert stamp.title(notebook()) == "A chapter"
