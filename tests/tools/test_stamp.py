"""The hashes of a stamp change with what runs, and with nothing else."""

import json
import re

import pytest

from tests.helpers.notebooks import sound_notebook
from tools import stamp

CODE = '''"""A module."""
import torch


class Net:
    """A network."""

    def forward(self, x):  # (N, C, H, W)
        """Return logits."""
        return torch.relu(x) * 2
'''

SAME = {
    "another docstring": ('"""A network."""', '"""A far better network.\n\n    In two paragraphs.\n    """'),
    "no docstring": ('        """Return logits."""\n', ""),
    "another comment": ("# (N, C, H, W)", "# logits"),
    "another import": ("import torch\n", "import torch\nfrom torch import nn\n"),
    "another layout": (
        "torch.relu(x) * 2",
        "(\n            torch.relu(\n                x,\n            )\n            * 2\n        )",
    ),
}
OTHER = {
    "another number": ("* 2", "* 3"),
    "another type of number": ("* 2", "* 2.0"),
    "another operator": ("* 2", "+ 2"),
    "another name": ("relu", "gelu"),
    "a new default": ("self, x", "self, x=None"),
    "a string that is not a docstring": ("return torch", '"second"; "third"; return torch'),
}


@pytest.mark.parametrize("name", SAME)
def test_what_does_not_run_does_not_count(name):
    assert stamp.hash_code(CODE.replace(*SAME[name])) == stamp.hash_code(CODE)


@pytest.mark.parametrize("name", OTHER)
def test_what_runs_counts(name):
    changed = CODE.replace(*OTHER[name])
    assert changed != CODE
    assert stamp.hash_code(changed) != stamp.hash_code(CODE)


def test_hash_is_the_same_for_every_python():
    """Fixed here because the form of `ast.dump` differs between Python 3.11, 3.12 and 3.13."""
    assert stamp.hash_code(CODE)[:16] == "c55c23be39fc1e07"


def test_a_module_that_moves_leaves_no_chapter_stale(tmp_path):
    package = tmp_path / "pixelwise"
    (package / "rooms").mkdir(parents=True)
    (package / "user.py").write_text("from pixelwise.nets import Net\n\nnet = Net()\n")
    (package / "nets.py").write_text(CODE)
    recorded = {"library": stamp.hash_library(tmp_path)}
    (package / "nets.py").rename(package / "rooms/networks.py")
    (package / "user.py").write_text("from .rooms.networks import Net\n\nnet = Net()\n")
    assert stamp.changed_modules(recorded, tmp_path) == []
    (package / "rooms/networks.py").write_text(CODE.replace(*OTHER["another number"]))
    assert stamp.changed_modules(recorded, tmp_path) == ["pixelwise.nets"]


@pytest.mark.parametrize("path", stamp.notebooks(), ids=lambda path: path.stem)
def test_what_joins_scripts_makes_no_recording_stale_for_none_holds_a_script(path, tmp_path):
    module = tmp_path / "pixelwise/explorables/sources.py"
    module.parent.mkdir(parents=True)
    module.write_text(CODE)
    recorded = {"library": stamp.hash_library(tmp_path)}
    module.write_text(CODE.replace(*OTHER["another number"]))
    assert stamp.changed_modules(recorded, tmp_path) == []
    outputs = [cell.get("outputs") for cell in stamp.code_cells(stamp.read(path))]
    assert not re.search("_esm|addEventListener|<script", json.dumps(outputs))


def test_changed_modules(tmp_path):
    package = tmp_path / "pixelwise"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for name in ("kept", "edited", "broken", "removed"):
        (package / f"{name}.py").write_text(f"{CODE}\n{name} = True\n")
    recorded = {"library": stamp.hash_library(tmp_path)}
    assert set(recorded["library"]) == {
        "pixelwise",
        "pixelwise.kept",
        "pixelwise.edited",
        "pixelwise.broken",
        "pixelwise.removed",
    }
    assert stamp.changed_modules(recorded, tmp_path) == []
    (package / "edited.py").write_text(CODE + "\nedited = False\n")
    (package / "broken.py").write_text(CODE + "\nhalf = (\n")
    (package / "removed.py").unlink()
    (package / "kept.py").write_text(f"# a comment\n{CODE}\nkept = True\n")
    assert set(stamp.changed_modules(recorded, tmp_path)) == {
        "pixelwise.edited",
        "pixelwise.broken",
        "pixelwise.removed",
    }


def test_cells_hash_ignores_prose_and_outputs():
    notebook = sound_notebook()
    digest = stamp.hash_cells(notebook)
    notebook["cells"][0]["source"] = "Other prose"
    notebook["cells"][2]["outputs"] = []
    notebook["cells"][3]["source"] = ["plot", "()"]
    assert stamp.hash_cells(notebook) == digest
    notebook["cells"][2], notebook["cells"][3] = notebook["cells"][3], notebook["cells"][2]
    assert stamp.hash_cells(notebook) != digest


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("from elsewhere import fit\n\nfit( 1 )  # a comment", True),
        ("from elsewhere import fit, evaluate\n\nfit(1)", False),
        ("from elsewhere import train as fit\n\nfit(1)", True),
        ("from pixelwise import fit\n\nfit(2)", False),
    ],
)
def test_of_an_import_in_a_cell_the_names_count(text, same):
    notebook, other = sound_notebook(), sound_notebook()
    notebook["cells"][2]["source"] = "from pixelwise import fit\n\nfit(1)"
    other["cells"][2]["source"] = text
    assert (stamp.hash_cells(other) == stamp.hash_cells(notebook)) is same


def test_unknown_chapter_is_named(tmp_path):
    (tmp_path / "resnet.ipynb").touch()
    assert stamp.notebooks("chapters/resnet.ipynb", tmp_path) == [tmp_path / "resnet.ipynb"]
    with pytest.raises(SystemExit, match="no chapter 'resnext'; the chapters are: resnet"):
        stamp.notebooks("resnext", tmp_path)
