"""Which code of a chapter is folded, and what its fold is called: `make fold` writes what follows from the tags.

An author gives a code cell two tags: `hide-input` or, where what the cell shows is folded too, `hide-cell`, both of
which Jupyter Book knows, and one of `LABELS`, which says what the code is. Everything else follows: a first line that
says it (`# @title …`, which Colab shows as the cell's title and JupyterLab in the place of its code), `cellView` for
Colab, `source_hidden` and `outputs_hidden` for JupyterLab. The site folds by the tags (book/extensions/folds.py).
Comments and metadata don't count in a stamp's hashes, so a recording stays valid.
"""

import copy
import sys

from tools import stamp

TAGS = {"hide-input": {"source_hidden": True}, "hide-cell": {"source_hidden": True, "outputs_hidden": True}}
"""What JupyterLab is told of a cell for each tag that folds it."""
TITLE = "# @title "
LABELS = {
    "setup": "Preparations",
    "experiment": "Code of this experiment",
    "figure": "Code of this figure",
    "table": "Code of this table",
    "check": "How this was checked",
    "question": "Code of this question",
}


def is_folded(cell: stamp.Json) -> bool:
    """Whether a cell's code is folded."""
    return cell["cell_type"] == "code" and bool(TAGS.keys() & set(cell["metadata"].get("tags", [])))


def is_away(cell: stamp.Json) -> bool:
    """Whether a cell is folded with all that it shows."""
    return cell["cell_type"] == "code" and "hide-cell" in cell["metadata"].get("tags", [])


def label(cell: stamp.Json) -> str:
    """What the fold of a cell is called; ValueError where its tags don't say it, or say more than one thing."""
    tags = cell["metadata"].get("tags", [])
    found, by = [tag for tag in tags if tag in LABELS], [f"`{tag}`" for tag in tags if tag in TAGS]
    if len(by) > 1:
        raise ValueError(f"is folded by {' and '.join(by)}, expected one of them")
    if len(found) != 1:
        raise ValueError(f"is folded by {by[0]} and needs one tag more that says what it is: {', '.join(LABELS)}")
    return LABELS[found[0]]


def untitled(text: str) -> str:
    """The code of a cell without the line that `mark` puts before it."""
    return "\n".join(line for line in text.split("\n") if not line.startswith(TITLE))


def mark(cell: stamp.Json) -> bool:
    """Let the first line and the metadata of a code cell follow from its tags; whether that changed the cell.

    ValueError as in `label`.
    """
    before = stamp.source(cell), dict(cell["metadata"])
    text, metadata = untitled(before[0]), cell["metadata"]
    written = metadata.pop("cellView", None) is not None
    jupyter = metadata.pop("jupyter", {})
    jupyter = {key: value for key, value in jupyter.items() if not (written and key in TAGS["hide-cell"] and value)}
    if is_folded(cell):
        text, metadata["cellView"] = f"{TITLE}{label(cell)}\n{text}", "form"
        jupyter |= TAGS["hide-cell" if is_away(cell) else "hide-input"]
    if jupyter:
        metadata["jupyter"] = jupyter
    cell["source"] = text
    return (text, dict(metadata)) != before


def faults(notebook: stamp.Json) -> list[str]:
    """Cells whose tags say half of it, and cells that are not as their tags say."""
    problems: list[str] = []
    for number, cell in enumerate(stamp.code_cells(notebook), 1):
        idle = LABELS.keys() & set(cell["metadata"].get("tags", []))
        if idle and not is_folded(cell):
            named, by = ", ".join(sorted(idle)), ", ".join(TAGS)
            problems.append(f"code cell {number} is tagged {named}, but folded by none of {by}")
        try:
            if mark(copy.deepcopy(cell)):
                problems.append(f"code cell {number} is not folded as its tags say; `make fold` mends it")
        except ValueError as error:
            problems.append(f"code cell {number} {error}")
    return problems


def main(arguments: list[str]) -> int:
    for path in stamp.notebooks(" ".join(arguments)):
        notebook, changed = stamp.read(path), False
        for number, cell in enumerate(stamp.code_cells(notebook), 1):
            try:
                changed |= mark(cell)
            except ValueError as error:
                raise SystemExit(f"{path.name}: code cell {number} {error}") from error
        if changed:
            stamp.write(notebook, path)
            print(path.relative_to(stamp.ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
