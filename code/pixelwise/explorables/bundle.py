"""Write the one script that brings a built page's explorables to life: python -m pixelwise.explorables.bundle OUT

It is a classic script in a function of its own, so it runs from file:// and leaves no name behind.
"""

import sys
from pathlib import Path

from .sources import APART, names, plain, shared

WORKER = """if (typeof document === "undefined") return explorables["photo"].serve();
explorables["photo"].script = `(${script})()`;"""


def bundle(*chosen: str) -> str:
    """Return the script: shared helpers, the chosen explorables, what mounts them, and with questions their wall.

    With none chosen, it holds all but those of `sources.APART`.
    """
    mounted = chosen or tuple(name for name in names() if name not in APART)
    opening = "(function script() {" if "photo" in mounted else "(() => {"
    parts = ["// Made by pixelwise.explorables.bundle; its sources are code/pixelwise/explorables/*.mjs", opening]
    parts += ['"use strict";', shared(), "const explorables = {};"]
    parts += [f'explorables["{name}"] = (() => {{\n{plain(name)}}})();' for name in mounted]
    parts.append(plain("mount"))
    if "photo" in mounted:  # a worker of the page runs the same script
        parts.append(WORKER)
    parts.append("mountAll(explorables);")
    if "question" in mounted:
        parts += [plain("wall"), "raiseWall(explorables);"]
    return "\n".join([*parts, "})();", ""])


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python -m pixelwise.explorables.bundle OUT, where OUT is the script to write")
    Path(sys.argv[1]).write_text(bundle(), encoding="utf-8")


if __name__ == "__main__":
    main()
