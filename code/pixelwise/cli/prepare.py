"""Fetch or import a data set ahead of time, so that chapters find it in the cache."""

import argparse
import sys
import warnings
from collections.abc import Sequence

from ..data.scenes import SIDE, load
from ..data.storage import DataError, DataWarning, folder
from . import console
from .options import Choice, Option, Parser, Place

PROGRAM = "pixelwise-prepare"

OPTIONS = (
    Option("dataset", Choice(("camvid", "streets")), "which one"),
    Option("--source", Place(), "a folder with a copy of CamVid (default: download it)", metavar="FOLDER"),
    Option(
        "--size",
        SIDE,
        "heights and widths, in pairs (default: 120 160; the book also uses 96 128, 180 240 and 360 480)",
        metavar="PIXELS",
        count="+",
    ),
    Option("--split", Choice(("train", "val", "test")), "which of them (default: train val)", count="+"),
)


@console.command_line(PROGRAM, stopped="stopped; run the command again to go on", memory="choose a smaller --size")
def main(arguments: Sequence[str] | None = None) -> None:
    """The command line: `camvid [--source FOLDER] [--size H W ...] [--split train ...]`.

    Prints a line for every cache that is ready. Exits with one line that says what to do: status 2 for a wrong option,
    1 when something fails; started again, it goes on where it stopped.
    """
    options = parse(arguments)
    console.say_warnings(PROGRAM)
    warnings.simplefilter("always", DataWarning)
    try:
        for size in zip(options.size[::2], options.size[1::2], strict=True):
            for split in options.split:
                scenes = load(options.dataset, split, size, source=options.source, keep=True)
                console.say(f"{scenes!r} is ready")
    except DataError as error:
        sys.exit(f"{PROGRAM}: {error}")
    console.say(f"all of it lies in {folder()}")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options; exits with one line and status 2 for one that is wrong."""
    parser = Parser(prog=PROGRAM, description=__doc__)
    for option in OPTIONS:
        option.add_to(parser)
    options = parser.parse_args(arguments)
    options.size = options.size or [120, 160]
    options.split = options.split or ["train", "val"]
    if len(options.size) % 2:
        parser.error(f"--size got {len(options.size)} numbers; expected pairs of height and width, such as 120 160")
    if options.dataset == "streets" and options.source is not None:
        parser.error("--source is for camvid; streets are generated")
    return options


if __name__ == "__main__":
    main()
