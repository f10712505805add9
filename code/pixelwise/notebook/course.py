"""How a notebook runs: budget, device, data set, seeds, and where its results are kept.

Every chapter begins with `run = course.begin("chapter_name")`. What it returns answers the questions a chapter asks:
how much work may a cell do, on which device, on which data, over which seeds.
"""

import datetime
import inspect
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch

from ..environment import checkout, device_name, seed_everything, versions
from ..files import save_json
from .claim import Claim

BUDGETS = ("smoke", "cpu", "gpu")
ROOT = checkout()
"""The book; None where the library was installed without it."""

T = TypeVar("T")


@dataclass(frozen=True)
class Run:
    """One run of one chapter, as returned by `begin`."""

    chapter: str
    budget: str
    device: torch.device
    dataset: str
    seeds: tuple[int, ...]
    recording: bool
    claims: list[Claim] = field(default_factory=list, repr=False)
    started: float = field(default_factory=time.perf_counter, repr=False)

    def pick(self, *, smoke: T, cpu: T, gpu: T) -> T:
        """Return the value meant for the budget of this run."""
        return {"smoke": smoke, "cpu": cpu, "gpu": gpu}[self.budget]

    def save(self, values: dict[str, Any]) -> None:
        """Keep `values` as data/results/<chapter>-<dataset>.json, with their provenance.

        Only a recorded run (`make record`) at the budget `cpu` or `gpu` writes; elsewhere the call does nothing, so
        that a reader's experiment never overwrites the figures that the book quotes. An undefined value (NaN) becomes
        null; ValueError for an infinite one.
        """
        if not self.recording or self.budget == "smoke":
            return
        record = {
            "chapter": self.chapter,
            "dataset": self.dataset,
            "budget": self.budget,
            "device": device_name(self.device),
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "seconds": round(time.perf_counter() - self.started, 1),
            "seeds": list(self.seeds),
            "versions": versions(),
            "values": values,
            "claims": [claim.to_dict() for claim in self.claims],
        }
        save_json(_result_path(self.chapter, self.dataset), record)


_current: Run | None = None


def begin(chapter: str, dataset: str = "streets") -> Run:
    """Settle how this notebook runs, seed every generator, and say so in one line.

    The environment may overrule: PIXELWISE_BUDGET (`smoke`, `cpu` or `gpu`; by default `gpu` where CUDA is
    present, else `cpu`), PIXELWISE_DATASET, and PIXELWISE_RECORDING=1, which `make record` sets. A GPU is used at every
    budget; a `gpu` budget without one raises RuntimeError.
    """
    global _current
    has_gpu = torch.cuda.is_available()
    budget = os.environ.get("PIXELWISE_BUDGET") or ("gpu" if has_gpu else "cpu")
    if budget not in BUDGETS:
        raise ValueError(f"PIXELWISE_BUDGET is {budget!r}; it must be one of {', '.join(BUDGETS)}")
    if budget == "gpu" and not has_gpu:
        raise RuntimeError("PIXELWISE_BUDGET is 'gpu' but PyTorch sees no CUDA device; use 'cpu'")
    _current = Run(
        chapter=chapter,
        budget=budget,
        device=torch.device("cuda" if has_gpu else "cpu"),
        dataset=os.environ.get("PIXELWISE_DATASET") or dataset,
        seeds=(0,) if budget == "smoke" else (0, 1, 2),
        recording=os.environ.get("PIXELWISE_RECORDING") == "1",
    )
    seed_everything(0)
    seeds = ", ".join(map(str, _current.seeds))
    print(f"budget {budget} · device {_current.device.type} · data {_current.dataset} · seeds {seeds}")
    return _current


def current() -> Run:
    """Return the run that `begin` started; RuntimeError before that."""
    if _current is None:
        raise RuntimeError("no chapter has begun; call course.begin('name') first")
    return _current


def results(chapter: str, dataset: str) -> dict[str, Any]:
    """Return what a recorded run of `chapter` on `dataset` left: its values, its claims and their provenance."""
    path = _result_path(chapter, dataset)
    if not path.is_file():
        raise FileNotFoundError(
            f"no recorded results {path.name} in {path.parent}; run `make record CHAPTERS={chapter} DATASET={dataset}`"
        )
    return json.loads(path.read_text(encoding="utf-8"))


def training_run(name: str) -> dict[str, Any]:
    """Return what one run of `pixelwise-train`, kept in data/results/runs, left in its results.json."""
    path = _results_folder() / "runs" / f"{name}.json"
    if not path.is_file():
        names = ", ".join(sorted(other.stem for other in path.parent.glob("*.json"))) or "none"
        raise FileNotFoundError(f"no training run {name!r} is kept in {path.parent}; there are: {names}")
    return json.loads(path.read_text(encoding="utf-8"))


def provenance(result: dict[str, Any]) -> str:
    """Say in one line where recorded results come from."""
    seeds = len(result["seeds"])
    return (
        f"{result['dataset']}, {result['budget']} budget, {result['device']}, torch {result['versions']['torch']}, "
        f"{seeds} seed{'s' if seeds > 1 else ''}, {result['date']}, {result['seconds']:.0f} s"
    )


def show_source(*objects: Any) -> None:
    """Show the library's own source of functions, classes or modules in the notebook."""
    from IPython.display import Markdown, display

    for item in objects:
        display(Markdown(f"```python\n{inspect.getsource(item).rstrip()}\n```"))


def _result_path(chapter: str, dataset: str) -> Path:
    return _results_folder() / f"{chapter}-{dataset}.json"


def _results_folder() -> Path:
    if ROOT is None:
        raise FileNotFoundError(
            "recorded results belong to the book, and this library was installed without it; clone the book (`pip show "
            "--verbose pixelwise` tells from where) and run `make lab` there"
        )
    return ROOT / "data" / "results"
