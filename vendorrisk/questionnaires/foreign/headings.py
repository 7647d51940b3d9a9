"""A row of headings, found by its texts and not by its place."""

import re
from collections.abc import Mapping
from typing import Final

from vendorrisk.questionnaires.foreign.cells import line_of
from vendorrisk.sheets.books import BookSheet

_MOST_ROWS: Final = 60
_MOST_COLUMNS: Final = 300


def plain(text: str) -> str:
    """Return a text for comparison: lower case, blanks made one."""
    return " ".join(text.lower().split())


def row_of_headings(
    sheet: BookSheet, wanted: Mapping[str, str], needed: frozenset[str] | None = None, *, most_rows: int = _MOST_ROWS
) -> tuple[int, dict[str, int]] | None:
    """Return the first row in which each needed heading matches, and the columns by name.

    Patterns match from the start. By default each heading is needed. The first of two columns that fit counts.
    """
    patterns = {name: re.compile(pattern) for name, pattern in wanted.items()}
    for number in sorted(sheet.rows):
        if number > most_rows:
            return None
        columns: dict[str, int] = {}
        for at, cell in sorted(sheet.rows[number].items()):
            if at > _MOST_COLUMNS or not isinstance(cell, str):
                continue
            heading = plain(line_of(cell))
            name = next((one for one, pattern in patterns.items() if one not in columns and pattern.match(heading)), "")
            if name:
                columns[name] = at
        if (needed if needed is not None else wanted.keys()) <= columns.keys():
            return number, columns
    return None


def first_cells(sheet: BookSheet, rows: int = 4, columns: int = 8) -> list[str]:
    """Return the texts at the head of a sheet, in their order."""
    return [
        line_of(sheet.rows[row][column])
        for row in sorted(sheet.rows)
        if row <= rows
        for column in sorted(sheet.rows[row])
        if column <= columns
    ]
