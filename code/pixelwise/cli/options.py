"""The options of the commands as tables: each says what it takes, and parser, help and tests are made from that.

A table is a list of `Option`. What an option takes is a `checks.Range` or one of the kinds below, each with
`parse(text)`, which returns the value or raises ValueError in one line, and with `str()` for messages. Nothing is
loaded before every option has been found possible.
"""

import argparse
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from ..checks import Range
from . import console


@dataclass(frozen=True)
class Choice:
    """One of a few words or numbers."""

    values: tuple[str, ...] | tuple[int, ...]

    def parse(self, text: str) -> str | int:
        for value in self.values:
            if str(value) == text:
                return value
        raise ValueError(f"invalid choice: {text!r}; choose one of {self}")

    def __str__(self) -> str:
        return ", ".join(map(str, self.values))


@dataclass(frozen=True)
class Place:
    """A file or a folder. With `home`, ~ is the home folder, where the shell left it and no file is called so."""

    home: bool = True

    def parse(self, text: str) -> str | Path:
        if not text:
            raise ValueError("a name is empty; the folder that you are in is .")
        path = Path(text)
        if not self.home or not text.startswith("~") or os.path.lexists(path):
            return path
        try:
            return path.expanduser()
        except RuntimeError:
            raise ValueError(
                f"{text!r} is in the home of a user that is not known here: write the whole path"
            ) from None

    def __str__(self) -> str:
        return "path"


class Device:
    """A device that the library has been tried on; whether this machine has it is asked later."""

    def parse(self, text: str) -> str:
        if not re.fullmatch(r"cpu|mps|cuda(:(0|[1-9][0-9]{0,2}))?", text, re.ASCII):
            raise ValueError(f"there is no device {text!r}; choose {self}")
        return text

    def __str__(self) -> str:
        return "cpu, cuda, cuda:0, cuda:1 and so on, or mps"


class Switch:
    """On when it is given."""


class OnOff:
    """--name or --no-name."""


Value = Range | Choice | Place | Device
Kind = Value | Switch | OnOff


@dataclass(frozen=True)
class Option:
    """One option: its flag (a bare name is an argument without a flag), what it takes, its default, and its help.

    count is how many values it takes, or "+" for one or more, and then it may be given again to add to them; metavar
    stands for each of them in the help, to which the range is added.
    """

    flag: str
    kind: Kind
    help: str
    default: object = None
    metavar: str | tuple[str, ...] | None = None
    count: int | str | None = None

    @property
    def name(self) -> str:
        """The attribute of the parsed options that holds it."""
        return self.flag.lstrip("-").replace("-", "_")

    def add_to(self, parser: argparse._ActionsContainer) -> None:
        """Make an argument of a parser or of a group of one."""
        kind = self.kind
        if isinstance(kind, Switch):
            parser.add_argument(self.flag, action="store_true", help=self.help)
            return
        if isinstance(kind, OnOff):
            action = argparse.BooleanOptionalAction
            parser.add_argument(self.flag, action=action, default=self.default, help=self.help)
            return
        several: dict[str, Any] = {"action": "extend"} if self.count == "+" and self.flag.startswith("-") else {}
        parser.add_argument(
            self.flag,
            **several,
            type=partial(_parse, kind),
            default=list(self.default) if isinstance(self.default, tuple) else self.default,
            nargs=self.count,
            metavar=self.metavar or (f"{{{','.join(map(str, kind.values))}}}" if isinstance(kind, Choice) else None),
            help=self._help(),
        )

    def _help(self) -> str:
        text, default, rest = self.help.partition(" (default")
        return f"{text}, {self.kind.bounds}{default}{rest}" if isinstance(self.kind, Range) else self.help


def _parse(kind: Value, text: str) -> object:
    try:
        return kind.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line, with exit status 2; the help is asked for by --help."""

    def __init__(self, options: Iterable[Option] = (), **settings: Any) -> None:
        super().__init__(formatter_class=HelpFormatter, allow_abbrev=False, **settings)
        for option in options:
            option.add_to(self)

    def parse_known_args(self, args: Iterable[str] | None = None, namespace: Any = None) -> tuple[Any, list[str]]:
        args = sys.argv[1:] if args is None else list(args)
        for text in args:
            if text.startswith("--") and text.endswith("=--"):  # of which Python 3.11 makes an empty list
                self.error(f"argument {text[:-3]}: expected one argument")
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        refuse(self.prog, message)


class HelpFormatter(argparse.HelpFormatter):
    """Shows the defaults, and keeps the lines of what follows the options."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text.strip("\n") if "\n\n" in text else super()._fill_text(text, width, indent)

    def _get_help_string(self, action: argparse.Action) -> str | None:
        value, about = action.default, action.help
        if about is None or value in (None, argparse.SUPPRESS) or isinstance(value, bool) or "default" in about:
            return about
        words = [f"{x:g}" if isinstance(x, float) else str(x) for x in (value if isinstance(value, list) else [value])]
        return f"{about} (default: {' '.join(words)})"


def refuse(program: str, message: str) -> NoReturn:
    """End the program as for a wrong option: one line, exit status 2."""
    console.say(f"{program}: error: {message}", error=True)
    sys.exit(2)


def listed(choices: Mapping[str, Any]) -> str:
    """Names and what they stand for (their `summary`), a line each."""
    return "\n".join(f"  {name:15}{choice.summary}" for name, choice in choices.items())
