"""The first code cell of every chapter, by which a chapter runs where the book is not: `make bootstrap` writes it.

It is the same everywhere: after a new chapter, another version or another address, this puts it in place. Outputs stay,
because the cell does nothing where chapters are recorded, and their stamps leave it out.
"""

import sys

import nbformat
from book import repository, stamp

import pixelwise

CELL = """\
# Where the book's library is missing (Colab, Kaggle), fetch it; elsewhere do nothing.
import importlib.util
import pathlib
import sys

if importlib.util.find_spec("pixelwise") is None:
    version = "v{version}"  # or the newest state, until this version is published
    book = pathlib.Path.home() / f"pixelwise-{{version}}"
    address = "{address}"
    clone = f"git clone --quiet --depth 1 {{address}} {{book}}"
    if not book.exists():
        !{{clone}} --branch {{version}} 2> /dev/null || {{clone}}
    !{{sys.executable}} -m pip install --quiet anywidget pooch safetensors
    sys.path.insert(0, f"{{book}}/code")"""


def cell(address: str = "", version: str = pixelwise.__version__) -> str:
    """The text of the cell, for the repository's address (by default that of _config.yml) and a version."""
    return CELL.format(address=address or repository.address(), version=version)


def main() -> int:
    for path in stamp.notebooks():
        notebook = nbformat.read(path, as_version=4)
        first = stamp.code_cells(notebook)[0]
        if first.source != cell():
            first.source = cell()
            nbformat.write(notebook, path)
            print(path.relative_to(stamp.ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
