"""Train two networks of equal size on ever more scenes, and keep what they come to: an attention and a convolution.

    python -m tools.curves            what is not done yet, in the order of the plan
    python -m tools.curves --list     every training of the plan, and what came of it

*streets* has no end, so the amount of scenes can be the only thing that changes: the first 64, 256, 1,024 and 2,048 of
one sequence, and always the same number of steps, in which the most are seen once and the fewest 32 times. Both
networks end in the same head (`models.SegFormer`). Each has the learning rate, of three, with the best mean of all
seeds on other scenes (*tune*), trained on 1,024: one seed would choose a rate at which others fail. The figures are
those on *test*, which decides nothing. A call can be stopped at any time and loses one training at most. It computes
with one thread, in which a second call gives the same numbers to the last bit.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from statistics import fmean
from typing import Any

import torch
from torch import nn

from pixelwise import data, models
from pixelwise.analysis import profile
from pixelwise.data import Augment, Scenes, storage, streets
from pixelwise.environment import seed_everything
from pixelwise.evaluation import predict
from pixelwise.evaluation.judge import judge
from pixelwise.training import Recipe, fit
from tools import trainings

SIZE = (96, 128)
AMOUNTS = (64, 256, 1024, 2048)
SWEPT = 1024
RATES = (1e-3, 3e-3, 9e-3)
SEEDS = (0, 1, 2)
STEPS, BATCH = 512, 4
SPLITS = {"train": range(10_000, 10_000 + max(AMOUNTS)), "tune": range(20_000, 20_096), "test": range(30_000, 30_256)}
"""Numbers of scenes, far from those of `data.load`."""

NAME, MEASURE = "scenes-segformer-resnet", "mean_iou"


def segformer() -> nn.Module:
    """Attention: the compact SegFormer."""
    return models.compact_segformer(len(data.CLASSES))


def resnet() -> nn.Module:
    """Convolutions: ResNet-18, two blocks a stage as well, as narrow as makes the sizes equal, under the same head."""
    backbone = models.resnet18(num_classes=None, width=14)
    return models.SegFormer(backbone, len(data.CLASSES), width=64, dropout=0.0)


NETWORKS: dict[str, Callable[[], nn.Module]] = {"segformer": segformer, "resnet": resnet}


@dataclass(frozen=True)
class Training:
    """One network, trained once."""

    network: str
    scenes: int
    learning_rate: float
    seed: int

    def __str__(self) -> str:
        return f"{self.network:10}{self.scenes:6} scenes, rate {self.learning_rate:g}, seed {self.seed}"

    def recipe(self) -> Recipe:
        """The settings."""
        return Recipe(
            epochs=STEPS,  # more than enough: max_steps ends it
            max_steps=STEPS,
            batch_size=BATCH,
            learning_rate=self.learning_rate,
            warmup_steps=STEPS // 10,
            class_weights="inverse_sqrt",
            augment=Augment(flip=True, scale=None, crop=None, colour=0.1),
        )


def plan(done: dict[Training, dict[str, Any]]) -> Iterator[Training]:
    """Every training in its order: the sweep, then seed by seed from both ends, so that whoever stops has curves.

    What follows the sweep is known only when `done` has all of it.
    """
    sweep = [Training(name, SWEPT, rate, seed) for seed in SEEDS for rate in RATES for name in NETWORKS]
    yield from sweep
    if all(training in done for training in sweep):
        for seed in SEEDS:
            for amount in (AMOUNTS[0], AMOUNTS[-1], *AMOUNTS[1:-1]):
                for name in NETWORKS:
                    training = Training(name, amount, chosen(done, name), seed)
                    if training not in sweep:
                        yield training


def chosen(done: dict[Training, dict[str, Any]], network: str) -> float:
    """The learning rate with the best mean of all seeds on tune."""
    swept = {rate: [done[Training(network, SWEPT, rate, seed)]["values"]["tune"] for seed in SEEDS] for rate in RATES}
    return max(RATES, key=lambda rate: fmean(values["mean_iou"] for values in swept[rate]))


def train(training: Training) -> dict[str, Any]:
    """Train and judge a network: on tune, on test, and on the fewest scenes of training, which all have seen."""
    seed_everything(training.seed)
    model = NETWORKS[training.network]()
    history = fit(model, scenes("train")[: training.scenes], training.recipe(), seed=training.seed, progress="silent")
    judged = {"tune": scenes("tune"), "test": scenes("test"), "seen": scenes("train")[: min(AMOUNTS)]}
    return {
        "values": {name: judge(predict(model, part.images), part.targets) for name, part in judged.items()},
        "loss": history.loss[-1],
        **trainings.origin(history, training.seed),
    }


@cache
def scenes(split: str) -> Scenes:
    """A split's scenes, made once and cached."""
    indices = SPLITS[split]
    path = storage.folder() / "cache" / "curves" / f"{split}-{len(indices)}-{SIZE[0]}x{SIZE[1]}.safetensors"

    def build() -> tuple[torch.Tensor, torch.Tensor, tuple[str, ...]]:
        images, masks = streets.generate_many(indices, seed=0, size=SIZE)
        return torch.from_numpy(images), torch.from_numpy(masks), tuple(f"streets-{i:05d}" for i in indices)

    images, masks, names = storage.cached(path, build, optional=True)
    return Scenes(images, masks, "streets", split, names)


def settings() -> dict[str, Any]:
    """What all trainings share."""
    return {
        "dataset": "streets",
        "size": list(SIZE),
        "splits": {name: [part.start, part.stop] for name, part in SPLITS.items()},
        "steps": STEPS,
        "rates": list(RATES),
        "swept": {"scenes": SWEPT, "seeds": list(SEEDS)},
        "networks": {name: size(build()) for name, build in NETWORKS.items()},
        "recipe": trainings.shared(Training("", SWEPT, RATES[0], SEEDS[0]).recipe(), "learning_rate"),
    }


def size(network: nn.Module) -> dict[str, int]:
    """What a network costs for one scene."""
    cost = profile(network, (1, 3, *SIZE))
    return {"parameters": cost.parameters, "multiply_adds": cost.multiply_adds}


if __name__ == "__main__":
    trainings.work(sys.modules[__name__])
