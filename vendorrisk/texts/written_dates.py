"""Dates and periods as documents write them."""

import encodings.utf_16_le  # noqa: F401 - pypdfium2 decodes with it, after files can no longer be opened
import re
from datetime import date, timedelta
from typing import Final

import msgspec
from dateutil.relativedelta import relativedelta

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH: Final = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|JANUARY|FEBRUARY|MARCH|APRIL|MAY|JUNE|JULY|AUGUST|SEPTEMBER|OCTOBER|NOVEMBER|DECEMBER"
    r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)\.?)"
)
_DAY: Final = r"(?:[0-3]?\d)(?:st|nd|rd|th)?"
_YEAR: Final = r"(?:19|20)\d\d"
DATE: Final = (
    rf"(?:{_MONTH}[ \n]{_DAY},?[ \n]{_YEAR}|{_DAY}[ \n](?:day[ \n]of[ \n])?{_MONTH},?[ \n]{_YEAR}"
    rf"|{_YEAR}-[01]\d-[0-3]\d|[0-3]?\d[/.][0-3]?\d[/.]{_YEAR})(?!\d)"
)
_SHORT_DATE: Final = rf"{_MONTH}[ \n]{_DAY}|{_DAY}[ \n]{_MONTH}"
_BETWEEN: Final = r",?[ \n]?(?i:to|through|thru|until|and|ending|-)[ \n]?(?i:and[ \n]including[ \n])?"
_RANGE = re.compile(rf"(?<!\d)(?P<first>{DATE}|{_SHORT_DATE}){_BETWEEN}(?P<last>{DATE})")
_ONE = re.compile(rf"(?<!\d)(?<!\d[/.-]){DATE}")
_COUNTS: Final = {"three": 3, "3": 3, "six": 6, "6": 6, "nine": 9, "9": 9, "twelve": 12, "12": 12, "year": 12}
_ENDED = re.compile(
    r"\b(?:(?P<count>(?i:three|six|nine|twelve)|3|6|9|12)[ \n-](?i:months?)(?:[ \n](?i:period))?|(?P<year>(?i:year)))"
    rf"[ \n](?i:ended|ending)[ \n](?i:on[ \n])?(?P<last>{DATE})"
)
_SLASHED = re.compile(rf"(?<![\d/])([0-3]?\d)/([0-3]?\d)/{_YEAR}(?!\d)")
_WORDS = re.compile(r"[A-Za-z]+|\d+")
_SURE, _LIKELY, _UNSURE = 1.0, 0.9, 0.7


class Day(msgspec.Struct, frozen=True):
    """A date and where it is written. `sureness` is lower where day and month might be the other way round."""

    on: date
    start: int
    end: int
    sureness: float


class Period(msgspec.Struct, frozen=True):
    first: date
    last: date
    start: int
    end: int
    sureness: float


def is_day_first(text: str) -> bool | None:
    """Say how a text writes dates such as 3/4/2025, by those that can be read one way only. None if they differ."""
    pairs = [(int(found[1]), int(found[2])) for found in _SLASHED.finditer(text)]
    day_first, month_first = (any(pair[place] > 12 for pair in pairs) for place in (0, 1))  # noqa: PLR2004 - no month
    return None if day_first == month_first else day_first


def days(text: str, start: int = 0, end: int | None = None, *, day_first: bool | None = None) -> list[Day]:
    """Find whole dates: US, written both ways, ISO. `day_first` says how one that reads in two ways is meant."""
    places = _ONE.finditer(text, start, len(text) if end is None else end)
    found = (_day(each[0], each.start(), day_first=day_first) for each in places)
    return [day for day in found if day is not None]


def periods(text: str, start: int = 0, end: int | None = None, *, day_first: bool | None = None) -> list[Period]:
    """Find pairs of dates that make a period, and `the year ended March 31, 2025`.

    `October 1 to December 31, 2025` takes its year from the second. In 1/4/2025 - 31/3/2026 the second date decides how
    the first is read.
    """
    stop = len(text) if end is None else end
    found = [_between(each, day_first) for each in _RANGE.finditer(text, start, stop)]
    found += [_ended(each, day_first) for each in _ENDED.finditer(text, start, stop)]
    return [period for period in found if period is not None]


def _between(found: re.Match[str], day_first: bool | None) -> Period | None:  # noqa: FBT001 - as the dates have it
    own = is_day_first(found[0])
    order = day_first if own is None else own
    last = _day(found["last"], found.start("last"), day_first=order)
    if last is None:
        return None
    first = _day(found["first"], found.start(), day_first=order)
    first = first or _day(f"{found['first']}, {last.on.year}", found.start())
    if first is not None and first.on > last.on and not re.search(_YEAR, found["first"]):
        first = _day(f"{found['first']}, {last.on.year - 1}", found.start())
    if first is None or first.on > last.on:
        return None
    return Period(first.on, last.on, found.start(), found.end(), min(first.sureness, last.sureness))


def _ended(found: re.Match[str], day_first: bool | None) -> Period | None:  # noqa: FBT001 - as the dates have it
    last = _day(found["last"], found.start("last"), day_first=day_first)
    if last is None:
        return None
    months = _COUNTS[(found["count"] or found["year"]).lower()]
    first = last.on + timedelta(days=1) - relativedelta(months=months)
    return Period(first, last.on, found.start(), found.end(), min(_LIKELY, last.sureness))


def _day(text: str, start: int, *, day_first: bool | None = None) -> Day | None:
    words = [word.lower() for word in _WORDS.findall(text) if word.lower() not in {"day", "of", "st", "nd", "rd", "th"}]
    if len(words) != 3:  # noqa: PLR2004 - day, month, year
        return None
    sureness = _SURE
    named = next((word for word in words if word.isalpha()), None)
    if named is not None:
        month = _MONTHS.index(named[:3]) + 1
        numbers = [int(word) for word in words if word.isdigit()]
        year, day = max(numbers), min(numbers)
    elif len(words[0]) == 4:  # noqa: PLR2004 - ISO
        year, month, day = map(int, words)
    else:
        month, day, year = map(int, words)
        reads_both_ways = month <= 12 and day <= 12 and day != month  # noqa: PLR2004 - months of a year
        if "." in text or month > 12 or (reads_both_ways and day_first):  # noqa: PLR2004 - no such month
            month, day = day, month
        if reads_both_ways and "." not in text:
            sureness = _UNSURE if day_first is None else _LIKELY
    try:
        return Day(date(year, month, day), start, start + len(text), sureness)
    except ValueError:
        return None
