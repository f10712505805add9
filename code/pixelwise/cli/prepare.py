"""Fetch or import a data set ahead of time, so that chapters find it in the cache; or look at a folder of your own."""

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from .. import data
from ..data.scenes import NAMES, SIDE
from ..data.storage import folder
from ..files import atomic_write
from . import console, sealed_png
from .options import Choice, Option, Parser, Place

PROGRAM = "pixelwise-prepare"


class DataSet(Place):
    """The name of a data set, as text, or the path of a folder."""

    def parse(self, text: str) -> str | Path:
        return text if text in NAMES else super().parse(text)


OPTIONS = (
    Option("dataset", DataSet(), "camvid, streets, or a folder with pictures and masks of your own"),
    Option("--source", Place(), "a folder with a copy of CamVid (default: download it)", metavar="FOLDER"),
    Option(
        "--classes", Place(), "of your own pictures: the class table (default: the one in the folder)", metavar="FILE"
    ),
    Option(
        "--sheet",
        Place(),
        "where to draw what was understood of your own pictures (default: NAME-sheet.png here)",
        metavar="FILE",
    ),
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
    """The command line: `camvid [--source FOLDER] [--size H W ...] [--split train ...]`, or `FOLDER [--sheet FILE]`.

    Prints a line for every cache that is ready, and of a folder what was understood. Exits with one line that says what
    to do, for a folder a line for each problem: status 2 for a wrong option, 1 when something fails; started again, it
    goes on where it stopped.
    """
    options = parse(arguments)
    console.say_warnings(PROGRAM)
    warnings.simplefilter("always", data.DataWarning)
    chosen = {"source": options.source, "classes": options.classes, "keep": True}
    try:
        if isinstance(options.dataset, Path):
            look(options)
        for size in zip(options.size[::2], options.size[1::2], strict=True):
            for split in options.split:
                scenes = data.load(options.dataset, split, size, **chosen)
                console.say(f"{scenes!r} is ready")
    except data.FolderError as error:
        console.fail(PROGRAM, error.lines)
    except (data.DataError, OSError) as error:
        sys.exit(f"{PROGRAM}: {error}")
    console.say(f"all of it lies in {folder()}")


def look(options: argparse.Namespace) -> None:
    """Say and draw what is understood of a folder. DataError for a sheet that this command did not draw."""
    from ..figures.understood import show_understood

    found = data.survey(options.dataset, options.classes)
    for line in found.lines():
        console.say(line)
    sheet = options.sheet or Path(f"{found.name.removeprefix('own-')}-sheet.png")
    if found.root.resolve() in sheet.resolve().parents:
        raise data.DataError(f"--sheet {sheet} would lie among the pictures: choose another place (--sheet)")
    if sheet.exists() and not sealed_png.is_sealed(sheet, PROGRAM):
        raise data.DataError(
            f"{sheet} is not this command's own, or was changed since, and is kept: choose another --sheet"
        )
    height, width = options.size[:2]
    scenes = data.load(options.dataset, "train", (height, width), classes=options.classes, keep=True)
    png = sealed_png.seal(show_understood(found, scenes).png(), PROGRAM, "sheet")
    with atomic_write(sheet) as temporary:
        temporary.write_bytes(png)
    console.say(f"look at {sheet} whether that is right")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options; exits with one line and status 2 for one that is wrong."""
    parser = Parser(OPTIONS, prog=PROGRAM, description=__doc__)
    options = parser.parse_args(arguments)
    is_folder = isinstance(options.dataset, Path)
    options.size = options.size or [120, 160]
    options.split = options.split or ["train", "val"]
    if len(options.size) % 2:
        parser.error(f"--size got {len(options.size)} numbers; expected pairs of height and width, such as 120 160")
    if options.dataset != "camvid" and options.source is not None:
        parser.error("--source is for camvid")
    if not is_folder and (options.classes is not None or options.sheet is not None):
        parser.error("--classes and --sheet are for a folder of your own")
    if is_folder and not options.dataset.exists():
        parser.error(f"there is no data set and no folder {options.dataset}; choose {', '.join(NAMES)} or a folder")
    return options


if __name__ == "__main__":
    main()
