"""A PDF's bytes become text whose every character knows its page, and dates are found in it.

Runs in the sandbox's child (see `proposals.read_report`), so it imports what it needs at the top: later no file opens.
"""

import bisect
import encodings.utf_16_le  # noqa: F401 - pypdfium2 decodes with it, after files can no longer be opened
import re
from array import array
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

import msgspec
import pypdfium2  # type: ignore[import-untyped] # it ships no types
from dateutil.relativedelta import relativedelta

PAGES_MAX: Final = 1500
_PAGE_CHARACTERS_MAX: Final = 60_000
_TEXT_CHARACTERS_MAX: Final = 6_000_000
_SCANNED_SHARE: Final = 0.5
_QUOTATION_MAX: Final = 600


class Problem(StrEnum):
    """Why a PDF gave no proposals, or only some: the closed list."""

    BROKEN = "broken"
    ENCRYPTED = "encrypted"
    NO_TEXT = "no_text"
    TRUNCATED = "truncated"
    TOO_COMPLEX = "too_complex"
    BUSY = "busy"


class Extract(msgspec.Struct, frozen=True):
    """The pages' text, first page first. With `truncated` or `no_text`, what there is of them is still given."""

    pages: list[str]
    problem: Problem | None = None


def extract(pdf: bytes) -> Extract:
    """Read the text layer; never raises for what a file holds, but may run out of time or memory."""
    cut = b"%%EOF" not in pdf[-2048:]
    try:
        document = pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError as error:
        # FPDF_ERR_PASSWORD and FPDF_ERR_SECURITY of fpdfview.h
        if error.err_code in {4, 5}:
            return Extract([], Problem.ENCRYPTED)
        return Extract([], Problem.TRUNCATED if cut else Problem.BROKEN)
    if len(document) > PAGES_MAX:
        return Extract([], Problem.TOO_COMPLEX)
    if not len(document):
        return Extract([], Problem.BROKEN)
    return _judged([_page_text(document, number) for number in range(len(document))], cut=cut)


def _judged(pages: list[str | None], *, cut: bool) -> Extract:
    texts = [(text or "")[:_PAGE_CHARACTERS_MAX] for text in pages]
    if sum(map(len, texts)) > _TEXT_CHARACTERS_MAX:
        return Extract([], Problem.TOO_COMPLEX)
    if cut:
        return Extract(texts, Problem.TRUNCATED)
    if all(text is None for text in pages):
        return Extract([], Problem.BROKEN)
    bare = sum(1 for text in texts if len(text.strip()) < 20)  # noqa: PLR2004 - a page number is no text
    return Extract(texts, Problem.NO_TEXT if bare > _SCANNED_SHARE * len(texts) else None)


def _page_text(document: pypdfium2.PdfDocument, number: int) -> str | None:
    """Return a page's text; None for a page that cannot be loaded."""
    try:
        page = document[number]
        text = page.get_textpage()
        return str(text.get_text_range()) if text.count_chars() else ""
    except pypdfium2.PdfiumError:
        return None


_LIGATURES: Final = ("ff", "fi", "fl", "ffi", "ffl", "st", "st")
_FOLDED: Final = {
    **{chr(0xFB00 + place): plain for place, plain in enumerate(_LIGATURES)},
    **dict.fromkeys("\u2018\u2019\u201b\u2032", "'"),
    **dict.fromkeys("\u201c\u201d\u201f\u2033", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff\u00ae\u2122\u0000", ""),
    **dict.fromkeys("\uf0b7\u25cf\u25aa\u25e6\u2023\u2043\u25a0\u00b7\uf0a7", "\u2022"),
}
_ODD = re.compile("[" + "".join(_FOLDED) + "]")
# PDFium writes U+0002 where a word is divided at a line's end, and U+FFFE for what a font gives no character for;
# others leave the hyphen there.
_PIECE = re.compile(
    r"(?P<joined>[\x02\ufffe]\s{0,4}|(?<=[a-z])[-\u2010\u00ad]\s{0,2}\n\s{0,2}(?=[a-z]))|(?P<blank>\s+)"
)


class Text:
    """The whole document as one plain string: ligatures, quotes, dashes and divided words made plain, each run of
    blanks one character (a line feed if it held one), running heads and feet left out. Knows where it all came from.
    """

    def __init__(self, pages: list[str]) -> None:
        self._pages = pages
        self._starts: list[int] = []
        self._origin = array("L")
        parts: list[str] = []
        running = _running_lines(pages)
        length = 0
        for number, page in enumerate(pages):
            self._starts.append(length)
            for piece, origin in _plain(page, running if number else frozenset()):
                parts.append(piece)
                self._origin.extend(origin)
                length += len(piece)
            parts.append("\n")
            self._origin.append(len(page))
            length += 1
        self.plain = "".join(parts)

    def page_of(self, place: int) -> int:
        """Return the page, from 1, that a place in `plain` came from."""
        return bisect.bisect_right(self._starts, place)

    def page_start(self, page: int) -> int:
        """Return where a page, from 1, begins in `plain`; its length for pages past the last."""
        return self._starts[page - 1] if page <= len(self._starts) else len(self.plain)

    def quotation(self, start: int, end: int) -> tuple[int, str]:
        """Return the page and the page's own characters for a span of `plain`, as far as it lies on one page."""
        while start < end - 1 and self.plain[start] in " \n":
            start += 1
        page = self.page_of(start)
        end = min(end, self.page_start(page + 1) - 1, start + _QUOTATION_MAX)
        last = max(start, end - 1)
        raw = self._pages[page - 1][self._origin[start] : self._origin[last] + 1]
        return page, raw.strip()


def _running_lines(pages: list[str]) -> frozenset[str]:
    """Find heads and feet: lines among the first and last three that return, but for numbers, on many pages."""
    seen: Counter[str] = Counter()
    for page in pages:
        lines = [line for line in page.splitlines() if line.strip()]
        seen.update({_without_numbers(line) for line in lines[:3] + lines[-3:]})
    often = max(4, len(pages) * 2 // 5)
    return frozenset(line for line, count in seen.items() if count >= often)


def _without_numbers(line: str) -> str:
    return re.sub(r"\d+", "#", line.strip())


def _plain(page: str, running: frozenset[str]) -> Iterator[tuple[str, range | list[int]]]:
    """Yield plain pieces with the index in the page that each of their characters came from."""
    at = 0
    lines = page.splitlines(keepends=True)
    edge = {*range(4), *range(len(lines) - 4, len(lines))} if running else set()
    kept = array("L")
    for number, line in enumerate(lines):
        if number not in edge or _without_numbers(line) not in running:
            kept.extend(range(at, at + len(line)))
        at += len(line)
    text = "".join(page[index] for index in kept) if len(kept) < len(page) else page
    origin: range | array[int] = kept if len(kept) < len(page) else range(len(page))
    done = 0
    for found in _PIECE.finditer(text):
        yield from _unfolded(text, done, found.start(), origin)
        if found["blank"]:
            yield ("\n" if "\n" in found[0] or "\r" in found[0] else " "), [origin[found.start()]]
        done = found.end()
    yield from _unfolded(text, done, len(text), origin)


def _unfolded(text: str, start: int, end: int, origin: "range | array[int]") -> Iterator[tuple[str, list[int]]]:
    done = start
    for odd in _ODD.finditer(text, start, end):
        if odd.start() > done:
            yield text[done : odd.start()], list(origin[done : odd.start()])
        plain = _FOLDED[odd[0]]
        if plain:
            yield plain, [origin[odd.start()]] * len(plain)
        done = odd.end()
    if end > done:
        yield text[done:end], list(origin[done:end])


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
    """Say how a text writes dates such as 3/4/2025, by those that can be read one way only; None where they differ."""
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

    `October 1 to December 31, 2025` takes its year from the second; of 1/4/2025 - 31/3/2026 the second says how the
    first is meant.
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
