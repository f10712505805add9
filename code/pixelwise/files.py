"""Files that are written whole or not at all: no process that is killed, and no two at once, leave half of one."""

import glob
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

STALE_SECONDS = 3600
"""A temporary file of this age belongs to a process that was killed, and is swept away."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` to write to: it becomes `path` when the block ends well, and vanishes if not.

    The file gets the permissions that new files have here. What a killed process left of an earlier try at it is swept
    away; nothing else in the folder is touched. OSError, with a line that says what failed, where it can't be written.
    """
    name = f".{path.name[:50]}."  # a name has 255 bytes, and a character up to 4
    temporary = path.with_name(f"{name}{os.getpid()}-{threading.get_ident()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent, f"{glob.escape(name)}*.part")
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


def sweep(folder: Path, pattern: str) -> None:
    """Remove what killed processes left in `folder` under `pattern`; what is younger than an hour may be in use."""
    for left in folder.glob(pattern):
        try:
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                left.unlink()
        except OSError:
            continue  # another process was quicker
