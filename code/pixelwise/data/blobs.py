"""*Blobs*: generated pictures of cells that grow into each other, for telling objects of one class apart.

Each picture is a colony under a microscope: cells of uneven grey pressed against one another, with a thin seam where
two of them meet. Seams differ in contrast, and some are hardly to be seen. A picture depends on (seed, index) alone.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .labelled import ImageSet, check_tensor
from .storage import DataError


@dataclass(frozen=True, eq=False, repr=False)
class Blobs(ImageSet):
    """Pictures and the number of the cell at each of their pixels: `images, targets = blobs`, `blobs[:8]`.

    images (N, 3, H, W) uint8, grey, 0-255; instances (N, H, W) uint8, 0 for background and seams, 1, 2, … for cells.
    Raises DataError when shapes or types do not fit each other.
    """

    per_image = ("images", "instances")

    instances: Tensor

    def __post_init__(self) -> None:
        super().__post_init__()
        check_tensor("instances", self.instances, torch.uint8, (len(self), *self.size))

    @property
    def targets(self) -> Tensor:
        """Two classes, (N, H, W) uint8: 0 background, 1 cell. Between two cells at least one pixel is background."""
        return (self.instances > 0).to(torch.uint8)


def generate(count: int, *, size: int = 64, seed: int = 0, cells: int = 10, seam: float = 18.0) -> Blobs:
    """`count` pictures of size × size pixels with about `cells` cells each.

    seam: how much darker than the cells a seam is at most, in grey levels; each has its own share of it. DataError for
    sizes under 16, no cells, or more than a byte can number.
    """
    if size < 16 or not 1 <= cells <= 255 or count < 1:
        raise DataError(
            f"{count} pictures of {size}×{size} with {cells} cells: expected at least 1 of 16×16 with 1 to 255"
        )
    pictures = [_colony(np.random.default_rng((seed, index)), size, cells, seam) for index in range(count)]
    grey, instances = (torch.from_numpy(np.stack(part)) for part in zip(*pictures, strict=True))
    return Blobs(grey[:, None].expand(-1, 3, -1, -1).contiguous(), instances)


def _colony(rng: np.random.Generator, size: int, cells: int, seam: float) -> tuple[np.ndarray, np.ndarray]:
    """One picture: grey (size, size) uint8 and cell numbers (size, size) uint8."""
    y, x = np.mgrid[:size, :size]
    radius = 0.5 * size / np.sqrt(cells)
    nearness = []
    for cy, cx in _centres(rng, size, cells, radius):
        long, wide, angle = radius * rng.uniform(0.95, 1.35), radius * rng.uniform(0.7, 1.0), rng.uniform(0, np.pi)
        along, across = _turn(x - cx, y - cy, angle)
        nearness.append(np.hypot(along / long, across / wide))  # 1 on the cell's outline
    nearness = np.stack(nearness)
    owner = np.where(nearness.min(0) < 1, nearness.argmin(0) + 1, 0)
    seams = _next_to_another(owner)
    shade = np.concatenate([[88.0], rng.uniform(112, 150, len(nearness))])
    grey = shade[owner] + 10 * (owner > 0) * (1 - nearness.min(0).clip(0, 1))
    depth = np.minimum.outer(*[np.concatenate([[1.0], rng.uniform(0.1, 1, len(nearness))])] * 2)  # of each pair
    first, second = np.argsort(nearness, axis=0)[:2] + 1 if len(nearness) > 1 else (owner, owner)
    grey = np.where(seams, shade[first] - seam * depth[first, second], grey)
    grey = _blurred(grey) + _blurred(_blurred(rng.normal(0, 14, owner.shape))) + rng.normal(0, 4, owner.shape)
    return grey.round().clip(0, 255).astype(np.uint8), np.where(seams, 0, owner).astype(np.uint8)


def _centres(rng: np.random.Generator, size: int, cells: int, radius: float) -> list[np.ndarray]:
    """Places at least 1.35 radii apart, so that neighbours touch and none swallows another."""
    centres: list[np.ndarray] = []
    for _ in range(30 * cells):
        place = rng.uniform(0, size, 2)
        if all(np.hypot(*(place - other)) > 1.35 * radius for other in centres):
            centres.append(place)
        if len(centres) == cells:
            break
    return centres


def _turn(x: np.ndarray, y: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    return np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x


def _next_to_another(owner: np.ndarray) -> np.ndarray:
    """Cell pixels whose right, lower or diagonal neighbour is of another cell: a seam of one to two pixels."""
    seams = np.zeros(owner.shape, bool)
    padded = np.pad(owner, 1)
    height, width = owner.shape
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        other = padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
        seams |= (owner > 0) & (other > 0) & (other != owner)
    return seams


def _blurred(grey: np.ndarray) -> np.ndarray:
    """Smoothed by the kernel [1, 2, 1] / 4 along both axes."""
    for axis in (0, 1):
        padded = np.pad(grey, [(1, 1) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        low, middle, high = (np.take(padded, np.arange(grey.shape[axis]) + i, axis) for i in range(3))
        grey = (low + 2 * middle + high) / 4
    return grey
