"""Two renderings of a figure, for light and for dark pages: without its card, its photographs and masks as they are.

A figure's PNG lists the boxes in it that keep their colours (pixelwise.figures.style). All else is ink on paper: paper
becomes transparent, and for the dark page lightness is turned over while hues stay, so that blue is still called blue.
What is drawn in the colour of a class keeps it, so that road is coloured as in every mask: an area as it is, with what
is written in it; a line, which a dark page would swallow, as light as it must be.
"""

import io
import json
import re
from pathlib import Path

import numpy as np
from PIL import Image

from pixelwise.figures import DISPLAY_COLOURS

KEPT = "Kept"  # the entry of the PNG, as pixelwise.figures.style writes it
PAPER = 0xF8F6F1
WIDE = 0.5
"""Share of a figure that pictures cover, from which on it is shown wider than the text."""
MARGIN = 0.04
"""Share of a figure's width that may be bare on its left without being meant so."""
LIGHTNESS = (1.19, -0.99)
"""The lightness l of OKLab becomes 1.19 - 0.99 l: paper (0.97) nearly black, ink (0.26) nearly white."""
LIGHT_ENOUGH = 0.52
"""The lightness in OKLab from which on a line has a contrast of 3 to a dark page."""
PACK = np.array([1 << 16, 1 << 8, 1], np.uint32)
"""Red, green and blue (..., 3) times this are one number, and numbers are sorted twenty times as fast as rows."""
CLASSES = np.array(DISPLAY_COLOURS, np.uint32) @ PACK
AREA, STROKE, LINE = 17, 20, 44
"""Stored pixels: the least side of an area, the widest stroke of a letter in it, the height of a line of text."""
TO_LMS = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
)  # fmt: skip
TO_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
)  # fmt: skip


def pair(tag: str, file: Path, images: Path) -> str:
    """The tags of both renderings of the figure in `file`, written to `images`; `tag` where the figure has but one."""
    if file.suffix != ".png":
        return tag
    with Image.open(file, formats=["PNG"]) as picture:
        boxes = picture.info.get(KEPT)
        if boxes is None:
            return tag
        pixels = np.asarray(picture.convert("RGB"))
    kept = inside(boxes, pixels)
    share = kept.mean()
    packed = pixels.astype(np.uint32) @ PACK
    kept |= class_areas(np.where(kept, 0, packed))
    colours = np.unique(np.where(kept, packed, packed + (1 << 24)), return_inverse=True, return_counts=True)
    images.mkdir(exist_ok=True)
    inset = min((packed != PAPER).any(0).argmax() / packed.shape[1], MARGIN)
    tags = []
    for page in ("light", "dark"):
        name = f"{file.stem}-{page}.png"
        (images / name).write_bytes(render(*colours, dark=page == "dark"))
        wide = " pw-wide" if share > WIDE else ""
        look = f'style="--inset: {inset:.4f}" class="pw-on-{page}{wide}"'
        tags.append(re.sub(r'src="([^"]*/)?[^"/]*"', rf'{look} src="\g<1>{name}"', tag, count=1))
    return "".join(tags)


def inside(boxes: str, pixels: np.ndarray) -> np.ndarray:
    """Which pixels (H, W) keep their colours, by the entry of the PNG."""
    kept = np.zeros(pixels.shape[:2], bool)
    for left, top, right, bottom in json.loads(boxes):
        kept[top:bottom, left:right] = True
    return kept


def darken(picture: Image.Image) -> Image.Image:
    """A figure on its card, as a dark page shows both; as it is, where it does not say what in it keeps its colours."""
    pixels = np.array(picture.convert("RGB"))
    if boxes := picture.info.get(KEPT):
        drawn = ~inside(boxes, pixels)
        colours, index = np.unique(pixels[drawn].astype(np.uint32) @ PACK, return_inverse=True)
        pixels[drawn] = turn_over(unpack(colours)).round().astype(np.uint8)[index]
    return Image.fromarray(pixels)


def render(colours: np.ndarray, index: np.ndarray, counts: np.ndarray, *, dark: bool) -> bytes:
    """A figure as PNG of at most 256 colours on clear ground.

    Its `colours` (N,) are packed, 1 << 24 higher where they are drawn and need not stay; `index` (H, W) says which of
    them a pixel has, `counts` (N,) how many pixels have each.
    """
    drawn, rgb = colours >> 24 == 1, unpack(colours)
    if dark:
        rgb[drawn] = np.where(
            np.isin(colours[drawn] & 0xFFFFFF, CLASSES)[:, None], lighten(rgb[drawn]), turn_over(rgb[drawn])
        )
    clear = drawn & (colours & 0xFFFFFF == PAPER)
    order = np.lexsort((-counts, drawn & ~clear))  # colours of photographs first, soft edges of ink last
    chosen, place = order[:256], np.empty(len(colours), np.intp)
    place[chosen] = np.arange(len(chosen))
    for one in order[256:]:
        place[one] = ((rgb[chosen] - rgb[one]) ** 2).sum(1).argmin()
    picture = Image.fromarray(place[index].astype(np.uint8))
    picture.putpalette(rgb[chosen].round().astype(np.uint8).tobytes())
    out = io.BytesIO()
    transparency = {"transparency": int(place[clear][0])} if clear.any() else {}
    picture.save(out, "PNG", compress_level=8, **transparency)  # 9 takes twice as long, for 2 % less
    return out.getvalue()


def unpack(colours: np.ndarray) -> np.ndarray:
    """Red, green and blue (N, 3) in 0-255 of packed colours (N,)."""
    return np.stack([colours >> shift & 255 for shift in (16, 8, 0)], 1).astype(float)


def class_areas(packed: np.ndarray) -> np.ndarray:
    """Where a figure of packed colours (H, W) is drawn in the colours of classes as areas, with letters in them."""
    areas = np.zeros(packed.shape, bool)
    for colour in CLASSES[np.isin(CLASSES, packed)]:
        here = packed == colour
        area = count(count(here, AREA) == AREA**2, AREA) > 0
        areas |= area | (between(here, STROKE) & between(area.T, LINE).T)
    return areas


def count(mask: np.ndarray, side: int) -> np.ndarray:
    """How many pixels of a mask (H, W) lie in the square of an odd side around each of its pixels."""
    total = np.pad(mask.astype(np.int32), ((side // 2 + 1, side // 2),) * 2).cumsum(0).cumsum(1)
    return total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]


def between(mask: np.ndarray, gap: int) -> np.ndarray:
    """The pixels that lie, in their row, between two of the mask (H, W) which are at most `gap` apart."""
    place, far = np.arange(mask.shape[1]), mask.shape[1] + gap
    before = np.maximum.accumulate(np.where(mask, place, -far), 1)
    after = np.minimum.accumulate(np.where(mask, place, 2 * far)[:, ::-1], 1)[:, ::-1]
    return after - before <= gap


def turn_over(rgb: np.ndarray) -> np.ndarray:
    """Colours (N, 3) in 0-255 as a dark page shows them: in OKLab, light for dark, and greys without a tint."""
    lab = to_lab(rgb)
    lab[:, 0] = LIGHTNESS[0] + LIGHTNESS[1] * lab[:, 0]
    lab[:, 1:] *= np.minimum(1, np.hypot(*lab[:, 1:].T) / 0.04)[:, None]
    return from_lab(lab)


def lighten(rgb: np.ndarray) -> np.ndarray:
    """Colours (N, 3) in 0-255 that a dark page does not swallow: the dark ones lighter, the others as they are."""
    lab = to_lab(rgb)
    lab[:, 0] = lab[:, 0].clip(LIGHT_ENOUGH)
    return from_lab(lab)


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """Colours (N, 3) in 0-255 in OKLab."""
    linear = np.where(rgb <= 10.31, rgb / 255 / 12.92, ((rgb / 255 + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ TO_LMS.T) @ TO_LAB.T


def from_lab(lab: np.ndarray) -> np.ndarray:
    """Colours (N, 3) of OKLab in 0-255."""
    linear = ((lab @ np.linalg.inv(TO_LAB).T) ** 3 @ np.linalg.inv(TO_LMS).T).clip(0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
