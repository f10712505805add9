"""Processes forked from one that has all imports behind it, which take ten times as long as to build a small book.

What they build is byte for byte what a fresh process builds: `tests/book/test_build.py` compares the two.
"""

import io
import multiprocessing
import os
import runpy
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from subprocess import CompletedProcess

from tools import stamp

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["tests.helpers.preloaded"])


class Process:
    """`main(*arguments)` in a process of its own, as the main program of a fresh one, and what it writes.

    It has what the tests ask of a `subprocess.Popen`.
    """

    def __init__(self, main: Callable[..., object], *arguments: object) -> None:
        pipes = [context.Pipe(duplex=False) for _ in range(2)]
        self._said = [reader for reader, _ in pipes]
        writers = [writer for _, writer in pipes]
        self._process = context.Process(target=_run, args=(dict(os.environ), writers, main, arguments))
        self._process.start()
        for writer in writers:
            writer.close()

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
        """Wait for its end: what it wrote to standard output and to standard error."""
        with ThreadPoolExecutor() as pool:
            output, errors = pool.map(_read, self._said)
        self._process.join()
        return output, errors


def build(source: Path, output: Path, *options: str, first: Callable[[], object] | None = None) -> Process:
    """Begin `python -m book.build`, which calls `first` before anything else."""
    return Process(_build, ["--source", str(source), "--output", str(output), *options], first)


def python(code: str, *arguments: object) -> CompletedProcess[str]:
    """Run `python -c code` to its end."""
    words = [str(one) for one in arguments]
    process = Process(_execute, code, words)
    said = process.communicate()
    return CompletedProcess(words, process.returncode or 0, *said)


def _read(pipe: Connection) -> str:
    with pipe, open(pipe.fileno(), encoding="utf-8", closefd=False) as file:
        return file.read()


def _run(
    environment: dict[str, str], pipes: list[Connection], main: Callable[..., object], arguments: tuple[object, ...]
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for stream, pipe in enumerate(pipes, 1):
        os.dup2(pipe.fileno(), stream)
        pipe.close()
    # The server's own know whether what they were opened on can be sought in.
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), "utf-8", write_through=True)
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), "utf-8", "backslashreplace", write_through=True)
    os.chdir(stamp.ROOT)
    main(*arguments)


def _build(arguments: list[str], first: Callable[[], object] | None) -> None:
    if first:
        first()
    # It looks at every object that there is, and in a fresh process it does so before PyTorch is imported.
    warnings.filterwarnings("ignore", module="sphinx_external_toc")
    sys.argv = ["book.build", *arguments]
    runpy.run_module("book.build", run_name="__main__", alter_sys=True)


def _execute(code: str, arguments: list[str]) -> None:
    sys.argv = ["-c", *arguments]
    exec(code, {"__name__": "__main__"})
