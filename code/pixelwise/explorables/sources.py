"""The front ends' sources, the .mjs files in this folder, as a widget and as a built page need them."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent
IMPORT = re.compile(r'^import \{[^}]*\} from "(\.[\w./]+\.mjs)";\n', re.MULTILINE)
APART = ("photo",)
"""Explorables that are large, and so have a script of their own, which only the page that shows them loads."""
FOR_AUTHORS = re.compile(r"^ *(?://[^\n]*|/\*.*?\*/)?\n|^ +", re.MULTILINE | re.DOTALL)
"""Comments that have a line to themselves, empty lines, indents: a reader's browser gets none of them."""


def names() -> list[str]:
    """The names of all explorables, from their modules."""
    own = ("mount", "wall")  # they act on a page
    return sorted(path.stem.replace("_", "-") for path in FOLDER.glob("*.mjs") if path.stem not in own)


def source(name: str) -> str:
    """The module of an explorable with all that it imports inside, so that it imports nothing: anywidget's _esm."""
    return shared() + _parts(_path(name)) + statements(_path(name), keep_default=True)


def plain(name: str) -> str:
    """A module as statements, after the parts that it alone imports: without the shared helpers, without `export`."""
    return _parts(_path(name)) + statements(_path(name))


def shared() -> str:
    """The shared helpers, the modules in the folder of that name, as statements in one scope."""
    return "".join(statements(path) for path in sorted((FOLDER / "shared").glob("*.mjs")))


def _parts(path: Path) -> str:
    """What a module imports beside the shared helpers, as statements, each after what it imports itself."""
    found: dict[Path, None] = {}

    def gather(importing: Path) -> None:
        for place in IMPORT.findall(importing.read_text(encoding="utf-8")):
            part = (importing.parent / place).resolve()
            if part.parent.name != "shared" and part not in found:
                gather(part)
                found[part] = None

    gather(path)
    return "".join(statements(part) for part in found)


def _path(name: str) -> Path:
    return FOLDER / f"{name.replace('-', '_')}.mjs"


def statements(path: Path, *, keep_default: bool = False) -> str:
    """The text of a module without imports and `export`; its default is returned unless it is kept."""
    text = IMPORT.sub("", path.read_text(encoding="utf-8"))
    text = re.sub(r"^export (?!default)", "", text, flags=re.MULTILINE)
    if not keep_default:
        text = re.sub(r"^export default ", "return ", text, flags=re.MULTILINE)
    if re.search(r"^(import|export (?!default))", text, flags=re.MULTILINE):
        raise ValueError(f"{path.name} imports more than shared helpers; an explorable has no other dependency")
    return FOR_AUTHORS.sub("", text)
