"""Ways to plant a fault in a copy of the book: in the syntax tree of a function, in a notebook, in the text of a file.

Each returns what plants it, given the copy's folder; LookupError where there is nothing any more that it would change.
"""

import ast
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools import stamp

Change = Callable[[NotebookNode], object]  # what a fault does to a notebook


def replace(file: str, old: str, new: str) -> Callable[[Path], None]:
    """Plant by replacing a text that stands in a file once or more; the first place counts."""

    def plant(root: Path) -> None:
        text = (root / file).read_text(encoding="utf-8")
        if old not in text:
            raise LookupError(f"{file} no longer holds {old!r}: choose another place for this fault")
        (root / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    return plant


def code(function: str, change: Callable[[ast.AST], ast.AST | None]) -> Callable[[Path], None]:
    """Plant by changing a function of the library, `name` or `Class.name`, wherever it stands.

    `change` gets the nodes of its syntax tree; the first for which it returns another node is replaced by that one.
    """

    def plant(root: Path) -> None:
        for path in sorted((root / "code").rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            if place := _definition(tree, function.split(".")):
                if not _First(change).replaced_in(place):
                    raise LookupError(
                        f"{function} no longer holds what this fault changes: choose another place for it"
                    )
                path.write_text(ast.unparse(tree) + "\n", encoding="utf-8")
                return
        raise LookupError(f"the library has no function {function} any more: choose another place for this fault")

    return plant


def _definition(tree: ast.AST, names: list[str]) -> ast.AST | None:
    """The function or class that a tree defines under a path of names."""
    place: ast.AST | None = tree
    for name in names:
        kinds = (ast.ClassDef, ast.FunctionDef)
        body = getattr(place, "body", [])
        place = next((node for node in body if isinstance(node, kinds) and node.name == name), None)
    return place


class _First(ast.NodeTransformer):
    """Replaces the first node for which `change` returns another."""

    def __init__(self, change: Callable[[ast.AST], ast.AST | None]) -> None:
        self.change, self.done = change, False

    def replaced_in(self, tree: ast.AST) -> bool:
        self.generic_visit(tree)
        return self.done

    def visit(self, node: ast.AST) -> ast.AST:
        if not self.done and (other := self.change(node)) is not None:
            self.done = True
            return other
        return self.generic_visit(node)


def without_call(method: str, of: str | None = None) -> Callable[[ast.AST], ast.AST | None]:
    """`x.method(…)` becomes `x`; `of` says which x."""

    def change(node: ast.AST) -> ast.AST | None:
        match node:
            case ast.Call(func=ast.Attribute(value=subject, attr=name)) if name == method:
                return subject if of is None or ast.unparse(subject) == of else None
        return None

    return change


def without_exception(name: str) -> Callable[[ast.AST], ast.AST | None]:
    """A comparison `a != name` becomes `a == a`, which holds for all."""

    def change(node: ast.AST) -> ast.AST | None:
        match node:
            case ast.Compare(left=left, ops=[ast.NotEq()], comparators=[ast.Name(id=other)]) if other == name:
                return ast.Compare(left, [ast.Eq()], [left])
        return None

    return change


def default(parameter: str, value: bool) -> Callable[[ast.AST], ast.AST | None]:
    """A parameter gets another default."""

    def change(node: ast.AST) -> ast.AST | None:
        if not isinstance(node, ast.arguments):
            return None
        for names, defaults in ((node.args, node.defaults), (node.kwonlyargs, node.kw_defaults)):
            offset = len(names) - len(defaults)
            for i, argument in enumerate(names):
                if argument.arg == parameter and i >= offset:
                    defaults[i - offset] = ast.Constant(value)
                    return node
        return None

    return change


def in_notebook(chapter: str, change: Change, restamp: bool = False) -> Callable[[Path], None]:
    """Plant by changing a notebook; `restamp` forges the hashes in its stamp, so that only running it can tell."""

    def plant(root: Path) -> None:
        path = root / "chapters" / f"{chapter}.ipynb"
        notebook = stamp.read(path)
        change(notebook)
        if restamp:
            notebook.metadata["pixelwise"]["cells"] = stamp.hash_cells(notebook)
            notebook.metadata["pixelwise"]["outputs"] = stamp.hash_outputs(notebook)
        nbformat.write(notebook, path)

    return plant


def cell(notebook: NotebookNode, kind: str, text: str) -> NotebookNode:
    """The first cell of a kind that holds a text, after the bootstrap cell."""
    holding = [cell for cell in notebook.cells[2:] if cell.cell_type == kind and text in cell.source]
    if not holding:
        raise LookupError(f"no {kind} cell holds {text!r} any more: choose another place for this fault")
    return holding[0]


def another_bound(notebook: NotebookNode) -> None:
    """The first claim that equals a value is said to equal one more."""

    def change(node: ast.AST) -> ast.AST | None:
        if isinstance(node, ast.keyword) and node.arg == "equals":
            return ast.keyword("equals", ast.BinOp(ast.Constant(1), ast.Add(), node.value))
        return None

    for cell in notebook.cells[2:]:
        if cell.cell_type == "code" and "equals" in cell.source:
            tree = ast.parse(cell.source)
            if _First(change).replaced_in(tree):
                cell.source = ast.unparse(tree)
                return
    raise LookupError("no claim equals a value any more: choose another chapter for this fault")


def in_cell(kind: str, old: str, new: str) -> Change:
    def change(notebook: NotebookNode) -> None:
        place = cell(notebook, kind, old)
        place.source = place.source.replace(old, new, 1)

    return change


def say(text: str) -> Change:
    """Add a sentence to the second prose cell of a notebook."""

    def change(notebook: NotebookNode) -> None:
        [cell for cell in notebook.cells if cell.cell_type == "markdown"][1].source += f"\n\n{text}"

    return change


def tagged(notebook: NotebookNode) -> NotebookNode:
    """The first cell whose printed output must be what is stored, and that output."""
    for cell in notebook.cells:
        if "nbval-check-output" in cell.metadata.get("tags", []):
            for output in cell.outputs:
                if output.output_type == "stream" and any(letter.isdigit() for letter in output.text):
                    return output
    raise LookupError("no tagged cell prints a number: choose another chapter for this fault")


def raise_a_digit(notebook: NotebookNode) -> None:
    output = tagged(notebook)
    place = next(place for place, letter in enumerate(output.text) if letter.isdigit())
    output.text = f"{output.text[:place]}{(int(output.text[place]) + 1) % 10}{output.text[place + 1 :]}"


def drop_alternative(notebook: NotebookNode) -> None:
    place = next(cell for cell in notebook.cells if cell.metadata.get("mystnb", {}).get("image", {}).get("alt"))
    del place.metadata["mystnb"]


def unexecute(notebook: NotebookNode) -> None:
    place = [cell for cell in notebook.cells if cell.cell_type == "code"][2]
    place.update(outputs=[], execution_count=None)


def fail(notebook: NotebookNode) -> None:
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="planted", traceback=[])
    [cell for cell in notebook.cells if cell.cell_type == "code"][2].outputs = [error]
