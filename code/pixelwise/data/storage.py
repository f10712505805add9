"""Where data lives on disk, and the caches there.

A cache carries a SHA-256 of its content, which is checked at every reading: one that was damaged is made again.
"""

import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..environment import checkout
from ..environment import progress_bar as progress_bar
from ..files import atomic_write, sweep

WORKERS = 8

T = TypeVar("T")
R = TypeVar("R")

REMEDY = "free some space there, or set PIXELWISE_DATA to a folder that can be written"


class DataError(ValueError):
    """Data that cannot be used; the message says what came, what was expected and what to do, in one line."""


class StorageError(DataError):
    """A file that cannot be written or read: a read-only folder, a full disk, missing permission."""


class DamagedCache(DataError):
    """A cache whose content is not what was once written into it."""


class DataWarning(UserWarning):
    """Something about the data that is worth a line, and stops nobody."""


def folder() -> Path:
    """The folder that downloads and caches go into (not created here).

    PIXELWISE_DATA names it; otherwise it is `data/` of the checkout that this module runs from, or the user's cache
    folder where the package was installed without one. DataError for the home of a user that is not known here.
    """
    if named := os.environ.get("PIXELWISE_DATA"):
        try:
            return Path(named).expanduser()
        except RuntimeError:
            raise DataError(f"PIXELWISE_DATA is {named!r}, in the home of a user that is not known here") from None
    if root := checkout():
        return root / "data"
    import pooch

    return Path(pooch.os_cache("pixelwise"))


def checksum(images: Tensor, masks: Tensor, names: tuple[str, ...]) -> str:
    """SHA-256 over shapes, pixels and names: equal content has an equal checksum, however it is stored."""
    digest = hashlib.sha256(json.dumps([list(images.shape), list(masks.shape), list(names)]).encode())
    for tensor in (images, masks):
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()


def write(path: Path, images: Tensor, masks: Tensor, names: tuple[str, ...]) -> None:
    """Write scenes, images (N, 3, H, W) and masks (N, H, W) uint8, as one safetensors file with their checksum.

    Whatever killed processes left in the folder goes. StorageError where it is read-only or the disk is full.
    """
    metadata = {"names": json.dumps(list(names)), "sha256": checksum(images, masks, names)}
    sweep(path.parent, ".*")  # also of caches that will never be asked for again, and safetensors' own
    try:
        with atomic_write(path) as temporary:
            save_file({"images": images.contiguous(), "masks": masks.contiguous()}, temporary, metadata)
    except OSError as error:
        raise StorageError(f"{error}; {REMEDY}") from error


def read(path: Path) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """Images, masks and names as `write` stored them, verified; raises DamagedCache, or StorageError if unreadable."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
            images, masks = file.get_tensor("images"), file.get_tensor("masks")
        names = tuple(json.loads(metadata["names"]))
        if checksum(images, masks, names) != metadata["sha256"]:
            raise DamagedCache(f"{path} does not match its checksum; delete it, and it is made again")
    except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise DamagedCache(f"{path} is no whole cache ({error}); delete it, and it is made again") from error
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}; check its permissions") from error
    return images, masks, names


_unwritable: set[Path] = set()


def cached(
    path: Path, build: Callable[[], tuple[Tensor, Tensor, tuple[str, ...]]], *, optional: bool = False
) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """What `build` returns, kept in `path` and read from there when it is whole.

    A damaged cache is made again with a one-line DataWarning. Where the cache cannot be written StorageError is raised,
    if possible before anything is built, or with optional=True a DataWarning given once a folder.
    """
    if path.exists():
        try:
            return read(path)
        except DamagedCache:
            warnings.warn(f"{path} was damaged and is made again", DataWarning, stacklevel=3)
    if not optional:
        _check_writable(path.parent)
    scenes = build()
    try:
        write(path, *scenes)
    except StorageError as error:
        if not optional:
            raise
        if path.parent not in _unwritable:
            _unwritable.add(path.parent)
            warnings.warn(f"{error} (going on without a cache)", DataWarning, stacklevel=3)
    return scenes


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StorageError(f"cannot write to {folder}: {error.strerror or error}; {REMEDY}") from error


def each(work: Callable[[T], R], items: Iterable[T], advance: Callable[[], object] = lambda: None) -> list[R]:
    """What `work` returns for each item, in order, on a few threads, with `advance` after each.

    The first error stops what has not begun and is raised.
    """
    pool = ThreadPoolExecutor(min(WORKERS, 4 * (os.cpu_count() or 1)))
    results = []
    try:
        for result in pool.map(work, items):
            results.append(result)
            advance()
        return results
    finally:
        pool.shutdown(cancel_futures=True)
