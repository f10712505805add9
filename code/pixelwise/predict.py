"""``python -m pixelwise.predict photo.jpg``: label every pixel of your own pictures with trained weights.

A picture of any size and orientation is brought to about as many pixels as the network was trained on, for a network
knows things at the size at which it met them. Its logits, not its labels, are then interpolated back to the picture's
own size: labels that are enlarged have steps for contours.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin
from torch import Tensor, nn
from torch.nn import functional as F

from . import course, data
from .data import photos
from .figures.pixels import DISPLAY_COLOURS
from .figures.style import INK, PAPER
from .files import whole
from .training import losses, weights
from .training.command import choose_device
from .training.inference import predicted_labels

DEFAULT_WEIGHTS = course.ROOT / "data" / "weights" / "compact-streets.safetensors"
SMALLEST_SIDE, LONGEST_SIDE = 32, 4096
"""Bounds in pixels on what the network is shown, which matter for a picture that is a line."""

ROWS = 256
"""Rows of the full-size picture that are labelled at once, so that memory stays small."""

LEGEND_WIDTH = 480
"""An overlay narrower than this is enlarged by a whole factor, so that its legend can be read."""

EXAMPLES = """
examples:
  python -m pixelwise.predict photo.jpg
      writes photo-overlay.png and photo-mask.png here, by the small weights that come with the book
  python -m pixelwise.predict --weights data/runs/unet-camvid-360x480-seed0/weights.safetensors holiday/ --out seen
      every picture of a folder, by weights that python -m pixelwise.training made

The mask is a PNG whose pixel values are the classes' numbers, 0 to 10, painted by its palette. A picture that can't be
read is named, the others are done, and the exit status is 1.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line; exits with 1 when a picture could not be done."""
    try:
        _run(_parser().parse_args(arguments))
    except KeyboardInterrupt:
        sys.exit("pixelwise.predict: stopped; what was written so far is whole")


def _run(options: argparse.Namespace) -> None:
    try:
        model, about = weights.load(options.weights)
        model.to(choose_device(options.device))
        pictures = photos.find(options.pictures)
        options.out.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as error:
        sys.exit(f"pixelwise.predict: {error}")
    print(f"{about.network.model}, trained on {about.dataset} at {about.size[0]}×{about.size[1]}")
    if about.dataset == "streets":
        print("These weights have seen generated scenes only: on photographs of real streets expect many mistakes.")
    failed = 0
    for path, stem in zip(pictures, _stems(pictures), strict=True):
        try:
            overlay, mask, shares = segment(model, about, photos.read(path, options.max_megapixels), options.alpha)
            _write(options.out / f"{stem}-overlay.png", overlay)
            _write(options.out / f"{stem}-mask.png", mask)
        except (data.DataError, OSError, MemoryError, torch.OutOfMemoryError) as error:
            failed += 1
            print(f"pixelwise.predict: {error or 'not enough memory'}", file=sys.stderr)
            continue
        most = ", ".join(f"{name} {share:.0%}" for name, share in list(shares.items())[:4])
        print(f"{path}: {most} → {stem}-overlay.png, {stem}-mask.png", flush=True)
    if failed:
        sys.exit(1)


def segment(
    model: nn.Module, about: weights.About, picture: Tensor, alpha: float = 0.55
) -> tuple[Image.Image, Image.Image, dict[str, float]]:
    """Overlay with a legend, mask with a palette, and each class's share of the picture, largest first.

    picture: (3, H, W) uint8. The mask has the picture's size, the overlay as well but for the legend below it.
    """
    labels = label(model, picture, about.size)
    mask = draw_mask(labels, about.classes)
    counts = torch.bincount(labels.flatten(), minlength=len(about.classes)) / labels.numel()
    order = counts.argsort(descending=True).tolist()
    shares = {about.classes[i]: counts[i].item() for i in order if counts[i]}
    return draw_overlay(_image(picture), mask, about.classes, shares, alpha), mask, shares


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
    """
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
    mask.putpalette([value for colour in DISPLAY_COLOURS[: len(classes)] for value in colour])
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
        colour = DISPLAY_COLOURS[list(classes).index(name)]
        pen.rectangle((x, y, x + round(1.5 * unit), y + round(1.1 * unit)), fill=colour, outline=INK)
        pen.text((x + 2 * unit, y + round(0.55 * unit)), text, fill=INK, font=font, anchor="lm")
    return strip


def _image(picture: Tensor) -> Image.Image:
    """(3, H, W) uint8 as an image."""
    return Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy())


def _stems(pictures: list[Path]) -> list[str]:
    """A name for each picture's outputs: its own without the ending, numbered where several would share it."""
    names, taken = [], set()
    for path in pictures:
        name, number = path.stem, 2
        while name.lower() in taken:
            name, number = f"{path.stem}-{number}", number + 1
        taken.add(name.lower())
        names.append(name)
    return names


def _write(path: Path, image: Image.Image) -> None:
    note = PngImagePlugin.PngInfo()
    if classes := image.info.get("classes"):
        note.add_text("classes", classes)
    with whole(path) as temporary:
        image.save(temporary, "PNG", pnginfo=note)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pixelwise.predict",
        description="Label every pixel of your own pictures: for each, an overlay with a legend and a mask.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("pictures", type=Path, nargs="+", metavar="PICTURE", help="files, or folders of them")
    add(
        "--weights",
        type=Path,
        default=DEFAULT_WEIGHTS,
        metavar="FILE",
        help="weights.safetensors of a training run (default: the small ones that come with the book)",
    )
    add("--out", type=Path, default=Path(), metavar="FOLDER", help="where to write (default: here)")
    add("--alpha", type=_share, default=0.55, help="how much the labels cover the picture, 0 to 1 (default: 0.55)")
    add("--device", metavar="NAME", help="cpu, cuda, mps (default: a GPU where there is one)")
    add(
        "--max-megapixels",
        type=float,
        default=photos.MAX_MEGAPIXELS,
        metavar="N",
        help="refuse pictures with more pixels than this (default: 100)",
    )
    return parser


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 1")
    return value


if __name__ == "__main__":
    main()
