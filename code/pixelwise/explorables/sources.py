"""The front ends' sources, the .mjs files in this folder, as a widget and as a built page need them."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent
IMPORT = re.compile(r'^import \{[^}]*\} from "(?:\./shared/|\./)\w+\.mjs";\n', re.MULTILINE)
FOR_AUTHORS = re.compile(r"^ *(?://[^\n]*|/\*.*?\*/)?\n|^ +", re.MULTILINE | re.DOTALL)
"""Comments that have a line to themselves, empty lines, indents: a reader's browser gets none of them."""


def names() -> list[str]:
    """The names of all explorables, from their modules."""
    own = ("mount", "wall")  # they act on a page
    return sorted(path.stem.replace("_", "-") for path in FOLDER.glob("*.mjs") if path.stem not in own)


def source(name: str) -> str:
    """The module of an explorable with the shared helpers inside, so that it imports nothing: anywidget's _esm."""
    return shared() + _read(_path(name), keep_default=True)


def plain(name: str) -> str:
    """The source of a module as statements: without imports of shared helpers and without `export`."""
    return _read(_path(name), keep_default=False)


def shared() -> str:
    """The shared helpers, the modules in the folder of that name, as statements in one scope."""
    return "".join(_read(path, keep_default=False) for path in sorted((FOLDER / "shared").glob("*.mjs")))


def _path(name: str) -> Path:
    return FOLDER / f"{name.replace('-', '_')}.mjs"


def _read(path: Path, *, keep_default: bool) -> str:
    text = IMPORT.sub("", path.read_text(encoding="utf-8"))
    text = re.sub(r"^export (?!default)", "", text, flags=re.MULTILINE)
    if not keep_default:
        text = re.sub(r"^export default ", "return ", text, flags=re.MULTILINE)
    if re.search(r"^(import|export (?!default))", text, flags=re.MULTILINE):
        raise ValueError(f"{path.name} imports more than shared helpers; an explorable has no other dependency")
    return FOR_AUTHORS.sub("", text)
