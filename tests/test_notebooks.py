"""The chapters as they are stored. (`make test` also executes them, with nbval, at the smoke budget.)"""

import json

import pytest
import yaml

from tools import check, questions, stamp

NOTEBOOKS = stamp.notebooks()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_chapter_is_recorded_described_and_portable(path):
    faults = check.faults(path)
    assert not faults, "\n".join(faults)


def test_chapters_begin_alike():
    faults = check.alike(NOTEBOOKS)
    assert not faults, "\n".join(faults)


def test_no_two_questions_have_one_name():
    faults = questions.alike(NOTEBOOKS)
    assert not faults, "\n".join(faults)


def test_every_chapter_is_in_the_table_of_contents():
    toc = yaml.safe_load((stamp.ROOT / "_toc.yml").read_text(encoding="utf-8"))
    listed = json.dumps(toc)
    for path in (*NOTEBOOKS, *stamp.CHAPTERS.glob("*.md")):
        assert f'"chapters/{path.stem}"' in listed, f"{path.name} is not in _toc.yml"
