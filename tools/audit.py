"""Plant faults in copies of the book and see whether the checks of `make test` catch them: `make audit`.

Each fault is planted in a copy of the working tree, and the tests that should catch it run there; it counts as caught
when they fail and say what is expected of them. Without a fault the same tests must pass. Then the release check looks
at the stamps. Prints a table; exits with 1 when a fault gets through or a chapter is not fit for a release.
"""

import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from book.extensions.claims import read_claims
from tools import rehearse, stamp
from tools.planting import (
    another_bound,
    code,
    default,
    drop_alternative,
    fail,
    in_cell,
    in_notebook,
    raise_a_digit,
    replace,
    say,
    unexecute,
    without_call,
    without_exception,
)

EARNEST = ("cpu", "gpu")
NBVAL = ("--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout", "300")


@dataclass(frozen=True)
class Fault:
    """A fault: its name, what plants it in a copy of the book, the tests that should see it and what they then say."""

    name: str
    plant: Callable[[Path], None]
    tests: tuple[str, ...]
    says: str


STORED = "tests/test_notebooks.py"
RENDERED = "tests/test_rendered.py"
FAULTS = (
    Fault(
        "a claim's threshold is changed in a cell",
        in_notebook("upsampling", another_bound),
        (STORED,),
        "cells have changed since the recording",
    ),
    Fault(
        "the same, with a forged stamp",
        in_notebook("upsampling", another_bound, restamp=True),
        ("chapters/upsampling.ipynb", *NBVAL),
        "ClaimError",
    ),
    Fault("a stored number is changed", in_notebook("upsampling", raise_a_digit), (STORED,), "outputs have changed"),
    Fault(
        "the same, with a forged stamp",
        in_notebook("upsampling", raise_a_digit, restamp=True),
        ("chapters/upsampling.ipynb", *NBVAL),
        "mismatch",
    ),
    Fault(
        "a stamp of other cells",
        in_notebook("fcn", lambda notebook: notebook.metadata["pixelwise"].update(cells="0" * 64)),
        (STORED,),
        "cells have changed since the recording",
    ),
    Fault(
        "no stamp at all",
        in_notebook("fcn", lambda notebook: notebook.metadata.pop("pixelwise")),
        (STORED,),
        "there is no stamp",
    ),
    Fault("a cell was not executed", in_notebook("fcn", unexecute), (STORED,), "has not been executed"),
    Fault("a stored error", in_notebook("fcn", fail), (STORED,), "ended in ValueError: planted"),
    Fault("an alt text is removed", in_notebook("googlenet", drop_alternative), (STORED,), "no real alt text"),
    Fault(
        "a directive in a notebook",
        in_notebook("fcn", say("```{note}\nOnly the book's builder knows this.\n```")),
        (STORED,),
        "holds a directive",
    ),
    Fault(
        "an external script in a notebook",
        in_notebook("fcn", say('<script src="https://cdn.example.org/a.js"></script>')),
        (STORED,),
        "asks another host",
    ),
    Fault(
        "an external script on a page",
        replace("index.md", "\n\n", '\n\n<script src="https://cdn.example.org/a.js"></script>\n\n'),
        ("tests/book/test_site.py", "-k", "test_page_in_a_browser and index.html"),
        "violates the following Content Security Policy",
    ),
    Fault(
        "a link from a notebook leads nowhere",
        in_notebook("resnet", say("See [there](nowhere.ipynb).")),
        (RENDERED,),
        "links to 'nowhere.ipynb', which is not there",
    ),
    Fault(
        "a link to an anchor that is not there",
        replace("chapters/glossary.md", "\n\n", "\n\n[gone](references.md#gone)\n\n"),
        ("tests/book/test_site.py", "-k", "test_links_and_anchors_resolve"),
        "warnings are errors",
    ),
    Fault(
        "the cell that prepares Colab differs",
        in_notebook("fcn", lambda notebook: notebook.cells[1].update(source=notebook.cells[1].source + "\n")),
        (STORED,),
        "the first code cell is not that of",
    ),
    Fault(
        "a chapter is not listed",
        replace("_toc.yml", "      - file: chapters/fcn\n", ""),
        (STORED,),
        "is not in _toc.yml",
    ),
    Fault(
        "a folded solution is wrong",
        in_notebook("upsampling", in_cell("markdown", "answer = [1 + 3, 2 + 4]", "answer = [1 + 3, 2 + 5]")),
        ("tests/test_exercises.py",),
        "test_the_folded_solution_passes[upsampling.phase_sums]",
    ),
    Fault(
        "a network strides in the wrong block",
        code("resnet50", default("v1", True)),
        ("tests/models/test_parity.py", "-k", "resnet50"),
        "FAILED tests/models/test_parity.py",
    ),
    Fault(
        "void is scored",
        code("confusion_matrix", without_exception("ignore")),
        ("tests/evaluation/test_metrics.py",),
        "target holds label 255",
    ),
    Fault(
        "a kernel is not flipped",
        code("transposed_conv_zero_insertion", without_call("flip")),
        ("tests/ops/test_transposed_conv.py",),
        "FAILED tests/ops/test_transposed_conv.py",
    ),
    Fault(
        "masks are not flipped with their images",
        code("Augment.__call__", without_call("flip", of="targets")),
        ("tests/data/test_augment.py",),
        "FAILED tests/data/test_augment.py",
    ),
    Fault(
        "training leaves its targets on the CPU",
        code("fit", without_call("to", of="targets")),
        ("tests/test_on_gpu.py", "-k", "TestFit"),
        "indices should be either on cpu or on the same device as the indexed tensor (cpu)",
    ),
    Fault(
        "a chapter leaves its scenes on the CPU",
        in_notebook(
            "upsampling", in_cell("code", "data.normalise(val.images.to(run.device))", "data.normalise(val.images)")
        ),
        ("tests/test_on_gpu.py", "-k", "upsampling"),
        "Expected all tensors to be on the same device",
    ),
    Fault(
        "an interactive figure computes something else",
        replace("code/pixelwise/explorables/metric_traps.mjs", "y - 1", "y - 2"),
        ("tests/explorables/test_metric_traps.py",),
        "FAILED tests/explorables/test_metric_traps.py",
    ),
)


def pytest(root: Path, tests: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Run tests of the copy at `root` as `make test` does."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", *tests]
    environment = os.environ | {
        "PYTHONPATH": str(root / "code"),
        "PIXELWISE_BUDGET": "smoke",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
        "PIXELWISE_DATA": os.environ.get("PIXELWISE_DATA", str(stamp.ROOT / "data")),
    }
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def trial(fault: Fault) -> tuple[str, float]:
    """Plant a fault in a fresh copy of the book and run its tests there; return the outcome and the seconds."""
    with tempfile.TemporaryDirectory(prefix="pixelwise-audit-") as place:
        rehearse.copy_tree(Path(place))
        started = time.perf_counter()
        try:
            fault.plant(Path(place))
        except LookupError as error:
            return f"NOT PLANTED: {error}", 0.0
        done = pytest(Path(place), fault.tests)
    if done.returncode == 0:
        outcome = "NOT CAUGHT"
    elif fault.says not in done.stdout + done.stderr:
        outcome = f"NOT CAUGHT: the tests fail, but do not say {fault.says!r}:\n{(done.stdout + done.stderr)[-1500:]}"
    else:
        outcome = "caught"
    return outcome, time.perf_counter() - started


def sound(tests: tuple[str, ...]) -> str:
    """What tests say of a copy without a fault: nothing if they pass."""
    with tempfile.TemporaryDirectory(prefix="pixelwise-audit-") as place:
        rehearse.copy_tree(Path(place))
        done = pytest(Path(place), tests)
    return "" if done.returncode == 0 else f"{' '.join(tests)} fails without a fault:\n{done.stdout[-1500:]}"


def unfit(folder: Path = stamp.CHAPTERS, library: Path = stamp.LIBRARY) -> list[str]:
    """What keeps the chapters in `folder` from a release: each recorded in earnest, with this very library."""
    obstacles: list[str] = []
    for path in stamp.notebooks(folder=folder):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        recording = notebook["metadata"].get("pixelwise", {})
        if recording.get("budget") not in EARNEST:
            obstacles.append(
                f"{path.stem}: recorded at the budget {recording.get('budget')}, not {' or '.join(EARNEST)}"
            )
        if "outputs" not in recording:
            obstacles.append(f"{path.stem}: its stamp has no hash of the outputs")
        if changed := stamp.changed_modules(recording, library):
            obstacles.append(f"{path.stem}: recorded before changes in {', '.join(changed)}")
        obstacles += [
            f"{path.stem}: the claim {claim['name']} {claim['state']}"
            for claim in read_claims(notebook)
            if claim["state"] != "holds"
        ]
    for path in sorted((folder.parent / "data" / "results").glob("*.json")):
        results = json.loads(path.read_text(encoding="utf-8"))
        if results["budget"] not in EARNEST or len(results["seeds"]) < 3:
            obstacles.append(
                f"{path.name}: recorded at the budget {results['budget']} with {len(results['seeds'])} seeds"
            )
    return obstacles


def main(faults: tuple[Fault, ...] = FAULTS, jobs: int | None = os.cpu_count()) -> int:
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        unsound = [failure for failure in pool.map(sound, dict.fromkeys(fault.tests for fault in faults)) if failure]
        through = 0
        for fault, (outcome, seconds) in zip(faults, pool.map(trial, faults), strict=True):
            through += outcome != "caught"
            print(f"{fault.name:52} {fault.tests[0]:42} {seconds:4.0f} s  {outcome}", flush=True)
    print(f"{len(faults) - through} of {len(faults)} planted faults caught.")
    unready = unfit()
    print(*unsound, *unready, sep="\n")
    print(f"{'Not fit' if unready else 'Fit'} for a release: {len(unready)} faults of recording.")
    return 1 if through or unsound or unready else 0


if __name__ == "__main__":
    sys.exit(main())
