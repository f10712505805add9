"""*streets*: generated road scenes with CamVid's classes, whose difficulty can be set.

Each scene is a street in perspective: sky, houses, trees, road and pavement of one texture, posts with signs, fences,
cars, pedestrians and bicyclists, painted from far to near. A scene depends on (seed, index, knobs) alone and is
the same at every size; its pixels are the same on every machine.
"""

from collections.abc import Callable, Iterable

import numpy as np

from .arrays import ByteArray
from .knobs import Knobs, is_pair, is_whole
from .scene import paint_scene

__all__ = ["SMALLEST", "VERSION", "Knobs", "check_size", "generate", "generate_many"]

VERSION = 1
"""Names what a (seed, index, knobs) looks like: raised when pixels change, so that no cache serves yesterday's."""

SMALLEST = 32
"""The least height and width, pixels."""


def generate(
    index: int | np.integer, *, seed: int | np.integer, size: tuple[int, int] = (96, 128), knobs: Knobs | None = None
) -> tuple[ByteArray, ByteArray]:
    """Scene `index` of `seed`: image uint8 (3, H, W) and mask uint8 (H, W), labels 0-10 and 255 (void).

    Any two different pairs (seed, index) are different scenes, so disjoint ranges of indices under one seed are
    disjoint sets. Raises ValueError for a size under 32 or a negative index or seed.
    """
    for name, value in (("index", index), ("seed", seed)):
        if not is_whole(value) or not 0 <= value < 2**63:
            raise ValueError(f"{name} is {value!r}; expected a whole number from 0 to 2**63 - 1")
    check_size(size)
    return paint_scene(int(index), int(seed), size, Knobs() if knobs is None else knobs)


def check_size(size: tuple[int, int]) -> None:
    """ValueError unless size is (height, width), whole numbers from SMALLEST."""
    if not is_pair(size) or not all(is_whole(side) and side >= SMALLEST for side in size):
        raise ValueError(f"size is {size!r}; expected (height, width), whole numbers of at least {SMALLEST} pixels")


def generate_many(
    indices: Iterable[int | np.integer],
    *,
    seed: int | np.integer,
    size: tuple[int, int] = (96, 128),
    knobs: Knobs | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> tuple[ByteArray, ByteArray]:
    """These scenes of `seed` stacked: images uint8 (N, 3, H, W) and masks uint8 (N, H, W).

    `progress(done, total)` is called after every scene.
    """
    indices = list(indices)
    check_size(size)
    images = np.empty((len(indices), 3, *size), np.uint8)
    masks = np.empty((len(indices), *size), np.uint8)
    for place, index in enumerate(indices):
        images[place], masks[place] = generate(index, seed=seed, size=size, knobs=knobs)
        if progress is not None:
            progress(place + 1, len(indices))
    return images, masks
