"""Write the one script that brings a built page's explorables to life: python -m pixelwise.explorables.bundle OUT

It is a classic script in a function of its own, so it runs from file:// and leaves no name behind.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from .sources import names, plain, shared


def bundle(chosen: Sequence[str] = ()) -> str:
    """Return the script: shared helpers, the chosen explorables or all, what mounts them, and the wall of questions."""
    parts = ["// Made by pixelwise.explorables.bundle; its sources are code/pixelwise/explorables/*.mjs", "(() => {"]
    parts += ['"use strict";', shared(), "const explorables = {};"]
    parts += [f'explorables["{name}"] = (() => {{\n{plain(name)}}})();' for name in chosen or names()]
    parts += [plain("mount"), "mountAll(explorables);", plain("wall"), "raiseWall(explorables);"]
    return "\n".join([*parts, "})();", ""])


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python -m pixelwise.explorables.bundle OUT, where OUT is the script to write")
    Path(sys.argv[1]).write_text(bundle(), encoding="utf-8")


if __name__ == "__main__":
    main()
