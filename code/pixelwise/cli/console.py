"""What a command line needs of its terminal: lines that always print, and an end in one line, whatever happens.

Names of files come from anywhere: they can hold terminal escapes, line ends, and bytes that are no text. Output goes
anywhere: to a pipe whose reader has left, to a full disk, to a terminal that knows no arrow.
"""

import os
import re
import sys
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from typing import NoReturn, TextIO

from ..environment import is_out_of_memory

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, other line ends, marks that turn the direction of text, halves of characters."""

_lost: list[OSError] = []
"""Why standard output could not be written, other than that its reader left."""


def printable(text: object) -> str:
    """The text in one line without anything that steers a terminal: control characters as `\\x1b`, `\\n`."""
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), str(text))


def say(text: object, *, error: bool = False) -> None:
    """Print one line to standard output, or to standard error.

    Never raises: a stream that can't be written is given up, and the work goes on. `command_line` reports that.
    """
    stream = sys.stderr if error else sys.stdout
    if stream is None:  # closed before Python started
        return
    try:
        print(printable(text), file=stream, flush=True)
    except OSError as problem:
        _give_up(stream, problem)


def fail(name: str, lines: Sequence[str]) -> NoReturn:
    """End with status 1 after several lines on standard error, the first of which says what failed."""
    for i, line in enumerate(lines):
        say(line if i else f"{name}: {line}", error=True)
    sys.exit(1)


def say_warnings(name: str) -> None:
    """From now on show a warning as one line of this command on standard error, without its place in the code."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        say(f"{name}: {message}", error=True)

    warnings.showwarning = show


@contextmanager
def command_line(
    name: str, *, stopped: str = "stopped", memory: str = "choose something smaller"
) -> Generator[None, None, None]:
    """Around the main function of a command, as a decorator: whatever ends it, it ends in one line and with a status.

    stopped: what to say after Ctrl-C; memory: what to make smaller where memory runs out. What the library prints can
    be printed on any stream. The status is 1 where standard output could not be written, unless its reader left.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    _lost.clear()
    try:
        yield
    except KeyboardInterrupt:
        raise SystemExit(f"{name}: {stopped}") from None
    except SystemExit as end:
        if isinstance(end.code, str):
            raise SystemExit(printable(end.code)) from None
        raise
    except BrokenPipeError:
        raise SystemExit(f"{name}: stopped, as nothing reads its output any more") from None
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise SystemExit(f"{name}: out of memory; {memory}") from None
    finally:
        _flush(sys.stdout)
        if _lost:
            reason = _lost[0].strerror or _lost[0]
            say(f"{name}: standard output could not be written ({reason}); the rest was done", error=True)
    if _lost:
        sys.exit(1)


def _flush(stream: TextIO | None) -> None:
    if stream is None:
        return
    try:
        stream.flush()
    except OSError as problem:
        _give_up(stream, problem)


def _give_up(stream: TextIO, problem: OSError) -> None:
    """Let what is still to come, and what the stream holds back, vanish: else Python fails again when it ends."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    if stream is sys.stdout and not isinstance(problem, BrokenPipeError):
        _lost.append(problem)
