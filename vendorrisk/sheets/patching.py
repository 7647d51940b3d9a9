"""Cells of a workbook filled in place. Every other byte of every part stays as it was.

Only the XML of a filled sheet changes, and in it only the cells that are filled. A text is written as an inline string,
so that no spreadsheet program takes it for a formula, and the shared strings stay as they are. A cell that holds a
formula is refused: the list of formulas (calcChain) would then name a cell without one.

Runs in the sandbox: the workbook is a stranger's.
"""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from xml.parsers.expat import ParserCreate
from xml.sax.saxutils import escape

import msgspec

from vendorrisk.sheets.book_parts import name_of, parts_of, place_of
from vendorrisk.sheets.errors import BROKEN, UnfoundError, UnreadableError, walk
from vendorrisk.sheets.reading import Limits, damaged, is_workbook, looked_into

_LONGEST: Final = 32_767
_UNWRITABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPED_LOOK: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_DATE_FORMATS: Final = frozenset({*range(14, 18), 22, *range(27, 37), *range(50, 59)})  # ECMA-376, 18.8.30
_FIRST_DAY: Final = date(1904, 1, 2)
"""Days from here on have a serial number under both ways of counting."""
_LIMITS: Final = Limits(unpacked_bytes=512 << 20)


class Fill(msgspec.Struct, frozen=True):
    """A value for one cell, such as C5. A date is written as a date where the cell's format shows one."""

    sheet: str
    cell: str
    value: str | date


class UnfillableError(UnreadableError):
    """A cell of the workbook cannot be filled. The message names it."""


def patched(content: bytes, fills: Sequence[Fill]) -> bytes:
    """Return the workbook with the cells filled. Raises `UnreadableError`, and `UnfillableError` for a cell."""
    if not is_workbook(content):
        raise UnreadableError("This is not an XLSX workbook. Open it in a spreadsheet program and save it as .xlsx.")
    looked_into(content, _LIMITS)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _rewritten(archive, fills)
    except UnreadableError:
        raise
    except (UnfoundError, *BROKEN) as error:
        raise damaged() from error


def _rewritten(archive: zipfile.ZipFile, fills: Sequence[Fill]) -> bytes:
    parts = parts_of(archive)
    part_of = {name: part for name, part in parts.sheets if part is not None}
    wanted: dict[str, dict[tuple[int, int], Fill]] = {}
    for fill in fills:
        if fill.sheet not in part_of:
            raise UnfillableError(f"The workbook has no sheet {fill.sheet!r}.")
        cells = wanted.setdefault(part_of[fill.sheet], {})
        if place_of(fill.cell) in cells:
            raise UnfillableError(f"The cell {fill.cell} of the sheet {fill.sheet!r} was to be filled twice.")
        cells[place_of(fill.cell)] = fill
    writer = _Writer(_date_styles(archive), from_1904=parts.from_1904)
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as out:
        out.comment = archive.comment
        for info in archive.infolist():
            body = archive.read(info)
            cells = wanted.get(info.filename, {})
            out.writestr(info, _spliced(body, cells, writer) if cells else body)
    return kept.getvalue()


class _Cell(msgspec.Struct):
    """Where a cell stands in the bytes of its sheet."""

    start: int
    end: int
    style: str | None
    has_formula: bool = False


class _Row(msgspec.Struct):
    """Where the cells of a row end in the bytes, and its cells by column."""

    end: int
    prefix: str
    cells: dict[int, _Cell]


class _Places:
    """Finds, in the bytes of a sheet, the rows that are to be filled."""

    def __init__(self, body: bytes, rows: frozenset[int]) -> None:
        self.rows: dict[int, _Row] = {}
        self._body, self._wanted = body, rows
        self._row = self._column = 0
        self._cell: _Cell | None = None
        parser = ParserCreate()
        parser.StartDoctypeDeclHandler = self._refused
        parser.StartElementHandler, parser.EndElementHandler = self._begin, self._end
        self._parser = parser
        parser.Parse(body, True)  # noqa: FBT003 - the parser takes it by place

    def _refused(self, *_declared: object) -> None:
        raise UnfoundError("a workbook declares no document type")

    def _begin(self, tag: str, given: dict[str, Any]) -> None:
        prefix, name = _divided(tag)
        if name == "row":
            self._row = int(given["r"]) if "r" in given else self._row + 1
            self._column = 0
            if self._row in self._wanted:
                self.rows[self._row] = _Row(0, prefix, {})
        elif name == "c":
            if "r" in given:
                self._row, self._column = place_of(given["r"])
            else:
                self._column += 1
            if self._row in self.rows:
                self._cell = _Cell(self._parser.CurrentByteIndex, 0, given.get("s"))
                self.rows[self._row].cells[self._column] = self._cell
        elif name == "f" and self._cell is not None:
            self._cell.has_formula = True

    def _end(self, tag: str) -> None:
        _, name = _divided(tag)
        at = self._parser.CurrentByteIndex
        if name == "c" and self._cell is not None:
            is_closed_apart = self._body.startswith(b"</" + tag.encode(), at)
            self._cell.end = self._body.index(b">", at) + 1 if is_closed_apart else at
            self._cell = None
        elif name == "row" and self._row in self.rows:
            self.rows[self._row].end = at


def _divided(tag: str) -> tuple[str, str]:
    prefix, colon, name = tag.rpartition(":")
    return prefix + colon, name


def _spliced(body: bytes, fills: Mapping[tuple[int, int], Fill], writer: "_Writer") -> bytes:
    if not body.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<") or b"\x00" in body[:200]:
        raise UnreadableError("A sheet is not written in UTF-8. Open the workbook, save it as .xlsx, and send that.")
    declared = re.match(rb"\s*<\?xml[^>]*encoding\s*=\s*[\"']([^\"']+)", body.removeprefix(b"\xef\xbb\xbf"))
    if declared and declared[1].lower() not in {b"utf-8", b"us-ascii"}:
        raise UnreadableError("A sheet is not written in UTF-8. Open the workbook, save it as .xlsx, and send that.")
    rows = _Places(body, frozenset(row for row, _ in fills)).rows
    pieces: list[bytes] = []
    before = 0
    for (number, column), fill in sorted(fills.items()):
        row = rows.get(number)
        if row is None or not row.end or not body.startswith(b"</", row.end):
            raise UnfillableError(f"The sheet {fill.sheet!r} has no row {number}.")
        cell = row.cells.get(column)
        if cell is None:
            at = next((there.start for right, there in sorted(row.cells.items()) if right > column), row.end)
            cell = _Cell(at, at, None)
        if cell.has_formula:
            raise UnfillableError(f"The cell {fill.cell} of the sheet {fill.sheet!r} holds a formula.")
        pieces += (body[before : cell.start], writer.cell(name_of(number, column), cell.style, fill, row.prefix))
        before = cell.end
    return b"".join((*pieces, body[before:]))


class _Writer:
    """Writes one cell as XML."""

    def __init__(self, date_styles: frozenset[int], *, from_1904: bool) -> None:
        self._date_styles = date_styles
        self._epoch = date(1904, 1, 1) if from_1904 else date(1899, 12, 30)

    def cell(self, name: str, style: str | None, fill: Fill, prefix: str) -> bytes:
        """Return the element. It keeps the style of the cell that it replaces."""
        opened = f'<{prefix}c r="{name}"' + (f' s="{int(style)}"' if style is not None else "")
        if isinstance(fill.value, date):
            is_date_cell = style is not None and int(style) in self._date_styles
            if is_date_cell and fill.value >= _FIRST_DAY:
                serial = (fill.value - self._epoch).days
                return f"{opened}><{prefix}v>{serial}</{prefix}v></{prefix}c>".encode()
        text = _written(fill)
        inner = f'<{prefix}is><{prefix}t xml:space="preserve">{text}</{prefix}t></{prefix}is>'
        return f'{opened} t="inlineStr">{inner}</{prefix}c>'.encode()


def _written(fill: Fill) -> str:
    text = str(fill.value).replace("\r\n", "\n").replace("\r", "\n")
    text = _ESCAPED_LOOK.sub("_x005F_", _UNWRITABLE.sub("\ufffd", text))
    if len(text) > _LONGEST:
        raise UnfillableError(
            f"The text for the cell {fill.cell} of the sheet {fill.sheet!r} has {len(text):,} characters. A cell holds "
            f"at most {_LONGEST:,}."
        )
    return escape(text)


def _date_styles(archive: zipfile.ZipFile) -> frozenset[int]:
    """Return the styles that show a number as a date."""
    formats: dict[int, str] = {}
    styles: list[int] = []
    depth: list[str] = []

    def begin(name: str, given: dict[str, str]) -> None:
        if name == "numFmt" and "numFmtId" in given:
            formats[int(given["numFmtId"])] = given.get("formatCode", "")
        elif name == "xf" and depth and depth[-1] == "cellXfs":
            styles.append(int(given.get("numFmtId", "0")))
        depth.append(name)

    def end(_name: str) -> None:
        depth.pop()

    if "xl/styles.xml" not in archive.namelist():
        return frozenset()
    walk(archive, "xl/styles.xml", begin, end)
    return frozenset(at for at, given in enumerate(styles) if given in _DATE_FORMATS or _shows_day(formats.get(given)))


def _shows_day(code: str | None) -> bool:
    plain = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", code or "").lower()
    return "y" in plain or "d" in plain
