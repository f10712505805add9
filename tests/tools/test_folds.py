"""A cell's tags say that it is folded and what it is; JupyterLab and Colab follow, and its code stays what it was."""

import copy

import pytest

from tests.helpers.notebooks import save, sound_notebook
from tools import check, folds, record, stamp


def tagged(*tags, source="plot()"):
    """A sound notebook whose last cell has these tags; they stand beside one that means something else."""
    notebook = sound_notebook()
    notebook["cells"][3]["metadata"]["tags"] = ["nbval-check-output", *tags]
    notebook["cells"][3]["source"] = source
    return notebook


@pytest.mark.parametrize("label", folds.LABELS)
def test_tags_decide_what_jupyterlab_and_colab_show(label):
    cell = tagged("hide-input", label)["cells"][3]
    image = cell["metadata"]["mystnb"]
    assert folds.mark(cell)
    assert cell["source"] == f"# @title {folds.LABELS[label]}\nplot()"
    assert (cell["metadata"]["cellView"], cell["metadata"]["jupyter"]) == ("form", {"source_hidden": True})
    assert cell["metadata"]["mystnb"] == image
    assert not folds.mark(cell), "twice is once"


def test_what_a_cell_shows_can_be_folded_too():
    cell = tagged("hide-cell", "check")["cells"][3]
    assert folds.mark(cell)
    assert cell["metadata"]["jupyter"] == {"source_hidden": True, "outputs_hidden": True}
    cell["metadata"]["tags"] = ["hide-input", "check"]
    assert folds.mark(cell)
    assert cell["metadata"]["jupyter"] == {"source_hidden": True}


def test_another_tag_renames_the_fold_and_no_tag_opens_it():
    cell = tagged()["cells"][3]
    plain = copy.deepcopy(cell)
    cell["metadata"]["tags"] = ["hide-input", "figure"]
    folds.mark(cell)
    cell["metadata"]["jupyter"]["outputs_hidden"] = False  # not ours
    cell["metadata"]["tags"] = ["hide-input", "check"]
    assert folds.mark(cell)
    assert cell["source"] == "# @title How this was checked\nplot()"
    cell["metadata"]["tags"] = ["nbval-check-output"]
    assert folds.mark(cell)
    assert cell["metadata"].pop("jupyter") == {"outputs_hidden": False}
    assert cell == plain


def test_a_title_that_a_sorter_of_imports_has_moved_is_no_second_one():
    cell = tagged("hide-input", "setup", source="import copy\n# @title Preparations\nimport torch")["cells"][3]
    folds.mark(cell)
    assert cell["source"] == "# @title Preparations\nimport copy\nimport torch"


def test_folding_leaves_a_recording_valid(tmp_path):
    notebook = tagged("hide-input", "figure")
    assert any("make fold" in fault for fault in check.faults(save(notebook, tmp_path / "chapter.ipynb")))
    folds.mark(notebook["cells"][3])
    assert check.faults(save(notebook, tmp_path / "chapter.ipynb")) == []


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["hide-input"], "code cell 3 is folded by `hide-input` and needs one tag more"),
        (["hide-input", "check", "figure"], "code cell 3 is folded by `hide-input` and needs one tag more"),
        (["figure"], "code cell 3 is tagged figure, but folded by none of hide-input, hide-cell"),
        (["hide-cell"], "code cell 3 is folded by `hide-cell` and needs one tag more"),
        (["hide-input", "hide-cell", "check"], "code cell 3 is folded by `hide-input` and `hide-cell`, expected one"),
    ],
)
def test_half_of_the_tags_is_a_fault(tags, expected):
    (fault,) = folds.faults(tagged(*tags))
    assert fault.startswith(expected)


@pytest.mark.parametrize("without", ["cellView", "jupyter", "title"])
def test_a_fold_that_one_reader_would_not_see_is_a_fault(without):
    notebook = tagged("hide-input", "check")
    cell = notebook["cells"][3]
    folds.mark(cell)
    assert folds.faults(notebook) == []
    if without == "title":
        cell["source"] = "plot()"
    else:
        del cell["metadata"][without]
    assert folds.faults(notebook) == ["code cell 3 is not folded as its tags say; `make fold` mends it"]


def test_command_folds_a_chapter_in_place(tmp_path, monkeypatch, capsys):
    path = save(tagged("hide-input", "check"), tmp_path / "chapter.ipynb")
    monkeypatch.setattr(stamp, "notebooks", lambda names: [path])
    monkeypatch.setattr(stamp, "ROOT", tmp_path)
    assert folds.main([]) == 0
    assert capsys.readouterr().out == "chapter.ipynb\n"
    assert folds.faults(stamp.read(path)) == []
    folded = path.read_bytes()
    assert folds.main([]) == 0
    assert (path.read_bytes(), capsys.readouterr().out) == (folded, "")
    save(tagged("hide-input"), path)
    with pytest.raises(SystemExit, match="code cell 3 is folded by"):
        folds.main([])


def test_a_recording_that_could_not_be_folded_does_not_start(tmp_path, monkeypatch):
    path = save(tagged("hide-input"), tmp_path / "chapter.ipynb")
    monkeypatch.setattr(record, "execute", lambda *_: pytest.fail("it ran"))
    with pytest.raises(record.RecordingError, match="code cell 3 is folded by"):
        record.record(path)
