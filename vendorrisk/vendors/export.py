"""Vendors leave as CSV or XLSX that no spreadsheet program can be made to run something by.

Whatever is exported and imported again, unchanged, changes nothing.
"""

import csv
import io
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import xlsxwriter  # type: ignore[import-untyped]  # ships no types

from vendorrisk.vendors.identifiers import written_amount
from vendorrisk.vendors.import_columns import COLUMNS, MAY_RUN, SHOWN_ONLY
from vendorrisk.vendors.import_model import FileFormat
from vendorrisk.vendors.spreadsheet import Cell

HEADINGS = (*(column.heading for column in COLUMNS.values()), *SHOWN_ONLY.values())

Cells = Sequence[Cell | date | Decimal]

_PIECE_BYTES = 64 * 1024
_EXACT_BELOW = Decimal(10) ** 11  # a float holds 15 digits: 11 before the point and 4 after


def guarded(text: str) -> str:
    """Put a ' before text that a spreadsheet program could take for a formula; reading takes that one off again."""
    return f"'{text}" if MAY_RUN.match(text) else text


def csv_piece(rows: Iterable[Cells]) -> bytes:
    """Return rows as CSV (RFC 4180) in UTF-8."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n")
    for row in rows:
        writer.writerow(["" if cell is None else guarded(_plain(cell)) for cell in row])
    return written.getvalue().encode()


def _plain(cell: Cell | date | Decimal) -> str:
    match cell:
        case date():
            return cell.isoformat()
        case Decimal():
            return written_amount(cell)
        case _:
            return str(cell)


def as_file(file_format: FileFormat, batches: AsyncIterator[Sequence[Cells]]) -> AsyncIterator[bytes]:
    return {FileFormat.CSV: as_csv, FileFormat.XLSX: as_workbook}[file_format](batches)


async def as_csv(batches: AsyncIterator[Sequence[Cells]]) -> AsyncIterator[bytes]:
    """Stream CSV. It begins with a byte-order mark, without which Excel takes UTF-8 for something else."""
    yield b"\xef\xbb\xbf" + csv_piece([HEADINGS])
    async for batch in batches:
        yield csv_piece(batch)


async def as_workbook(batches: AsyncIterator[Sequence[Cells]]) -> AsyncIterator[bytes]:
    """Write XLSX row by row to a temporary file, then stream that: memory stays flat however many rows."""
    with tempfile.TemporaryFile() as file:
        await _write(file, batches)
        file.seek(0)
        while piece := file.read(_PIECE_BYTES):
            yield piece


async def _write(file: Any, batches: AsyncIterator[Sequence[Cells]]) -> None:
    # Text stays text: neither a formula nor a link nor a number is made of it.
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as workbook:
        sheet = workbook.add_worksheet("Vendors")
        bold = workbook.add_format({"bold": True})
        formats = Formats(
            date=workbook.add_format({"num_format": "yyyy-mm-dd"}),
            amount=workbook.add_format({"num_format": "#,##0.00##"}),
        )
        sheet.freeze_panes(1, 1)
        sheet.write_row(0, 0, HEADINGS, bold)
        number = 0
        async for batch in batches:
            for row in batch:
                number += 1
                for at, cell in enumerate(row):
                    _put(sheet, number, at, cell, formats)


class Formats(NamedTuple):
    date: Any
    amount: Any


def _put(sheet: Any, row: int, column: int, cell: Cell | date | Decimal, formats: Formats) -> None:
    match cell:
        case None:
            return
        case date():
            sheet.write_datetime(row, column, cell, formats.date)
        case Decimal() if cell < _EXACT_BELOW:
            sheet.write_number(row, column, float(cell), formats.amount)
        case bool() | int() | float():
            sheet.write_number(row, column, cell)
        case _:
            sheet.write_string(row, column, _plain(cell))
