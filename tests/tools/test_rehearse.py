"""The rehearsal of Colab runs what a reader would run, and fails where a reader would."""

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from tools import bootstrap, rehearse


def test_chapters_meet_colab(tmp_path, capsys):
    cells = {
        "fetched": "import pixelwise, google.colab, pathlib, sys\n"
        "assert pathlib.Path(pixelwise.__file__).is_relative_to(pathlib.Path.home())\n"
        "assert not any(pathlib.Path().iterdir()) and 'google.colab.output' in sys.modules",
        "fails": "import a_module_that_colab_lacks",
        "litters": "open('left.txt', 'w').close()",
    }
    for name, cell in cells.items():
        notebook = new_notebook(cells=[new_code_cell(text) for text in (bootstrap.cell(), cell)])
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    assert rehearse.rehearse([tmp_path / f"{name}.ipynb" for name in cells], "here", jobs=1) == 2
    said, troubles = capsys.readouterr()
    assert [line.split()[:2] for line in said.splitlines()[1:4]] == [
        ["ok", "fetched"],
        ["FAILED", "fails"],
        ["FAILED", "litters"],
    ]
    assert "The first cell installed nothing; it changed nothing." in said
    assert "No module named 'a_module_that_colab_lacks'" in troubles
    assert "left in the working directory: ['left.txt']" in troubles
