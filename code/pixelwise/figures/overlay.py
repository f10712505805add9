"""A picture's labels as files for people: a mask with a palette, and the picture under its mask with a legend."""

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from .pixels import Colours, class_colours
from .style import INK, PAPER

LEGEND_WIDTH = 480
"""An overlay narrower than this is enlarged by a whole factor, so that its legend can be read."""

LONGEST_SIDE = 4096
"""In pixels; an overlay is not enlarged beyond it."""


def draw_mask(labels: Tensor, classes: Sequence[str], colours: Colours | None = None) -> Image.Image:
    """Labels (H, W) as a palette image, whose PNG also names the classes. colours: the classes' own, else generated."""
    mask = Image.fromarray(labels.numpy())
    mask.putpalette([value for colour in colours or class_colours(len(classes)) for value in colour])
    mask.info["classes"] = ", ".join(f"{i} {name}" for i, name in enumerate(classes))
    return mask


def draw_overlay(
    picture: Image.Image,
    mask: Image.Image,
    classes: Sequence[str],
    shares: Mapping[str, float],
    alpha: float,
    colours: Colours | None = None,
) -> Image.Image:
    """The picture with its mask laid over it, and below it a legend of the classes that occur."""
    painted = Image.blend(picture, mask.convert("RGB"), alpha)
    factor = -(-LEGEND_WIDTH // painted.width)
    if factor > 1:
        factor = min(factor, max(1, LONGEST_SIDE // max(painted.size)))
        painted = painted.resize((painted.width * factor, painted.height * factor), Image.Resampling.NEAREST)
    legend = _legend(max(painted.width, LEGEND_WIDTH), classes, shares, colours or class_colours(len(classes)))
    sheet = Image.new("RGB", (legend.width, painted.height + legend.height), PAPER)
    sheet.paste(painted, ((legend.width - painted.width) // 2, 0))
    sheet.paste(legend, (0, painted.height))
    return sheet


def _legend(width: int, classes: Sequence[str], shares: Mapping[str, float], colours: Colours) -> Image.Image:
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
        colour = colours[list(classes).index(name)]
        pen.rectangle((x, y, x + round(1.5 * unit), y + round(1.1 * unit)), fill=colour, outline=INK)
        pen.text((x + 2 * unit, y + round(0.55 * unit)), text, fill=INK, font=font, anchor="lm")
    return strip
