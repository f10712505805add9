"""Many short trainings of one plan, of which a call can be stopped at any time and loses one at most.

A plan is a module: `tools.curves`, `tools.race` and `tools.depths` are three. Its `Training` is a frozen dataclass,
`plan(done)` yields them in their order, `train(training)` returns what one came to, `settings()` what all share, and
`MEASURE` names the figure of each split that a list shows. What is done lies in data/results/runs under the plan's
`NAME`, with the settings.
"""

import argparse
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import torch

from pixelwise.cli.train import provenance
from pixelwise.files import save_json
from pixelwise.training import History, Recipe, checkpoint
from tools.runs import RESULTS

Result = dict[str, Any]


def work(plan: ModuleType, arguments: list[str] | None = None) -> None:
    """The command line of a plan: do what is to do, in the order in which it comes, or list it."""
    name = f"tools.{Path(inspect.getfile(plan)).stem}"
    parser = argparse.ArgumentParser(
        prog=f"python -m {name}", description=plan.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="list the plan, and train nothing")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # more or fewer would round otherwise
    try:
        done = kept(plan)
        for training in plan.plan(done):
            if training not in done and not options.list:
                done[training] = plan.train(training)
                save(plan, done)
            print(f"{training}: {in_words(plan, done.get(training))}", flush=True)
    except KeyboardInterrupt:
        sys.exit(f"{name}: stopped; the same command goes on with the training that was under way")
    except ValueError as error:
        sys.exit(f"{name}: {error}")


@dataclass(frozen=True)
class Swept:
    """A network's training in a plan that chooses each network's learning rate first."""

    network: str
    passes: int
    learning_rate: float
    seed: int

    def __str__(self) -> str:
        return f"{self.network:14}{self.passes:3} passes, rate {self.learning_rate:g}, seed {self.seed}"


T = TypeVar("T", bound=Swept)


def sweep_then_seeds(
    training: type[T],
    done: dict[T, Result],
    networks: Iterable[str],
    rates: Sequence[float],
    passes: tuple[int, int],
    seeds: Sequence[int],
    quality: Callable[[dict[str, float]], float],
) -> Iterator[T]:
    """Every rate for every network with few passes and one seed, then many passes with the rate of best `quality` on
    tune, seed by seed; what follows the sweep is known when it is done."""
    few, many = passes
    sweep = {name: [training(name, few, rate, seeds[0]) for rate in rates] for name in networks}
    for each in sweep.values():
        yield from each
    if all(one in done for each in sweep.values() for one in each):
        best = {name: max(each, key=lambda one: quality(done[one]["values"]["tune"])) for name, each in sweep.items()}
        for seed in seeds:
            for name, one in best.items():
                yield training(name, many, one.learning_rate, seed)


def path(plan: ModuleType) -> Path:
    """Where a plan's results lie."""
    return RESULTS / f"{plan.NAME}.json"


def save(plan: ModuleType, done: dict[Any, Result]) -> None:
    """Write all that is done, and what it was done with."""
    rows = [asdict(training) | result for training, result in done.items()]
    save_json(path(plan), plan.settings() | {"trainings": rows})


def kept(plan: ModuleType) -> dict[Any, Result]:
    """What is done. ValueError where it was done with other settings."""
    file = path(plan)
    if not file.is_file():
        return {}
    record = json.loads(file.read_text(encoding="utf-8"))
    now = json.loads(json.dumps(plan.settings()))
    if changed := [name for name in now if record.get(name) != now[name]]:
        raise ValueError(f"{file.name} was made with other {', '.join(changed)}: delete it to train all of it again")
    names = plan.Training.__dataclass_fields__
    return {plan.Training(**{name: row.pop(name) for name in names}): row for row in record["trainings"]}


def in_words(plan: ModuleType, result: Result | None) -> str:
    """How far a training is."""
    if result is None:
        return "to do"
    figures = ", ".join(f"{split} {values[plan.MEASURE]:.1%}" for split, values in result["values"].items())
    return f"{plan.MEASURE.replace('_', ' ')} on {figures}; {result['processor_seconds']:.0f} s"


def shared(recipe: Recipe, *own: str) -> Result:
    """A recipe for a plan's settings, without what each training has of its `own`."""
    return {name: value for name, value in checkpoint.describe(recipe).items() if name not in own}


def origin(history: History, seed: int) -> Result:
    """How long a training took, and what it was made with."""
    seconds = round(sum(history.processor_seconds), 1)
    return {"processor_seconds": seconds, **provenance(torch.device("cpu"), history, seed)}
