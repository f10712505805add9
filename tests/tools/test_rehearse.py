"""The rehearsal of Colab runs what a reader would run, and fails where a reader would."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import pixelwise
from tools import bootstrap, rehearse

pytestmark = pytest.mark.slow


def test_chapters_meet_colab(tmp_path, capsys):
    cells = {
        "fetched": "import pixelwise, google.colab, pathlib, sys\n"
        "assert pathlib.Path(pixelwise.__file__).is_relative_to(pathlib.Path.home())\n"
        "assert not any(pathlib.Path().iterdir()) and 'google.colab.output' in sys.modules",
        "fails": "import a_module_that_colab_lacks",
        "litters": "open('left.txt', 'w').close()",
    }
    cells = {name: (bootstrap.cell(), cell) if name == "fetched" else (cell,) for name, cell in cells.items()}
    cells["outdated"] = (bootstrap.cell(version=f"v{pixelwise.__version__}", code="0" * 40),)
    for name, texts in cells.items():
        notebook = new_notebook(cells=[new_code_cell(text) for text in texts])
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    assert rehearse.rehearse([tmp_path / f"{name}.ipynb" for name in cells], "here", jobs=1) == 3
    said, troubles = capsys.readouterr()
    assert [line.split()[:2] for line in said.splitlines()[1:5]] == [
        ["ok", "fetched"],
        ["FAILED", "fails"],
        ["FAILED", "litters"],
        ["FAILED", "outdated"],
    ]
    assert "The first cell installed nothing; it changed nothing." in said
    assert "No module named 'a_module_that_colab_lacks'" in troubles
    assert "left in the working directory: ['left.txt']" in troubles
    assert f"is not v{pixelwise.__version__}: code/ is " in troubles  # the library has moved on since that release


def test_chapters_meet_a_gpu(tmp_path, capsys):
    """A session's kernels have the card that was asked for, and what stays on the CPU fails there."""
    begin = "from pixelwise.notebook import course\nimport torch\nrun = course.begin('chapter')"
    cells = {
        "on_a_gpu": "assert run.device.type == 'cuda' and torch.cuda.get_device_capability() == (7, 5)",
        "left_behind": "torch.nn.Linear(2, 2)(torch.zeros(1, 2).to(run.device))",
        "clean": "assert not {'sys', 'pretend_gpu'} & set(globals())",
    }
    for name, cell in cells.items():
        texts = (cell,) if name == "clean" else (bootstrap.cell(), begin, cell)
        nbformat.write(new_notebook(cells=[new_code_cell(text) for text in texts]), tmp_path / f"{name}.ipynb")
    assert rehearse.rehearse([tmp_path / f"{name}.ipynb" for name in cells], "here", jobs=1, card="t4") == 1
    said, troubles = capsys.readouterr()
    assert said.splitlines()[0].endswith(", pretend GPU t4")
    assert [line.split()[:2] for line in said.splitlines()[1:4]] == [
        ["ok", "on_a_gpu"],
        ["FAILED", "left_behind"],
        ["ok", "clean"],
    ]
    assert "Expected all tensors to be on the same device" in troubles
