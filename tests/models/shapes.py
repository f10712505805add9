"""The shapes that a network's source states in comments, compared with the shapes that arise."""

import ast
import inspect
import re
import sys
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any

from torch import Tensor

Trace = Callable[[FrameType, str, object], Any]  # what sys.settrace takes, and each call of it returns


COMMENT = re.compile(r"#\s*\(N, ([^)]*)\)")


def stated_shapes(module: ModuleType) -> dict[int, list[str]]:
    """The dimensions after N in every comment such as "# (N, 64, 112, 112)" on a line of code, by line number."""
    lines = inspect.getsource(module).splitlines()
    return {
        number: [part.strip() for part in match[1].split(",")]
        for number, line in enumerate(lines, start=1)
        if (match := COMMENT.search(line)) and not line.strip().startswith("#")
    }


def check_shape_comments(module: ModuleType, run: Callable[[], object]) -> int:
    """Call `run` and compare each line's value with its comment; return how many comments the run came by.

    A line's value is what it assigns or returns. A dimension in words ("64 or 256") holds if any of its numbers does;
    one without a number, such as H, is counted but not compared.
    """
    stated = stated_shapes(module)
    targets = {
        node.lineno: node.targets[0].id
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    seen: set[int] = set()

    def compare(line: int, value: object) -> None:
        if line not in stated or not isinstance(value, Tensor):
            return
        seen.add(line)
        where = f"{module.__name__}, line {line}: stated (N, {', '.join(stated[line])}), found {tuple(value.shape)}"
        assert value.ndim == 1 + len(stated[line]), where
        for dimension, size in zip(stated[line], value.shape[1:], strict=True):
            numbers = [
                int(n)
                for n in re.findall(r"\d+", dimension)
                if not re.search(r"[A-Za-z²/·]", dimension.replace("or", ""))
            ]
            assert not numbers or size in numbers, where

    def trace(frame: FrameType, event: str, argument: object) -> Trace | None:
        if frame.f_code.co_filename != module.__file__:
            return None
        previous = frame.f_lineno

        def inside(frame: FrameType, event: str, argument: object) -> Trace | None:
            nonlocal previous
            if previous in targets:
                compare(previous, frame.f_locals.get(targets[previous]))
            elif event == "return":
                compare(previous, argument)
            previous = frame.f_lineno
            return inside

        return inside

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return len(seen)
