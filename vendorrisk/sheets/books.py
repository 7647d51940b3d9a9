"""A whole workbook: all sheets, hidden ones included, with stored values, merged cells and the lists of choices.

Pure, and run where memory and time are limited. The extent of each sheet is counted in its XML before it is read: a
declared size is ignored, and a sheet that a stray cell makes too large is left out and named.
"""

import io
import zipfile
from collections.abc import Iterator
from typing import Final

import msgspec
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetVisibleEnum, load_workbook

from vendorrisk.sheets.book_parts import BookParts, ChoiceList, SheetMarks, marks_of, parts_of
from vendorrisk.sheets.errors import BROKEN, UnfoundError, UnreadableError
from vendorrisk.sheets.reading import Cell, Limits, cell_of, damaged, is_workbook, looked_into

_MOST_SHEETS: Final = 100
_MOST_CELLS: Final = 3_000_000
_LIMITS: Final = Limits(unpacked_bytes=512 << 20)
_LONGEST: Final = 32_767  # characters that a cell of a workbook can hold


class BookSheet(msgspec.Struct, frozen=True):
    """A sheet. `rows` and columns count from 1, and blank cells are left out.

    `merged` has the first and the last place of each range. `formulas` holds the places that a formula fills.
    """

    name: str
    is_visible: bool
    rows: dict[int, dict[int, Cell]]
    merged: tuple[tuple[tuple[int, int], tuple[int, int]], ...]
    lists: tuple[ChoiceList, ...]
    formulas: frozenset[tuple[int, int]]
    errors: frozenset[tuple[int, int]]
    unstored: int

    def cell(self, row: int, column: int) -> Cell:
        """Return the value of a cell. None is a blank one."""
        return self.rows.get(row, {}).get(column)


class Book(msgspec.Struct, frozen=True):
    """A workbook. `from_1904` is how its serial numbers count days. `names`: what defined names refer to."""

    sheets: tuple[BookSheet, ...]
    notices: tuple[str, ...]
    from_1904: bool
    names: dict[str, str]


def open_book(content: bytes) -> Book:
    """Read a workbook whole. Raises `UnreadableError` for macros, passwords, cut files and bombs, with advice."""
    if not is_workbook(content):
        raise UnreadableError("This is not an XLSX workbook. Open it in a spreadsheet program and save it as .xlsx.")
    notices = looked_into(content, _LIMITS)
    if any("macros" in notice for notice in notices):
        raise UnreadableError("The workbook holds macros. Save it as .xlsx, which has none, and send that.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = parts_of(archive)
            if len(parts.sheets) > _MOST_SHEETS:
                raise UnreadableError(f"The workbook has {len(parts.sheets)} sheets. At most {_MOST_SHEETS} are read.")
            book = load_workbook(io.BytesIO(content))
            left_out: list[str] = []
            sheets = tuple(_sheets(archive, book, parts, left_out))
    except UnfoundError as error:
        raise UnreadableError(f"The workbook cannot be read: {error}. Save it again as .xlsx.") from error
    except (CalamineError, *BROKEN) as error:
        if isinstance(error, UnreadableError):
            raise
        raise damaged() from error
    return Book(sheets, (*notices, *left_out), parts.from_1904, parts.names)


def _sheets(
    archive: zipfile.ZipFile, book: CalamineWorkbook, parts: BookParts, left_out: list[str]
) -> Iterator[BookSheet]:
    visible = {sheet.name: sheet.visible == SheetVisibleEnum.Visible for sheet in book.sheets_metadata}
    cells = 0
    for name, part in parts.sheets:
        if part is None or name not in visible:
            continue
        marks = marks_of(archive, part)
        cells += marks.area
        if cells > _MOST_CELLS:
            cells -= marks.area
            left_out.append(
                f"The sheet {name!r} was left out: it has a value as far as row {marks.last_row:,}, column "
                f"{marks.last_column:,}. Delete the rows and columns beyond the table, and send it again."
            )
            continue
        yield _sheet(book.get_sheet_by_name(name), marks, is_visible=visible[name])


def _sheet(sheet: CalamineSheet, marks: SheetMarks, *, is_visible: bool) -> BookSheet:
    _, start_column = sheet.start or (0, 0)
    rows: dict[int, dict[int, Cell]] = {}
    for number, values in enumerate(sheet.iter_rows(), start=1):
        row = {at: cell for at, value in enumerate(values, start_column + 1) if not _is_blank(cell := cell_of(value))}
        if row:
            rows[number] = row
    return BookSheet(
        name=sheet.name,
        is_visible=is_visible,
        rows=rows,
        merged=tuple(((r1 + 1, c1 + 1), (r2 + 1, c2 + 1)) for (r1, c1), (r2, c2) in sheet.merged_cell_ranges or ()),
        lists=tuple(marks.lists),
        formulas=frozenset(marks.formulas),
        errors=frozenset(marks.errors),
        unstored=marks.unstored,
    )


def _is_blank(cell: Cell) -> bool:
    """Return True for nothing, and for blanks of any kind. A time of midnight is an empty date."""
    if isinstance(cell, str):
        if len(cell) > _LONGEST:
            raise UnreadableError(f"A cell holds more than {_LONGEST:,} characters. Save it again as .xlsx.")
        return not cell.strip("\ufeff\u200b") or cell.isspace() or cell == "00:00:00"
    return cell is None
