"""Small notebooks for the tests of the book's own tools."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.helpers import warm
from tools import bootstrap, stamp

ALT = "a curve of mean IoU that rises over sixteen epochs"


def sound_notebook() -> stamp.Json:
    """A recorded notebook in which `tools.check` finds nothing wrong, as plain dictionaries."""
    cells = [
        new_markdown_cell("# A chapter\n\nProse with $x^2$ and `code`.\n\n> 🙌 A question?"),
        new_code_cell(bootstrap.cell(), execution_count=1, metadata={"tags": ["remove-cell"]}),
        new_code_cell(
            "print('mIoU', 0.5)",
            execution_count=2,
            outputs=[new_output("stream", name="stdout", text="mIoU 0.5\n")],
        ),
        new_code_cell(
            "plot()",
            execution_count=3,
            metadata={"mystnb": {"image": {"alt": ALT}}},
            outputs=[new_output("display_data", {"image/png": PIXEL, "text/plain": "<Figure size 640x480>"})],
        ),
    ]
    notebook = json.loads(nbformat.writes(new_notebook(cells=cells)))
    notebook["metadata"]["language_info"] = {"name": "python"}
    notebook["metadata"]["pixelwise"] = {"date": "2026-11-23", "library": {}}
    for what, digest in (("cells", stamp.hash_cells), ("outputs", stamp.hash_outputs)):
        notebook["metadata"]["pixelwise"][what] = digest(notebook)
    return notebook


def save(notebook: stamp.Json, path: Path) -> Path:
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def write_book(folder: Path, contents: str, index: str) -> None:
    """Begin the sources of a small book in a folder: the book's own settings, a table of contents, a first page."""
    shutil.copy(stamp.ROOT / "_config.yml", folder)
    (folder / "book").symlink_to(stamp.ROOT / "book")
    (folder / "_toc.yml").write_text(contents, encoding="utf-8")
    (folder / "index.md").write_text(index, encoding="utf-8")


def build_book(source: Path, output: Path, *options: str) -> None:
    """Build a book in a process of its own, as `make book` does; fail with what Sphinx said when it warns."""
    command = [sys.executable, "-m", "book.build", "--source", str(source), "--output", str(output), *options]
    built = subprocess.run(command, cwd=stamp.ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr


def build_small_book(source: Path, output: Path, *options: str) -> None:
    """Build a book that `write_book` began, likewise, in a process that has the imports behind it."""
    built = warm.build(source, output, *options)
    _, said = built.communicate()
    assert built.returncode == 0, said


# One transparent pixel.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
