"""A segmentation data set of torchvision's as scenes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image

from . import own, photos, storage
from .scenes import Scenes, check_size
from .storage import DataError


class PicturesAndMasks(Protocol):
    """What torchvision's segmentation data sets are, made without transforms: pictures of Pillow's with their masks."""

    def __getitem__(self, index: int) -> tuple[Any, Any]: ...

    def __len__(self) -> int: ...


def wrap(
    dataset: PicturesAndMasks,
    classes: own.Classes,
    size: Sequence[int] | None = None,
    *,
    split: str = "train",
    count: int | None = None,
) -> Scenes:
    """Pictures and masks of a torchvision data set as scenes of `size` (H, W), in memory, under this name of a split.

    For VOCSegmentation, OxfordIIITPet(target_types="segmentation"), Cityscapes(target_type="semantic") and any other
    whose items are two pictures of Pillow's. `classes` says what a mask's numbers or colours stand for, as in a class
    table (see `own.tables`): {"pet": 1, "background": 2, "void": 3}, or {"road": 7, "car": 26, "void": "rest"}.
    Pictures are resized whole and padded (`own.fit_into`); without a size all must have the same. count: the first ones
    only. FolderError, a DataError, with all that is wrong: a line each, which names the item.
    """
    table = own.make_table(classes)
    target = None if size is None else check_size(size)
    name = type(dataset).__name__.lower()
    numbers = range(len(dataset))[:count]
    names = _names(dataset, len(dataset))
    if not numbers:
        raise DataError(f"{name} holds no pictures; check its root and its split")
    problems = own.Problems()

    def item(number: int) -> tuple[np.ndarray, np.ndarray] | str:
        try:
            picture, mask = dataset[number]
        except (OSError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            return f"can't be read as a picture and a mask ({reason}): check its files, or fetch the data set again"
        if not isinstance(picture, Image.Image) or not isinstance(mask, Image.Image):
            kinds = f"{type(picture).__name__} and {type(mask).__name__}"
            return f"is {kinds}: make the data set without transforms, with masks as targets"
        try:
            labels = own.labels_of(mask, table)
        except DataError as error:
            return f"has a mask that {error}"
        image = photos.as_tensor(picture)
        if labels.shape != image.shape[1:]:
            return (
                f"has a mask of {labels.shape[0]}×{labels.shape[1]} and a picture of {picture.height}×{picture.width}"
            )
        return own.fit_into(image, labels, target or (picture.height, picture.width))

    found = storage.each(item, numbers)
    for number, part in zip(numbers, found, strict=True):
        if isinstance(part, str):
            problems.add("items that can't be used", f"{names[number]} {part}")
    problems.raise_any(name)
    parts = [part for part in found if not isinstance(part, str)]
    if other := next((labels.shape for _, labels in parts if labels.shape != parts[0][1].shape), None):
        one = parts[0][1].shape
        raise DataError(
            f"pictures of {name} are {one[0]}×{one[1]} and {other[0]}×{other[1]}; give the size for all, (H, W)"
        )
    images, masks = (torch.from_numpy(np.stack(part)) for part in zip(*parts, strict=True))
    return Scenes(images, masks, name, split, tuple(names[number] for number in numbers), table.names, table.colours)


def _names(dataset: object, count: int) -> list[str]:
    """The names of the pictures' files, where the data set tells them and they differ, else numbers."""
    for attribute in ("images", "_images"):
        paths = getattr(dataset, attribute, None)
        if isinstance(paths, list) and len(paths) == count and all(isinstance(path, (str, Path)) for path in paths):
            names = [Path(path).stem for path in paths]
            if len(set(names)) == count:
                return names
    return [f"{number:06d}" for number in range(count)]
