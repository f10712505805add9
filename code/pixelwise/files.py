"""Files for people, written whole or not at all.

The library's own caches have `data.storage.atomic`, which also sweeps its folder; a folder that a person chose is
touched in nothing but the file that was asked for.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` to write to: it becomes `path` when the block ends well, and vanishes if not.

    The file gets the permissions that new files have here. OSError, with a line that says what failed, where it can't
    be written.
    """
    temporary = path.with_name(f".{path.name[:100]}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch()
        mode = temporary.stat().st_mode
        yield temporary
        temporary.chmod(mode)  # safetensors makes its files private
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
