"""Execute chapters and keep their outputs with a stamp of how they were made: `make record`.

    make record CHAPTERS="semantic_segmentation" BUDGET=cpu
    make record CHAPTERS="semantic_segmentation" DATASET=camvid

A chapter that fails, or whose outputs may not be stored (see `tools.check.unstorable`), leaves its file as it was. Of a
run on another data set than streets only the results that the chapter itself writes to data/results/ stay: CamVid's
licence does not let its pictures into the repository.
"""

import argparse
import datetime
import json
import os
import sys
import time
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from tools import check, folds, stamp

# Runs as one more cell at the end of the chapter, and leaves no trace in it.
PROBE = """
import json, platform, sys
from pixelwise import environment
from pixelwise.notebook import course
run = course.current()
print(json.dumps({
    "budget": run.budget,
    "dataset": run.dataset,
    "device": environment.device_name(run.device),
    "versions": environment.versions(),
    "seeds": list(run.seeds),
    "modules": {n: getattr(m, "__file__", None) for n, m in sys.modules.items() if n.split(".")[0] == "pixelwise"},
}))
"""


class RecordingError(Exception):
    """A chapter could not be recorded; the message says why in words for its author."""


def record(path: Path, budget: str = "", dataset: str = "", library: Path = stamp.LIBRARY) -> stamp.Json:
    """Execute the notebook at `path` in a fresh kernel, write its outputs and stamp, and return the stamp.

    Raises RecordingError when a cell's tags say half of its fold, a cell fails, the outputs cannot be stored, or the
    library changed meanwhile.
    """
    notebook = stamp.read(path)
    for number, cell in enumerate(stamp.code_cells(notebook), 1):
        try:
            folds.mark(cell)
        except ValueError as error:
            raise RecordingError(f"{path.name}: code cell {number} {error}") from None
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
    before = stamp.hash_library(library)
    reported, cell_seconds = execute(notebook, path, budget, dataset)

    library_hashes: dict[str, str | None] = {}
    for module, file in sorted(reported.pop("modules").items()):
        if file is None or not Path(file).resolve().is_relative_to(library.resolve()):
            raise RecordingError(f"{path.name} imported {module} from outside this checkout's code/; use its own .venv")
        library_hashes[module] = stamp.hash_module(module, library)
    changed = sorted(module for module, digest in library_hashes.items() if before.get(module) != digest)
    if changed:
        raise RecordingError(f"the library changed while {path.name} ran ({', '.join(changed)}); record it again")

    recording: stamp.Json = {
        "date": datetime.date.today().isoformat(),
        **reported,
        "seconds": round(sum(cell_seconds), 1),
        "cell_seconds": cell_seconds,
        "cells": stamp.hash_cells(notebook),
        "library": library_hashes,
    }
    if recording["dataset"] == "streets":
        recording["outputs"] = stamp.hash_outputs(notebook)
        notebook.metadata["pixelwise"] = recording
        tidy(notebook)
        if faults := check.unstorable(notebook):
            raise RecordingError(f"{path.name} was not written: " + "; ".join(map(str, faults)))
        stamp.write(notebook, path)
    return recording


def execute(notebook: NotebookNode, path: Path, budget: str, dataset: str) -> tuple[stamp.Json, list[float]]:
    """Run every cell in place; return what the kernel reports of itself and the seconds of each code cell.

    Seconds are those of the clock or of the processor, whichever are fewer: the clock also counts waiting for a busy
    machine, and the processor counts every core of a free one.
    """
    environment = os.environ | {"PIXELWISE_RECORDING": "1", "PIXELWISE_BUDGET": budget, "PIXELWISE_DATASET": dataset}
    started: list[tuple[float, float]] = []
    seconds: list[float] = []

    def now() -> tuple[float, float]:
        provisioner = client.km.provisioner if client.km else None
        return time.perf_counter(), sum(psutil.Process(getattr(provisioner, "pid", None)).cpu_times()[:4])

    def start(**_: object) -> None:
        started.append(now())

    def stop(**_: object) -> None:
        seconds.append(round(min(later - earlier for earlier, later in zip(started[-1], now(), strict=True)), 2))

    client = NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_execute=start,
        on_cell_executed=stop,
    )
    notebook.cells.append(nbformat.v4.new_code_cell(PROBE))
    try:
        client.execute(env=environment)
    except CellExecutionError as error:
        probed = len(started) == len(stamp.code_cells(notebook))
        where = "what the recorder asks after the last cell" if probed else f"code cell {len(started)}"
        raise RecordingError(f"{path.name}, {where}:\n{error}") from None
    last = notebook.cells.pop()
    return json.loads("".join(output.text for output in last.outputs)), seconds[:-1]


def tidy(notebook: NotebookNode) -> None:
    """Drop what varies from run to run without meaning anything."""
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    if not notebook.metadata.get("widgets"):
        notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make record", description="Execute chapters and keep their outputs.")
    parser.add_argument("--chapters", default="", help="names, separated by blanks; default: all")
    parser.add_argument("--budget", default="", choices=["", "smoke", "cpu", "gpu"])
    parser.add_argument("--dataset", default="", help="overrules the chapters' own, for example camvid")
    options = parser.parse_args(arguments)
    failed = 0
    for path in stamp.notebooks(options.chapters):
        print(f"{path.stem}: running", flush=True)
        try:
            recording = record(path, options.budget, options.dataset)
        except RecordingError as error:
            failed += 1
            print(f"{path.stem}: FAILED, the file is as it was\n{error}", file=sys.stderr)
            continue
        kept = "outputs written" if recording["dataset"] == "streets" else "only data/results/ kept"
        print(f"{path.stem}: {recording['seconds']:.0f} s, budget {recording['budget']}, {recording['device']}, {kept}")
        for fault in check.faults(path):
            print(f"{path.stem}: still to do: {fault}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
