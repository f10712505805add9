"""Change the public repository's address everywhere: `make set-repository URL=https://github.com/NAME/REPOSITORY`.

`repository.url` in _config.yml is the setting; the chapters' first cell (which Colab runs before it has anything else),
the landing page, README.md, CITATION.cff and pyproject.toml repeat it, or the address of its site on GitHub Pages.
"""

import re
import sys
from pathlib import Path

import yaml

from tools import stamp

FILES = ("_config.yml", "README.md", "CITATION.cff", "pyproject.toml", "index.md")
REPEATING = (*FILES, "chapters/*.ipynb", "chapters/*.md")
ADDRESS = re.compile(r"https://github\.com/[A-Za-z0-9][\w-]*/[\w-][\w.-]*")


def address(root: Path = stamp.ROOT) -> str:
    """The repository's address, from _config.yml."""
    return yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]


def replace(new: str, root: Path = stamp.ROOT) -> list[Path]:
    """Write `new` for the present address in every file that repeats it, and return those files."""
    if not ADDRESS.fullmatch(new) or new.endswith(".git"):
        raise SystemExit(
            f"{new!r} is not an address like https://github.com/NAME/REPOSITORY; say make set-repository URL=…"
        )
    old_name, new_name = (url.removeprefix("https://github.com/") for url in (address(root), new))
    old_site, new_site = (name.replace("/", ".github.io/") for name in (old_name, new_name))
    changed = []
    for pattern in REPEATING:
        for path in sorted(root.glob(pattern)):
            before = path.read_text(encoding="utf-8")
            after = re.sub(rf"(?<![\w.-]){re.escape(old_name)}(?![\w-])", lambda match: new_name, before)
            after = re.sub(rf"//{re.escape(old_site)}(?![\w-])", lambda match: f"//{new_site}", after)
            if after != before:
                path.write_text(after, encoding="utf-8", newline="\n")
                changed.append(path)
    return changed


def main(arguments: list[str]) -> int:
    changed = replace(arguments[0].rstrip("/") if arguments else "")
    for path in changed:
        print(path.relative_to(stamp.ROOT))
    print(f"The repository is {address()}; {len(changed)} files changed.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
