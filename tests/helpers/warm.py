"""Processes forked from one that has all imports behind it, which take ten times as long as to build a small book.

What they build is byte for byte what a fresh process builds: `tests/book/test_build.py` compares the two.
"""

import multiprocessing
import os
import runpy
import sys
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from tools import stamp

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["tests.helpers.preloaded"])


class Build:
    """`python -m book.build` in a process of its own, which calls `first` before anything else.

    It has what the tests ask of a `subprocess.Popen`; what it says of its success goes nowhere.
    """

    def __init__(self, source: Path, output: Path, *options: str, first: Callable[[], object] | None = None) -> None:
        arguments = ["--source", str(source), "--output", str(output), *options]
        self._errors, errors = context.Pipe(duplex=False)
        self._process = context.Process(target=_build, args=(arguments, errors, first))
        self._process.start()
        errors.close()

    @property
    def returncode(self) -> int | None:
        """The status once it has ended: below 0 where a signal ended it."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None and self._process.pid:
            os.kill(self._process.pid, number)

    def communicate(self) -> tuple[str, str]:
        """Wait for its end; nothing, and what it said of its failure."""
        with open(self._errors.fileno(), encoding="utf-8", closefd=False) as errors:
            said = errors.read()
        self._errors.close()
        self._process.join()
        return "", said


def _build(arguments: list[str], errors: Connection, first: Callable[[], object] | None) -> None:
    os.dup2(errors.fileno(), 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.chdir(stamp.ROOT)
    if first:
        first()
    # It looks at every object that there is, and in a fresh process it does so before PyTorch is imported.
    warnings.filterwarnings("ignore", module="sphinx_external_toc")
    sys.argv = ["book.build", *arguments]
    runpy.run_module("book.build", run_name="__main__", alter_sys=True)
