"""The parts of a workbook that the reader of values does not tell: extents, formulas, errors and lists of choices.

Looked for in the XML itself, a piece at a time. Lists of choices stand in `dataValidation`, or in the extension x14,
which other readers drop.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import Final

import msgspec

from vendorrisk.sheets.errors import UnfoundError, column_number, walk

_CELL: Final = re.compile(r"\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})")
_MOST_LISTS: Final = 5_000
_MOST_MARKS: Final = 300_000


class ChoiceList(msgspec.Struct, frozen=True):
    """A list of choices: the formula that gives them, and the ranges it holds for ((row, column), (row, column))."""

    formula: str
    ranges: tuple[tuple[tuple[int, int], tuple[int, int]], ...]

    def covers(self, row: int, column: int) -> bool:
        """Return True if the list holds for a cell."""
        return any(r1 <= row <= r2 and c1 <= column <= c2 for (r1, c1), (r2, c2) in self.ranges)


class BookParts(msgspec.Struct, frozen=True):
    """The sheets in their order, each with the name of its part (None for charts), and what defined names refer to."""

    sheets: tuple[tuple[str, str | None], ...]
    from_1904: bool
    names: dict[str, str]


def parts_of(archive: zipfile.ZipFile) -> BookParts:
    """Follow the workbook's own list of sheets to their parts."""
    sheets: list[tuple[str, str]] = []
    targets: dict[str, str] = {}
    from_1904 = False
    names: dict[str, str] = {}
    named, heard = "", ""

    def note(name: str, given: dict[str, str]) -> None:
        nonlocal from_1904, named, heard
        named, heard = (given.get("name", ""), "") if name == "definedName" else ("", "")
        if name == "sheet":
            sheets.append((given["name"], next((value for key, value in given.items() if key.endswith(" id")), "")))
        elif name == "workbookPr":
            from_1904 = given.get("date1904") in {"1", "true"}
        elif name == "Relationship" and given["Type"].endswith("/worksheet"):
            targets[given["Id"]] = posixpath.normpath(posixpath.join("/xl", given["Target"])).lstrip("/")

    def hear(text: str) -> None:
        nonlocal heard
        heard += text[:1000] if named else ""

    def end(name: str) -> None:
        if name == "definedName" and len(names) < _MOST_LISTS:
            names.setdefault(named, heard.strip())

    walk(archive, "xl/workbook.xml", note, end, hear)
    walk(archive, "xl/_rels/workbook.xml.rels", note)
    return BookParts(tuple((name, targets.get(at)) for name, at in sheets), from_1904, names)


def place_of(named: str) -> tuple[int, int]:
    """Return the row and column of a cell's name, such as C5. Raises `UnfoundError`."""
    found = _CELL.fullmatch(named)
    if found is None:
        raise UnfoundError("a cell says wrongly where it is")
    return int(found[2]), column_number(found[1])


def name_of(row: int, column: int) -> str:
    """Return the name of a cell, such as C5."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"


def ranges_of(sqref: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield the ranges that a reference names. Parts that are no cells are left out."""
    for one in sqref.split():
        first, _, last = one.partition(":")
        if _CELL.fullmatch(first) and (not last or _CELL.fullmatch(last)):
            yield place_of(first), place_of(last or first)


class SheetMarks:
    """The marks that the XML of one sheet holds. `unstored` counts formulas without a stored value."""

    def __init__(self) -> None:
        self.lists: list[ChoiceList] = []
        self.formulas: set[tuple[int, int]] = set()
        self.errors: set[tuple[int, int]] = set()
        self.last_row = self.last_column = self.unstored = 0
        self._row = self._column = 0
        self._is_formula = self._has_value = self._is_listed = self._is_text = False
        self._heard, self._formula, self._sqref = "", "", ""

    @property
    def area(self) -> int:
        """Cells of the rectangle that the reader of values would lay out."""
        return self.last_row * self.last_column

    def begin(self, name: str, given: dict[str, str]) -> None:
        self._heard = ""
        match name:
            case "row":
                self._row = int(given["r"]) if "r" in given else self._row + 1
                self._column = 0
            case "c":
                self._row, self._column = place_of(given["r"]) if "r" in given else (self._row, self._column + 1)
                self._is_formula = self._has_value = False
                self._is_text = given.get("t") == "str"  # a formula whose stored value may be the empty text
                if given.get("t") == "e":
                    self._noted(self.errors)
            case "f":
                self._is_formula = True
            case "is":
                self._has_value = True
            case "dataValidation":
                self._is_listed = given.get("type") == "list"
                self._formula, self._sqref = "", given.get("sqref", "")

    def text(self, text: str) -> None:
        if len(self._heard) < 1 << 16:
            self._heard += text

    def end(self, name: str) -> None:
        match name:
            case "v":
                self._has_value = bool(self._heard) or self._is_text
            case "c":
                self._end_of_cell()
            case "f" | "formula1" if self._is_listed and self._heard.strip():
                self._formula, self._heard = self._formula or self._heard, ""
            case "sqref":
                self._sqref = self._heard
            case "dataValidation" if self._is_listed and len(self.lists) < _MOST_LISTS:
                self.lists.append(ChoiceList(self._formula.strip(), tuple(ranges_of(self._sqref))))
                self._is_listed = False

    def _end_of_cell(self) -> None:
        if self._is_formula:
            self._noted(self.formulas)
            self.unstored += not self._has_value
        if self._has_value or self._is_formula:
            self.last_row = max(self.last_row, self._row)
            self.last_column = max(self.last_column, self._column)

    def _noted(self, places: set[tuple[int, int]]) -> None:
        if len(places) < _MOST_MARKS:
            places.add((self._row, self._column))


def marks_of(archive: zipfile.ZipFile, part: str) -> SheetMarks:
    """Read the marks of one sheet."""
    marks = SheetMarks()
    walk(archive, part, marks.begin, marks.end, marks.text)
    return marks
