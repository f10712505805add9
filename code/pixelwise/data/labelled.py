"""Images and their targets: what training asks of a data set, and the one base of those that this library has."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Protocol, Self, TypeVar

import torch
from torch import Tensor

from ..checks import check_tensors
from .storage import DataError


class LabelledImages(Protocol):
    """What `fit` and `evaluate` take: any data set in memory whose images have a target each."""

    @property
    def images(self) -> Tensor:
        """(N, 3, H, W) uint8, sRGB 0-255."""
        ...

    @property
    def targets(self) -> Tensor:
        """Masks (N, H, W) uint8, or classes (N,) int64."""
        ...

    def __len__(self) -> int:
        """N."""
        ...


@dataclass(frozen=True, eq=False, repr=False)
class ImageSet(ABC):
    """Images (N, 3, H, W) uint8 and their targets, in memory: it unpacks, is sliced, and moves to a device.

    A subclass names in `per_image` the fields that hold one entry for each image: tensors or tuples.
    """

    per_image: ClassVar[tuple[str, ...]]

    images: Tensor

    def __post_init__(self) -> None:
        check_tensors(images=self.images)
        shape = tuple(self.images.shape)
        if len(shape) != 4 or shape[1] != 3 or self.images.dtype != torch.uint8:
            raise DataError(f"images are {self.images.dtype} {shape}; expected uint8 (N, 3, H, W)")

    @property
    @abstractmethod
    def targets(self) -> Tensor:
        """What a network learns to give for the images: masks (N, H, W) uint8, or classes (N,) int64."""

    @property
    def origin(self) -> str:
        """Data set and split, for those that come from one."""
        return ""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.images.shape[-2:]
        return height, width

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[Tensor]:
        yield from (self.images, self.targets)

    def __getitem__(self, which: slice | list[int]) -> Self:
        """Those of a slice or of a list of positions."""
        if not isinstance(which, (slice, list)):
            name = type(self).__name__.lower()
            raise TypeError(f"{name}[{which!r}]: give a slice or a list, such as {name}[3:4] or {name}[[3]]")
        return replace(self, **{name: _pick(getattr(self, name), which) for name in self.per_image})

    def to(self, device: torch.device | str) -> Self:
        """The same with its tensors on `device`, where batches are then cut without copying."""
        values = {name: getattr(self, name) for name in self.per_image}
        return replace(self, **{name: v.to(device) for name, v in values.items() if isinstance(v, Tensor)})

    def __repr__(self) -> str:
        height, width = self.size
        origin = f"{self.origin}: " if self.origin else ""
        return f"{type(self).__name__}({origin}{len(self)} of {height}×{width})"


T = TypeVar("T", bound=ImageSet)


def concat(first: T, *others: T) -> T:
    """All of these one after the other, as one: `concat(fit, tune)`.

    Where they come from several data sets or splits, the result names them all: "fit+tune". Raises DataError where
    their kinds, sizes or classes differ.
    """
    for other in others:
        if type(other) is not type(first) or other.size != first.size:
            raise DataError(f"{other!r} does not fit behind {first!r}; give the same kind at the same size")
    changes = {}
    for field in fields(first):
        values = [getattr(part, field.name) for part in (first, *others)]
        if field.name in first.per_image:
            changes[field.name] = _join(values)
        elif isinstance(values[0], str):
            changes[field.name] = "+".join(dict.fromkeys(values))
        elif any(value != values[0] for value in values):
            raise DataError(f"{first!r} and what is to follow have other {field.name}; give those of one data set")
    return replace(first, **changes)


def check_tensor(name: str, tensor: Tensor, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    """DataError, by this name, unless the tensor has this type and this shape; TypeError for what is none."""
    check_tensors(**{name: tensor})
    if tuple(tensor.shape) != shape or tensor.dtype != dtype:
        expected = f"{str(dtype).removeprefix('torch.')} {shape}"
        raise DataError(f"{name} are {tensor.dtype} {tuple(tensor.shape)}; expected {expected}")


def _pick(values: Any, which: slice | list[int]) -> Any:
    if isinstance(values, Tensor) or isinstance(which, slice):
        return values[which]
    return tuple(values[i] for i in which)


def _join(values: list[Any]) -> Any:
    if isinstance(values[0], Tensor):
        return torch.cat(values)
    return tuple(entry for value in values for entry in value)
