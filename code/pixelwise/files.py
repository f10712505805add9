"""Files that are written whole or not at all, and folders that one process has to itself.

No process that is killed, and no two at once, leave half of a file. Who is at work is told by locks of the operating
system, which vanish with their process, and by no clock.
"""

import errno
import glob
import json
import math
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from safetensors import SafetensorError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

STALE_SECONDS = 3600
"""Where a file system knows no locks, a temporary file of this age belongs to a process that was killed."""

LOCK = ".lock"
"""The file in a folder that says who holds it."""

BUSY = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
"""What a lock that somebody else holds answers; anything else means that there are no locks here."""


class Held(OSError):
    """A folder that another process is at work in."""


@contextmanager
def atomic_write(path: Path) -> Generator[Path, None, None]:
    """A temporary path beside `path` to write to: it becomes `path` when the block ends well, and vanishes if not.

    The file gets the permissions that new files have here. What a killed process left of an earlier try at it is swept
    away; nothing else in the folder is touched. OSError, with a line that says what failed, where it can't be written.
    """
    name = f".{path.name[:50]}."  # a name has 255 bytes, and a character up to 4
    temporary = path.with_name(f"{name}{os.getpid()}-{threading.get_ident()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent, f"{glob.escape(name)}*.part")
        with in_use(path.parent):
            temporary.touch()
            mode = temporary.stat().st_mode
            yield temporary
            temporary.chmod(mode)  # safetensors makes its files private
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        raise OSError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from error
    finally:
        if temporary.is_file():
            temporary.unlink(missing_ok=True)


def save_json(path: Path, value: object) -> None:
    """Write `value` to `path` as JSON that every reader takes: undefined numbers become null.

    ValueError for an infinite one, which no honest figure is.
    """
    text = json.dumps(_without_nan(value), indent=1, allow_nan=False)
    with atomic_write(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def sweep(folder: Path, pattern: str) -> None:
    """Remove what killed processes left in `folder` under `pattern`, unless a process is writing there now.

    Writers say so by `in_use`. Where the file system has no such locks, what is older than an hour goes, by the clock
    that stamps files there.
    """
    left = [path for path in folder.glob(pattern) if path.is_file()]
    if not left:
        return
    with _folder_lock(folder, alone=True) as got:
        if got is False:
            return
        limit = math.inf if got else _stamp(folder) - STALE_SECONDS
        for path in left:
            with suppress(OSError):  # another process was quicker
                if path.stat().st_mtime < limit:
                    path.unlink()


@contextmanager
def in_use(folder: Path) -> Generator[None, None, None]:
    """Inside, temporary files in `folder` are swept away by nobody; any number of processes may be there."""
    with _folder_lock(folder, alone=False):
        yield


@contextmanager
def held(folder: Path) -> Generator[None, None, None]:
    """Have `folder`, which is made, to oneself. `Held`, in one line that names the process, where another has it.

    A process that was killed holds nothing. Without locks in the file system the process that the file `.lock` names
    counts, if it runs on this machine or can't be asked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    descriptor = _take(path)
    try:
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f"{os.getpid()} {socket.gethostname()}\n".encode())
        yield
    finally:
        with suppress(OSError):  # Windows removes no open file; a lock file without a lock holds nobody
            path.unlink()
        os.close(descriptor)


def _take(path: Path) -> int:
    """The open, locked file at `path`."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            got = _lock(descriptor, alone=True)
            os.lseek(descriptor, 0, os.SEEK_SET)
            holder = os.read(descriptor, 200).decode(errors="replace").split()
            if got is False or (got is None and _may_live(holder)):
                who = f"process {holder[0]} on {holder[1]}" if len(holder) == 2 else "another process"
                more = "" if got is False else f"; if it is not, delete {path}"
                raise Held(f"{path.parent} is in use by {who}: wait for it, or choose another folder{more}")
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its holder removed it between our opening and our locking


def _may_live(holder: list[str]) -> bool:
    """Whether the process that a lock file names, [pid, host], is running, as far as can be told from here."""
    if len(holder) != 2 or not holder[0].isdecimal():
        return False
    if holder[1] != socket.gethostname() or sys.platform == "win32":  # Windows has no signal that only asks
        return True
    try:
        os.kill(int(holder[0]), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return int(holder[0]) != os.getpid()


@contextmanager
def _folder_lock(folder: Path, *, alone: bool) -> Generator[bool | None, None, None]:
    """Lock a folder itself; yields whether that was possible, None where folders can't be locked."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows, or a folder that may be written but not read
        yield None
        return
    try:
        yield _lock(descriptor, alone=alone)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, *, alone: bool) -> bool | None:
    """Lock an open file for this process alone, at once, or together with others; None where there are no locks."""
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, 1 << 20, os.SEEK_SET)  # what is locked there can't be read, so not where the holder is
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
    except OSError as error:
        return False if error.errno in BUSY else None
    return True


def _stamp(folder: Path) -> float:
    """The time that a file gets which is written in `folder` now; nothing is older than -inf where none can be."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            return os.fstat(file.fileno()).st_mtime
    except OSError:
        return -math.inf


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
