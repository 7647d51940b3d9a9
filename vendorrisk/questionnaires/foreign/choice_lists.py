"""The choices that a workbook offers in a cell: written in its list, or in the cells that the list refers to."""

import re
from typing import Final

from vendorrisk.questionnaires.foreign.cells import text_of
from vendorrisk.sheets.book_parts import ranges_of
from vendorrisk.sheets.books import Book, BookSheet

_MOST_CHOICES: Final = 100
_REFERENCE: Final = re.compile(
    r"(?:(?P<sheet>'(?:[^']|'')+'|[^!']+)!)?(?P<cells>\$?[A-Z]{1,3}\$?\d+(?::\$?[A-Z]{1,3}\$?\d+)?)"
)


def choices_of(book: Book, sheet: BookSheet, row: int, column: int) -> tuple[str, ...]:
    """Return the choices for a cell. Empty: it has no list, or the list cannot be followed."""
    found = next((one for one in sheet.lists if one.covers(row, column)), None)
    if found is None:
        return ()
    if found.formula.startswith('"'):
        return tuple(part.strip() for part in found.formula.strip('"').split(",") if part.strip())[:_MOST_CHOICES]
    reference = _REFERENCE.fullmatch(book.names.get(found.formula, found.formula))
    if reference is None:
        return ()
    name = (reference["sheet"] or "").removeprefix("'").removesuffix("'").replace("''", "'")
    other = next((one for one in book.sheets if one.name == name), None) if name else sheet
    return _cells(other, reference["cells"]) if other is not None else ()


def _cells(sheet: BookSheet, cells: str) -> tuple[str, ...]:
    (first_row, first_column), (last_row, last_column) = next(ranges_of(cells))
    texts = (
        text_of(sheet.cell(row, column))
        for row in range(first_row, min(last_row, first_row + _MOST_CHOICES) + 1)
        for column in range(first_column, min(last_column, first_column + _MOST_CHOICES) + 1)
    )
    return tuple(text for text in texts if text)[:_MOST_CHOICES]
