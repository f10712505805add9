"""The picture of a page that other sites show beside a link to it (Open Graph): title, question, and our tiles."""

import textwrap
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SIZE = (1200, 630)
GROUND, INK, SOFT = "#14324a", "#ffffff", "#b9d6e6"
TILES = ("#9fd3e6", "#9fd3e6", "#6fae7f", "#d98c5f", "#9fd3e6", "#6fae7f", "#d98c5f", "#f2f0ea", "#f2f0ea")


@cache
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """One of the fonts that come with matplotlib, so that a card looks the same wherever it is made."""
    spec = find_spec("matplotlib")  # an import takes longer than all cards
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("cards are drawn with the fonts of matplotlib, which is not installed")
    fonts = Path(spec.origin).parent / "mpl-data/fonts/ttf"
    return ImageFont.truetype(fonts / f"{name}.ttf", size)


def draw(title: str, text: str, path: Path) -> None:
    """Write the card as PNG of 1200 × 630 pixels to `path`."""
    card = Image.new("RGB", SIZE, GROUND)
    pen = ImageDraw.Draw(card)
    for number, colour in enumerate(TILES):
        row, column = divmod(number, 3)
        pen.rounded_rectangle([70 + 34 * column, 70 + 34 * row, 98 + 34 * column, 98 + 34 * row], 6, fill=colour)
    pen.text((200, 118), "Pixelwise", INK, font("DejaVuSans-Bold", 44), anchor="lm")
    heading = textwrap.wrap(title, 30)
    pen.multiline_text((70, 230), "\n".join(heading), INK, font("DejaVuSans-Bold", 60), spacing=14)
    below = 230 + 78 * len(heading) + 34
    pen.multiline_text((70, below), textwrap.fill(text, 54), SOFT, font("DejaVuSans", 36), spacing=14)
    path.parent.mkdir(parents=True, exist_ok=True)
    card.quantize(64, method=Image.Quantize.FASTOCTREE).save(path)
