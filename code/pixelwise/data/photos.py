"""A person's own picture as the library's tensors, whatever a camera, a scanner or a drawing program made of it."""

import os
import stat
import threading
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from ..environment import is_out_of_memory
from .storage import DataError

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "JPEG2000", "AVIF")
"""The formats, by Pillow's names, that are ever decoded, whatever a file is called: Pillow knows forty, and for one of
them (EPS) it starts another program."""

MAX_MEGAPIXELS = 100.0
"""A few kilobytes can claim to be a picture that fills all memory; beyond this, a file is refused before decoding."""

LARGEST_LIMIT = 1000.0
"""Megapixels to which that limit can be raised; such a picture takes about 16 GB."""

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".jp2", ".avif"}
)
"""What counts as a picture in a folder; a file that is named by itself may have any name."""

_limit_lock = threading.Lock()

T = TypeVar("T")


def read(path: str | Path, max_megapixels: float = MAX_MEGAPIXELS) -> Tensor:
    """The picture at `path`, upright, (3, H, W) uint8, sRGB 0-255.

    Grey, palette, CMYK and 16-bit pictures become RGB; what is transparent is laid on white; the camera's orientation
    (EXIF) is applied; of an animation the first frame counts. DataError, in one line, for a file that is missing, no
    picture in one of FORMATS, damaged, or larger than `max_megapixels`, which is at most LARGEST_LIMIT.
    """
    return _decoded(Path(path), max_megapixels, as_tensor)


def open_picture(path: str | Path, max_megapixels: float = MAX_MEGAPIXELS) -> Image.Image:
    """The picture at `path`, decoded and otherwise as its file has it, palette and all. DataError as of `read`."""
    return _decoded(Path(path), max_megapixels, lambda picture: picture)


def as_tensor(picture: Image.Image) -> Tensor:
    """A picture of Pillow's as `read` gives it: upright, (3, H, W) uint8, sRGB 0-255."""
    return torch.from_numpy(np.array(_to_rgb(_upright(picture)))).permute(2, 0, 1).contiguous()


def _decoded(path: Path, max_megapixels: float, convert: Callable[[Image.Image], T]) -> T:
    """What `convert` makes of the decoded picture at `path`; DataError, in one line, for whatever goes wrong."""
    check_limit(max_megapixels)
    try:
        _check_kind(path)
        with _pillow_allows(max_megapixels), warnings.catch_warnings():  # in this order: one thread at a time
            warnings.simplefilter("ignore")  # of Pillow's own limit, and of harmless faults in metadata
            with Image.open(path, formats=_formats()) as picture:
                _check_size(path, picture.size, max_megapixels)
                picture.load()
                return convert(picture)
    except FileNotFoundError:
        raise DataError(f"there is no file {path}; check the path") from None
    except UnidentifiedImageError:
        raise DataError(
            f"{path} is no picture that can be read here; save it as JPEG or PNG (an iPhone's HEIC, for one)"
        ) from None
    except Image.DecompressionBombError:
        limit = max(2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6, max_megapixels)
        raise DataError(
            f"{path} claims to have more than {limit:.0f} megapixels, was not decoded, and the limit is "
            f"{max_megapixels:g}: {_remedy(max_megapixels)}"
        ) from None
    except DataError:
        raise
    except Exception as error:  # of damaged files, decoders raise whatever they like
        if is_out_of_memory(error):
            raise
        if isinstance(error, OSError) and error.errno is not None:
            raise DataError(f"{path} can't be read ({error.strerror}); check its permissions and its disk") from None
        raise DataError(f"{path} can't be decoded ({error}): it is damaged or incomplete; save it again") from None


def find(path: Path) -> list[Path]:
    """The pictures at `path`: a file as it is, of a folder the pictures that lie in it, by name. DataError if none."""
    if not os.path.isdir(path):
        return [path]
    try:
        pictures = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    except OSError as error:
        raise DataError(f"{path} can't be looked into ({error.strerror}); check its permissions") from None
    if not pictures:
        raise DataError(f"no picture in the folder {path}; looked for {', '.join(sorted(SUFFIXES))}")
    return pictures


def check_limit(max_megapixels: float) -> None:
    """ValueError unless a limit on pictures is a number of megapixels above 0 and at most LARGEST_LIMIT."""
    if not 0 < max_megapixels <= LARGEST_LIMIT:  # nan compares as False
        raise ValueError(
            f"the limit is {max_megapixels:g} megapixels, expected more than 0 and at most {LARGEST_LIMIT:g}"
        )


@contextmanager
def _pillow_allows(megapixels: float) -> Generator[None, None, None]:
    """Pillow refuses more than 179 megapixels by itself: inside, it refuses more than `megapixels` if that is more."""
    with _limit_lock:
        usual = Image.MAX_IMAGE_PIXELS  # it refuses twice as many
        if usual is not None:
            Image.MAX_IMAGE_PIXELS = max(usual, -(-int(megapixels * 1e6) // 2))
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = usual


def _formats() -> list[str]:
    """Those of FORMATS that this Pillow reads: AVIF, for one, came in its version 11.3."""
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _check_kind(path: Path) -> None:
    """DataError unless `path` is a file: who opens a pipe waits for its writer, and a device may never end."""
    kind = path.stat().st_mode
    if stat.S_ISDIR(kind):
        raise DataError(f"{path} is a folder, expected a picture")
    if not stat.S_ISREG(kind):
        raise DataError(f"{path} is a pipe, a socket or a device, expected a picture: save it to a file first")


def _check_size(path: Path, size: tuple[int, int], max_megapixels: float) -> None:
    width, height = size
    megapixels = width * height / 1e6
    if megapixels > max_megapixels:
        raise DataError(
            f"{path} has {width}×{height} pixels, {megapixels:.0f} megapixels, and the limit is {max_megapixels:g}: "
            + _remedy(max_megapixels)
        )


def _remedy(max_megapixels: float) -> str:
    if max_megapixels == LARGEST_LIMIT:
        return "make it smaller"
    return f"make it smaller, or raise the limit if you trust the file (to at most {LARGEST_LIMIT:g})"


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # EXIF is whatever a device wrote; a picture lying on its side is better than none
        return picture


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        return _to_eight_bits(picture).convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return picture.convert("RGB")


def _to_eight_bits(picture: Image.Image) -> Image.Image:
    """A grey picture of 16 or 32 bits, of whole numbers or of floats, on the scale 0-255."""
    values = np.asarray(picture).astype(np.float64)
    values = np.nan_to_num(values, posinf=0, neginf=0)
    if picture.mode == "F":  # no convention says what is white: 1 where that can be, else the brightest pixel
        white = max(1.0, values.max())
    else:
        white = 65535 if values.max() > 255 or "16" in picture.mode else 255
    return Image.fromarray((values.clip(0, white) * (255 / white) + 0.5).astype(np.uint8))
