"""Write the one script that brings a built page's explorables to life: python -m pixelwise.explorables.bundle OUT

It is a classic script in a function of its own, so it runs from file:// and leaves no name behind.
"""

import re
import sys
from pathlib import Path

from .sources import APART, FOLDER, FOR_AUTHORS, IMPORT, names, plain

OWN = (*APART, "curve")
"""Explorables that have a script of their own: large ones, and those that few pages show."""
STATEMENT = re.compile(r"^(?=(?:export )?(?:function|const|let) )", re.MULTILINE)
NAMES = re.compile(r"(?:export )?(?:function (\w+)|(?:const|let) ([^=]+) = )")

CAST = re.compile(r"/\*\* @type [^*]*\*/ ?")
SHEET = re.compile(r"= `\n[^`$]*`;")
"""A style sheet in a script: its words are no names of helpers."""

WORKER = """if (typeof document === "undefined") return explorables["photo"].serve();
explorables["photo"].script = `(${script})()`;"""


def bundle(*chosen: str, wall: bool = False) -> str:
    """Return the script: the chosen explorables, the helpers that they use, what mounts them, and the questions' wall.

    With none chosen, it holds all but those of `OWN`. Only the page of all questions needs the `wall`.
    """
    mounted = chosen or tuple(name for name in names() if name not in OWN)
    parts = ["const explorables = {};"]
    parts += [f'explorables["{name}"] = (() => {{\n{plain(name)}}})();' for name in mounted]
    parts.append(plain("mount"))
    if "photo" in mounted:  # a worker of the page runs the same script
        parts.append(WORKER)
    parts.append("mountAll(explorables);")
    if wall:
        parts += [plain("wall"), "raiseWall(explorables);"]
    text = CAST.sub("", "\n".join(parts))
    head = "// Made by pixelwise.explorables.bundle; its sources are code/pixelwise/explorables/*.mjs"
    opening = "(function script() {" if "photo" in mounted else "(() => {"
    return "\n".join([head, opening, '"use strict";', helpers(text), text, "})();", ""])


def helpers(text: str) -> str:
    """Those statements of the shared helpers that a script uses, by itself or through each other."""
    statements = [
        statement
        for path in sorted((FOLDER / "shared").glob("*.mjs"))
        for statement in STATEMENT.split(IMPORT.sub("", path.read_text(encoding="utf-8")))[1:]
    ]
    left = {statement: declared(statement) for statement in statements}
    used, asking = set[str](), [text]
    while asking:
        words = set(re.findall(r"\w+", SHEET.sub("", asking.pop())))
        found = [statement for statement, named in left.items() if named & words]
        asking += [FOR_AUTHORS.sub("", statement) for statement in found]
        used.update(found)
        left = {statement: named for statement, named in left.items() if statement not in used}
    return FOR_AUTHORS.sub("", "".join(one.removeprefix("export ") for one in statements if one in used))


def declared(statement: str) -> set[str]:
    """The names that a statement declares."""
    name = NAMES.match(statement)
    assert name, statement
    return set(re.findall(r"\w+", name[1] or name[2]))


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python -m pixelwise.explorables.bundle OUT, where OUT is the script to write")
    Path(sys.argv[1]).write_text(bundle(), encoding="utf-8")


if __name__ == "__main__":
    main()
