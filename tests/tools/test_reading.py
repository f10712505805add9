"""What a chapter asks of its reader is counted from what its page shows, and nothing that is folded."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.helpers.notebooks import PIXEL, save, sound_notebook
from tools import bootstrap, check, folds, reading

AWAY = {"tags": ["hide-cell", "check"]}
CLAIM = {reading.CLAIM: {"sentence": "Deeper is worse"}, "text/html": "<div>✓</div>", "text/plain": "✓"}


def notebook(*cells):
    """A notebook as its file would hold it: after a heading of two words and the cell that prepares Colab."""
    return new_notebook(cells=[new_markdown_cell("# A chapter"), new_code_cell(bootstrap.cell()), *cells])


def shows(source="", **data):
    outputs = [new_output("display_data", {kind.replace("_", "/", 1): value for kind, value in data.items()})]
    return new_code_cell(source or "1 + 1", outputs=outputs)


def test_lines_are_those_in_sight_that_hold_code():
    seen = new_code_cell("# why\nimport math\n\n\ndef f():\n    '''It.'''\n    # how\n    return math.pi  # 3\n")
    away = new_code_cell("a = 1\nb = 2", metadata={"tags": ["hide-input", "check"]})
    folds.mark(away)
    listing = shows("show()", text_markdown="```python\n# why\ndef g():\n\n    return 1\n```")
    found = reading.measure(notebook(seen, away, listing))
    assert (found.lines, found.folded, found.folds) == (4 + 1 + 2, 2, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Two words.", 2),
        ("## A heading – and *more*", 4),
        ("[a link](https://example.org/a_b_(c)) and <https://example.org>", 3),
        ("| a | b |\n|---|---|\n| 1 | 2 |", 4),
        ("Before\n\n```python\nx = 1\n```\n\nafter", 2),
        (
            "See\n\n<details><summary>Solution</summary>\n\n```python\nanswer = 3\n```\n\nNo.\n\n</details>\n\nthen",
            2,
        ),
    ],
)
def test_words_are_those_of_the_text(text, words):
    assert reading.count_words(text) == words


def test_figures_claims_and_questions_are_told_apart():
    cells = [
        shows(image_png=PIXEL),
        shows(text_html="<table></table>", text_plain="a table"),
        shows(text_plain="2"),
        new_code_cell("claims.exact()", outputs=[new_output("display_data", CLAIM)] * 2),
        new_code_cell("claims.exact()", metadata=AWAY, outputs=[new_output("display_data", CLAIM)]),
        new_markdown_cell("> 🙌 **Why?** So."),
        new_markdown_cell("*Predict first: which?*"),
    ]
    found = reading.measure(notebook(*cells))
    assert (found.figures, found.claims, found.claims_seen, found.questions) == (2, 3, 2, 2)
    assert found.words == 2 + 2 * 3 + 2 + 3


def test_minutes_are_the_sum_of_what_there_is_to_the_next_five():
    few = reading.Reading(words=200, lines=0, folded=900, figures=0, claims=0, claims_seen=0, questions=0, folds=9)
    assert few.minutes == 5
    much = reading.Reading(words=3000, lines=250, folded=0, figures=15, claims=0, claims_seen=0, questions=10, folds=0)
    assert much.minutes == 55  # 15 and 30 and 3 and 5, and 53 is nearer to 55
    assert much.over() == []


def test_a_gallery_may_be_long_and_a_chapter_may_not():
    collected = notebook(*[shows("draw()", image_png=PIXEL)] * 60)
    assert any("screens, the bar is 30" in line for line in reading.describe("chapter", collected))
    assert not any("warning" in line for line in reading.describe("atlas", collected))


def test_command_says_what_is_too_much_and_what_is_typed(tmp_path, capsys):
    long = sound_notebook()
    check.main([str(save(long, tmp_path / "short.ipynb"))])
    assert "warning" not in capsys.readouterr().out
    long["cells"][0]["source"] += "\n\nReading takes about 25 minutes."
    long["cells"][3]["source"] = "x = 1\n" * 300
    check.main([str(save(long, tmp_path / "long.ipynb"))])
    said = capsys.readouterr().out
    assert "long: 301 lines of code in sight, 0 folded; " in said
    assert "long: warning: 301 lines, the bar is 250" in said
    assert f"long: warning: cell {long['cells'][0]['id']} states a reading time, which the site computes" in said
