"""Where data lives on disk, and how a file gets there whole or not at all.

Every file is written under a temporary name and renamed when it is complete, so a process that is killed, or two that
work at once, never leave half a file under a final name. A cache also carries a SHA-256 of its content, which is
checked at every reading: one that was damaged afterwards is made again.
"""

import hashlib
import json
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

STALE_SECONDS = 3600
"""A temporary file of this age belongs to a process that was killed, and is swept away."""


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

    PIXELWISE_DATA names it; otherwise it is ``data/`` of the checkout that this module runs from, or the user's cache
    folder where the package was installed without one.
    """
    if named := os.environ.get("PIXELWISE_DATA"):
        return Path(named).expanduser()
    checkout = Path(__file__).resolve().parents[3]
    if (checkout / "pyproject.toml").is_file() and (checkout / "code" / "pixelwise").is_dir():
        return checkout / "data"
    import pooch

    return Path(pooch.os_cache("pixelwise"))


def explain(error: Exception, path: Path) -> StorageError:
    """The one-line error for a file that could not be written, from what the operating system said."""
    reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
    return StorageError(
        f"cannot write {path}: {reason}; free some space there, or set PIXELWISE_DATA to a folder that can be written"
    )


def sweep(directory: Path, pattern: str) -> None:
    """Remove what killed processes left in `directory` under `pattern`; what is younger than an hour may be in use."""
    for left in directory.glob(pattern):
        try:
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                left.unlink()
        except OSError:
            continue  # another process was quicker


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path to write to; it becomes `path` when the block ends well, and vanishes when it does not.

    Raises StorageError when the folder is read-only, the disk is full or the rename fails.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent, ".*")
        yield temporary
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        raise explain(error, path) from error
    finally:
        if temporary.is_file():
            temporary.unlink(missing_ok=True)


def checksum(images: Tensor, masks: Tensor, names: tuple[str, ...]) -> str:
    """SHA-256 over shapes, pixels and names: equal content has an equal checksum, however it is stored."""
    digest = hashlib.sha256(json.dumps([list(images.shape), list(masks.shape), list(names)]).encode())
    for tensor in (images, masks):
        digest.update(tensor.contiguous().numpy())
    return digest.hexdigest()


def write(path: Path, images: Tensor, masks: Tensor, names: tuple[str, ...]) -> None:
    """Write scenes, images (N, 3, H, W) and masks (N, H, W) uint8, as one safetensors file with their checksum."""
    metadata = {"names": json.dumps(list(names)), "sha256": checksum(images, masks, names)}
    with atomic(path) as temporary:
        temporary.touch()
        mode = temporary.stat().st_mode
        save_file({"images": images.contiguous(), "masks": masks.contiguous()}, temporary, metadata)
        temporary.chmod(mode)  # safetensors makes its files private, but several people may share a cache


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
    or with optional=True a DataWarning given once a folder.
    """
    if path.exists():
        try:
            return read(path)
        except DamagedCache:
            warnings.warn(f"{path} was damaged and is made again", DataWarning, stacklevel=3)
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


def progress_bar(total: int, description: str, unit: str):
    """A tqdm bar for people; silent in a recording, whose stored outputs must hold no debris of it."""
    from tqdm.auto import tqdm

    silent = os.environ.get("PIXELWISE_RECORDING") == "1"
    return tqdm(total=total, desc=description, unit=unit, leave=False, disable=silent)
