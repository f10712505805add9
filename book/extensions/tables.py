"""Tables in the pages: each in a frame that scrolls, and those of a text on a phone as cards, a row each.

A table of texts is read row by row: on a screen too narrow for it each row becomes a card, in
which every value has the head of its column beside it (pixelwise.css). What a cell computed is read down its columns as
well, so it stays a table, scrolls, and keeps its first column in sight, unless its values are sentences.
"""

import html
import re

TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
WRITTEN = re.compile(r'<table class="(?=docutils|pw-(?:options|rooms|runs)\b)')
"""Tables of texts: by an author in Markdown, or by the build."""
ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
CELL = re.compile(r"<(t[hd])\b([^>]*)>(.*?)</\1>", re.DOTALL)
UNSEEN = re.compile(r'<span role="tooltip".*?</span>|<annotation\b.*?</annotation>|<[^>]+>', re.DOTALL)
CLASS, SAID = "signsymbol", "sign"
"""A class as the data set calls it, and as a reader does."""
COMPUTED = '<table class="pw-table"'
"""What a cell of a notebook shows: mostly numbers."""
PHONE = 40
"""About how many letters a phone shows beside each other."""
COLUMN = 24
"""Letters of a column that is read in comfort; a longer text wraps."""
ROLES = (("table", "table"), ("thead", "rowgroup"), ("tbody", "rowgroup"), ("tr", "row"))


def finish(table: re.Match[str]) -> str:
    """A table in a frame that scrolls, so that the page need not; a value and its spread stay on one line."""
    text = re.sub(r"<th([^>]*)></th>", r"<td\1></td>", table[0].replace(" ± ", "\u00a0±\u00a0"))  # heads nothing
    text = text.replace(f">{CLASS}<", f">{SAID}<")
    cards = is_wide(text) if WRITTEN.match(text) else text.startswith(COMPUTED) and has_sentences(text)
    return f'<div class="pw-scroll">{deal(text) if cards else text}</div>'


def seen(cell: str) -> str:
    """What a reader sees of a cell, as text."""
    return " ".join(html.unescape(UNSEEN.sub("", cell)).split())


def is_wide(table: str) -> bool:
    """Whether a table's columns, each as wide as it needs to be read in comfort, are more than a phone is wide."""
    rows = [[len(seen(cell[3])) for cell in CELL.finditer(row)] for row in ROW.findall(table)]
    columns = zip(*(row for row in rows if len(row) == len(rows[0])), strict=True)  # not those that span columns
    return sum(min(COLUMN, max(lengths)) + 2 for lengths in columns) > PHONE


def has_sentences(table: str) -> bool:
    """Whether a value is a text that no phone has room for on one line: it is read by itself, not down a column."""
    body = table.partition("<tbody")[2]
    return any(len(seen(cell[3])) > PHONE for row in ROW.findall(body) for cell in list(CELL.finditer(row))[1:])


def deal(table: str) -> str:
    """The table with the head of its column at each value, and the roles that it would lose as a stack of cards."""
    head, _, body = table.partition("<tbody")
    heads = [seen(cell[3]) for cell in CELL.finditer(head)]

    def label(row: re.Match[str]) -> str:
        places = enumerate(heads)

        def place(cell: re.Match[str]) -> str:
            number, head = next(places, (0, ""))
            first = number == 0 and seen(cell[3])
            if first:
                scope = "" if "scope=" in cell[2] else ' scope="row"'
                return f'<th role="rowheader"{scope}{cell[2]}>{cell[3]}</th>'
            return f'<td role="cell" data-head="{html.escape(head)}"{cell[2]}>{cell[3]}</td>'

        return CELL.sub(place, row[0])

    head = re.sub(r"<th\b", '<th role="columnheader"', head)
    text = f"{head}<tbody{ROW.sub(label, body)}"
    for tag, role in ROLES:
        text = re.sub(rf"<{tag}\b", f'<{tag} role="{role}"', text)
    return text.replace('class="', 'class="pw-cards ', 1)
