"""A file that someone made in a spreadsheet program becomes rows of typed cells, or is rejected with advice.

Reading is pure. A workbook (XLSX) is read by `read_workbook` in a limited child process, because its size in memory
cannot be known from its size on disk. CSV is read here, in bounded space. Neither evaluates anything: a formula's last
value is read, macros and links to other files are left alone.
"""

import codecs
import csv
import io
import math
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice

import msgspec
from python_calamine import CalamineError, CalamineSheet, SheetTypeEnum, SheetVisibleEnum, load_workbook

from vendorrisk.sheets.errors import Places, UnfoundError, errors_of

Cell = str | int | float | bool | None
"""None is a blank cell. A date of a workbook is its ISO 8601 text."""

_DELIMITERS = ",;\t|"
_SNIFFED_ROWS = 20
_SEPARATOR_LINE = re.compile(r"sep=([,;\t|])\r?", re.IGNORECASE)
# Names inside an archive may be in this encoding. It is loaded here because the child process that reads opens no file
# later.
codecs.lookup("cp437")
_ZIP = b"PK\x03\x04"
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


class Table(msgspec.Struct, frozen=True):
    """The first row with something in it gives the headings. `escaped`: a leading ' guards a formula."""

    headings: tuple[str, ...]
    rows: list[Row]
    notices: tuple[str, ...] = ()
    escaped: bool = False


class UnreadableError(ValueError):
    """The file cannot be read as a table. The message has advice."""


def is_workbook(content: bytes) -> bool:
    """Whether this must be an XLSX, by its first bytes. Refuses the older binary and encrypted formats."""
    if content.startswith(_OLE):
        raise UnreadableError(
            "This is an old or password-protected workbook. Save it as .xlsx without a password, or as CSV."
        )
    return content.startswith(_ZIP)


def read_csv(content: bytes, limits: Limits) -> Table:
    """Read CSV in UTF-8, UTF-16 or Windows-1252, separated by comma, semicolon, tab or bar."""
    text, notices = _decoded(content)
    if "\x00" in text:
        raise UnreadableError("This is not a text file. Send CSV or XLSX.")
    text, delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return _table(_csv_rows(reader, limits), limits, notices, escaped=True)


def _csv_rows(reader: Iterator[list[str]], limits: Limits) -> Iterator[tuple[int, Sequence[Cell]]]:
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            yield number, cells
    except csv.Error as error:
        wide = "larger than" in str(error)
        what = f"holds more than {limits.cell_characters} characters" if wide else "has a quote out of place"
        raise UnreadableError(f"A cell after row {number} {what}. Correct the file and send it again.") from None


def _decoded(content: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the text. Without a byte-order mark, NULs at every other place tell UTF-16."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return _strictly(content, encoding), ()
    start = content[:400]
    if start.count(0) >= len(start) // 4 > 0:
        return _strictly(content, "utf-16-le" if start[1:2] == b"\x00" else "utf-16-be"), ()
    try:
        return content.decode("utf-8"), ()
    except UnicodeDecodeError:
        text = _strictly(content, "cp1252")
        return text, ("The file is not UTF-8. It was read as Windows-1252. Check accented letters.",)


def _strictly(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding.upper().removesuffix("-SIG")
        what = "fits neither UTF-8 nor Windows-1252" if encoding == "cp1252" else f"is not valid {name}"
        raise UnreadableError(
            f"Byte {error.start + 1} of the file {what}. Save it as CSV UTF-8, or as XLSX, and send it again."
        ) from None


def _delimiter(text: str) -> tuple[str, str]:
    """Return the text without Excel's `sep=` line, and the delimiter named there, or else the likeliest."""
    first, _, rest = text.partition("\n")
    if named := _SEPARATOR_LINE.fullmatch(first):
        return rest, named[1]
    sample = text[: 64 * 1024]
    return text, max(_DELIMITERS, key=lambda mark: _fitness(sample, mark))


def _fitness(sample: str, mark: str) -> tuple[int, int]:
    """Return (rows as wide as the first, its width): higher is likelier. One column counts as no fit."""
    rows = []
    try:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=mark, strict=False)
        rows = [row for row in islice(reader, _SNIFFED_ROWS) if row]
    except csv.Error:
        return (0, 0)
    width = len(rows[0]) if rows else 0
    if width <= 1:
        return (0, 0)
    return (sum(len(row) == width for row in rows), width)


def read_workbook(content: bytes, limits: Limits) -> Table:
    """Read the first visible worksheet of an XLSX. Run it where memory and time are limited."""
    notices = _looked_into(content, limits)
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
            raise _too_large(limits)
        if sheet.merged_cell_ranges:
            notices = (
                *notices,
                "The worksheet has merged cells. Each was read as its first cell, the others as blank.",
            )
        return _table(_sheet_rows(sheet, errors_of(content, at)), limits, notices, escaped=False)
    except UnfoundError as error:
        raise UnreadableError("Cells hold errors such as #N/A. Correct or clear them, and send it again.") from error
    except (CalamineError, OSError, EOFError) as error:
        raise UnreadableError("The workbook is damaged. Open it, save it again as .xlsx, and send that.") from error


class Read(msgspec.Struct, frozen=True):
    """The result of reading a workbook: a table, or why there is none."""

    table: Table | None = None
    rejection_reason: str | None = None


def workbook_table(content: bytes) -> Read:
    """Read a workbook within the usual limits: the form in which a child process can be asked for it."""
    try:
        return Read(table=read_workbook(content, Limits()))
    except UnreadableError as error:
        return Read(rejection_reason=str(error))


def _looked_into(content: bytes, limits: Limits) -> tuple[str, ...]:
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


def _sheet_rows(sheet: CalamineSheet, errors: Places) -> Iterator[tuple[int, Sequence[Cell]]]:
    # iter_rows begins at row 1, but at the first column that is in use.
    _, start_column = sheet.start or (0, 0)
    padding = (None,) * start_column
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        row = (*padding, *map(_cell, cells))
        # An error is read as a blank, which would leave the stored value as it is.
        there = errors.get(number)
        yield number, row if there is None else [there.get(at, cell) for at, cell in enumerate(row, start=1)]


def _cell(value: object) -> Cell:
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


def _table(
    rows: Iterator[tuple[int, Sequence[Cell]]], limits: Limits, notices: tuple[str, ...], *, escaped: bool
) -> Table:
    headings: tuple[str, ...] | None = None
    kept: list[Row] = []
    for number, written in rows:
        if len(written) > limits.columns:
            raise _too_large(limits)
        cells = _tidy(number, written, limits)
        if cells.count(None) == len(cells):
            continue
        if headings is None:
            headings = tuple(_heading(cell) for cell in cells)
            continue
        if len(kept) == limits.rows:
            raise _too_large(limits)
        kept.append(Row(number, cells))
    if headings is None:
        raise UnreadableError("The file is empty. Its first row must hold the headings.")
    return Table(headings, kept, notices, escaped)


def _heading(cell: Cell) -> str:
    return "" if cell is None else " ".join(str(cell).split())[:200]


def _tidy(number: int, cells: Sequence[Cell], limits: Limits) -> tuple[Cell, ...]:
    """Make blank cells None, and refuse one that is too long."""
    for at, cell in enumerate(cells, start=1):
        if isinstance(cell, str) and len(cell) > limits.cell_characters:
            raise UnreadableError(
                f"The cell in row {number}, column {at} holds more than {limits.cell_characters} characters."
            )
    return tuple([None if cell is None or (isinstance(cell, str) and not cell.strip()) else cell for cell in cells])


def _too_large(limits: Limits) -> UnreadableError:
    return UnreadableError(
        f"At most {limits.rows} rows and {limits.columns} columns are accepted. Send the file in parts, or take out "
        "columns that are not needed."
    )
