"""``python -m pixelwise.predict photo.jpg``: label every pixel of your own pictures with trained weights.

A picture of any size and orientation is brought to about as many pixels as the network was trained on, for a network
knows things at the size at which it met them. Its logits, not its labels, are then interpolated back to the picture's
own size: labels that are enlarged have steps for contours.
"""

import argparse
import colorsys
import io
import os
import stat
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin
from torch import Tensor, nn
from torch.nn import functional as F

from . import console, sealed_png
from ..notebook import course
from .. import data
from ..checks import Range
from ..data import photos
from ..figures.pixels import DISPLAY_COLOURS
from ..figures.style import INK, PAPER
from ..files import whole
from .options import Device, Option, Parser, Place, Switch
from ..training import losses
from ..zoo import weights
from .train import choose_device
from ..evaluation.inference import predicted_labels

DEFAULT_WEIGHTS = course.ROOT / "data" / "weights" / "compact-streets.safetensors"
SMALLEST_SIDE, LONGEST_SIDE = 32, 4096
"""Bounds in pixels on what the network is shown, which matter for a picture that is a line."""

PROGRAM = "pixelwise.predict"
ROLES = ("overlay", "mask")
"""What is written for each picture, as STEM-overlay.png and STEM-mask.png, sealed with the name of this program."""

ROWS = 256
"""Rows of the full-size picture that are labelled at once, so that memory stays small."""

LEGEND_WIDTH = 480
"""An overlay narrower than this is enlarged by a whole factor, so that its legend can be read."""

OPTIONS = (
    Option("pictures", Place(home=False), "files, or folders of them", metavar="PICTURE", count="+"),
    Option(
        "--weights",
        Place(),
        "weights.safetensors of a training run (default: the small ones that come with the book)",
        DEFAULT_WEIGHTS,
        "FILE",
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

EXAMPLES = """
examples:
  python -m pixelwise.predict photo.jpg
      writes photo-overlay.png and photo-mask.png here, by the small weights that come with the book
  python -m pixelwise.predict --weights data/runs/unet-camvid-360x480-seed0/weights.safetensors holiday/ --out seen
      every picture of a folder, by weights that python -m pixelwise.training made

The mask is a PNG whose pixel values are the classes' numbers, 0 to 10, painted by its palette. A picture that can't be
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
    try:
        model, about = weights.load(options.weights)
        _check_classes(len(about.classes))
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
    console.say(f"{about.network.model}, trained on {about.dataset} at {about.size[0]}×{about.size[1]}")
    if about.dataset == "streets":
        console.say(
            "These weights have seen generated scenes only: on photographs of real streets expect many mistakes."
        )
    kept = _identities([*pictures, options.weights])
    failed = len(complaints)
    for path, stem in zip(pictures, _stems(pictures), strict=True):
        names = [f"{stem}-{role}.png" for role in ROLES]
        try:
            for name in names:
                _check_free(options.out / name, kept, options.overwrite)
            overlay, mask, shares = segment(model, about, photos.read(path, options.max_megapixels), options.alpha)
            for name, role, image in zip(names, ROLES, (overlay, mask), strict=True):
                _write(options.out / name, role, image)
        except Exception as error:
            if console.is_out_of_memory(error):
                error = f"{path}: out of memory; make the picture smaller, or refuse such ones with --max-megapixels"
            elif not isinstance(error, data.DataError | OSError):
                raise
            failed += 1
            console.say(f"{PROGRAM}: {error}", error=True)
            continue
        most = ", ".join(f"{name} {share:.0%}" for name, share in list(shares.items())[:4])
        console.say(f"{path}: {most} → {', '.join(names)}")
    if failed:
        sys.exit(1)


def segment(
    model: nn.Module, about: weights.About, picture: Tensor, alpha: float = 0.55
) -> tuple[Image.Image, Image.Image, dict[str, float]]:
    """Overlay with a legend, mask with a palette, and each class's share of the picture, largest first.

    picture: (3, H, W) uint8. The mask has the picture's size, the overlay as well but for the legend below it.
    """
    classes = [console.printable(name) for name in about.classes]
    labels = label(model, picture, about.size)
    mask = draw_mask(labels, classes)
    counts = torch.bincount(labels.flatten(), minlength=len(classes)) / labels.numel()
    order = counts.argsort(descending=True).tolist()
    shares = {classes[i]: counts[i].item() for i in order if counts[i]}
    return draw_overlay(_image(picture), mask, classes, shares, alpha), mask, shares


def label(model: nn.Module, picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Labels (H, W) uint8 of a picture (3, H, W) uint8, by a network that was trained on pictures of `size`."""
    device = next(model.parameters()).device
    shown = resize(picture, working_size(tuple(picture.shape[1:]), size))
    with torch.inference_mode():
        logits = losses.heads(model(data.normalise(shown[None]).to(device)))[0][0]  # (C, h, w)
        return enlarge_and_label(logits, tuple(picture.shape[1:])).cpu()


def working_size(size: tuple[int, int], trained: tuple[int, int]) -> tuple[int, int]:
    """The (height, width) to show: the picture's own shape, with as many pixels as the training pictures had."""
    factor = (trained[0] * trained[1] / (size[0] * size[1])) ** 0.5
    height, width = (min(max(round(side * factor), SMALLEST_SIDE), LONGEST_SIDE) for side in size)
    return height, width


def resize(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """The picture (3, H, W) uint8 at another size, smoothed where it shrinks, as the training pictures were."""
    small = _image(picture).resize(size[::-1], Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1)


def enlarge_and_label(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """argmax over the classes of logits (C, h, w), bilinearly interpolated to `size`: (H, W) uint8.

    The same as F.interpolate and argmax, but some rows at a time: all logits of a large photograph would fill memory.
    ValueError for more classes than uint8 can tell apart.
    """
    _check_classes(len(logits))
    height, width = size
    scale = logits.shape[1] / height
    wide = F.interpolate(logits[None], (logits.shape[1], width), mode="bilinear", align_corners=False)[0]
    labels = torch.empty(size, dtype=torch.uint8, device=logits.device)
    for top in range(0, height, ROWS):
        rows = torch.arange(top, min(top + ROWS, height), device=logits.device)
        place = ((rows + 0.5) * scale - 0.5).clamp(0, logits.shape[1] - 1)
        above = place.floor().long()
        below = (above + 1).clamp(max=logits.shape[1] - 1)
        share = (place - above).to(wide.dtype)[:, None]
        labels[rows] = predicted_labels(torch.lerp(wide[:, above], wide[:, below], share)[None])[0].to(torch.uint8)
    return labels


def draw_mask(labels: Tensor, classes: Sequence[str]) -> Image.Image:
    """Labels (H, W) as a palette image, whose PNG also names the classes."""
    mask = Image.fromarray(labels.numpy())
    mask.putpalette([value for i in range(len(classes)) for value in _colour(i)])
    mask.info["classes"] = ", ".join(f"{i} {name}" for i, name in enumerate(classes))
    return mask


def draw_overlay(
    picture: Image.Image, mask: Image.Image, classes: Sequence[str], shares: dict[str, float], alpha: float
) -> Image.Image:
    """The picture with its mask laid over it, and below it a legend of the classes that occur."""
    painted = Image.blend(picture, mask.convert("RGB"), alpha)
    factor = -(-LEGEND_WIDTH // painted.width)
    if factor > 1:
        factor = min(factor, max(1, LONGEST_SIDE // max(painted.size)))
        painted = painted.resize((painted.width * factor, painted.height * factor), Image.Resampling.NEAREST)
    legend = _legend(max(painted.width, LEGEND_WIDTH), classes, shares)
    sheet = Image.new("RGB", (legend.width, painted.height + legend.height), PAPER)
    sheet.paste(painted, ((legend.width - painted.width) // 2, 0))
    sheet.paste(legend, (0, painted.height))
    return sheet


def _legend(width: int, classes: Sequence[str], shares: dict[str, float]) -> Image.Image:
    from matplotlib import font_manager  # brings the font that the figures have too

    unit = max(14, min(width // 48, 64))  # the height of a letter, in pixels
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), unit)
    words = {name: f"{name} {share:.0%}" if share >= 0.005 else f"{name} < 1%" for name, share in shares.items()}
    cell = round(max(font.getlength(text) for text in words.values()) + 3.5 * unit)
    columns = max(1, (width - unit) // cell)
    strip = Image.new("RGB", (width, round((-(-len(words) // columns) * 1.7 + 1) * unit)), PAPER)
    pen = ImageDraw.Draw(strip)
    for i, (name, text) in enumerate(words.items()):
        x, y = unit + i % columns * cell, round((0.6 + i // columns * 1.7) * unit)
        colour = _colour(list(classes).index(name))
        pen.rectangle((x, y, x + round(1.5 * unit), y + round(1.1 * unit)), fill=colour, outline=INK)
        pen.text((x + 2 * unit, y + round(0.55 * unit)), text, fill=INK, font=font, anchor="lm")
    return strip


def _image(picture: Tensor) -> Image.Image:
    """(3, H, W) uint8 as an image."""
    return Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy())


def _colour(label: int) -> tuple[int, int, int]:
    """The colour of a class: those of the book's eleven, then any number of others, a golden angle of hue apart."""
    if label < len(DISPLAY_COLOURS):
        return DISPLAY_COLOURS[label]
    red, green, blue = colorsys.hls_to_rgb(label * 0.618034 % 1, 0.35 + label % 3 * 0.15, 0.8)
    return round(255 * red), round(255 * green), round(255 * blue)


def _check_classes(count: int) -> None:
    if count > data.VOID:
        raise ValueError(
            f"this network tells {count} classes apart, and a mask holds at most {data.VOID} (its labels have 8 "
            f"bits, and {data.VOID} is void): use one with fewer classes"
        )


def _gather(given: list[Path]) -> tuple[list[Path], list[str]]:
    """The pictures to label, and a line for each place where none can be found; what this command wrote is left out."""
    pictures, complaints = [], []
    for path in given:
        try:
            found = photos.find(path)
        except data.DataError as error:
            complaints.append(str(error))
            continue
        others = [one for one in found if not seal.is_sealed(one, PROGRAM)]
        if not others:
            console.say(f"{PROGRAM}: {path} is left out, as this command wrote all of it", error=True)
        pictures += others
    return pictures, complaints


def _stems(pictures: list[Path]) -> list[str]:
    """A name for each picture's outputs: its own without the ending, numbered where several would share it.

    Names that some file systems hold for one, which differ in case or in how an accent is written, count as shared.
    """
    names, taken, next_number = [], set(), {}
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
    found = set()
    for path in paths:
        for follow in (True, False):
            try:
                found.add(_identity(os.stat(path, follow_symlinks=follow)))
            except (OSError, ValueError):
                continue  # it is missing or has no possible name, which reading it will say
    return found


def _identity(there: os.stat_result) -> tuple[int, int]:
    return there.st_dev, there.st_ino


def _check_free(path: Path, kept: set[tuple[int, int]], overwrite: bool) -> None:
    """FileExistsError, in one line, for a file that this command did not write, or that is among the `kept`.

    With `overwrite` other files and links may be replaced: the link itself, never what it points at.
    """
    try:
        there = path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror}") from error
    if _identity(there) in kept:
        raise FileExistsError(f"{path} is read by this very call and is kept; choose another folder (--out)")
    link, file = stat.S_ISLNK(there.st_mode), stat.S_ISREG(there.st_mode)
    if not (link or file):
        raise FileExistsError(f"{path} is a folder or no file at all, and is kept; choose another folder (--out)")
    if overwrite or (file and there.st_mode & stat.S_IWUSR and seal.is_sealed(path, PROGRAM)):
        return
    reason = "is a link" if link else "is not this command's own, was changed since, or is write-protected"
    raise FileExistsError(f"{path} {reason}, and is kept; rename it, choose another folder (--out) or say --overwrite")


def _write(path: Path, role: str, image: Image.Image) -> None:
    note, png = PngImagePlugin.PngInfo(), io.BytesIO()
    if classes := image.info.get("classes"):
        note.add_text("classes", classes)
    image.save(png, "PNG", pnginfo=note)
    with whole(path) as temporary:
        temporary.write_bytes(seal.seal(png.getvalue(), PROGRAM, role))


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options; exits with one line and status 2 for one that is wrong."""
    parser = Parser(
        prog="python -m pixelwise.predict",
        usage="python -m pixelwise.predict [options] PICTURE ...",
        description="Label every pixel of your own pictures: for each, an overlay with a legend and a mask.",
        epilog=EXAMPLES,
    )
    for option in OPTIONS:
        option.add_to(parser)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
