"""What a recorded notebook says about its making, and whether that still holds.

A stamp lives in the notebook's metadata under `pixelwise`: date, budget, device, versions, seeds, seconds, a hash of
the code cells, one of their outputs, and one hash per module of the library that the run imported.
"""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, cast

import nbformat
from nbformat import NotebookNode

from pixelwise.files import atomic_write

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = ROOT / "chapters"
LIBRARY = ROOT / "code"
Json = dict[str, Any]  # a notebook, a cell, an output or a stamp, as their files hold them
UNSTORED = ("pixelwise.explorables.sources",)
"""Modules that no recording depends on: this one joins the scripts of live figures, whose state alone is stored."""
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def read(path: Path) -> NotebookNode:
    """The notebook at `path`, with lines joined to texts; its parts are attributes too."""
    return cast(NotebookNode, nbformat.read(path, as_version=4))


def write(notebook: NotebookNode, path: Path) -> None:
    """Replace the file in one step, so that a reader or an interruption never meets half a notebook."""
    nbformat.validate(notebook)
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        nbformat.write(notebook, file)


def code_cells(notebook: Json) -> list[Json]:
    """The code cells that hold any code, in order."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and source(cell).strip()]


def source(cell: Json) -> str:
    """The text of a cell, which a file may hold as one string or as a list of lines."""
    text = cell["source"]
    return text if isinstance(text, str) else "".join(text)


def title(notebook: Json) -> str:
    """The first heading of a notebook."""
    lines = (line for cell in notebook["cells"] for line in source(cell).splitlines())
    return next(line.removeprefix("# ") for line in lines if line.startswith("# "))


def bootstrap_cell(notebook: Json) -> str:
    """The text of the first code cell, which prepares Colab and is the same in every chapter."""
    cells = code_cells(notebook)
    return source(cells[0]) if cells else ""


def hash_cells(notebook: Json) -> str:
    """SHA-256 over the code cells after the bootstrap cell, which does nothing where notebooks are recorded.

    Comments and layout do not count; of an import the names that it brings count, and not where they come from.
    """
    trees = [_spell(_import_names(ast.parse(source(cell)))) for cell in code_cells(notebook)[1:]]
    return hashlib.sha256(json.dumps(trees).encode()).hexdigest()


def hash_outputs(notebook: Json) -> str:
    """SHA-256 over all that the code cells show, so that no number or picture is changed by hand."""
    outputs = [_joined(cell.get("outputs", [])) for cell in code_cells(notebook)]
    return hashlib.sha256(json.dumps(outputs, sort_keys=True).encode()).hexdigest()


def _joined(value: object) -> object:
    """`value` with each text that a file holds as a list of lines in one piece."""
    if isinstance(value, dict):
        return {key: _joined(inner) for key, inner in value.items()}
    if isinstance(value, list):
        text = value and all(isinstance(item, str) for item in value)
        return "".join(value) if text else [_joined(item) for item in value]
    return value


def hash_code(text: str) -> str:
    """SHA-256 over the syntax tree of Python source without its imports; comments, docstrings, layout do not count.

    So a module that only moves, or that imports from one that has moved, keeps its hash. The tree is spelt out here
    rather than by `ast.dump`, whose form differs between Python versions.
    """
    return hashlib.sha256(_spell(ast.parse(text), (ast.Import, ast.ImportFrom)).encode()).hexdigest()


def _import_names(tree: ast.Module) -> ast.Module:
    """The tree without its imports, and first an expression that lists the names they bind at the top level."""
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = sorted({name.asname or name.name for node in imports for name in node.names})
    # pyrefly: ignore[bad-argument-type]  # a tuple of constants is one to ast too
    constant = ast.Constant(tuple(names))
    tree.body = [ast.Expr(constant)] + [node for node in tree.body if node not in imports]
    return tree


def _spell(node: object, left_out: tuple[type[ast.stmt], ...] = ()) -> str:
    """A tree in one line, without its docstrings and the statements that are left out."""
    if isinstance(node, ast.Constant):
        return repr(node.value)
    if isinstance(node, list):
        return f"[{', '.join([_spell(item, left_out) for item in node])}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    parts = []
    for name in node._fields:
        value = getattr(node, name, None)
        if value is None:
            continue
        if isinstance(value, list):
            value = [item for item in value if not isinstance(item, left_out)]
            if name == "body" and isinstance(node, DOCUMENTED) and _is_docstring(value[:1]):
                value = value[1:]
            if not value:
                continue
        parts.append(f"{name}={_spell(value, left_out)}")
    return f"{type(node).__name__}({', '.join(parts)})"


def _is_docstring(statements: list[ast.stmt]) -> bool:
    match statements:
        case [ast.Expr(value=ast.Constant(value=str()))]:
            return True
    return False


def module_file(module: str, library: Path = LIBRARY) -> Path | None:
    """The file of a module such as `pixelwise.data.streets`, or None when the library no longer has it."""
    path = library.joinpath(*module.split("."))
    candidates = (path / "__init__.py", path.with_suffix(".py"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


@cache
def _hash_file(path: Path, modified: int) -> str | None:
    try:
        return hash_code(path.read_text(encoding="utf-8"))
    except SyntaxError:
        return None


def hash_module(module: str, library: Path = LIBRARY) -> str | None:
    """The hash of a module of the library as it is now; None when it is gone or is no valid Python."""
    path = module_file(module, library)
    return _hash_file(path, path.stat().st_mtime_ns) if path else None


def hash_library(library: Path = LIBRARY) -> dict[str, str | None]:
    """The hash of every module of the library."""
    hashes: dict[str, str | None] = {}
    for path in sorted(library.rglob("*.py")):
        parts = path.relative_to(library).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        hashes[module] = hash_module(module, library)
    return hashes


def changed_modules(stamp: Json, library: Path = LIBRARY) -> list[str]:
    """The modules that the stamped run imported and whose code is no longer in the library, wherever it lay then."""
    recorded = {module: code for module, code in stamp.get("library", {}).items() if module not in UNSTORED}
    elsewhere = [module for module, code in recorded.items() if hash_module(module, library) != code]
    present = set(hash_library(library).values()) if elsewhere else set()
    return [module for module in elsewhere if recorded[module] not in present]


def notebooks(names: str = "", folder: Path = CHAPTERS) -> list[Path]:
    """The chapters' notebooks: all of them, or those named (separated by blanks or commas, with or without .ipynb)."""
    if not names.strip():
        return sorted(folder.glob("*.ipynb"))
    paths = [folder / f"{Path(name).name.removesuffix('.ipynb')}.ipynb" for name in names.replace(",", " ").split()]
    for path in paths:
        if not path.is_file():
            known = ", ".join(sorted(other.stem for other in folder.glob("*.ipynb"))) or "none yet"
            raise SystemExit(f"there is no chapter {path.stem!r}; the chapters are: {known}")
    return paths
