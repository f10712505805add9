"""Train plain and residual networks of 8 and of 32 layers ten times as long as their chapter, and keep what is left.

    python -m tools.depths            what is not done yet, in the order of the plan
    python -m tools.depths --list     every training of the plan, and what came of it

Networks, patches and recipe are those of the chapter on ResNet. Each network has the learning rate, of four, that is
best on *tune* after as many passes as the chapter makes, and then three trainings of ten times as many. The errors
noted on the way are those on 2,000 patches of *train* and of *test*, which decides nothing; the last are those on all.
"""

import sys
from collections.abc import Iterator
from functools import cache, partial
from typing import Any

from torch import nn

from pixelwise import data, models
from pixelwise.environment import seed_everything
from pixelwise.evaluation import evaluate, metrics
from pixelwise.training import History, Recipe, fit
from tools import trainings

CLASSES = ("sky", "building", "road", "pavement", "tree", "signsymbol", "fence", "car")
SIZE = (192, 256)
SPLITS = {"train": ("train", 128, 11_000), "tune": ("tune", 64, 4_000), "test": ("val", 128, 4_000)}
"""For each: a split of *streets*, how many scenes of it, and how many patches of them."""

NETWORKS = {
    f"{kind}-{depth}": partial(
        models.CifarResNet, depth, residual=kind == "residual", width=8, stride=2, num_classes=len(data.CLASSES)
    )
    for kind in ("plain", "residual")
    for depth in (8, 32)
}
PASSES, SWEPT = 20, 2
EVERY, NOTED = 2, 2_000
"""After how many passes errors are noted, and on how many patches."""

RATES = (0.01, 0.03, 0.1, 0.3)
SEEDS = (0, 1, 2)
NAME, MEASURE = "depths-streets", "error"


class Training(trainings.Swept):
    """One network, trained once."""

    def recipe(self) -> Recipe:
        """The settings."""
        return Recipe(
            epochs=self.passes,
            batch_size=128,
            optimizer="sgd",
            learning_rate=self.learning_rate,
            weight_decay=1e-4,
            amp=False,
            augment=data.Augment(flip=True, colour=0.1, scale=None, crop=None),
        )


def plan(done: dict[Training, dict[str, Any]]) -> Iterator[Training]:
    """Every training in its order."""
    passes = (SWEPT, PASSES)
    return trainings.sweep_then_seeds(Training, done, NETWORKS, RATES, passes, SEEDS, lambda tune: -tune[MEASURE])


def train(training: Training) -> dict[str, Any]:
    """Train a network, note its errors on the way, and judge it."""
    seed_everything(training.seed)
    network = NETWORKS[training.network]()
    noted: dict[str, list[float]] = {"train": [], "test": []}

    def note(network: nn.Module, history: History) -> None:
        if len(history.epoch) % EVERY == 0:
            for split, errors in noted.items():
                errors.append(error(network, patches(split)[:NOTED]))

    history = fit(network, patches("train"), training.recipe(), seed=training.seed, progress="silent", on_epoch=note)
    return {
        "values": {split: {"error": error(network, patches(split))} for split in SPLITS},
        "errors": noted,
        "steps": history.step[EVERY - 1 :: EVERY],
        **trainings.origin(history, training.seed),
    }


def error(network: nn.Module, part: data.Patches) -> float:
    """The share of patches whose class is mistaken."""
    return 1 - metrics.pixel_accuracy(evaluate(network, part, batch_size=500))


@cache
def patches(split: str) -> data.Patches:
    """A split's patches."""
    part, scenes, count = SPLITS[split]
    return data.cut(data.load("streets", part, SIZE, count=scenes), count, classes=CLASSES)


def settings() -> dict[str, Any]:
    """What all trainings share."""
    return {
        "dataset": "streets",
        "size": list(SIZE),
        "classes": list(CLASSES),
        "splits": {name: list(part) for name, part in SPLITS.items()},
        "noted": NOTED,
        "rates": list(RATES),
        "parameters": {name: sum(p.numel() for p in build().parameters()) for name, build in NETWORKS.items()},
        "recipe": trainings.shared(Training("", PASSES, RATES[0], SEEDS[0]).recipe(), "learning_rate", "epochs"),
    }


if __name__ == "__main__":
    trainings.work(sys.modules[__name__])
