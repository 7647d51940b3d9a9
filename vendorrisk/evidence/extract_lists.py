"""Lists in a report: exceptions, complementary controls, subservice organisations.

The order of a table's text in a PDF is the order of its cells at best, so a row is never rebuilt. The nearest criterion
or control above belongs to an item, and the nearest response below.
"""

import bisect
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

import msgspec

from vendorrisk.evidence import phrases
from vendorrisk.evidence.report_text import Field, Proposal, Report

_DEVIATION_MAX: Final = 700
_REACH: Final = 6000
_LISTS_MAX: Final = 24
_EXCEPTIONS_MAX: Final = 200

_Place = tuple[int, str]


class _Table:
    """Where, in order, the things stand that a result belongs to or ends at."""

    def __init__(self, plain: str) -> None:
        self.plain = plain
        self.criteria = _places(phrases.CRITERIA, plain)
        self.controls = _places(phrases.CONTROL, plain)
        ends = (self.criteria, self.controls, *(_places(each, plain) for each in _ENDS))
        self._ends = sorted({place for places in ends for place, _ in places})
        responses = phrases.RESPONSES_HEADING.finditer(plain)
        self._responses = [found.end() for found in responses]

    def end_after(self, place: int) -> int:
        """Return where the next thing begins, at most so far that a deviation is still readable."""
        at = bisect.bisect_left(self._ends, place)
        limit = min(len(self.plain), place + _DEVIATION_MAX)
        return min(limit, self._ends[at]) if at < len(self._ends) else limit

    def response_to(self, control: str, place: int) -> str:
        """Look in the section of responses, or of other information, after a place for the response to a control."""
        after = [heading for heading in self._responses if heading > place]
        said = next((at for at, name in self.controls if after and at > after[0] and name.endswith(control)), None)
        if said is None or not control:
            return ""
        start = self.plain.index(control, said) + len(control)
        text = self.plain[start : self.end_after(start)].lstrip(" :.-\n")
        return " ".join(text.partition(".\n")[0].split()).removesuffix(".") + "."


_ENDS: Final = (phrases.RESULT, phrases.EXCEPTION, phrases.HEADING)


def _places(pattern: re.Pattern[str], plain: str) -> list[_Place]:
    return [(found.start(), found[0].strip()) for found in pattern.finditer(plain)]


def exceptions(report: Report) -> Iterator[Proposal]:
    """Propose each result that is an exception, with the nearest criterion above it."""
    table = _Table(report.plain)
    seen: set[tuple[str, str]] = set()
    for found in phrases.EXCEPTION.finditer(report.plain, report.end):
        if not _is_result(report.plain, found):
            continue
        criterion, control = _last_before(table.criteria, found.start()), _last_before(table.controls, found.start())
        end, response = _deviation(table, found.end())
        deviation = " ".join(report.plain[found.end() : end].split()).lstrip(".:- ")
        if (control, deviation) in seen:
            continue
        seen.add((control, deviation))
        response = response or table.response_to(control, end)
        named = {"control": control, "deviation": deviation, "response": response}
        more = {name: text for name, text in named.items() if text}
        sure = 0.85 if criterion and deviation else 0.5
        sure = min(sure, 0.6) if end - found.end() >= _DEVIATION_MAX else sure
        yield report.propose(Field.EXCEPTION, criterion, (found.start(), end), sure, **more)
        if len(seen) >= _EXCEPTIONS_MAX:
            return


def _is_result(plain: str, found: re.Match[str]) -> bool:
    """Return True if the words state a result, and not its absence, a definition, or last year's result."""
    before, after = plain[max(0, found.start() - 40) : found.start()], plain[found.end() : found.end() + 60]
    disclosed = found[0][0] in "Tt"
    if before.endswith('"') or phrases.EXPLAINS.match(after) or (phrases.NEGATED.search(before) and not disclosed):
        return False
    return phrases.LAST_YEAR.search(plain, max(0, found.start() - 160), found.end() + 120) is None


def _last_before(places: list[_Place], place: int) -> str:
    at = bisect.bisect_left(places, (place, ""))
    return places[at - 1][1] if at and place - places[at - 1][0] <= _REACH else ""


def _deviation(table: _Table, start: int) -> tuple[int, str]:
    """Return where the deviation's text ends, and management's response to it, if it follows."""
    end = table.end_after(start)
    response = phrases.RESPONSE.search(table.plain, start, end)
    if response is None:
        return end, ""
    said = table.plain[response.end() : table.end_after(response.end())]
    return response.start(), " ".join(said.split())


_CUEC_SPAN: Final = 12_000
_CUECS_MAX: Final = 80
_CUEC_TEXT: Final = range(15, 900)


def cuecs(report: Report) -> Iterator[Proposal]:
    """Propose the controls of the longest list under a heading that announces one."""
    headings = [found.end() for found in phrases.CUEC_HEADING.finditer(report.plain)]
    lists = [_cuec_list(report, heading) for heading in headings[:_LISTS_MAX]]
    yield from max(lists, key=len, default=[])[:_CUECS_MAX]


def _cuec_list(report: Report, start: int) -> list[Proposal]:
    limit = min(len(report.plain), start + _CUEC_SPAN)
    ended = phrases.CUEC_END.search(report.plain, start, limit)
    end = ended.start() if ended else limit
    marks = list(phrases.ITEM.finditer(report.plain, start, end))
    ends = [*(mark.start() for mark in marks[1:]), end]
    spans: list[tuple[int, int, str | None]] = [
        (mark.end(), after, mark["criteria"]) for mark, after in zip(marks, ends, strict=False)
    ]
    sure = 0.85
    if not spans:
        spans = [(*found.span(), None) for found in phrases.RESPONSIBLE.finditer(report.plain, start, end)]
        sure = 0.65
    return [_cuec(report, span, sure) for span in spans if span[1] - span[0] in _CUEC_TEXT]


def _cuec(report: Report, span: tuple[int, int, str | None], sure: float) -> Proposal:
    start, end, criteria = span
    text = " ".join(report.plain[start:end].split())
    named = criteria or ", ".join(dict.fromkeys(phrases.CRITERIA.findall(text)))
    more = {"criteria": named} if named else {}
    text = phrases.CRITERIA_BEHIND.sub("", text)
    return report.propose(Field.CUEC, text, (start, end), sure, **more)


_NEAR: Final = 300
_NAMES_MAX: Final = 40
_MENTIONS_MAX: Final = 50
_EITHER: Final = 0.6

_Span = tuple[int, int]


class _Named(msgspec.Struct, frozen=True):
    name: str
    alias: str
    span: _Span
    sureness: float


def subservice_organisations(report: Report) -> Iterator[Proposal]:
    """Propose the organisations named near the words, or listed under them, and how the report treats each."""
    found: dict[str, _Named] = {}
    for named in islice(_named(report.plain), 20 * _NAMES_MAX):
        key = phrases.LEGAL.sub("", named.name).lower()
        if named.name.split()[0] not in phrases.NO_NAME and (key not in found or found[key].sureness < named.sureness):
            found[key] = named
    aliases = {named.alias.lower(): key for key, named in found.items() if named.alias}
    methods = {method: [each.start() for each in cue.finditer(report.plain)] for method, cue in phrases.METHODS.items()}
    own = [named for key, named in found.items() if aliases.get(key, key) == key]
    for named in own[:_NAMES_MAX]:
        method = _method(report.plain, named, methods)
        more = {"method": method} if method else {}
        # Where a report speaks of both methods, the nearest words may be those of another organisation.
        sure = min(named.sureness, _EITHER) if all(methods.values()) else named.sureness
        yield report.propose(Field.SUBSERVICE, named.name, named.span, sure, **more)


def _named(plain: str) -> Iterator[_Named]:
    for start, end in _merged((found.span() for found in phrases.SUBSERVICE.finditer(plain)), len(plain)):
        for pattern, sure in ((phrases.USES, 0.8), (phrases.AMONG, 0.75), (phrases.PROVIDED, 0.7)):
            yield from (_name_of(found, sure) for found in pattern.finditer(plain, start, end))
    for heading in islice(phrases.SUBSERVICE_HEADING.finditer(plain), _LISTS_MAX):
        limit = min(len(plain), heading.end() + 3000)
        ended = phrases.SUBSERVICE_END.search(plain, heading.end(), limit)
        end = ended.start() if ended else limit
        for pattern, sure in ((phrases.ROW, 0.7), (phrases.KNOWN_ROW, 0.85)):
            yield from (_name_of(found, sure) for found in pattern.finditer(plain, heading.end() - 1, end))


def _merged(spans: Iterable[_Span], length: int) -> Iterator[_Span]:
    """Widen each span, and join spans that touch, so that no text is searched twice."""
    low, high = 0, -1
    for start, end in spans:
        if start - _NEAR > high:
            if high > 0:
                yield low, high
            low = max(0, start - _NEAR)
        high = min(length, end + _NEAR)
    if high > 0:
        yield low, high


def _name_of(found: re.Match[str], sureness: float) -> _Named:
    name = re.sub(r" (?:and|of|&)$", "", " ".join(found["name"].split()))
    alias = re.search(r"[A-Z][\w-]{1,20}", found["alias"] or "")
    return _Named(name, alias[0] if alias else "", (found.start("name"), found.end()), sureness)


def _method(plain: str, named: _Named, methods: dict[str, list[int]]) -> str:
    """Return the method that stands nearest to a mention, or nothing if the report names none."""
    nearest: list[tuple[int, str]] = []
    for each in {named.name, named.alias or named.name}:
        mentions = re.finditer(re.escape(each).replace(r"\ ", r"[ \n]"), plain)
        for mention in islice(mentions, _MENTIONS_MAX):
            nearest += [(_distance(places, mention.start()), method) for method, places in methods.items() if places]
    return min(nearest)[1] if nearest else ""


def _distance(places: list[int], place: int) -> int:
    at = bisect.bisect_left(places, place)
    return min(abs(near - place) for near in places[max(0, at - 1) : at + 1])
