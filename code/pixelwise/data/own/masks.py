"""One mask, from its file to labels: what its pixels hold, and what is wrong with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .. import photos
from ..palette import VOID
from ..storage import DataError
from .tables import UNKNOWN, ClassTable, Code, pack, shown, unpack

MANY = 16
"""More unknown colours than this in one mask are no forgotten classes, but smoothed edges or a lossy format."""

PNG_DEPTH, PNG_KIND = 24, 25
"""Places in a PNG's header of the bits a sample, and of its kind, which is 0 for grey."""


class ColouredError(DataError):
    """A mask of colours where numbers were expected."""


@dataclass(frozen=True)
class Codes:
    """What a mask's pixels hold: values (H, W) int32, numbers or packed colours."""

    values: np.ndarray
    deep: bool
    """Whether a pixel has more than 8 bits, as instance numbers have."""


def open_mask(path: Path) -> tuple[Image.Image, int]:
    """The mask at `path`, and the bits a sample where it is a grey PNG, else 8.

    DataError, in one line, for what is no picture, for a JPEG, which changes labels, and for transparency.
    """
    image = photos.open_picture(path)
    if image.format == "JPEG":
        raise DataError(f"{path} is a JPEG, which blurs labels into each other: export the mask as PNG")
    bits = 8
    if image.format == "PNG":
        with open(path, "rb") as file:
            header = file.read(PNG_KIND + 1)
        bits = header[PNG_DEPTH] if header[PNG_KIND] == 0 else 8
    if image.mode in ("RGBA", "LA", "PA"):
        if np.asarray(image.getchannel("A")).min() < 255:
            raise DataError(f"{path} is transparent in places: flatten the mask, and give that place a class or void")
        image = image.convert({"RGBA": "RGB", "LA": "L", "PA": "P"}[image.mode])
    return image, bits


def codes_of(image: Image.Image, by_colour: bool, *, bits: int = 8, white: int = 1) -> Codes:
    """What the pixels of a mask hold: colours, or numbers, which are grey values or places in a palette.

    bits: of a grey sample, which Pillow stretches to 8. white: its number in a mask of one bit. DataError, in half a
    sentence, for numbers that are no labels; ColouredError for colours where numbers are expected.
    """
    deep = image.mode == "F" or image.mode.startswith("I")
    if deep and not by_colour:
        values = np.asarray(image)
        if not (
            np.isfinite(values).all()
            and (values == np.round(values)).all()
            and np.abs(values.astype(np.float64)).max() < 2**31
        ):
            raise DataError("holds numbers that are no whole ones: export labels as an 8-bit PNG")
        return Codes(values.astype(np.int32), True)
    if deep:
        raise DataError("holds numbers of more than 8 bits, and the classes have colours: export it in colours")
    if image.mode in ("1", "L", "P") and not by_colour:
        values = np.asarray(image).astype(np.int32)
        if image.mode == "L":
            values //= 255 // (2**bits - 1)
        return Codes(values * white if image.mode == "1" else values, False)
    pixels = np.asarray(image.convert("RGB"))
    if by_colour:
        red, green, blue = (pixels[..., channel].astype(np.int32) for channel in range(3))
        return Codes(red << 16 | green << 8 | blue, False)
    if (pixels != pixels[..., :1]).any():
        raise ColouredError("is coloured, and the classes have numbers: give them colours, or export label numbers")
    return Codes(pixels[..., 0].astype(np.int32), False)


def read_codes(path: Path, table: ClassTable | None) -> Codes:
    """What the pixels of the mask at `path` hold, as the table (None: numbers) wants it. DataError, in one line."""
    image, bits = open_mask(path)
    try:
        return codes_of(image, table is not None and table.by_colour, bits=bits, white=white_of(table))
    except DataError as error:
        raise type(error)(f"{path} {error}") from None


def labels_of(mask: Image.Image, table: ClassTable) -> np.ndarray:
    """A mask of Pillow's as labels (H, W) uint8. DataError, in half a sentence, where the table does not fit it."""
    codes = codes_of(mask, table.by_colour, white=white_of(table))
    labels = table.labels(codes.values)
    if wrong := fault(labels, codes, table):
        raise DataError(wrong)
    return labels.astype(np.uint8)


def white_of(table: ClassTable | None) -> int:
    """The number of white in masks of one bit: 1 where a class has that, else 255, as in masks of eight."""
    return 1 if table is not None and 1 in table.codes else 255


def fault(labels: np.ndarray, codes: Codes, table: ClassTable) -> str | None:
    """What is wrong with a mask's labels (H, W), in half a sentence; None where all are known and one is a class."""
    wrong = labels == UNKNOWN
    if wrong.any():
        values, counts = np.unique(codes.values[wrong], return_counts=True)
        order = counts.argsort()[::-1]
        return _unknown([int(value) for value in values[order]], counts.sum() / labels.size, codes.deep, table)
    if (labels == VOID).all():
        return "holds nothing but void: label something in it, or leave the pair out"
    return None


def _unknown(values: list[int], share: float, deep: bool, table: ClassTable) -> str:
    found: list[Code] = [unpack(value) if table.by_colour else value for value in values]
    first = shown(found[0]) + (f" and {len(found) - 1} others" if len(found) > 1 else "")
    text = f"holds {first} ({_percent(share)} of its pixels), which {table.source} does not have: "
    if table.by_colour:
        known = [pack(code) for code in (*table.codes, *table.void)]
        if all(pack((blue, green, red)) in known for red, green, blue in map(unpack, values[:MANY])):
            return f"{text}they are there with red and blue swapped, as OpenCV writes (BGR); swap them back"
        if len(found) > MANY:
            return f"{text}edges were smoothed, or it was stored with loss; export it without smoothing, as PNG"
        return f"{text}add it to the table, as a class or as void, or paint those pixels anew"
    if deep and max(values) > VOID:
        return f"{text}are these numbers of instances, not of classes? export classes"
    return f"{text}add it to the table, as a class or as void, or label those pixels anew"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "< 1%"


def suggest(codes: Iterable[int], by_colour: bool) -> str:
    """A class table for these codes, as JSON on one line, to be filled in."""
    entries = (f'"class {i}": {list(unpack(code)) if by_colour else code}' for i, code in enumerate(codes))
    return "{" + ", ".join(entries) + "}"
