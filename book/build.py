"""Build the site from `_config.yml` and `_toc.yml`, with warnings as errors: `make book`.

A build starts from nothing, in a folder of its own beside the last one, and takes its place when it is whole. So what
is there is always a whole site, and no page is older than its sources, among them the titles of the other pages.
"""

import argparse
import contextlib
import ctypes
import errno
import io
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from types import MappingProxyType

from sphinx.errors import SphinxError

from tools import stamp

try:
    import fcntl
except ImportError:  # Windows: what a killed build leaves there is not swept away
    fcntl = None

SITE = stamp.ROOT / "_build" / "html"
EPUB = stamp.ROOT / "_build" / "epub" / "Pixelwise.epub"
MARK = ".buildinfo"  # Sphinx writes it into each folder that it makes
UNLOCKED, LOCKED = ".pixelwise-start-", ".pixelwise-build-"  # folders of builds that go on

AT_FDCWD, RENAME_EXCHANGE = -100, 2  # rename(2) of Linux


class BuildError(Exception):
    """Why there is no new site: one line, or the lines that Sphinx wrote."""


def build(
    source: Path, output: Path, builder: str = "html", settings: Mapping[str, object] = MappingProxyType({})
) -> str:
    """Build the book in `source` into the new folder `output`; return what Sphinx warned of, nothing when all is well.

    `builder` is one of Sphinx's, `settings` overrule _config.yml. What was read lies in .doctrees beside `output`.
    SphinxError or OSError where it can't be built at all.
    """
    from jupyter_book.config import get_final_config
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    source, output = Path(source).resolve(), Path(output).resolve()
    settings = {"external_toc_path": str(source / "_toc.yml"), "latex_individualpages": False, **settings}
    config, _ = get_final_config(user_yaml=source / "_config.yml", cli_config=settings, sourcedir=source)
    warnings = io.StringIO()
    with patch_docutils(), docutils_namespace():
        Sphinx(
            srcdir=source,
            confdir=None,
            outdir=output,
            doctreedir=output.with_name(".doctrees"),
            buildername=builder,
            confoverrides=config,
            status=None,
            warning=warnings,
            warningiserror=True,
            keep_going=True,
        ).build()
    return warnings.getvalue()


def renew(source: Path, output: Path, builder: str = "html") -> None:
    """Build the book in `source` aside, and put it in the place of the folder `output` if it is whole.

    BuildError where it isn't, or where `output` is no folder that an earlier build made: `output` is as it was.
    """
    output = Path(output).resolve()
    if output.exists() and not (output / MARK).is_file() and not (output.is_dir() and not any(output.iterdir())):
        raise BuildError(f"{output} is no earlier build, and a build replaces its folder; name another or remove it")
    try:
        with workshop(output) as folder:
            if warnings := build(source, folder / "new", builder):
                disk = next((line for line in warnings.splitlines() if "[Errno" in line), None)  # a full one, mostly
                raise BuildError(disk or f"Sphinx warned, and warnings are errors here.\n{warnings.rstrip()}")
            place(folder / "new", output)
    except (OSError, SphinxError) as error:
        raise BuildError(str(error)) from error


@contextlib.contextmanager
def workshop(output: Path) -> Generator[Path]:
    """A folder beside `output` for one build, gone afterwards; those of builds that were killed are swept away.

    A build holds a lock on its folder as long as it lives, so that nobody takes a living one for a killed one.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    for left in output.parent.glob(f"{LOCKED}*"):
        with contextlib.suppress(OSError), lock(left):
            shutil.rmtree(left)
    unlocked = Path(tempfile.mkdtemp(prefix=UNLOCKED, dir=output.parent))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, unlocked, ignore_errors=True)
        with contextlib.suppress(OSError):  # a file system without locks: killed builds' folders stay
            stack.enter_context(lock(unlocked))
        folder = unlocked.rename(unlocked.with_name(LOCKED + unlocked.name.removeprefix(UNLOCKED)))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder


@contextlib.contextmanager
def lock(folder: Path) -> Generator[None]:
    """Hold the only lock on a folder; OSError where another process has it, or where there are no locks."""
    if fcntl is None:
        raise OSError(errno.ENOTSUP, "this system has no locks on folders")
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def place(new: Path, output: Path) -> None:
    """Make the folder `new` the folder `output`; what was there before takes the place of `new`."""
    try:
        new.rename(output)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        exchange(new, output)


def exchange(new: Path, old: Path) -> None:
    """Swap two folders in one step; where the system can't, in two, between which there is no `old` for an instant."""
    swap = getattr(ctypes.CDLL(None), "renameat2", None) if sys.platform == "linux" else None
    if swap and swap(AT_FDCWD, os.fsencode(new), AT_FDCWD, os.fsencode(old), RENAME_EXCHANGE) == 0:
        return
    aside = old.rename(new.with_name("old"))
    try:
        new.rename(old)
    except BaseException:
        aside.rename(old)
        raise


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make book", description="Build the site, warnings as errors.")
    parser.add_argument("--source", type=Path, default=stamp.ROOT)
    parser.add_argument("--output", type=Path, help="a folder that an earlier build made, or a new one")
    parser.add_argument("--epub", action="store_true", help="one file for e-readers instead of the site")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    output = options.output or (EPUB.parent if options.epub else SITE)
    try:
        renew(options.source, output, "epub" if options.epub else "html")
    except BuildError as error:
        print(f"The book was not built: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("The build was interrupted.", file=sys.stderr)
        return 130
    page = output / (EPUB.name if options.epub else "index.html")
    print(f"The book is in {os.path.relpath(output)} ({time.perf_counter() - start:.0f} s).")
    print(f"Open {page.resolve().as_uri()}{'' if options.epub else ' or run `make serve`'}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
