"""Readers of cells that any kind may use: lists, words, ids and dates. Each is pure and raises `UnfitError`."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from vendorrisk.normal_form import YEARS, UnfitError


class DateOrder(StrEnum):
    """How 03/04/2026 is meant. Without one, such a date is refused."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


def listed(one: Callable[[str], str], most: int, marks: str = r"[;,\n]") -> Callable[[str], list[str]]:
    """Return a reader of lists. Its result is sorted and has no duplicates."""
    splitter = re.compile(marks)

    @lru_cache(maxsize=16384)
    def read(text: str) -> list[str]:
        values = sorted({one(part) for part in splitter.split(text) if part.strip()})
        if len(values) > most:
            raise UnfitError(f"At most {most} are accepted here. There are {len(values)}.")
        return values

    return read


def worded(kind: type[StrEnum], meanings: Mapping[str, StrEnum]) -> Callable[[str], str]:
    """Return a reader of the words of a closed list. `meanings` has further words, in lower case with underscores."""
    words = {member.value: member for member in kind} | dict(meanings)

    @lru_cache(maxsize=1024)
    def read(text: str) -> str:
        found = words.get(re.sub(r"[\s_-]+", "_", text.strip().lower()))
        if found is None:
            raise UnfitError(f"Write one of: {', '.join(kind)}.")
        return found.value

    return read


def typed(number: float) -> str:
    """Return a number of a workbook as it was typed: its shortest form."""
    return str(number) if isinstance(number, int) else f"{Decimal(repr(number)):f}"


_DMY_DOTS = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")
_SLASHES = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?")


def iso_date(text: str) -> str:
    """Read a date that reads in one way only."""
    return read_date(text, None).isoformat()


def read_date(text: str, order: DateOrder | None) -> date:
    """Read 2026-03-04, 4.3.2026, and with an order 03/04/2026 too. Years 1900 to 2200."""
    stripped = text.strip()
    try:
        if found := _ISO.fullmatch(stripped):
            return _dated(found[1], found[2], found[3])
        if found := _DMY_DOTS.fullmatch(stripped):
            return _dated(found[3], found[2], found[1])
        if found := _SLASHES.fullmatch(stripped):
            return _slashed(found, order)
    except ValueError as error:
        if isinstance(error, UnfitError):
            raise
    raise UnfitError("Write the date as YYYY-MM-DD, such as 2026-03-31.")


def _slashed(found: re.Match[str], order: DateOrder | None) -> date:
    if order is None:
        raise UnfitError(f"{found[0]} can be read in two ways. Write YYYY-MM-DD, or say date_order=dmy or mdy.")
    day, month = (found[1], found[2]) if order is DateOrder.DAY_FIRST else (found[2], found[1])
    return _dated(found[3], month, day)


def _dated(year: str, month: str, day: str) -> date:
    read = date(int(year), int(month), int(day))
    if read.year not in YEARS:
        raise UnfitError("Write a year from 1900 to 2200.")
    return read
