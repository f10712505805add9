"""`pixelwise-predict photo.jpg`: label every pixel of your own pictures with trained weights.

What is computed stands in `pixelwise.evaluation.pictures`; here is what may be read and written.
"""

import argparse
import io
import os
import stat
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image, PngImagePlugin
from torch import Tensor, nn

from .. import data
from ..checks import Range
from ..data import photos
from ..environment import is_out_of_memory
from ..evaluation.inference import SCALES
from ..evaluation.pictures import label, window_side, working_size
from ..figures.overlay import draw_mask, draw_overlay
from ..files import atomic_write
from ..zoo import weights
from . import console, sealed_png
from .device import choose_device
from .options import Device, Option, Parser, Place, Switch

PROGRAM = "pixelwise-predict"
ROLES = ("overlay", "mask")
"""What is written for each picture, as STEM-overlay.png and STEM-mask.png, sealed with the name of this program."""

OPTIONS = (
    Option("pictures", Place(home=False), "files, or folders of them", metavar="PICTURE", count="+"),
    Option(
        "--weights",
        Place(),
        "weights.safetensors of a training run, or camvid or streets: the small ones that come with the book (default: "
        "the first of the two that is there)",
        weights.DEFAULT,
        "FILE",
    ),
    Option(
        "--closer",
        Range(1, 8, whole=True),
        "show the picture so many times larger, a window at a time, for what is small and far away",
        1,
        "TIMES",
    ),
    Option(
        "--thorough",
        Switch(),
        "show the picture at 1, 1.5 and 2 times that size and average the answers, which takes seven times as long",
    ),
    Option("--out", Place(), "where to write (default: here)", Path(), "FOLDER"),
    Option("--overwrite", Switch(), "replace also files that this command did not write"),
    Option("--alpha", Range(0, 1), "how much the labels cover the picture", 0.55, "SHARE"),
    Option("--device", Device(), "cpu, cuda, cuda:1, mps (default: a GPU where there is one)", metavar="NAME"),
    Option(
        "--max-megapixels",
        Range(0, photos.LARGEST_LIMIT, open="least"),
        "refuse pictures with more pixels",
        photos.MAX_MEGAPIXELS,
        "N",
    ),
)

ADVICE = {
    "streets": "These weights have seen generated scenes only: on photographs of real streets expect many mistakes.",
    "camvid": "These weights learned from CamVid and are for non-commercial use; --weights streets takes free ones, "
    "which have seen generated scenes only.",
}
"""What to know before using weights, by the data that they learned from."""

EXAMPLES = """
examples:
  pixelwise-predict photo.jpg
      writes photo-overlay.png and photo-mask.png here, by the small weights that come with the book
  pixelwise-predict --weights data/runs/unet-camvid-360x480-seed0/weights.safetensors holiday/ --out seen
      every picture of a folder, by weights that pixelwise-train made
  pixelwise-predict --weights streets photo.jpg
      by weights without any condition, which learned from generated scenes

The mask is a PNG whose pixel values are the classes' numbers, from 0, painted by its palette. A picture that can't be
read is named, the others are done, and the exit status is 1.

What this command wrote earlier, and nobody has changed since, is replaced, and left out where it lies among the
pictures. Any other file is kept, and named, unless you say --overwrite; a picture that is read is kept in any case. A
name that begins with - is written ./-name.
"""


@console.command_line(
    PROGRAM,
    stopped="stopped; what was written so far is whole",
    memory="close other programs, or use a smaller network (--weights)",
)
def main(arguments: Sequence[str] | None = None) -> None:
    """The command line; exits with 1 when a picture could not be done."""
    options = parse(arguments)
    options.weights = weights.file_of(options.weights)
    try:
        model, metadata = weights.load(options.weights)
        model.to(choose_device(options.device))
    except (ValueError, OSError) as error:
        sys.exit(f"{PROGRAM}: {error}")
    pictures, complaints = _gather(options.pictures)
    for complaint in complaints:
        console.say(f"{PROGRAM}: {complaint}", error=True)
    if not pictures:
        sys.exit(f"{PROGRAM}: there is no picture to label")
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(f"{PROGRAM}: --out {options.out} can't be a folder ({error.strerror}); choose another one")
    console.say(
        f"{options.weights.stem}: {metadata.network.model}, trained on {metadata.dataset} at "
        f"{metadata.size[0]}×{metadata.size[1]}"
    )
    if advice := ADVICE.get(metadata.dataset):
        console.say(advice)
    inputs = _identities([*pictures, options.weights])
    failed = len(complaints)
    for path, stem in zip(pictures, _stems(pictures), strict=True):
        names = [f"{stem}-{role}.png" for role in ROLES]
        try:
            for name in names:
                _check_free(options.out / name, inputs, options.overwrite)
            picture = photos.read(path, options.max_megapixels)
            scales = SCALES if options.thorough else (1.0,)
            overlay, mask, shares = segment(model, metadata, picture, options.alpha, options.closer, scales)
            for name, role, image in zip(names, ROLES, (overlay, mask), strict=True):
                _write(options.out / name, role, image)
        except Exception as error:
            if is_out_of_memory(error):
                error = f"{path}: out of memory; make the picture smaller, or refuse such ones with --max-megapixels"
            elif not isinstance(error, data.DataError | OSError):
                raise
            failed += 1
            console.say(f"{PROGRAM}: {error}", error=True)
            continue
        most = ", ".join(f"{name} {share:.0%}" for name, share in list(shares.items())[:4])
        console.say(f"{path}, shown at {shown(picture, metadata, options.closer)}: {most} → {', '.join(names)}")
    if failed:
        sys.exit(1)


def segment(
    model: nn.Module,
    metadata: weights.Metadata,
    picture: Tensor,
    alpha: float = 0.55,
    closer: int = 1,
    scales: Sequence[float] = (1.0,),
) -> tuple[Image.Image, Image.Image, dict[str, float]]:
    """Overlay with a legend, mask with a palette, and each class's share of the picture, largest first.

    picture: (3, H, W) uint8. The mask has the picture's size, the overlay as well but for the legend below it.
    """
    labels = label(model, picture, metadata.size, closer, scales)
    mask = draw_mask(labels, metadata.classes, metadata.colours)
    counts = torch.bincount(labels.flatten(), minlength=len(metadata.classes)) / labels.numel()
    order = counts.argsort(descending=True).tolist()
    shares = {metadata.classes[i]: counts[i].item() for i in order if counts[i]}
    image = Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy())
    return draw_overlay(image, mask, metadata.classes, shares, alpha, metadata.colours), mask, shares


def shown(picture: Tensor, metadata: weights.Metadata, closer: int) -> str:
    """At which size, and through which windows, the network sees a picture (3, H, W), in words."""
    height, width = picture.shape[1:]
    height, width = working_size((height, width), metadata.size, closer)
    side = window_side(metadata.size)
    return f"{height}×{width}" + ("" if closer == 1 else f" in windows of {side}×{side}")


def _gather(paths: list[Path]) -> tuple[list[Path], list[str]]:
    """The pictures to label, and a line for each place where none can be found; what this command wrote is left out."""
    pictures: list[Path] = []
    complaints: list[str] = []
    for path in paths:
        try:
            candidates = photos.find(path)
        except data.DataError as error:
            complaints.append(str(error))
            continue
        others = [one for one in candidates if not sealed_png.is_sealed(one, PROGRAM)]
        if not others:
            console.say(f"{PROGRAM}: {path} is left out, as this command wrote all of it", error=True)
        pictures += others
    return pictures, complaints


def _stems(pictures: list[Path]) -> list[str]:
    """A name for each picture's outputs: its own without the ending, numbered where several would share it.

    Names that some file systems hold for one, which differ in case or in how an accent is written, count as shared.
    """
    names: list[str] = []
    taken: set[str] = set()
    next_number: dict[str, int] = {}
    for path in pictures:
        name, own = path.stem, _folded(path.stem)
        while _folded(name) in taken:
            number = next_number.get(own, 2)
            name, next_number[own] = f"{path.stem}-{number}", number + 1
        taken.add(_folded(name))
        names.append(name)
    return names


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _identities(paths: list[Path]) -> set[tuple[int, int]]:
    """What tells files apart whatever they are called: of each path the file, and the link if it is one."""
    identities: set[tuple[int, int]] = set()
    for path in paths:
        for follow in (True, False):
            try:
                identities.add(_identity(os.stat(path, follow_symlinks=follow)))
            except (OSError, ValueError):
                continue  # it is missing or has no possible name, which reading it will say
    return identities


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _check_free(path: Path, inputs: set[tuple[int, int]], overwrite: bool) -> None:
    """FileExistsError, in one line, for a file that this command did not write, or that is among the `inputs`.

    With `overwrite` other files and links may be replaced: the link itself, never what it points at.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror}") from error
    if _identity(status) in inputs:
        raise FileExistsError(f"{path} is read by this very call and is kept; choose another folder (--out)")
    link, file = stat.S_ISLNK(status.st_mode), stat.S_ISREG(status.st_mode)
    if not (link or file):
        raise FileExistsError(f"{path} is a folder or no file at all, and is kept; choose another folder (--out)")
    if overwrite or (file and status.st_mode & stat.S_IWUSR and sealed_png.is_sealed(path, PROGRAM)):
        return
    reason = "is a link" if link else "is not this command's own, was changed since, or is write-protected"
    raise FileExistsError(f"{path} {reason}, and is kept; rename it, choose another folder (--out) or say --overwrite")


def _write(path: Path, role: str, image: Image.Image) -> None:
    note, png = PngImagePlugin.PngInfo(), io.BytesIO()
    if classes := image.info.get("classes"):
        note.add_text("classes", classes)
    image.save(png, "PNG", pnginfo=note)
    with atomic_write(path) as temporary:
        temporary.write_bytes(sealed_png.seal(png.getvalue(), PROGRAM, role))


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options; exits with one line and status 2 for one that is wrong."""
    return Parser(
        OPTIONS,
        prog=PROGRAM,
        usage=f"{PROGRAM} [options] PICTURE ...",
        description="Label every pixel of your own pictures: for each, an overlay with a legend and a mask.",
        epilog=EXAMPLES,
    ).parse_args(arguments)


if __name__ == "__main__":
    main()
