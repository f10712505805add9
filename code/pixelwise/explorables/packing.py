"""Arrays and pictures as text, small enough for the state of an explorable."""

import base64
import io

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from .. import figures
from ..data.palette import CLASSES, VOID


def pack(array: np.ndarray) -> str:
    """The bytes of an array, little-endian, in base64."""
    array = np.ascontiguousarray(array)
    return base64.b64encode(array.astype(array.dtype.newbyteorder("<")).tobytes()).decode()


def unpack(text: str, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """What `pack` made into text."""
    return np.frombuffer(base64.b64decode(text), np.dtype(dtype).newbyteorder("<")).reshape(shape).astype(dtype)


def jpeg(image: ArrayLike) -> str:
    """A picture (3, H, W) uint8 as a JPEG in base64."""
    (pixels,) = figures.pixels.as_pictures(image)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format="JPEG", quality=88, optimize=True)
    return base64.b64encode(out.getvalue()).decode()


def photograph(text: str) -> np.ndarray:
    """The picture (H, W, 3) uint8 that `jpeg` made into text."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text)), formats=["JPEG"]))


def classes(labels: np.ndarray) -> list[list[int | str | bool]]:
    """Label, name and colour of all classes; a fourth entry says whether the class occurs in the labels."""
    present = set(np.unique(labels[labels != VOID]).tolist())
    return [
        [label, name, "#{:02x}{:02x}{:02x}".format(*figures.DISPLAY_COLOURS[label]), label in present]
        for label, name in enumerate(CLASSES)
    ]
