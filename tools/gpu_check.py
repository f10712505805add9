"""Try everything that runs on a GPU on yours, in eight minutes at most: `make gpu-check` (or MINUTES=20).

First the commands, and every chapter at the `smoke` amounts, so that each cell has run. The minutes that are left go to
the chapters at the `gpu` amounts, which would take hours altogether: each gets an equal part and stops where that ends,
and the table says how far it came. That is no failure; an error is, and so is a lack of time for what comes first.

Exits with 1 where something failed, or where there is no GPU.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import torch

from tools import stamp

LEAST = 20.0  # seconds in which a chapter gets anywhere

# Runs in a process of its own: a notebook until an error or until so many seconds are over; says how far it came.
EXECUTE = """
import sys, time, nbformat, nbclient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
end = time.monotonic() + float(sys.argv[2])
notebook = nbformat.read(sys.argv[1], as_version=4)
cells = [number for number, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
client, done = nbclient.NotebookClient(notebook, startup_timeout=300, kernel_name="python3"), 0
try:
    with client.setup_kernel():
        for number in cells:
            client.timeout = max(1, int(end - time.monotonic()))
            client.execute_cell(notebook.cells[number], number)
            done += 1
    print(f"all of {len(cells)} cells")
except CellTimeoutError:
    print(f"until cell {done + 1} of {len(cells)}")
except CellExecutionError as error:
    sys.exit(f"cell {done + 1} of {len(cells)}: {error.ename}: {error.evalue}")
"""


class Outcome(NamedTuple):
    """What became of a trial: whether it held, and in words."""

    held: bool
    says: str


Trial = tuple[str, Callable[[float], Outcome]]
"""A name, and what tries it in so many seconds."""


def execute(command: list[str | Path], folder: Path, seconds: float, **environment: str) -> Outcome:
    """Run Python with this tree's library; it holds if it ends well and in time, and says its last line."""
    try:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(stamp.LIBRARY)} | environment,
            capture_output=True,
            text=True,
            timeout=max(1.0, seconds),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome(False, f"not done after {seconds:.0f} s")
    said = [line.strip() for line in (done.stderr if done.returncode else done.stdout).splitlines() if line.strip()]
    return Outcome(done.returncode == 0, said[-1] if said else f"exit status {done.returncode}")


def command(*arguments: str | Path) -> Callable[[float], Outcome]:
    """Tries a command of Python's."""
    return lambda seconds: execute([*arguments], stamp.ROOT, seconds)


def chapter(path: Path, budget: str) -> Callable[[float], Outcome]:
    """Tries a chapter: it holds if no cell fails before the time is over."""

    def run(seconds: float) -> Outcome:
        with tempfile.TemporaryDirectory(prefix="pixelwise-gpu-") as place:
            grace = seconds + 30  # in which the kernel ends
            script: list[str | Path] = ["-c", EXECUTE, path, str(seconds)]
            return execute(script, Path(place), grace, PIXELWISE_BUDGET=budget)

    return run


def commands(folder: Path) -> Iterator[Trial]:
    """Training, alone and under torchrun; predicting with what was trained."""
    options = ("--size", "120", "160", "--scenes", "64", "--epochs", "2", "--progress", "silent", "--device", "cuda")
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=1", "-m", "pixelwise.cli.train")
    alone = folder / "alone"
    yield "pixelwise-train", command("-m", "pixelwise.cli.train", *options, "--out", alone)
    yield "torchrun, one process", command(*torchrun, *options, "--out", folder / "torchrun")
    predict = ("-m", "pixelwise.cli.predict", alone / "contact-sheet.png", "--weights", alone / "weights.safetensors")
    yield "pixelwise-predict", command(*predict, "--device", "cuda", "--out", folder / "seen")


def check(first: list[Trial], then: list[Trial], seconds: float) -> int:
    """Try the first, each in all the time that is left, then others in equal parts; return how many did not hold."""
    end = time.monotonic() + seconds
    failed = 0
    for number, (name, run) in enumerate(first + then):
        started = time.monotonic()
        must = number < len(first)
        part = (end - started) / (1 if must else len(first) + len(then) - number)
        enough = part >= (1 if must else LEAST)
        outcome = run(part) if enough else Outcome(not must, "no time was left")
        failed += not outcome.held
        mark = "holds " if outcome.held else "FAILED"
        print(f"{mark} {name:32}{time.monotonic() - started:4.0f} s  {outcome.says}", flush=True)
    return failed


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make gpu-check", description="Try on your GPU everything that runs on one.")
    parser.add_argument("--minutes", type=float, default=8.0)
    options = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        print(
            "PyTorch sees no GPU; `make rehearse DEVICE=gpu` runs the chapters on a pretended one.",
            file=sys.stderr,
        )
        return 1
    card = torch.cuda.get_device_properties(0)
    print(f"{card.name}, compute capability {card.major}.{card.minor}, {card.total_memory / 2**30:.0f} GiB; ", end="")
    print(f"PyTorch {torch.__version__}", flush=True)
    chapters = stamp.notebooks()
    with tempfile.TemporaryDirectory(prefix="pixelwise-gpu-") as folder:
        first = [*commands(Path(folder)), *((f"{path.stem}, smoke", chapter(path, "smoke")) for path in chapters)]
        then = [(f"{path.stem}, gpu", chapter(path, "gpu")) for path in chapters]
        failed = check(first, then, 60 * options.minutes)
    print(f"{failed} of {len(first) + len(then)} failed." if failed else "All holds, as far as the time went.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
