"""A report's text, the places of its parts, and the form of a proposal."""

from enum import StrEnum
from typing import Final

import msgspec

from vendorrisk.evidence import phrases
from vendorrisk.texts.text import Text
from vendorrisk.texts.written_dates import Day, Period, days, is_day_first, periods


class Field(StrEnum):
    """The fields that a proposal may give, each with the form of its value. Dates are ISO 8601."""

    KIND = "kind"  # soc_1, soc_2, soc_3, bridge_letter
    REPORT_TYPE = "report_type"  # type_1, type_2
    AS_OF_ON = "as_of_on"
    PERIOD_START_ON = "period_start_on"
    PERIOD_END_ON = "period_end_on"
    REPORT_ON = "report_on"  # the day the auditor, or for a letter management, signed
    AUDITOR = "auditor"
    OPINION = "opinion"  # unqualified, qualified, adverse, disclaimer
    CATEGORY = "category"  # one proposal each
    SYSTEM = "system"
    EXCEPTION = "exception"  # the criterion, with control, deviation, response
    CUEC = "cuec"  # the control's text, with criteria
    SUBSERVICE = "subservice"  # the name, with method (carve_out, inclusive)
    LETTER_END_ON = "letter_end_on"  # bridge letters: how far management's word reaches


class Proposal(msgspec.Struct, frozen=True):
    """`quotation` is the page's own text.

    `page` counts from 1. `confidence` from 0 to 1 orders proposals, and is no probability.
    """

    field: Field
    value: str
    page: int
    quotation: str
    confidence: float
    more: dict[str, str] = {}


_REGION_MAX: Final = 24_000
SCOPE: Final = 2_500
_LETTER_PAGES: Final = 6
_UNFRAMED: Final = 0.7


class Report:
    """The text, and where the service auditor's report stands in it: [start, end), signed somewhere after `tail`.

    `end` is 0 where there is none to be found.
    """

    def __init__(self, pages: list[str]) -> None:
        self.text = Text(pages)
        self.plain = self.text.plain
        self._day_first = is_day_first(self.plain)
        self.cover_end = self.text.page_start(4)
        titled = phrases.LETTER.search(self.plain, 0, min(self.text.page_start(2), 4000))
        self.is_letter = titled is not None and len(pages) <= _LETTER_PAGES
        self.start, self.end, self.tail = self._region()

    def _region(self) -> tuple[int, int, int]:
        examined = phrases.EXAMINED.search(self.plain)
        if examined is None:
            return 0, 0, 0
        start = examined.start()
        limit = min(len(self.plain), start + _REGION_MAX)
        restricted = [found.end() for found in phrases.RESTRICTED.finditer(self.plain, start, limit)]
        if not restricted:  # a SOC 3 report is for everyone
            restricted = [found.end() for found in phrases.IN_OUR_OPINION.finditer(self.plain, start, limit)]
        tail = restricted[-1] if restricted else limit
        after = phrases.ASSERTION_HEADING.search(self.plain, tail, min(limit + 3000, len(self.plain)))
        return start, min(after.start() if after else tail + 2500, tail + 2500), tail

    def days(self, start: int = 0, end: int | None = None) -> list[Day]:
        """Find dates, those that read in two ways as the rest of the report writes them."""
        return days(self.plain, start, end, day_first=self._day_first)

    def periods(self, start: int = 0, end: int | None = None) -> list[Period]:
        return periods(self.plain, start, end, day_first=self._day_first)

    def propose(self, field: Field, value: str, span: tuple[int, int], confidence: float, **more: str) -> Proposal:
        """Propose the value at a span. Confidence is lower if no service auditor's report was found around it."""
        page, quotation = self.text.quotation(*span)
        confidence *= 1.0 if self.end or self.is_letter else _UNFRAMED
        return Proposal(field, value, page, quotation, round(min(confidence, 0.99), 2), more)

    def weight(self, place: int) -> float:
        """Return how much a cue at this place counts for the report as a whole."""
        if self.start <= place < self.start + SCOPE:
            return 6.0
        return 3.0 if place < self.cover_end else 0.4
