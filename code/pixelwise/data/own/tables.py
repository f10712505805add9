"""Class tables: which number or colour in a mask stands for which class, and which for none.

As JSON, {"road": 0, "car": 7}, {"road": [128, 64, 128], "car": "#400080"} or ["road", "car"]; or as lines of text,
`128 64 128 road` (as CamVid and VOC have them), `road,128,64,128`, `7 car`, `car 7`, or names alone, whose line is
their number. A class is called void by its name, one of VOID_NAMES; several may be. Where classes have numbers, 255 is
void too, unless a class has it or void is null. Void as "rest" is whatever is not named.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..palette import MOST_CLASSES, VOID
from ..storage import DataError

Colour = tuple[int, int, int]
Code = int | Colour
Classes = str | Path | Mapping[str, Any] | Sequence[str]
"""What a class table is made from: a file's path, names with their numbers or colours, or names in order."""

VOID_NAMES = frozenset({"void", "ignore", "ignored", "unlabelled", "unlabeled"})
TABLE_NAMES = frozenset(
    {"classes.json", "classes.txt", "classes.csv", "label_colors.txt", "labelmap.txt", "class_dict.csv", "labels.txt"}
)
"""What a class table may be called in a folder, in upper or lower case."""

HEADER_WORDS = frozenset({"name", "class", "label", "id", "index", "r", "g", "b", "red", "green", "blue"})
LONGEST_NAME, LARGEST_NUMBER, LARGEST_FILE = 80, 65535, 1_000_000
UNKNOWN = 256
"""What a code becomes that is neither a class nor void."""


@dataclass(frozen=True)
class ClassTable:
    """Names of classes, and what stands for each of them in a mask.

    names: their positions are the labels that training uses. codes: one a class, all numbers 0-65535 or all colours
    (red, green, blue), sRGB 0-255. void: codes of pixels that belong to no class; rest: whether all other codes do.
    """

    names: tuple[str, ...]
    codes: tuple[Code, ...]
    void: tuple[Code, ...]
    rest: bool
    source: str

    @property
    def by_colour(self) -> bool:
        """Whether masks hold colours, rather than numbers."""
        return isinstance(self.codes[0], tuple)

    @property
    def colours(self) -> tuple[Colour, ...] | None:
        """The classes' colours, if they have any."""
        return tuple(code for code in self.codes if isinstance(code, tuple)) or None

    @cached_property
    def _lookup(self) -> np.ndarray:
        values = np.full(1 << 24 if self.by_colour else LARGEST_NUMBER + 2, VOID if self.rest else UNKNOWN, np.uint16)
        for code in self.void:
            values[pack(code)] = VOID
        for label, code in enumerate(self.codes):
            values[pack(code)] = label
        return values

    def labels(self, codes: np.ndarray) -> np.ndarray:
        """Codes (H, W) int, colours packed, as labels (H, W) uint16: 0 … classes - 1, VOID, or UNKNOWN."""
        if not self.by_colour:
            codes = np.where((codes < 0) | (codes > LARGEST_NUMBER), LARGEST_NUMBER + 1, codes)
        return self._lookup[codes]


def pack(code: Code) -> int:
    """A colour as the number 65536 red + 256 green + blue; a number as it is."""
    return code if isinstance(code, int) else code[0] << 16 | code[1] << 8 | code[2]


def unpack(code: int) -> Colour:
    """The colour that `pack` made a number of."""
    return code >> 16, code >> 8 & 255, code & 255


def make_table(classes: Classes) -> ClassTable:
    """The table in a file, or of names with their codes. DataError, in one line, for one that can't be."""
    if isinstance(classes, (str, Path)):
        return _read(Path(classes))
    if isinstance(classes, Mapping):
        return _checked(list(classes.items()), "the class table")
    if isinstance(classes, Sequence):
        return _checked([(name, number) for number, name in enumerate(classes)], "the class table")
    raise DataError(f"classes are {classes!r}; expected names, names with numbers or colours, or the path of a table")


def numbered(count: int) -> ClassTable:
    """A table for label images that came without one: "class 0", "class 1", …, and 255 for void."""
    return _checked([(f"class {number}", number) for number in range(count)], "the labels")


def _read(path: Path) -> ClassTable:
    try:
        if not path.is_file():
            raise DataError(f"there is no class table {path}; check the path")
        if path.stat().st_size > LARGEST_FILE:
            raise DataError(
                f"{path} is too long for a class table ({path.stat().st_size} bytes); was another file meant?"
            )
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path} is no UTF-8 text; save the class table as UTF-8") from None
    except OSError as error:
        raise DataError(f"{path} can't be read ({error.strerror}); check its permissions") from None
    return _checked(_from_json(text, path) if path.suffix.lower() == ".json" else _from_lines(text, path), path.name)


def _from_json(text: str, path: Path) -> list[tuple[Any, Any]]:
    def pairs(entries: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        return entries  # a dict would lose a name that is there twice

    try:
        value = json.loads(text, object_pairs_hook=pairs)
    except (ValueError, RecursionError) as error:
        raise DataError(f'{path.name} is no JSON ({error}); write {{"background": 0, "cat": 1}}') from None
    if isinstance(value, list) and value and all(isinstance(entry, str) for entry in value):
        return [(name, number) for number, name in enumerate(value)]
    if not isinstance(value, list) or not all(isinstance(entry, tuple) for entry in value):
        raise DataError(f'{path.name} is no table of names; write {{"background": 0, "cat": 1}}')
    return value


def _from_lines(text: str, path: Path) -> list[tuple[Any, Any]]:
    entries: list[tuple[Any, Any]] = []
    lines = [line.strip(" \t:;,") for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if lines and set(re.split(r"[\s,;:]+", lines[0].lower())) <= HEADER_WORDS and len(lines[0]) > 5:
        lines = lines[1:]
    for line in lines:
        number, gap = r"(-?\d+)", r"[\s,;:]+"
        if found := re.fullmatch(rf"{number}{gap}{number}{gap}{number}{gap}(\S.*)", line):
            entries.append((found[4], [int(found[i]) for i in (1, 2, 3)]))
        elif found := re.fullmatch(rf"(\S.*?){gap}{number}{gap}{number}{gap}{number}", line):
            entries.append((found[1], [int(found[i]) for i in (2, 3, 4)]))
        elif found := re.fullmatch(rf"{number}{gap}(\S.*)", line):
            entries.append((found[2], int(found[1])))
        elif found := re.fullmatch(rf"(\S.*?)[\s,;:=]+{number}", line):
            entries.append((found[1], int(found[2])))
        else:
            entries.append((line, None))
    if entries and all(code is None for _, code in entries):
        return [(name, number) for number, (name, _) in enumerate(entries)]
    if nameless := [name for name, code in entries if code is None]:
        raise DataError(
            f'{path.name} has a line "{nameless[0][:80]}" without a number or a colour, which others have; write '
            '"128 64 128 road" in each line, or "7 car"'
        )
    return entries


def _checked(entries: list[tuple[Any, Any]], source: str) -> ClassTable:
    """The table of these names and codes; DataError for what can't be."""
    classes: dict[str, Code] = {}
    void: list[Code] = []
    default, rest = True, False
    for name, value in entries:
        if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
            raise DataError(f"{source} names a class {name!r}; expected 1 to {LONGEST_NAME} printable characters")
        name = name.strip()
        is_void = name.lower() in VOID_NAMES
        if name in classes:
            raise DataError(f"{source} names the class {name!r} twice; give each its own name")
        if is_void and (value is None or value == "rest"):
            default, rest = value is not None, value == "rest"
            continue
        code = _code(name, value, source)
        if code in (*classes.values(), *void):
            raise DataError(f"{source} gives {shown(code)} to {name!r} and to another class; give each its own")
        if is_void:
            void.append(code)
        else:
            classes[name] = code
    return _whole(classes, void, default, rest, source)


def _whole(classes: dict[str, Code], void: list[Code], default: bool, rest: bool, source: str) -> ClassTable:
    if len(classes) < 2:
        count = f'one class only, "{next(iter(classes))}"' if classes else "no class"
        raise DataError(
            f"{source} has {count} beside void, and nothing to tell it from; name the rest too, such as "
            '{"background": 0, "cat": 1}'
        )
    if len(classes) > MOST_CLASSES:
        raise DataError(
            f"{source} has {len(classes)} classes, expected at most {MOST_CLASSES}: labels are bytes; merge some"
        )
    if len({isinstance(code, int) for code in (*classes.values(), *void)}) > 1:
        raise DataError(f"{source} gives numbers to some classes and colours to others; give all of them the same")
    codes = tuple(classes.values())
    if isinstance(codes[0], int) and default and VOID not in (*codes, *void):
        void.append(VOID)
    return ClassTable(tuple(classes), codes, tuple(void), rest, source)


def _code(name: str, value: object, source: str) -> Code:
    if isinstance(value, str) and re.fullmatch("#[0-9a-fA-F]{6}", value):
        return unpack(int(value[1:], 16))
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_NUMBER:
        return value
    if isinstance(value, (list, tuple)) and len(value) == 3:
        red, green, blue = value
        if all(isinstance(part, int) and not isinstance(part, bool) and 0 <= part <= 255 for part in value):
            return red, green, blue
    raise DataError(
        f"{source} gives {name!r} the value {str(value)[:60]!r}; expected a number from 0 to {LARGEST_NUMBER}, or "
        'a colour, [red, green, blue] of 0 to 255 or "#rrggbb"'
    )


def shown(code: Code) -> str:
    """A code as messages show it: "label 7" or "colour [128, 64, 128]"."""
    return f"label {code}" if isinstance(code, int) else f"colour {list(code)}"
