"""Recording keeps what a fresh kernel said and how it came about, or leaves the file as it was."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import bootstrap, check, record, stamp

BEGIN = "from pixelwise.notebook import course\nrun = course.begin('test')"


@pytest.fixture
def chapter(tmp_path):
    def make(*cells):
        notebook = new_notebook(
            cells=[new_markdown_cell("# A chapter"), *map(new_code_cell, (bootstrap.cell(), BEGIN, *cells))]
        )
        path = tmp_path / "chapter.ipynb"
        nbformat.write(notebook, path)
        return path

    return make


def test_recorded_chapter_is_sound_and_stamped(chapter):
    path = chapter("import os\nprint(os.environ['PIXELWISE_RECORDING'], run.budget)", "", "1 + 1")
    before = nbformat.read(path, as_version=4)
    made = record.record(path, budget="smoke")
    after = nbformat.read(path, as_version=4)

    assert check.faults(path) == []
    assert [cell.id for cell in after.cells] == [cell.id for cell in before.cells]
    assert after.cells[3].outputs[0].text == "1 smoke\n"
    assert after.cells[5].outputs[0].data["text/plain"] == "2"
    assert after.metadata["pixelwise"] == made
    assert (made["budget"], made["dataset"], made["device"], made["seeds"]) == ("smoke", "streets", "CPU", [0])
    assert set(made["versions"]) == {"python", "torch", "torchvision", "numpy"}
    assert len(made["cell_seconds"]) == 4
    assert made["seconds"] == pytest.approx(sum(made["cell_seconds"]), abs=0.06)
    assert made["library"]["pixelwise.notebook.course"] == stamp.hash_module("pixelwise.notebook.course")
    assert "execution" not in json.dumps([cell.metadata for cell in after.cells])


@pytest.mark.parametrize(
    ("cells", "reasons"),
    [
        (["raise ValueError('no such scene')"], ["code cell 3"]),
        (
            ["print('/home/ada/run.pt')", "import ipywidgets\nipywidgets.IntSlider()"],
            ["a path of one machine", "shows a widget"],
        ),
    ],
)
def test_what_cannot_be_stored_leaves_the_file_untouched(chapter, cells, reasons):
    path = chapter(*cells)
    before = path.read_bytes()
    with pytest.raises(record.RecordingError) as raised:
        record.record(path, budget="smoke")
    for reason in reasons:
        assert reason in str(raised.value)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_pictures_of_camvid_are_not_stored(chapter):
    path = chapter("print(run.dataset)")
    before = path.read_bytes()
    assert record.record(path, budget="smoke", dataset="camvid")["dataset"] == "camvid"
    assert path.read_bytes() == before


def test_interrupted_writing_keeps_the_old_file(chapter, monkeypatch):
    path = chapter()
    before = path.read_bytes()
    monkeypatch.setattr("os.replace", lambda *paths: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        stamp.write(nbformat.read(path, as_version=4), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
