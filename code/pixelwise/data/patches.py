"""Patches: small windows of scenes with one label each, which turn segmentation data into a classification task."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .labelled import ImageSet, check_tensor
from .palette import CLASSES, VOID
from .scenes import Scenes
from .storage import DataError, DataWarning


@dataclass(frozen=True, eq=False, repr=False)
class Patches(ImageSet):
    """Windows cut out of scenes: `images, labels = patches`, `patches[:64]`, `len(patches)`.

    images (N, 3, size, size) uint8, sRGB 0-255; labels (N,) int64, places in `classes`. Raises DataError when shapes
    or types do not fit each other.
    """

    per_image = ("images", "labels")

    labels: Tensor
    dataset: str
    split: str
    classes: tuple[str, ...] = CLASSES

    def __post_init__(self) -> None:
        super().__post_init__()
        check_tensor("labels", self.labels, torch.int64, (len(self),))

    @property
    def targets(self) -> Tensor:
        """The labels, under the name that training uses for scenes and patches alike."""
        return self.labels

    @property
    def origin(self) -> str:
        return f"{self.dataset} {self.split}"

    @property
    def counts(self) -> Tensor:
        """How many patches there are of each class, (classes,) int64."""
        return torch.bincount(self.labels, minlength=len(self.classes))


def cut(
    scenes: Scenes,
    count: int,
    *,
    pure: float | None = 0.8,
    balanced: bool = True,
    classes: Sequence[str] | None = None,
    size: int = 32,
    seed: int = 0,
) -> Patches:
    """`count` different patches of size × size, each labelled by the class of its pixel [size // 2, size // 2].

    No patch's label is void. With `pure` at least that share of a patch is of the label's class; None takes mixed
    patches as they come. `balanced` takes equally many of each class, otherwise every place is equally likely, so that
    classes come as often as in the scenes. `classes` names the only ones to take.

    A place is used once. A balanced class with fewer places than its share gives all it has, the others share what is
    missing, and a DataWarning says so; if you named the classes yourself, it is a DataError. Too few places in all, or
    scenes smaller than a patch, are a DataError. The seed fixes the choice and the order.
    """
    names = scenes.classes
    height, width = scenes.size
    if size < 1 or size > min(height, width):
        raise DataError(f"patches of {size}×{size} do not fit into scenes of {height}×{width}; load larger scenes")
    if pure is not None and not 0 < pure <= 1:
        raise DataError(f"pure is {pure!r}; expected a share above 0 and up to 1, or None for mixed patches")
    if count < 1:
        raise DataError(f"count is {count!r}; expected how many patches to cut, 1 or more")
    if classes is not None and (unknown := [name for name in classes if name not in names]):
        raise DataError(f"unknown class {unknown[0]!r}; choose from {', '.join(names)}")
    numbers = range(len(names)) if classes is None else sorted(names.index(name) for name in set(classes))

    labels = _labels(scenes.masks.cpu().numpy(), size, pure)
    places = np.array([np.count_nonzero(labels == label) if label in numbers else 0 for label in range(len(names))])
    kind = f"{'mixed' if pure is None else f'{pure:.0%} pure'} {size}×{size} patches"
    if places.sum() < count:
        raise DataError(
            f"{scenes!r} holds {places.sum()} {kind}, {count} were asked for; take fewer, load more or larger scenes, "
            f"or lower pure"
        )
    rng = np.random.default_rng(seed)
    if balanced:
        shares = _equal_shares(places, count)
        short = [f"{names[label]} {places[label]}" for label in numbers if places[label] < count // len(numbers)]
        if short:
            text = f"{scenes!r} has fewer {kind} than {count // len(numbers)} of some classes: {', '.join(short)}"
            if classes is not None:
                raise DataError(f"{text}; name other classes, take fewer, or lower pure")
            warnings.warn(f"{text}; name classes= to choose your own", DataWarning, stacklevel=2)
    else:
        shares = rng.multivariate_hypergeometric(places, count, method="marginals")
    chosen = np.concatenate(
        [
            rng.choice(np.flatnonzero(labels == label), shares[label], replace=False)
            for label in numbers
            if shares[label]
        ]
    )
    scene, top, left = np.unravel_index(rng.permutation(chosen), labels.shape)
    windows = np.lib.stride_tricks.sliding_window_view(scenes.images.cpu().numpy(), (size, size), axis=(2, 3))
    return Patches(
        torch.from_numpy(windows[scene, :, top, left]),
        torch.from_numpy(labels[scene, top, left].astype(np.int64)),
        scenes.dataset,
        scenes.split,
        names,
    )


def _equal_shares(places: np.ndarray, count: int) -> np.ndarray:
    """How many to take of each class: equally many, as far as the places of each go."""
    totals = np.minimum(places[:, None], np.arange(count + 1)).sum(0)
    level = np.searchsorted(totals, count, side="right") - 1
    shares = np.minimum(places, level)
    shares[np.flatnonzero(places > level)[: count - shares.sum()]] += 1
    return shares


def _labels(masks: np.ndarray, size: int, pure: float | None) -> np.ndarray:
    """The label of the patch whose top left corner is at each place, (N, H - size + 1, W - size + 1) uint8.

    VOID where there is none, or where less than `pure` of the patch is of the label's class.
    """
    middle = size // 2
    rows, columns = (length - size + 1 for length in masks.shape[1:])
    labels = masks[:, middle : middle + rows, middle : middle + columns].copy()
    if pure is None:
        return labels
    least = np.ceil(pure * size * size - 1e-9)
    for mask, centres in zip(masks, labels, strict=True):
        for label in np.unique(centres):
            of_class = centres == label
            centres[of_class & (_window_sums(mask == label, size) < least)] = VOID
    return labels


def _window_sums(marks: np.ndarray, size: int) -> np.ndarray:
    """How many marks each size × size window of a bool (H, W) holds, (H - size + 1, W - size + 1)."""
    down = np.cumsum(marks, axis=0, dtype=np.int32)
    tall = down[size - 1 :].copy()
    tall[1:] -= down[:-size]
    across = np.cumsum(tall, axis=1, dtype=np.int32)
    sums = across[:, size - 1 :].copy()
    sums[:, 1:] -= across[:, :-size]
    return sums
