"""Small tables: HTML with a caption and header cells for the page, and the same as aligned text for everything else."""

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real


@dataclass(frozen=True)
class Table:
    """A table that shows itself; rows hold a header cell each and then values, all of them as text already."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str
    numeric: tuple[bool, ...]
    """Which columns hold numbers; those are aligned to the right."""

    def _repr_html_(self) -> str:
        sides = ["right" if number else "left" for number in self.numeric]
        head = "".join(
            f'<th scope="col" style="text-align:{side}">{html.escape(words)}</th>'
            for words, side in zip(self.headers, sides, strict=True)
        )
        body = ""
        for name, *values in self.rows:
            cells = "".join(
                f'<td style="text-align:{side}">{html.escape(words)}</td>'
                for words, side in zip(values, sides[1:], strict=True)
            )
            body += f'<tr><th scope="row" style="text-align:left">{html.escape(name)}</th>{cells}</tr>\n'
        caption = f"<caption>{html.escape(self.caption)}</caption>" if self.caption else ""
        return f'<table class="pw-table">{caption}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table>'

    def __repr__(self) -> str:
        lines = [self.headers, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.headers))]
        lines.insert(1, tuple("─" * width for width in widths))
        text = "\n".join(
            "  ".join(
                words.rjust(width) if number else words.ljust(width)
                for words, width, number in zip(line, widths, self.numeric, strict=True)
            ).rstrip()
            for line in lines
        )
        return f"{self.caption}\n\n{text}" if self.caption else text


def table(
    rows: Mapping[str, Sequence[object]] | Sequence[Sequence[object]],
    headers: Sequence[str],
    *,
    caption: str = "",
    digits: int | Sequence[int] = 2,
) -> Table:
    """Make a table of rows: {"name": values}, or sequences whose first entry is the name; headers name that column too.

    Real numbers are written with `digits` decimals (one number, or one for each value column), integers with commas
    between thousands, None and NaN as a dash, anything else as it prints.
    """
    lines = (
        [(name, *values) for name, values in rows.items()] if isinstance(rows, Mapping) else [tuple(r) for r in rows]
    )
    wrong = next((line for line in lines if len(line) != len(headers)), None)
    if wrong is not None:
        raise ValueError(f"the row {wrong[0]!r} has {len(wrong)} cells, expected {len(headers)}: one for each header")
    places = [digits] * (len(headers) - 1) if isinstance(digits, int) else list(digits)
    if len(places) != len(headers) - 1:
        raise ValueError(f"digits has {len(places)} entries, expected {len(headers) - 1}: one for each value column")
    numeric = [all(_is_number(line[i]) for line in lines) and bool(lines) for i in range(1, len(headers))]
    return Table(
        headers=tuple(map(str, headers)),
        rows=tuple((str(line[0]), *map(_written, line[1:], places)) for line in lines),
        caption=caption,
        numeric=(False, *numeric),
    )


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, Real) and not isinstance(value, bool))


def _written(value: object, digits: int) -> str:
    if value is None or (isinstance(value, Real) and math.isnan(value)):
        return "–"
    if isinstance(value, bool) or not isinstance(value, Real):
        return str(value)
    return f"{value:,}" if isinstance(value, Integral) else f"{value:.{digits}f}"
