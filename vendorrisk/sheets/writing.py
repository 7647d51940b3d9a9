"""Rows leave as CSV or XLSX. No spreadsheet program can be made to run something by such a file.

Every batch is written in a thread, so that the event loop serves others meanwhile.
"""

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import xlsxwriter  # type: ignore[import-untyped]  # ships no types

from vendorrisk.normal_form import written_amount
from vendorrisk.sheets.formulas import guarded
from vendorrisk.sheets.reading import Cell, FileFormat

WrittenCell = Cell | date | Decimal
Cells = Sequence[WrittenCell]

_PIECE_BYTES = 64 * 1024
_EXACT_BELOW = Decimal(10) ** 11  # a float holds 15 digits: 11 before the point and 4 after


def csv_piece(rows: Iterable[Cells]) -> bytes:
    """Return rows as CSV (RFC 4180) in UTF-8."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n")
    for row in rows:
        writer.writerow(["" if cell is None else guarded(_plain(cell)) for cell in row])
    return written.getvalue().encode()


def _plain(cell: WrittenCell) -> str:
    match cell:
        case date():
            return cell.isoformat()
        case Decimal():
            return written_amount(cell)
        case _:
            return str(cell)


class Heading(msgspec.Struct, frozen=True):
    """The top of a file above its rows: the headings, and the name of the worksheet."""

    sheet: str
    columns: tuple[str, ...]


def as_file(file_format: FileFormat, heading: Heading, batches: AsyncIterator[Sequence[Cells]]) -> AsyncIterator[bytes]:
    """Stream the rows under their headings."""
    return {FileFormat.CSV: as_csv, FileFormat.XLSX: as_workbook}[file_format](heading, batches)


async def as_csv(heading: Heading, batches: AsyncIterator[Sequence[Cells]]) -> AsyncIterator[bytes]:
    """Stream CSV. It begins with a byte-order mark, without which Excel takes UTF-8 for something else."""
    yield b"\xef\xbb\xbf" + csv_piece([heading.columns])
    async for batch in batches:
        yield await asyncio.to_thread(csv_piece, batch)


async def as_workbook(heading: Heading, batches: AsyncIterator[Sequence[Cells]]) -> AsyncIterator[bytes]:
    """Write XLSX row by row to a temporary file, then stream that: memory stays flat however many rows."""
    with tempfile.TemporaryFile() as file:
        await _write(file, heading, batches)
        file.seek(0)
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield piece


async def _write(file: Any, heading: Heading, batches: AsyncIterator[Sequence[Cells]]) -> None:
    book = await asyncio.to_thread(_Book, file, heading)
    try:
        async for batch in batches:
            await asyncio.to_thread(book.add, batch)
    finally:
        # Packing takes longest.
        await asyncio.to_thread(book.close)


class _Book:
    """A workbook that is being written, by one thread at a time."""

    def __init__(self, file: Any, heading: Heading) -> None:
        # Text stays text: neither a formula nor a link nor a number is made of it.
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self._workbook = xlsxwriter.Workbook(file, options)
        self._sheet = self._workbook.add_worksheet(heading.sheet)
        bold = self._workbook.add_format({"bold": True})
        self._formats = Formats(
            date=self._workbook.add_format({"num_format": "yyyy-mm-dd"}),
            amount=self._workbook.add_format({"num_format": "#,##0.00##"}),
        )
        self._sheet.freeze_panes(1, 1)
        self._sheet.write_row(0, 0, heading.columns, bold)
        self._number = 0

    def add(self, batch: Sequence[Cells]) -> None:
        for row in batch:
            self._number += 1
            for at, cell in enumerate(row):
                _put(self._sheet, self._number, at, cell, self._formats)

    def close(self) -> None:
        self._workbook.close()


class Formats(NamedTuple):
    date: Any
    amount: Any


def _put(sheet: Any, row: int, column: int, cell: WrittenCell, formats: Formats) -> None:
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
