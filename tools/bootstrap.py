"""The first code cell of every chapter, by which a chapter runs where the book is not: `make bootstrap` writes it.

It is the same everywhere: after a new chapter, a release or another address, this puts it in place. Outputs stay,
because the cell does nothing where chapters are recorded, and their stamps leave it out.

What it fetches stands in it. Between releases that is the newest state of main. `make release` makes it the version's
tag together with git's hash of code/, which is known before the commit that the tag will name; a tag that holds another
library, or is not there, is an error. Raising the version afterwards takes the cell back to main.
"""

import subprocess
import sys
from pathlib import Path

import yaml

import pixelwise
from tools import repository, stamp

RELEASE = Path(__file__).with_name("release.yml")
CELL = """\
# Where the book's library is missing (Colab, Kaggle), fetch it; elsewhere do nothing.
import importlib.util
import pathlib
import shutil
import subprocess
import sys
import time

if importlib.util.find_spec("pixelwise") is None:
    address = "{address}"
    version = "{version}"
    code = "{code}"  # of a release: git's hash of its code/, nothing else will do
    book = pathlib.Path.home() / ".cache" / "pixelwise" / version

    def run(*command):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            why = " ".join(done.stderr.split())
            hint = "Is there a network? In Kaggle, switch Internet on."
            raise RuntimeError(f"{{' '.join(command)}}: {{why}} ({{hint}})")
        return done.stdout.strip()

    if not (book / "code/pixelwise/__init__.py").exists():
        new = f"{{book}}.{{time.time_ns()}}"  # renamed once it is whole
        clone = ("git", "clone", "--quiet", "--depth", "1", "--branch", version)
        run(*clone, address, new)
        shutil.rmtree(book, ignore_errors=True)
        pathlib.Path(new).rename(book)
    git = ("git", "-C", str(book))
    found = run(*git, "rev-parse", "HEAD:code")
    if code and found != code:
        found = f"code/ is {{found}}, not {{code}}"
        raise RuntimeError(f"{{book}} is not {{version}}: {{found}}; delete it, try again")
    packages = ("anywidget", "lazy_loader>=0.6", "pooch", "safetensors")
    run(sys.executable, "-m", "pip", "install", "--quiet", *packages)
    sys.path.insert(0, f"{{book}}/code")
    state = run(*git, "log", "-1", "--format=commit %h of %cs")
    kind = "" if code else " (not a release)"
    print(f"Pixelwise {{version}}{{kind}}, {{state}}, from {{address}} in {{book}}")"""


def release() -> tuple[str, str]:
    """What the cell fetches: a version's tag and the hash of its code/ if that was released, else ("main", "")."""
    released = yaml.safe_load(RELEASE.read_text(encoding="utf-8"))
    same = released["version"] == pixelwise.__version__
    return (f"v{pixelwise.__version__}", released["code"]) if same and released["code"] else ("main", "")


def cell(address: str = "", version: str = "", code: str = "") -> str:
    """The text of the cell: by default for the address of _config.yml and for what `release` says."""
    if not version:
        version, code = release()
    return CELL.format(address=address or repository.address(), version=version, code=code)


def write_release(root: Path = stamp.ROOT) -> str:
    """Note the hash of code/, as it is committed, for the present version; SystemExit says what is in the way."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    version = pixelwise.__version__
    if changed := git("status", "--porcelain", "--", "code"):
        raise SystemExit(f"commit code/ first, for a release names what is committed:\n{changed}")
    code = git("rev-parse", "HEAD:code")
    if git("rev-parse", "--quiet", "--verify", f"v{version}:code") not in ("", code):
        raise SystemExit(f"v{version} is published with another code/; raise the version in code/pixelwise/__init__.py")
    head = RELEASE.read_text(encoding="utf-8").partition("version:")[0]
    (root / "tools" / RELEASE.name).write_text(f'{head}version: "{version}"\ncode: "{code}"\n', encoding="utf-8")
    return version


def main(arguments: list[str]) -> int:
    if arguments == ["--release"]:
        version = write_release()
        print(f"Now commit, `git tag v{version}` that commit, push both, and raise the version for what comes next.")
    for path in stamp.notebooks():
        notebook = stamp.read(path)
        first = stamp.code_cells(notebook)[0]
        if stamp.source(first) != cell():
            first["source"] = cell()
            stamp.write(notebook, path)
            print(path.relative_to(stamp.ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
