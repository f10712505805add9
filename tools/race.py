"""Train the book's decoders to the end on one encoder that knows ImageNet and is frozen, and keep what they come to.

    python -m tools.race            what is not done yet, in the order of the plan
    python -m tools.race --list     every training of the plan, and what came of it

On *streets*, whose scenes have no end; on CamVid the decoders are rows of `tools.runs`. Each has the learning
rate, of four, that is best on *tune* after one pass through its scenes, and then three trainings of four passes. The
figures are those on *test*, which decides nothing; those on *tune* after each pass say whether it still gets better.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

from torch import nn

from pixelwise import data, models
from pixelwise.data import Augment
from pixelwise.environment import seed_everything
from pixelwise.evaluation import predict
from pixelwise.evaluation.judge import judge
from pixelwise.training import Recipe, fit
from pixelwise.training.finetune import encoder_of, freeze
from pixelwise.zoo.imagenet import pretrained_lite0
from tools import trainings
from tools.curves import SIZE, SPLITS, scenes


def encoder(output_stride: int = 32) -> models.EfficientNetLite:
    """EfficientNet-Lite0 as ImageNet left it."""
    return pretrained_lite0(num_classes=None, output_stride=output_stride)


CLASSES = len(data.CLASSES)
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "FCN-32s": lambda: models.FCN(encoder(), CLASSES, stride=32),
    "FCN-16s": lambda: models.FCN(encoder(), CLASSES, stride=16),
    "FCN-8s": lambda: models.FCN(encoder(), CLASSES, stride=8),
    "hypercolumn": lambda: models.Hypercolumn(encoder(), CLASSES, hidden=64),
    "pyramid": lambda: models.FeaturePyramid(encoder(), CLASSES),
    "U-Net": lambda: models.UNet(encoder(), CLASSES, widths=(128, 64, 48, 32, 16)),
    "DeepLab v3": lambda: models.DeepLabV3(encoder(16), CLASSES, rates=(1, 2, 3), width=192, separable=True),
    "DeepLab v3+": lambda: models.DeepLabV3Plus(encoder(16), CLASSES, rates=(1, 2, 3)),
}
"""The rates of DeepLab are its paper's, 6, 12 and 18 at 513×513, for a picture a fifth as large."""

SCENES, BATCH = 1024, 4
PASSES, SWEPT = 4, 1
RATES = (1e-3, 3e-3, 9e-3, 27e-3)
SEEDS = (0, 1, 2)
NAME, MEASURE = "race-streets", "mean_iou"


class Training(trainings.Swept):
    """One network, trained once."""

    def recipe(self) -> Recipe:
        """The settings."""
        return Recipe(
            epochs=self.passes,
            batch_size=BATCH,
            learning_rate=self.learning_rate,
            warmup_steps=50,
            class_weights="inverse_sqrt",
            augment=Augment(flip=True, scale=None, crop=None, colour=0.1),
        )


def plan(done: dict[Training, dict[str, Any]]) -> Iterator[Training]:
    """Every training in its order."""
    passes = (SWEPT, PASSES)
    return trainings.sweep_then_seeds(Training, done, NETWORKS, RATES, passes, SEEDS, lambda tune: tune[MEASURE])


def train(training: Training) -> dict[str, Any]:
    """Train and judge a network."""
    seed_everything(training.seed)
    model = NETWORKS[training.network]()
    freeze(encoder_of(model))
    part, tune = scenes("train")[:SCENES], scenes("tune")
    history = fit(model, part, training.recipe(), val=tune, seed=training.seed, progress="silent")
    judged = {"tune": tune, "test": scenes("test")}
    return {
        "values": {name: judge(predict(model, part.images), part.targets) for name, part in judged.items()},
        "tune_mean_iou": history.val_mean_iou,
        "loss": history.loss,
        "parameters_trained": sum(p.numel() for p in model.parameters() if p.requires_grad),
        **trainings.origin(history, training.seed),
    }


def settings() -> dict[str, Any]:
    """What all trainings share."""
    return {
        "dataset": "streets",
        "size": list(SIZE),
        "splits": {name: [part.start, part.stop] for name, part in SPLITS.items()},
        "scenes": SCENES,
        "rates": list(RATES),
        "recipe": trainings.shared(Training("", PASSES, RATES[0], SEEDS[0]).recipe(), "learning_rate", "epochs"),
    }


if __name__ == "__main__":
    trainings.work(sys.modules[__name__])
