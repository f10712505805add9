"""Run every chapter as Colab would: `make rehearse`, or `make rehearse STACK=newest`.

A chapter meets there an older PyTorch than this book's, an empty folder, no library of ours, and `google.colab`. Here
it meets the same: an *image* (an environment with the stack of tests/rehearsal/STACK.txt, kept under _build/rehearsal)
and above it a fresh *session*, whose first cells fetch the book from GitHub; git redirects that to this working tree.
`STACK=here` takes the running Python for the image, as the weekly run in Colab's own image does.

`DEVICE=gpu` gives the kernels a pretend GPU (tests/helpers/pretend_gpu), once an Ampere card, once a T4.

Needs nothing but Python and git: everything else is in the stack.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STACKS = ROOT / "tests" / "rehearsal"
KEPT = ("torch", "torchvision", "numpy")
ADDRESS = r"https://github\.com/[\w./-]+"  # in a chapter's first cell
RAISED = r"\b([\w-]+)>=[\d.]+"  # there too: what the cell may bring in a newer version than the image holds

# What a notebook in Colab finds imported already; anywidget asks it to let widgets in.
COLAB = {
    "google/colab/__init__.py": "from google.colab import output",
    "google/colab/output/__init__.py": (
        "from google.colab.output import _widgets\ndef enable_custom_widget_manager(): pass"
    ),
    "google/colab/output/_widgets.py": "_installed_url = None",
    "stand_in_for_colab.pth": "import google.colab.output",
}

PRETENCE = ROOT / "tests" / "helpers" / "pretend_gpu"
CARDS = {"cpu": (None,), "gpu": ("ampere", "t4")}

# What a kernel does first, and leaves no name of.
BEGIN = """
__import__("sys").path.append({folder!r})
__import__("pretend_gpu").begin({card!r})
"""
HAS_GPU = "import torch\nassert torch.cuda.is_available(), 'the kernel has no pretend GPU'"

# Runs in the session: one notebook, top to bottom, after the cell that is given; stops at the first cell that fails.
EXECUTE = """
import sys, tempfile, nbformat, nbclient
from traitlets.config import Config
notebook = nbformat.read(sys.argv[1], as_version=4)
notebook.cells[:0] = [nbformat.v4.new_code_cell(text) for text in sys.argv[2:]]
# Ports that are free now may be taken by another chapter's kernel; so kernels talk over files, outside their folder.
with tempfile.TemporaryDirectory() as sockets:
    apart = Config(KernelManager={"transport": "ipc", "ip": f"{sockets}/kernel"})
    nbclient.NotebookClient(notebook, timeout=600, startup_timeout=300, kernel_name="python3", config=apart).execute()
"""


def image(stack: str) -> Path:
    """The Python of an environment that holds a stack, made where it is missing."""
    if stack == "here":
        return Path(sys.executable)
    wanted = (STACKS / f"{stack}.txt").read_bytes()
    name = f"{stack}-{sys.version_info.major}.{sys.version_info.minor}-{hashlib.sha256(wanted).hexdigest()[:8]}"
    folder = ROOT / "_build" / "rehearsal" / name
    python = folder / "bin" / "python"
    if not (folder / "complete").exists() or not python.exists():  # a link to a Python that may be gone
        print(f"Setting up {os.path.relpath(folder)}: some minutes, up to 6 GB.", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--no-cache-dir", "-r", STACKS / f"{stack}.txt"], check=True
        )
        (folder / "complete").touch()
    return python


def packages(python: Path) -> dict[str, str]:
    """The packages that a Python sees, with their versions."""
    command = [python, "-m", "pip", "list", "--format=freeze"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True)
    pairs = (line.split("==", 1) for line in listed.stdout.splitlines() if "==" in line)
    return {name.lower().replace("-", "_"): version for name, version in pairs}


def session(folder: Path, below: Path) -> Path:
    """The Python of a fresh environment that also sees the packages of `below`, and a stand-in for google.colab."""
    subprocess.run([below, "-m", "venv", "--without-pip", folder], check=True)  # pip is in the image
    site = next(folder.glob("lib/python*/site-packages"))
    script = (
        "import sys, site; print('\\n'.join(p for p in sys.path if p.endswith(('site-packages', 'dist-packages'))))"
    )
    (site / "image.pth").write_text(subprocess.run([below, "-c", script], capture_output=True, text=True).stdout)
    python = folder / "bin" / "python"
    kernel = {"argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": "Python 3"}
    files = {site / name: text for name, text in COLAB.items()}
    files[folder / "share/jupyter/kernels/python3/kernel.json"] = json.dumps(kernel)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return python


def copy_tree(folder: Path) -> None:
    """Copy the working tree, without what git ignores, into a folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def publish(folder: Path) -> None:
    """Put a copy of the working tree into a repository of its own: its main, and the tag of its version."""
    copy_tree(folder)
    (version,) = re.findall(
        r'__version__ = "(.+)"', (folder / "code/pixelwise/__init__.py").read_text(encoding="utf-8")
    )
    settings = ["-c", "user.name=rehearsal", "-c", "user.email=rehearsal@example.org", "-c", "init.defaultBranch=main"]
    commit = ["commit", "--quiet", "-m", "working tree"]
    for command in (["init", "--quiet"], ["add", "--all"], commit, ["tag", f"v{version}"]):
        subprocess.run(["git", *settings, *command], cwd=folder, check=True)


def first_cell(notebook: Path) -> str:
    """The text of a notebook's first code cell."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "".join(next(cell["source"] for cell in cells if cell["cell_type"] == "code"))


def give_gpu(profiles: Path, card: str) -> None:
    """Let every kernel whose IPYTHONDIR is this folder begin with a pretend GPU."""
    shutil.copytree(PRETENCE, profiles / "pretend_gpu", ignore=shutil.ignore_patterns("__pycache__"))
    startup = profiles / "profile_default" / "startup" / "00-begin.py"
    startup.parent.mkdir(parents=True)
    startup.write_text(BEGIN.format(folder=str(profiles), card=card), encoding="utf-8")


def rehearse(notebooks: list[Path], stack: str, jobs: int, card: str | None = None) -> int:
    """Run the notebooks in one session, on a pretend GPU if a card is named.

    Prints a line for each, and returns how many things went wrong.
    """
    below = image(stack)
    with tempfile.TemporaryDirectory(prefix="pixelwise-rehearsal-") as place:
        origin, home, content = (Path(place) / name for name in ("origin", "home", "content"))
        for folder in (origin, home, content):
            folder.mkdir()
        publish(origin)
        if card:
            give_gpu(home / ".ipython", card)
        notebooks = [Path(shutil.copy2(notebook, place)) for notebook in notebooks]
        cell = first_cell(notebooks[0])
        python = session(Path(place) / "session", below)
        before = packages(python)
        versions = ", ".join(f"{name} {before[name]}" for name in KEPT)
        print(f"{stack}: Python {sys.version.split()[0]}, {versions}" + (f", pretend GPU {card}" if card else ""))
        environment = os.environ | {
            "HOME": str(home),
            "IPYTHONDIR": str(home / ".ipython"),
            "PIXELWISE_BUDGET": "smoke",
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{origin.as_uri()}.insteadOf",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            "GIT_CONFIG_VALUE_0": re.findall(ADDRESS, cell)[0],
        }
        environment.pop("PYTHONPATH", None)

        def run(notebook: Path) -> bool:
            started = time.perf_counter()
            command = [python, "-c", EXECUTE, notebook, *([HAS_GPU] if card else [])]
            done = subprocess.run(command, cwd=content, env=environment, capture_output=True, text=True)
            left = [path.name for path in content.iterdir()]
            fine = done.returncode == 0 and not left
            seconds = time.perf_counter() - started
            print(f"{'ok    ' if fine else 'FAILED'} {notebook.stem:28}{seconds:4.0f} s", flush=True)
            if not fine:
                print(done.stderr[-4000:], f"left in the working directory: {left}", file=sys.stderr)
            return fine

        fine = [run(notebooks[0])]  # alone, for it fetches the library that the others find
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            fine += pool.map(run, notebooks[1:])
        after = packages(python)
    added = sorted(after.keys() - before.keys())
    changed = [name for name in before if after.get(name) != before[name]]
    print(f"The first cell installed {', '.join(added) or 'nothing'}; it changed {', '.join(changed) or 'nothing'}.")
    return fine.count(False) + len(set(changed) - set(re.findall(RAISED, cell)))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make rehearse", description="Run every chapter as Colab would.")
    parser.add_argument("--stack", default="oldest", choices=["oldest", "newest", "here"])
    parser.add_argument("--device", default="cpu", choices=CARDS, help="gpu: pretend GPUs; default: cpu")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="chapters at once; default: one on each core")
    parser.add_argument("notebooks", nargs="*", type=Path, default=sorted((ROOT / "chapters").glob("*.ipynb")))
    options = parser.parse_args(arguments)
    notebooks = [path.resolve() for path in options.notebooks]
    return 1 if sum(rehearse(notebooks, options.stack, options.jobs, card) for card in CARDS[options.device]) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
