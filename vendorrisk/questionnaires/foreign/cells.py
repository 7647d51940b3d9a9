"""The texts of cells as people's programs leave them, cleaned, and the words for yes, no and not applicable."""

import re
import unicodedata
from datetime import date, timedelta
from typing import Final

from vendorrisk.normal_form import YEARS
from vendorrisk.sheets.reading import Cell
from vendorrisk.texts.written_dates import days

_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_LINE_ENDS: Final = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_JOINERS: Final = "\u200c\u200d"
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SERIALS: Final = range(20_000, 80_000)  # days from 1954 to 2119
_NOT_APPLICABLE: Final = frozenset({"na", "n/a", "n.a.", "n.a", "not applicable", "n / a"})


def text_of(cell: Cell) -> str:
    """Return the text of a cell without what does not show: blanks around it, BOMs, `_x000B_`, control characters."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), str(cell))
    text = _LINE_ENDS.sub("\n", text).replace("\t", " ").replace("\u00a0", " ")
    if not text.isascii() or not text.isprintable():
        text = "".join(_kept(character) for character in text)
    return unicodedata.normalize("NFC", text).strip()


def _kept(character: str) -> str:
    is_shown = character in _JOINERS or character == "\n" or unicodedata.category(character) not in _UNSEEN
    return character if is_shown else ""


def line_of(cell: Cell) -> str:
    """Return the text of a cell on one line."""
    return " ".join(text_of(cell).split())


def id_of(cell: Cell) -> str:
    """Return an id: the text without any blank. One published id is written `AIS- 02.2`."""
    return "".join(text_of(cell).split())


def is_not_applicable(words: str) -> bool:
    """Return True for the usual ways of writing it, in any case."""
    return " ".join(words.lower().split()) in _NOT_APPLICABLE


def day_of(cell: Cell, *, from_1904: bool) -> date | None:
    """Return the day of a date cell, of a bare serial number, or of a date written as text. None: it is not sure."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if int(cell) in _SERIALS:
            return (date(1904, 1, 1) if from_1904 else date(1899, 12, 30)) + timedelta(days=int(cell))
        return None
    words = line_of(cell)
    found = re.fullmatch(r"(\d{4}-\d{2}-\d{2})(?:[ T]\d{2}:\d{2}:\d{2})?", words)
    try:
        day = date.fromisoformat(found[1]) if found else _written_day(words)
    except ValueError:
        return None
    return day if day is not None and day.year in YEARS else None


def _written_day(words: str) -> date | None:
    if numeric := re.fullmatch(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})", words):
        first, second, year = (int(part) for part in numeric.groups())
        if first <= 12 and second <= 12 and first != second:  # noqa: PLR2004 - months of a year
            return None
        month, day = (first, second) if first <= 12 else (second, first)  # noqa: PLR2004 - as above
        return date(year, month, day)
    read = days(words)
    return read[0].on if len(read) == 1 else None
