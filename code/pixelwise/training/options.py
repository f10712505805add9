"""What ``python -m pixelwise.training`` can be told, and the recipes that have a name."""

import argparse
from pathlib import Path

from ..data import Augment
from .networks import BACKBONES, NETWORKS
from .recipe import Recipe

RECIPES: dict[str, dict] = {
    "camvid-360": {
        "about": "CamVid at 360×480, at most a million parameters; sized for ten minutes of one data-centre GPU",
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
    "camvid-180": {
        "about": "the same network at half the size: an hour of one core",
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
    "streets-180": {
        "about": "the same network on generated scenes, as for the weights in data/weights",
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
}
"""Settings that go together; a flag on the command line overrules its part."""

PROGRAM = "python -m pixelwise.training"
DESCRIPTION = """
Train one of the book's networks for semantic segmentation, by the loop that the chapters use, and judge it.
Without any option it trains a small U-Net on generated street scenes, which needs no download.
"""
EXAMPLES = f"""
models, all from scratch:
{{models}}

recipes:
{{recipes}}

examples:
  {PROGRAM} --model unet --epochs 5
      a small U-Net on generated scenes, a few minutes on a laptop
  {PROGRAM} --model deeplabv3plus --dataset camvid --size 360 480 --epochs 200
      CamVid, which is fetched once (for non-commercial use: see data/README.md)
  {PROGRAM} --recipe camvid-360
      a whole recipe by its name; options given beside it overrule it
  {PROGRAM} --recipe camvid-360 --train-split fit --val-split tune
      choose settings on a part of train, so that val and test stay unseen
  torchrun --nproc-per-node=4 -m pixelwise.training --recipe camvid-360 --sync-batch-norm
      the same on four GPUs; --batch-size counts the images of all of them
  {PROGRAM} --model unet --epochs 5 --resume
      go on with a run that was stopped

what a run leaves in its folder:
  weights.safetensors      the network; python -m pixelwise.predict --weights FILE photo.jpg uses it
  model-card.md            what they were made from, how good they are, the licence
  results.json             figures for each class, the course of training, and where they come from
  contact-sheet.png        validation scenes from the worst to the best, with labels and predictions
  checkpoint.safetensors   where --resume goes on; delete it when the run is done
"""


class HelpFormatter(argparse.HelpFormatter):
    """Shows the defaults, and keeps the lines of what follows the options."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text.strip("\n") if "\n\n" in text else super()._fill_text(text, width, indent)

    def _get_help_string(self, action: argparse.Action) -> str:
        value = action.default
        if value in (None, argparse.SUPPRESS) or isinstance(value, bool) or "default" in action.help:
            return action.help
        words = [f"{x:g}" if isinstance(x, float) else str(x) for x in (value if isinstance(value, list) else [value])]
        return f"{action.help} (default: {' '.join(words)})"


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options as given, over those of the named recipe, over the defaults; exits with a line for a wrong one."""
    parser = build_parser()
    given, _ = parser.parse_known_args(arguments)
    if given.recipe:
        parser.set_defaults(**{name: value for name, value in RECIPES[given.recipe].items() if name != "about"})
    options = parser.parse_args(arguments)
    if options.resume and options.overwrite:
        parser.error("--resume goes on with a run and --overwrite begins it anew: give one of them")
    return options


def build_parser() -> argparse.ArgumentParser:
    """The parser, with every option, its default, and the examples."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage=f"{PROGRAM} [options]",
        description=DESCRIPTION,
        epilog=EXAMPLES.format(models=listed(NETWORKS), recipes=listed(RECIPES)),
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--recipe", choices=RECIPES, metavar="NAME", help="start from settings that go together; see below")

    add = parser.add_argument_group("network").add_argument
    add("--model", choices=NETWORKS, default="unet", metavar="NAME", help="one of those listed below")
    add(
        "--backbone",
        choices=BACKBONES,
        metavar="NAME",
        help=f"one of {', '.join(BACKBONES)}, from scratch (default: contracting for unet, vgg16 for deeplabv1 and "
        "deeplabv2, else resnet18)",
    )
    add(
        "--width",
        type=positive,
        metavar="CHANNELS",
        help="of the backbone's first maps (default: 16 for contracting, else 64)",
    )
    add(
        "--output-stride",
        type=int,
        choices=(8, 16, 32),
        help="image ÷ coarsest map; below 32 the last stages are dilated (default: the network's own)",
    )

    add = parser.add_argument_group("data").add_argument
    add(
        "--dataset",
        choices=("streets", "camvid"),
        default="streets",
        help="streets are generated; camvid is downloaded once, or taken from the folder in PIXELWISE_CAMVID",
    )
    add("--size", type=positive, nargs=2, default=[120, 160], metavar=("H", "W"), help="height and width in pixels")
    add("--train-split", choices=("train", "fit"), default="train", help="fit is train without tune")
    add("--val-split", choices=("val", "tune"), default="val", help="tune is for choosing settings (with fit)")
    add("--test", action="store_true", help="report on the test split too: once, when everything is decided")
    add("--scenes", type=positive, metavar="N", help="only the first N scenes of each split, to try something")

    plain, augment = Recipe(), Augment()
    add = parser.add_argument_group("training").add_argument
    add("--epochs", type=positive, default=plain.epochs, metavar="N", help="passes over the training scenes")
    add("--batch-size", type=positive, default=plain.batch_size, metavar="N", help="images a step, over all processes")
    add("--optimizer", choices=("adamw", "sgd"), default=plain.optimizer, help="how to step")
    add("--learning-rate", type=float, default=plain.learning_rate, metavar="RATE", help="at its highest")
    add(
        "--weight-decay",
        type=float,
        default=plain.weight_decay,
        metavar="RATE",
        help="not on biases and normalisation; 1e-4 is usual with sgd",
    )
    add("--warmup", type=natural, default=0, metavar="STEPS", help="linear, then a polynomial decay (default: 0)")
    add(
        "--class-weights",
        choices=("none", "inverse_sqrt"),
        default="inverse_sqrt",
        help="inverse_sqrt lets a rare class weigh more, by the root of its frequency",
    )
    add("--label-smoothing", type=float, default=0.0, metavar="SHARE", help="0 to 1 (default: 0)")
    add("--ema", type=float, metavar="DECAY", help="end as a moving average of the weights, say 0.99 (default: none)")
    add(
        "--amp",
        action=argparse.BooleanOptionalAction,
        help="compute in bfloat16 (default: where the hardware multiplies it natively)",
    )
    add("--seed", type=natural, default=0, metavar="N", help="of weights, order, augmentation, dropout (default: 0)")

    add = parser.add_argument_group("augmentation", "Drawn anew for every image.").add_argument
    add("--flip", action=argparse.BooleanOptionalAction, default=augment.flip, help="mirror half the images")
    add(
        "--scale",
        type=float,
        nargs=2,
        default=list(augment.scale),
        metavar=("LEAST", "MOST"),
        help="enlarge by a factor from this range and cut out the image's size; 1 1 for none",
    )
    add("--crop", type=positive, nargs=2, metavar=("H", "W"), help="cut out this size instead (default: --size)")
    add(
        "--colour",
        type=float,
        default=augment.colour,
        metavar="SHARE",
        help="change brightness, contrast and saturation by up to this share, 0 to 1",
    )

    add = parser.add_argument_group("running").add_argument
    add("--out", type=Path, metavar="FOLDER", help="for results (default: data/runs/MODEL-DATASET-HxW-seedN)")
    add("--resume", action="store_true", help="go on from the checkpoint in the folder, if there is one")
    add("--overwrite", action="store_true", help="begin anew in a folder that holds a run")
    add(
        "--device",
        metavar="NAME",
        help="cpu, cuda, cuda:1, mps (default: a GPU where there is one; under torchrun one for each process)",
    )
    add("--sync-batch-norm", action="store_true", help="under torchrun: normalise over the images of all processes")
    add(
        "--progress",
        choices=("bar", "lines", "silent"),
        help="a bar, one line an epoch, or nothing (default: a bar in a terminal, else lines)",
    )
    return parser


def listed(things: dict) -> str:
    """Names and what they are about, a line each."""
    lines = {name: thing["about"] if isinstance(thing, dict) else thing.about for name, thing in things.items()}
    return "\n".join(f"  {name:15}{about}" for name, about in lines.items())


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
        weight_decay=options.weight_decay,
        warmup_steps=options.warmup,
        class_weights=None if options.class_weights == "none" else options.class_weights,
        label_smoothing=options.label_smoothing,
        ema=options.ema,
        amp=options.amp,
        augment=augment if changes else None,
    )


def positive(text: str) -> int:
    """A whole number of at least 1."""
    return natural(text, least=1)


def natural(text: str, least: int = 0) -> int:
    """A whole number of at least `least`."""
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least {least}")
    return number
