"""Our own format as an XLSX workbook: written from a content, and read back in the sandbox with the same SHA-256."""

import io
from collections.abc import Sequence
from typing import Any, Final

import xlsxwriter  # type: ignore[import-untyped]  # ships no types

from vendorrisk.questionnaires.content import Content, ContentError, ContentFault
from vendorrisk.questionnaires.form_sheets import ABOUT, NAMES, QUESTIONS, Sheets, content_from, placed, sheets_of
from vendorrisk.questionnaires.reading import ReadContent, looked_at
from vendorrisk.sheets.errors import UnreadableError
from vendorrisk.sheets.reading import Cell
from vendorrisk.sheets.workbooks import sheets_named

_EXACT_BELOW: Final = 10**15
_WIDE: Final = frozenset({"text", "help", "internal_help", "intro", "description", "title", "label", "value", "when"})


def written(content: Content) -> bytes:
    """Return the workbook of a content. Text stays text: no formula, link or number is made of it."""
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
        for name, rows in sheets_of(content).items():
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            for at, heading in enumerate(rows[0]):
                sheet.set_column(at, at, 48 if str(heading).partition(":")[0] in _WIDE else 14, wrapped)
            sheet.write_row(0, 0, rows[0], bold)
            for number, row in enumerate(rows[1:], 1):
                _put(sheet, number, row)
    return file.getvalue()


def _put(sheet: Any, number: int, row: Sequence[Cell]) -> None:
    for at, cell in enumerate(row):
        match cell:
            case None:
                continue
            case bool():
                sheet.write_boolean(number, at, cell)
            case int() | float() if _is_exact(cell):
                sheet.write_number(number, at, cell)
            case _:
                sheet.write_string(number, at, repr(cell) if isinstance(cell, float) else str(cell))


def _is_exact(number: float) -> bool:
    """Whether a workbook, which holds 16 digits, gives the number back."""
    return abs(number) < _EXACT_BELOW and float(f"{number:.15G}") == number


def read_workbook(raw: bytes) -> ReadContent:
    """Read a questionnaire from our own workbook. The form in which a child can be asked for it."""
    try:
        sheets = sheets_named(raw, NAMES)
        if QUESTIONS not in sheets or ABOUT not in sheets:
            found = "The workbook has no sheets About and Questions. Export a questionnaire to see its form."
            return ReadContent(faults=(ContentFault("workbook_unreadable", "", found),))
        return _with_places(sheets, looked_at(content_from(sheets)))
    except UnreadableError as error:
        return ReadContent(faults=(ContentFault("workbook_unreadable", "", str(error)),))
    except ContentError as error:
        return ReadContent(faults=error.faults)


def _with_places(sheets: Sheets, read: ReadContent) -> ReadContent:
    if not read.faults and not read.warnings:
        return read
    return ReadContent(form=read.form, faults=placed(sheets, read.faults), warnings=placed(sheets, read.warnings))
