"""Everything that is wrong with a data set, found in one pass and said together."""

from collections import Counter
from collections.abc import Iterable
from itertools import chain, zip_longest

from ..storage import DataError

MOST_LINES = 20
"""Problems that a message shows; the others are counted."""


class FolderError(DataError):
    """A data set that can't be used as it is.

    `problems` holds all that was found, a line each, which names a file and a cure; the message shows at most
    MOST_LINES of them, of every kind some, and `lines` are that message's lines.
    """

    def __init__(self, what: str, found: Iterable[tuple[str, str]]) -> None:
        found = list(found)
        self.problems = tuple(line for _, line in found)
        count = f"{len(found)} problems" if len(found) > 1 else "a problem"
        self.lines = (
            f"{what} can't be used as it is; there {'are' if len(found) > 1 else 'is'} {count}:",
            *_show(found),
        )
        super().__init__("\n".join(self.lines))


class Problems:
    """Lines about what is wrong, each of a kind such as "pictures without a mask"."""

    def __init__(self) -> None:
        self._found: list[tuple[str, str]] = []

    def add(self, kind: str, line: str) -> None:
        """Note a problem: its kind in the plural, and a line that names the file and the cure."""
        self._found.append((kind, line))

    def extend(self, others: "Problems") -> None:
        """Note all of these too."""
        self._found += others._found

    def __len__(self) -> int:
        return len(self._found)

    def raise_any(self, what: str) -> None:
        """FolderError with all of them, if there are any."""
        if self._found:
            raise FolderError(what, self._found)


def _show(found: list[tuple[str, str]]) -> list[str]:
    """At most MOST_LINES of the lines, in turns one of each kind, and how many of which kind are left."""
    kinds: dict[str, list[str]] = {}
    for kind, line in found:
        kinds.setdefault(kind, []).append(line)
    turns = chain.from_iterable(zip_longest(*([(kind, line) for line in lines] for kind, lines in kinds.items())))
    shown = [entry for entry in turns if entry is not None][:MOST_LINES]
    left = Counter(kind for kind, _ in found) - Counter(kind for kind, _ in shown)
    lines = [f"  {line}" for kind in kinds for one, line in shown if one == kind]
    if left:
        lines.append(f"  … and {left.total()} more: {', '.join(f'{count} {kind}' for kind, count in left.items())}")
    return lines
