"""A file that someone made in a spreadsheet program becomes rows of typed cells, or is rejected with advice.

Reading is pure, and happens in a limited child process (`portions`), because a file's size in memory cannot be known
from its size on disk. Nothing is evaluated: a formula's last value is read, macros and links to other files are left
alone.
"""

import codecs
import io
import math
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

import msgspec
from python_calamine import CalamineError, CalamineSheet, SheetTypeEnum, SheetVisibleEnum, load_workbook

from vendorrisk.sheets.csv_text import csv_rows, text_of
from vendorrisk.sheets.errors import Places, UnfoundError, UnreadableError, errors_of

Cell = str | int | float | bool | None
"""None is a blank cell. A date of a workbook is its ISO 8601 text."""

# Names inside an archive may be in this encoding. It is loaded here because the child process that reads opens no file
# later.
codecs.lookup("cp437")
_ZIP = b"PK\x03\x04"
PORTION_ROWS = 5_000
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class FileFormat(StrEnum):
    """The format of a table."""

    CSV = "csv"
    XLSX = "xlsx"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How large a table may be. `unpacked_bytes` bounds the total size of the parts of a workbook."""

    rows: int = 200_000
    columns: int = 200
    cell_characters: int = 8_000
    unpacked_bytes: int = 1 << 30
    parts: int = 2_000


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One row that is not blank.

    `number` is the number that the spreadsheet program shows at its left. The first is 1.
    """

    number: int
    cells: tuple[Cell, ...]


class AnyTable(Protocol):
    """A table whose rows come in portions, wherever they lie."""

    @property
    def headings(self) -> tuple[str, ...]: ...

    @property
    def notices(self) -> tuple[str, ...]: ...

    @property
    def escaped(self) -> bool: ...

    @property
    def row_count(self) -> int: ...

    def portions(self) -> Iterator[Sequence[Row]]: ...


class Table(msgspec.Struct, frozen=True):
    """The first row with something in it gives the headings. `escaped`: a leading ' guards a formula."""

    headings: tuple[str, ...]
    rows: list[Row]
    notices: tuple[str, ...] = ()
    escaped: bool = False

    @property
    def row_count(self) -> int:
        return len(self.rows)

    def portions(self) -> Iterator[Sequence[Row]]:
        """Yield the rows some thousands at a time."""
        for start in range(0, len(self.rows), PORTION_ROWS):
            yield self.rows[start : start + PORTION_ROWS]


def is_workbook(content: bytes) -> bool:
    """Whether this must be an XLSX, by its first bytes. Refuses the older binary and encrypted formats."""
    if content.startswith(_OLE):
        raise UnreadableError(
            "This is an old or password-protected workbook. Save it as .xlsx without a password, or as CSV."
        )
    return content.startswith(_ZIP)


class Source(NamedTuple):
    """The rows of an opened file, and what is known before they are read."""

    rows: Iterator[tuple[int, Sequence[Cell]]]
    notices: tuple[str, ...]
    escaped: bool


def open_csv(content: bytes, limits: Limits) -> Source:
    """Open CSV in UTF-8, UTF-16 or Windows-1252, separated by comma, semicolon, tab or bar."""
    text = text_of(content)
    return Source(csv_rows(text, limits.cell_characters), text.notices, escaped=True)


def read_csv(content: bytes, limits: Limits) -> Table:
    """Read CSV whole."""
    return _table(open_csv(content, limits), limits)


def read_workbook(content: bytes, limits: Limits) -> Table:
    """Read the first visible worksheet of an XLSX whole."""
    try:
        return _table(open_workbook(content, limits), limits)
    except (CalamineError, OSError, EOFError) as error:
        raise damaged() from error


def open_workbook(content: bytes, limits: Limits) -> Source:
    """Open the first visible worksheet of an XLSX. Run it where memory and time are limited."""
    notices = looked_into(content, limits)
    try:
        workbook = load_workbook(io.BytesIO(content))
        sheets = [
            (at, sheet.name)
            for at, sheet in enumerate(workbook.sheets_metadata)
            if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
        ]
        if not sheets:
            raise UnreadableError("The workbook has no visible worksheet.")
        at, name = sheets[0]
        if len(sheets) > 1:
            notices = (*notices, f"Only the first worksheet, {name!r}, was read.")
        sheet = workbook.get_sheet_by_name(name)
        if sheet.total_width > limits.columns or sheet.total_height > limits.rows + 1:
            raise too_large(limits)
        if sheet.merged_cell_ranges:
            notices = (
                *notices,
                "The worksheet has merged cells. Each was read as its first cell, the others as blank.",
            )
        return Source(sheet_rows(sheet, errors_of(content, at)), notices, escaped=False)
    except UnfoundError as error:
        raise UnreadableError("Cells hold errors such as #N/A. Correct or clear them, and send it again.") from error
    except (CalamineError, OSError, EOFError) as error:
        raise damaged() from error


def damaged() -> UnreadableError:
    return UnreadableError("The workbook is damaged. Open it, save it again as .xlsx, and send that.")


def looked_into(content: bytes, limits: Limits) -> tuple[str, ...]:
    """Refuse an archive with a list of parts that would unpack too large.

    Return notices of the parts that are ignored.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise UnreadableError("The workbook is cut short or damaged. Send the whole file again.") from None
    names = {part.filename for part in parts}
    if len(parts) > limits.parts or sum(part.file_size for part in parts) > limits.unpacked_bytes:
        raise UnreadableError("The workbook unpacks to more than is accepted here. Send it as CSV, or in parts.")
    if "xl/workbook.xml" not in names:
        raise UnreadableError("This archive is not an XLSX workbook. Send CSV or XLSX.")
    notices = []
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        notices.append("The workbook holds macros. They were ignored.")
    if any(name.startswith("xl/externalLinks/") for name in names):
        notices.append("The workbook links to other files. Their last known values were read.")
    return tuple(notices)


def sheet_rows(sheet: CalamineSheet, errors: Places) -> Iterator[tuple[int, Sequence[Cell]]]:
    """Yield the number and the cells of each row, from row 1 and the first column on."""
    # iter_rows begins at row 1, but at the first column that is in use.
    _, start_column = sheet.start or (0, 0)
    padding = (None,) * start_column
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        row = (*padding, *map(cell_of, cells))
        # An error is read as a blank, which would leave the stored value as it is.
        there = errors.get(number)
        yield number, row if there is None else [there.get(at, cell) for at, cell in enumerate(row, start=1)]


def cell_of(value: object) -> Cell:
    """Return the value of a workbook's cell as this service holds it."""
    match value:
        case float():
            return _number(value)
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
        case date():
            return value.isoformat()
        case time() | timedelta():
            return str(value)
        case str() | bool() | int():
            return value
        case _:
            return None


def _number(value: float) -> Cell:
    """A workbook knows no whole numbers. The ones a float holds exactly become whole again."""
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 1 << 53 else value


def _table(source: Source, limits: Limits) -> Table:
    found = kept_rows(source, limits)
    headings = next(found).cells
    return Table(tuple(heading_of(cell) for cell in headings), list(found), source.notices, source.escaped)


def kept_rows(source: Source, limits: Limits) -> Iterator[Row]:
    """Yield the rows that are not blank. The first has the headings. Raises `UnreadableError` if there is none."""
    count = -1
    for number, written in source.rows:
        if len(written) > limits.columns:
            raise too_large(limits)
        cells = _tidy(number, written, limits)
        if cells.count(None) == len(cells):
            continue
        count += 1
        if count > limits.rows:
            raise too_large(limits)
        yield Row(number, cells)
    if count < 0:
        raise UnreadableError("The file is empty. Its first row must hold the headings.")


def heading_of(cell: Cell) -> str:
    return "" if cell is None else " ".join(str(cell).split())[:200]


def _tidy(number: int, cells: Sequence[Cell], limits: Limits) -> tuple[Cell, ...]:
    """Make blank cells None, and refuse one that is too long."""
    for at, cell in enumerate(cells, start=1):
        if isinstance(cell, str) and len(cell) > limits.cell_characters:
            raise UnreadableError(
                f"The cell in row {number}, column {at} holds more than {limits.cell_characters} characters."
            )
    return tuple([None if cell is None or (isinstance(cell, str) and not cell.strip()) else cell for cell in cells])


def too_large(limits: Limits) -> UnreadableError:
    return UnreadableError(
        f"At most {limits.rows} rows and {limits.columns} columns are accepted. Send the file in parts, or take out "
        "columns that are not needed."
    )
