"""The picture of a page that other sites show beside a link to it (Open Graph): title, question, and our tiles."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SIZE = (1200, 630)
GROUND, INK, SOFT = "#14324a", "#ffffff", "#b9d6e6"
TILES = ("#9fd3e6", "#9fd3e6", "#6fae7f", "#d98c5f", "#9fd3e6", "#6fae7f", "#d98c5f", "#f2f0ea", "#f2f0ea")
LEFT, WIDTH, ROW = 70, 1060, 48


@cache
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """One of the fonts that come with matplotlib, so that a card looks the same wherever it is made."""
    spec = find_spec("matplotlib")  # an import takes longer than all cards
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("cards are drawn with the fonts of matplotlib, which is not installed")
    fonts = Path(spec.origin).parent / "mpl-data/fonts/ttf"
    return ImageFont.truetype(fonts / f"{name}.ttf", size)


def draw(title: str, text: str, path: Path, figure: Image.Image | None = None) -> None:
    """Write the card as PNG of 1200 × 630 pixels to `path`, with a figure of the page where there is one."""
    card, pen = begin()
    heading = fill(title, "DejaVuSans-Bold", 54)
    pen.multiline_text((LEFT, 150), "\n".join(heading), INK, font("DejaVuSans-Bold", 54), spacing=18)
    below, width = 150 + 80 * len(heading) + 16, WIDTH
    if figure is not None:
        width -= figure.width + 40
        place = (SIZE[0] - LEFT - figure.width, min(below, SIZE[1] - 40 - figure.height))
        if place[1] < below - 16:
            figure = figure.crop((0, 0, figure.width, SIZE[1] - 40 - below))
            place = (place[0], below)
        card.paste(figure, place)
    pen.multiline_text(
        (LEFT, below), "\n".join(fill(text, "DejaVuSans", 32, width)), SOFT, font("DejaVuSans", 32), spacing=12
    )
    save(card, path)


def ask(question: str, choices: list[str], path: Path) -> None:
    """Write the card of a question, with what there is to choose from and no word of the answer."""
    card, pen = begin()
    room = SIZE[1] - 180 - 80 - ROW * len(choices)
    size = next(size for size in range(54, 12, -2) if 1.45 * size * len(fill(question, "DejaVuSans-Bold", size)) < room)
    lines = fill(question, "DejaVuSans-Bold", size)
    pen.multiline_text((LEFT, 160), "\n".join(lines), INK, font("DejaVuSans-Bold", size), spacing=0.35 * size)
    y = 160 + 1.45 * size * len(lines) + 20 + ROW / 2
    for choice in choices:
        pen.ellipse([LEFT + 2, y - 13, LEFT + 28, y + 13], outline=SOFT, width=3)
        pen.text((LEFT + 48, y), choice, SOFT, font("DejaVuSans", 30), anchor="lm")
        y += ROW
    pen.text((LEFT, SIZE[1] - 48), "Guess, then see what was measured.", TILES[3], font("DejaVuSans", 26), anchor="lm")
    save(card, path)


def fill(text: str, name: str, size: int, width: float = WIDTH) -> list[str]:
    """The text in lines that fit the card, or `width` pixels."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font(name, size).getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def begin() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A card with our name, and the pen to write on it."""
    card = Image.new("RGB", SIZE, GROUND)
    pen = ImageDraw.Draw(card)
    for number, colour in enumerate(TILES):
        row, column = divmod(number, 3)
        pen.rounded_rectangle(
            [LEFT + 26 * column, 50 + 26 * row, LEFT + 22 + 26 * column, 72 + 26 * row], 5, fill=colour
        )
    pen.text((LEFT + 98, 88), "Pixelwise", INK, font("DejaVuSans-Bold", 38), anchor="lm")
    return card, pen


def save(card: Image.Image, path: Path) -> None:
    """Write a card in few colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    card.quantize(128, method=Image.Quantize.FASTOCTREE).save(path)
