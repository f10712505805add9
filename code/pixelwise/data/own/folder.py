"""What a folder was understood to hold, and its splits as scenes."""

from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .. import photos, storage
from ..palette import VOID
from ..storage import DataError
from . import masks
from .layout import Pair
from .tables import ClassTable

FILL = (124, 116, 104)
"""What pads a picture, sRGB 0-255: the mean that `normalise` takes away, so that a network sees zero there."""

LONGEST_NAME = 40

Parts = tuple[Tensor, Tensor, tuple[str, ...]]


@dataclass(frozen=True)
class Folder:
    """What a folder was understood to hold: all of it is there, fits together, and can be read.

    name: "own-" and the folder's; splits: pairs by "train", "val" and perhaps "test"; notes: remarks, a line each;
    pixels: (classes + 1,) int64, how many of each class and of void; pictures: (classes,) int64, in how many masks each
    occurs; sizes: the smallest and the largest (height, width) of the pictures; digest: of all that it depends on.
    """

    root: Path
    name: str
    table: ClassTable
    splits: dict[str, tuple[Pair, ...]]
    notes: tuple[str, ...]
    pixels: np.ndarray
    pictures: np.ndarray
    sizes: tuple[tuple[int, int], tuple[int, int]]
    digest: str

    def lines(self) -> list[str]:
        """What was understood, in a few lines for a person to check."""
        count = sum(map(len, self.splits.values()))
        (low, narrow), (high, wide) = self.sizes
        size = f"{low}×{narrow}" + (f" to {high}×{wide}" if (low, narrow) != (high, wide) else "")
        lines = [f"{self.name}: {count} pictures with masks, {size} pixels; classes by {self.table.source}"]
        for i, (name, code) in enumerate(zip(self.table.names, self.table.codes, strict=True)):
            value = code if isinstance(code, int) else list(code)
            lines.append(f"  {name} ({value}): {self.share(i):.1%} of the pixels, in {self.pictures[i]} pictures")
        return [*lines, f"  void: {self.share(-1):.1%} of the pixels", *(f"  {note}" for note in self.notes)]

    def share(self, label: int) -> float:
        """A class's share of all pixels, 0-1; -1 is void."""
        return float(self.pixels[label] / self.pixels.sum())


def expanded(root: str | Path) -> Path:
    """The path with ~ as the home folder. DataError where that is not known."""
    try:
        return Path(root).expanduser()
    except RuntimeError:
        raise DataError(
            f"{str(root)!r} is in the home of a user that is not known here: write the whole path"
        ) from None


def dataset_name(root: str | Path) -> str:
    """What the data set in a folder is called: "own-" and the folder's name, printable and not too long."""
    name = expanded(root).resolve().name or "pictures"
    return "own-" + "".join(letter if letter.isprintable() else "_" for letter in name)[:LONGEST_NAME]


def read(folder: Folder, split: str, size: tuple[int, int], *, keep: bool = False) -> Parts:
    """Images (N, 3, H, W), masks (N, H, W) and names of a split, at `size`, from the cache or made and kept there.

    Each picture is resized as a whole, by the same factor in both directions (bilinear, antialiased; masks by the
    nearest pixel), and what its shape leaves free on two sides is FILL in the image and void in the mask. Where it
    can't be kept there is a DataWarning, or with `keep` a DataError.
    """
    pairs = folder.splits[split]

    def build() -> Parts:
        images = np.empty((len(pairs), 3, *size), np.uint8)
        labels = np.empty((len(pairs), *size), np.uint8)

        def place(position: int) -> None:
            pair = pairs[position]
            codes = masks.read_codes(pair.mask, folder.table)
            found = folder.table.labels(codes.values)
            if wrong := masks.fault(found, codes, folder.table):  # it was changed since it was checked
                raise DataError(f"{pair.mask} {wrong}")
            images[position], labels[position] = fit_into(photos.read(pair.picture), found.astype(np.uint8), size)

        with storage.progress_bar(len(pairs), f"{folder.name} {split}", "picture") as bar:
            storage.each(place, range(len(pairs)), bar.update)
        return torch.from_numpy(images), torch.from_numpy(labels), tuple(pair.name for pair in pairs)

    path = _cache(folder, split, size)
    is_new = not path.exists()
    parts = storage.cached(path, build, optional=not keep)
    if is_new:
        for old in path.parent.glob(f"{path.stem.rpartition('-')[0]}-*.safetensors"):
            if old != path:  # of the folder before it was changed
                with suppress(OSError):
                    old.unlink()
    return parts


def fit_into(picture: Tensor, mask: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A picture (3, h, w) uint8 and its labels (h, w) uint8 at `size`, (3, H, W) and (H, W): whole, and padded."""
    height, width = picture.shape[1:]
    factor = min(size[0] / height, size[1] / width)
    high, wide = max(1, min(round(height * factor), size[0])), max(1, min(round(width * factor), size[1]))
    top, left = (size[0] - high) // 2, (size[1] - wide) // 2
    place = (slice(top, top + high), slice(left, left + wide))
    image = np.empty((*size, 3), np.uint8)
    image[:] = FILL
    labels = np.full(size, VOID, np.uint8)
    whole = Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy())
    image[place] = np.asarray(whole.resize((wide, high), Image.Resampling.BILINEAR))
    labels[place] = np.asarray(Image.fromarray(mask).resize((wide, high), Image.Resampling.NEAREST))
    return image.transpose(2, 0, 1), labels


def _cache(folder: Folder, split: str, size: tuple[int, int]) -> Path:
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in folder.name)
    where = sha256(str(folder.root.resolve()).encode(errors="surrogateescape")).hexdigest()[:8]
    name = f"{split}-{size[0]}x{size[1]}-{folder.digest[:12]}.safetensors"
    return storage.folder() / "cache" / "own" / f"{plain}-{where}" / name
