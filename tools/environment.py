"""The environment in which `make` runs everything: this tree's own, made where it is missing and anew where it broke.

    FOLDER/bin/python -I tools/environment.py --check --torch= FOLDER  # ready for this tree? Status 0, or why not
    python3 -I tools/environment.py --torch= FOLDER                    # make it so

`--torch=cpu` or `--torch=cuda` decides which PyTorch that is; `tools/pytorch.py` does where nobody says.

Nothing is cleared but what this file has set up for this tree, which a mark in the folder tells: `.ready` (whole, and
from what) or `.unfinished` (begun; where nobody is at it, it was interrupted, and then what pip left half-done would
look installed).

Needs nothing but Python, and runs on older ones than the book, to say that they are too old.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from typing import Any

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIBRARY = os.path.join(ROOT, "code", "pixelwise", "__init__.py")
SOURCES = ("requirements.txt", "pyproject.toml", "tools/environment.py", "tools/pytorch.py")
READY, UNFINISHED = ".ready", ".unfinished"
OLDEST, NEWEST = (3, 11), (3, 13)
STALE = 3  # the status of --check where pip can mend it
# Settings of a reader's pip or uv that would install elsewhere than into the environment or something else than is
# locked, or refuse the library itself.
ELSEWHERE = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_DRY_RUN", "PIP_REQUIRE_HASHES")
ELSEWHERE += ("UV_SYSTEM_PYTHON", "UV_REQUIRE_HASHES", "UV_NO_VERIFY_HASHES", "UV_NO_EDITABLE", "UV_TORCH_BACKEND")
ELSEWHERE += ("UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE", "UV_EXCLUDE_NEWER", "UV_PROJECT", "UV_WORKING_DIR")
UV = "uv"
CPU_WHEELS = "cpu wheels"  # in the mark: the lines that required them, "" where PyTorch came from PyPI
CAN_CHOOSE = sys.platform == "linux" and os.uname().machine == "x86_64"


def digest() -> str:
    """What an environment is made from: SHA-256 over the files that say so."""
    total = hashlib.sha256()
    for name in SOURCES:
        with open(os.path.join(ROOT, name), "rb") as file:
            total.update(hashlib.sha256(file.read()).digest())
    return total.hexdigest()


def mark(folder: str, name: str) -> "dict[str, Any] | None":
    """What a mark says, {} of one that says nothing (as they did once); None where there is none."""
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            contents = json.loads(file.read() or "{}")
        return contents if isinstance(contents, dict) else None
    except (OSError, ValueError):
        return None


def write_mark(folder: str, name: str, made_from: str = "", cpu: str = "") -> None:
    path = os.path.join(folder, name)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump({"environment of": ROOT, "made from": made_from, CPU_WHEELS: cpu}, file)
    os.replace(path + ".new", path)


def within(path: str, folder: str) -> bool:
    return os.path.realpath(path).startswith(os.path.join(os.path.realpath(folder), ""))


def check(folder: str, asked: str) -> "tuple[int, str]":
    """(status, why) of an environment, asked in its own Python: 0, STALE, or 1 for one that pip can't mend."""
    if os.path.lexists(os.path.join(folder, UNFINISHED)):
        return 1, "its setting up was interrupted"
    try:
        with open(os.path.join(folder, "bin", "pip"), "rb") as script:
            if os.fsencode(os.path.join(folder, "bin", "python")) not in script.read(1000):
                return 1, "it was moved here from elsewhere"
    except OSError:
        return 1, "its pip is gone"
    if importlib.util.find_spec("pip") is None:  # as when the system's Python is another by now
        return 1, "its pip is gone"
    ready = mark(folder, READY)
    if ready is None or not os.path.isfile(os.path.join(folder, "pyvenv.cfg")):
        return 1, "it is no environment that make has set up"
    if CAN_CHOOSE and asked and asked != ("cpu" if ready.get(CPU_WHEELS) else "cuda"):
        return 1, f"its PyTorch is not that of TORCH={asked}"  # pip would keep it: 2.14.1+cpu is 2.14.1
    library = importlib.util.find_spec("pixelwise")
    if library is None or os.path.realpath(library.origin or "") != os.path.realpath(LIBRARY):
        return STALE, f"its pixelwise is {library and library.origin}, not this tree's"
    if ready.get("made from") != digest():
        return STALE, "{} has changed".format(" or ".join(SOURCES))
    return 0, ""


def ask(folder: str, asked: str) -> "tuple[int, str]":
    """`check`, from outside."""
    command = [os.path.join(folder, "bin", "python"), "-I", os.path.abspath(__file__), "--check", f"--torch={asked}"]
    try:
        answer = subprocess.run([*command, folder], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return 1, "its Python is gone"
    why = os.fsdecode(answer.stdout).strip()
    return (answer.returncode, why) if why or not answer.returncode else (1, "its Python does not start")


def is_new(folder: str) -> bool:
    return not os.path.lexists(folder) or (os.path.isdir(folder) and not os.listdir(folder))


def refusal(folder: str) -> str:
    """Why the folder may not be touched: "" where it is empty, or set up by make for this tree."""
    name, cure = show(folder), "move it away, or name another folder: make VENV=…"
    try:
        if is_new(folder):
            return ""
        os.listdir(folder)
    except OSError as error:
        return f"{name} can't hold an environment ({error.strerror}); {cure}"
    marks = [contents for contents in (mark(folder, READY), mark(folder, UNFINISHED)) if contents is not None]
    environment = os.path.isfile(os.path.join(folder, "pyvenv.cfg"))
    if not environment and not any(marks):
        return f"{name} is not empty and no Python environment, so make leaves it alone; {cure}"
    if not marks:
        return f"{name} is an environment that make did not set up, so make leaves it alone; {cure}"
    tree = marks[0].get("environment of", "")
    if tree == ROOT or (within(folder, ROOT) and not (tree and within(folder, tree))):
        return ""
    return "{} is the environment of another checkout{}; {}".format(name, tree and ", " + tree, cure)


def show(folder: str) -> str:
    return os.path.relpath(folder, ROOT) if folder.startswith(os.path.join(ROOT, "")) else folder


def clear(folder: str) -> None:
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name == UNFINISHED:
            continue
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)


def make_ready(folder: str, asked: str, lock: int) -> None:
    """Set up, mend or renew the environment in `folder`; SystemExit says what is in the way."""
    why = refusal(folder)
    if why:
        sys.exit(why)
    new = is_new(folder)
    status, why = (1, "") if new else ask(folder, asked)
    if status == 0:
        return
    anew = status != STALE
    if anew and not OLDEST <= sys.version_info[:2] <= NEWEST:
        sys.exit(
            f"Pixelwise needs Python 3.11, 3.12 or 3.13; this is {sys.version.split()[0]}. "
            "Name another one: make PYTHON=python3.12"
        )
    from tools import pytorch  # which a --check would load for nothing

    kept = None if anew else (mark(folder, READY) or {}).get(CPU_WHEELS, "")
    cpu, choice = pytorch.choose(asked, kept) if CAN_CHOOSE else ("", "PyTorch comes from PyPI")
    outside = [place for place in os.get_exec_path() if not within(os.path.join(place, UV), folder)]
    uv = shutil.which(UV, path=os.pathsep.join(outside))
    doing = "Setting up" if new else "Making anew" if anew else "Bringing up to date"
    why = why or f"the first time about {2 if cpu else 6} GB and some minutes"
    print(f"{doing} {show(folder)}: {why}.\n{choice}; {UV if uv else 'pip'} installs it.", flush=True)

    def run(*command: str) -> int:
        environment = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
        # Whoever comes meanwhile waits until the last of these has ended, even if this process was killed.
        return subprocess.run(command, cwd=ROOT, env=dict(environment, PIP_USER="0"), pass_fds=[lock]).returncode

    def install(*what: str) -> None:
        if uv and run(uv, "pip", "install", "--quiet", "--python", python, *what) == 0:
            return
        if uv:
            print("uv failed (see above); pip tries it.", flush=True)
        give_up_unless(run(python, "-I", "-m", "pip", "install", "--disable-pip-version-check", "--quiet", *what) == 0)

    def give_up_unless(done: bool) -> None:
        if not done:
            if not anew:
                os.unlink(os.path.join(folder, UNFINISHED))  # pip has put back what was there
            sys.exit(f"{show(folder)} is not ready: see above.")

    os.makedirs(folder, exist_ok=True)
    write_mark(folder, UNFINISHED)
    python = os.path.join(folder, "bin", "python")
    if anew:
        clear(folder)
        base = sys._base_executable  # pyrefly: ignore[missing-attribute]
        give_up_unless(run(base, "-m", "venv", folder) == 0)  # not this very environment's, where a shell activated it
        with open(os.path.join(folder, ".gitignore"), "w", encoding="utf-8") as file:
            file.write("*\n")
    if cpu:
        required = os.path.join(folder, "requirements.txt")
        with open(required, "w", encoding="utf-8") as file:
            file.write(pytorch.requirements(cpu))
        install("--require-hashes", *pytorch.links(), "-r", required)
    else:
        install("--require-hashes", "-r", "requirements.txt")
    install("--no-build-isolation", "--no-deps", "--force-reinstall", "--editable", ROOT)
    write_mark(folder, READY, digest(), cpu)
    os.unlink(os.path.join(folder, UNFINISHED))
    status, why = ask(folder, asked)
    if status:
        sys.exit(f"{show(folder)} is not ready although all is installed: {why}.")


def alone() -> int:
    """A lock that one process of this tree holds at a time, with those that it hands the file to; waits for it."""
    lock = os.open(__file__, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Another make is setting up the environment; waiting for it.", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def main(arguments: "list[str]") -> int:
    asked, folder = arguments[-2].partition("=")[2], os.path.abspath(os.path.join(ROOT, arguments[-1]))
    if asked not in ("", "cpu", "cuda"):
        sys.exit(f"TORCH={asked} is nothing that can be had; say TORCH=cpu or TORCH=cuda, or leave it to make")
    if arguments[0] == "--check":
        status, why = check(folder, asked)
        print(why, end="")
        return status
    if arguments[-1].startswith("~"):
        sys.exit(f"VENV={arguments[-1]}: the shell did not replace the ~; write the folder out")
    try:
        make_ready(folder, asked, alone())
    except OSError as error:
        sys.exit(f"{show(folder)} is not ready: {error}")
    except KeyboardInterrupt:
        sys.exit(f"Interrupted: the next make begins {show(folder)} anew.")
    return 0


if __name__ == "__main__":
    sys.path.insert(0, ROOT)
    sys.exit(main(sys.argv[1:]))
