"""Many short trainings of one plan, of which a call can be stopped at any time and loses one at most.

What is done lies in one file of data/results/runs, with the settings that all of them share. `tools.curves` and
`tools.race` are such plans.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import torch

from pixelwise.files import save_json

Result = dict[str, Any]


class Training(Protocol):
    """One row of a plan: a frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


T = TypeVar("T", bound=Training)


def work(
    name: str,
    description: str | None,
    arguments: list[str] | None,
    *,
    kept: Callable[[], dict[T, Result]],
    plan: Callable[[dict[T, Result]], Iterator[T]],
    train: Callable[[T], Result],
    save: Callable[[dict[T, Result]], None],
    line: Callable[[T, Result | None], str],
) -> None:
    """The command line of a plan: do what is to do, in the order in which `plan` gives it, or list it."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {name}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="list the plan, and train nothing")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # more or fewer would round otherwise
    try:
        done = kept()
        for training in plan(done):
            if training not in done and not options.list:
                done[training] = train(training)
                save(done)
            print(line(training, done.get(training)), flush=True)
    except KeyboardInterrupt:
        sys.exit(f"{name}: stopped; the same command goes on with the training that was under way")
    except ValueError as error:
        sys.exit(f"{name}: {error}")


def save(path: Path, settings: Result, done: dict[T, Result]) -> None:
    """Write all that is done, and what it was done with."""
    rows = [asdict(training) | result for training, result in done.items()]
    save_json(path, settings | {"trainings": rows})


def kept(path: Path, settings: Result, kind: type[T]) -> dict[T, Result]:
    """What is done. ValueError where it was done with other settings."""
    if not path.is_file():
        return {}
    record = json.loads(path.read_text(encoding="utf-8"))
    now = json.loads(json.dumps(settings))
    if changed := [name for name in now if record.get(name) != now[name]]:
        raise ValueError(f"{path.name} was made with other {', '.join(changed)}: delete it to train all of it again")
    names = kind.__dataclass_fields__
    return {kind(**{name: row.pop(name) for name in names}): row for row in record["trainings"]}
