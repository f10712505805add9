"""The front ends' sources, the .mjs files in this folder, as a widget and as a built page need them."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The names of all explorables, from their modules."""
    shared = ("shared", "mount", "wall")
    return sorted(path.stem.replace("_", "-") for path in FOLDER.glob("*.mjs") if path.stem not in shared)


def source(name: str) -> str:
    """The module of an explorable with the shared helpers inside, so that it imports nothing: anywidget's _esm."""
    return plain("shared") + _read(name, keep_default=True)


def plain(name: str) -> str:
    """The source of a module as statements: without imports of shared.mjs and without `export`."""
    return _read(name, keep_default=False)


def _read(name: str, *, keep_default: bool) -> str:
    text = (FOLDER / f"{name.replace('-', '_')}.mjs").read_text(encoding="utf-8")
    text = re.sub(r'^import \{[^}]*\} from "\./shared\.mjs";\n', "", text, flags=re.MULTILINE)
    text = re.sub(r"^export (?!default)", "", text, flags=re.MULTILINE)
    if not keep_default:
        text = re.sub(r"^export default ", "return ", text, flags=re.MULTILINE)
    if re.search(r"^(import|export (?!default))", text, flags=re.MULTILINE):
        raise ValueError(f"{name}.mjs imports more than helpers of shared.mjs; an explorable has no other dependency")
    return text
