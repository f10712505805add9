"""Make the weights of a finished run part of the book: half the bytes, a card, and what they are worth.

    python -m tools.ship NAME     a run of the table in tools/runs.py

The file and its card go beside the library's other trained weights, under the name that `pixelwise.zoo.weights.SHIPPED`
has for the data set.
They are stored as float16 and judged as stored; what that costs against float32 is measured and stands on the card.
Judged is on val, and on unseen where the run has not been trained on it; where it has, the card tells the figures that
the same training without that drive came to, if the table has such a run and it is done.
"""

import argparse
import copy
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pixelwise import data
from pixelwise.data.scenes import overlapping
from pixelwise.evaluation import predict
from pixelwise.evaluation.inference import SCALES
from pixelwise.evaluation.judge import judge
from pixelwise.files import atomic_write
from pixelwise.zoo import weights
from pixelwise.zoo.model_card import write_card
from tools import runs
from tools.runs import Run

DTYPE = torch.float16
MOST_BYTES = 8_000_000
MOST_COST = 0.002
"""Of mean IoU, that half the bytes may cost."""


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.ship", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=[run.name for run in runs.RUNS], metavar="NAME", help="a run that is done")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        path = ship(next(run for run in runs.RUNS if run.name == options.name))
    except (ValueError, OSError) as error:
        sys.exit(f"tools.ship: {error}")
    print(path.with_suffix(".md").read_text(encoding="utf-8"))
    print(f"{path}, {path.stat().st_size / 1e6:.2f} MB")


def ship(run: Run) -> Path:
    """Write a run's weights and their card to `weights.TRAINED`; the path. ValueError where they can't go there."""
    if runs.kept_results(run) is None:
        raise ValueError(f"{run.name} is not done: python -m tools.runs --only {run.name}")
    path = weights.SHIPPED[run.dataset]
    if path.stem != f"{run.model}-{run.dataset}":
        raise ValueError(f"{path.name} is the name of another network than {run.model}: change weights.SHIPPED first")
    whole, metadata = weights.load(runs.folder(run) / "weights.safetensors")
    half = rounded(whole)
    metrics: dict[str, Any] = {}
    costs: dict[str, dict[str, float]] = {}
    for split in ("val", "unseen"):
        if run.dataset != "camvid" or not overlapping(run.split, split):
            metrics[split], costs[split] = compare(whole, half, split)
            metrics[f"{split}, averaged over three sizes"] = thorough(half, split)
    if expensive := [split for split, cost in costs.items() if abs(cost["mean_iou"]) > MOST_COST]:
        raise ValueError(f"as {DTYPE} the mean IoU on {' and '.join(expensive)} changes too much: {costs}")
    if "unseen" not in metrics and (found := figures_of_twin(run)):
        metrics["unseen, by the same training without it"] = found
    recipe = metadata.recipe | run.beginning()
    provenance = metadata.provenance | {"stored_as": str(DTYPE).removeprefix("torch."), "cost": costs}
    metadata = replace(metadata, recipe=recipe, metrics=metrics, provenance=provenance, val_split="val")
    with atomic_write(path) as temporary:
        weights.save(temporary, half, metadata, DTYPE)
        if (size := temporary.stat().st_size) > MOST_BYTES:
            raise ValueError(f"{run.name} takes {size / 1e6:.1f} MB, and {MOST_BYTES / 1e6:.0f} MB may be shipped")
    with atomic_write(path.with_suffix(".md")) as temporary:
        temporary.write_text(write_card(metadata), encoding="utf-8")
    return path


def rounded(model: nn.Module) -> nn.Module:
    """A copy of the model whose floats are those that DTYPE can hold, in float32 to compute with."""
    half = copy.deepcopy(model)
    for value in half.state_dict().values():
        if value.is_floating_point():
            value.copy_(value.to(DTYPE))
    return half


def compare(whole: nn.Module, half: nn.Module, split: str) -> tuple[dict[str, Any], dict[str, float]]:
    """The figures of the second model on a split of CamVid, and what it lost against the first."""
    scenes = data.load("camvid", split, runs.SIZE)
    before, after = (predict(model, scenes.images, batch_size=8) for model in (whole, half))
    figures = judge(after, scenes.targets)
    lost = judge(before, scenes.targets)["mean_iou"] - figures["mean_iou"]
    return figures, {"mean_iou": lost, "pixels": (before != after).float().mean().item()}


def thorough(model: nn.Module, split: str) -> dict[str, Any]:
    """The figures of a model on a split of CamVid that is shown as `pixelwise-predict --thorough` shows a picture."""
    scenes = data.load("camvid", split, runs.SIZE)
    return judge(predict(model, scenes.images, batch_size=4, scales=SCALES), scenes.targets)


def figures_of_twin(run: Run) -> dict[str, Any] | None:
    """The figures on unseen of the run that differs in that drive alone; None where none is, or it is not done."""
    apart = ("name", "split", "judged")
    alike = {name: value for name, value in asdict(run).items() if name not in apart}
    for other in runs.RUNS:
        if other.split == "seen" and alike == {k: v for k, v in asdict(other).items() if k not in apart}:
            record = runs.kept_results(other)
            return record and record["values"].get("unseen")
    return None


if __name__ == "__main__":
    main()
