"""A person's own picture as the library's tensors, whatever a camera, a scanner or a drawing program made of it."""

import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from .storage import DataError

MAX_MEGAPIXELS = 100.0
"""A few kilobytes can claim to be a picture that fills all memory; beyond this, a file is refused before decoding."""

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".jp2", ".avif"}
)
"""What counts as a picture in a folder; a file that is named by itself may have any name."""


def read(path: str | Path, max_megapixels: float = MAX_MEGAPIXELS) -> Tensor:
    """The picture at `path`, upright, (3, H, W) uint8, sRGB 0-255.

    Grey, palette, CMYK and 16-bit pictures become RGB; what is transparent is laid on white; the camera's orientation
    (EXIF) is applied; of an animation the first frame counts. DataError, in one line, for a file that is missing, no
    picture, damaged, or larger than `max_megapixels`.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError(f"{path} is a folder, expected a picture")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow's own limit, and of harmless faults in metadata
            with Image.open(path) as picture:
                _check_size(path, picture.size, max_megapixels)
                picture.load()
                return torch.from_numpy(np.array(_to_rgb(_upright(picture)))).permute(2, 0, 1).contiguous()
    except FileNotFoundError:
        raise DataError(f"there is no file {path}; check the path") from None
    except UnidentifiedImageError:
        raise DataError(
            f"{path} is no picture that can be read here; save it as JPEG or PNG (an iPhone's HEIC, for one)"
        ) from None
    except Image.DecompressionBombError:
        limit = 2 * Image.MAX_IMAGE_PIXELS / 1e6
        raise DataError(
            f"{path} claims to have more than {limit:.0f} megapixels and was not decoded: make it smaller"
        ) from None
    except DataError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise DataError(f"{path} can't be decoded ({error}): it is damaged or incomplete; save it again") from None


def find(paths: list[Path]) -> list[Path]:
    """The pictures among `paths`: files as they are, and for a folder the pictures that lie in it, by name."""
    found = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
            if not inside:
                raise DataError(f"no picture in the folder {path}; looked for {', '.join(sorted(SUFFIXES))}")
            found += inside
        else:
            found.append(path)
    return found


def _check_size(path: Path, size: tuple[int, int], max_megapixels: float) -> None:
    width, height = size
    megapixels = width * height / 1e6
    if megapixels > max_megapixels:
        raise DataError(
            f"{path} has {width}×{height} pixels, {megapixels:.0f} megapixels, and the limit is {max_megapixels:g}: "
            "make it smaller, or raise the limit if you trust the file"
        )


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
