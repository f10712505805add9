"""Fetch or import a data set ahead of time, so that chapters find it in the cache."""

import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from .. import console
from .scenes import check_size, load
from .storage import DataError, DataWarning, folder


@console.command_line(
    "pixelwise.data", stopped="stopped; run the command again to go on", memory="choose a smaller --size"
)
def main(arguments: Sequence[str] | None = None) -> None:
    """The command line: ``prepare camvid [--source FOLDER] [--size H W ...] [--split train ...]``.

    Prints a line for every cache that is ready. Exits with one line that says what to do when something fails; started
    again, it goes on where it stopped.
    """
    parser = console.ArgumentParser(prog="python -m pixelwise.data", description=__doc__)
    command = parser.add_subparsers(dest="command", required=True).add_parser("prepare", help=__doc__)
    command.add_argument("dataset", choices=("camvid", "streets"))
    command.add_argument("--source", type=Path, help="a folder with a copy of CamVid (default: download it)")
    command.add_argument(
        "--size",
        type=int,
        nargs="+",
        action="extend",
        metavar="H W",
        help="heights and widths (default: 120 160; the book also uses 96 128, 180 240 and 360 480)",
    )
    command.add_argument("--split", choices=("train", "val", "test"), nargs="+", default=["train", "val"])
    options = parser.parse_args(arguments)

    warnings.showwarning = _one_line
    warnings.simplefilter("always", DataWarning)
    try:
        for size in _pairs(options.size or [120, 160]):
            for split in options.split:
                console.say(f"{load(options.dataset, split, size, source=options.source)!r} is ready")
    except DataError as error:
        sys.exit(f"pixelwise.data: {error}")
    console.say(f"all of it lies in {folder()}")


def _pairs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    if len(numbers) % 2:
        raise DataError(f"--size got {len(numbers)} numbers; expected pairs of height and width, such as 120 160")
    return [check_size(pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)]


def _one_line(message, category, filename, lineno, file=None, line=None) -> None:
    console.say(f"pixelwise.data: {message}", error=True)
