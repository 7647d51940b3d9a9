"""Fields in a report's own words, as proposals for a person to confirm. Nothing here decides.

A cue counts where it belongs: the opinion inside the service auditor's report, a period in its first paragraph or on
the cover, and so on. The same words elsewhere (management's assertion, last year's report, a subservice organisation's
auditor) count little or nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Final
from uuid import UUID

import msgspec

from vendorrisk.evidence import phrases
from vendorrisk.evidence.extract_lists import cuecs, exceptions, subservice_organisations
from vendorrisk.evidence.report_text import SCOPE, Field, Proposal, Report
from vendorrisk.sandbox.running import DEFAULT_LIMITS, Limits, Reason, Sandbox, SandboxError
from vendorrisk.texts.pdf import Problem, extract
from vendorrisk.texts.written_dates import Day


class Extraction(msgspec.Struct, frozen=True):
    """The result of a PDF. `problem` says why there is nothing, or not all."""

    pages: list[str]
    proposals: list[Proposal]
    problem: Problem | None = None


_FAILED: Final = {
    Reason.TIMED_OUT: Problem.TOO_COMPLEX,
    Reason.MEMORY: Problem.TOO_COMPLEX,
    Reason.TOO_LARGE: Problem.TOO_COMPLEX,
    Reason.CRASHED: Problem.BROKEN,
    Reason.BUSY: Problem.BUSY,
}


async def read_report(
    sandbox: Sandbox, pdf: bytes, limits: Limits = DEFAULT_LIMITS, *, on_behalf_of: UUID | None = None
) -> Extraction:
    """Read a PDF in a child process. An `Extraction` comes back for any file. Tenants take turns."""
    try:
        return await sandbox.run(read, pdf, limits, on_behalf_of=on_behalf_of)
    except SandboxError as error:
        return Extraction([], [], _FAILED[error.reason])


def read(pdf: bytes) -> Extraction:
    """Read a PDF here. Only the sandbox's child calls this with a stranger's bytes."""
    found = extract(pdf)
    return Extraction(found.pages, propose(found.pages), found.problem)


def propose(pages: list[str]) -> list[Proposal]:
    """Return proposals, the surest of a field first."""
    if not pages:
        return []
    report = Report(pages)
    found = [*_letter(report)] if report.is_letter else [*_whole_report(report)]
    order = list(Field)
    return sorted(found, key=lambda proposal: (order.index(proposal.field), -proposal.confidence, proposal.page))


def _whole_report(report: Report) -> Iterator[Proposal]:
    for part in (_kind, _report_type, _times, _signature, _opinion, _categories, _system):
        yield from part(report)
    for part in (exceptions, cuecs, subservice_organisations):
        yield from part(report)


def _kind(report: Report) -> Iterator[Proposal]:
    counted: Counter[str] = Counter()
    first: dict[str, tuple[int, int]] = {}
    for found in phrases.SOC.finditer(report.plain, 0, max(report.cover_end, report.start + SCOPE)):
        counted[found[1]] += 1
        first.setdefault(found[1], found.span())
    for number, count in counted.most_common(1):
        share = count / counted.total()
        yield report.propose(Field.KIND, f"soc_{number}", first[number], 0.5 + 0.45 * share)


def _report_type(report: Report) -> Iterator[Proposal]:
    votes: defaultdict[str, float] = defaultdict(float)
    spans: dict[str, tuple[int, int]] = {}
    for found in phrases.TYPED.finditer(report.plain, 0, max(report.cover_end, report.start + SCOPE)):
        value = "type_2" if found[1].lower() in {"2", "ii", "two"} else "type_1"
        votes[value] += 1 if found.start() < report.cover_end else 0.2
        spans.setdefault(value, found.span())
    for pattern, value in ((phrases.OPERATED, "type_2"), (phrases.DESIGNED, "type_1")):
        scope = pattern.search(report.plain, report.start, report.start + SCOPE) if report.end else None
        if scope is not None:
            votes[value] += 4
            spans.setdefault(value, scope.span())
    yield from _elected(report, Field.REPORT_TYPE, votes, spans)


def _elected(
    report: Report, field: Field, votes: dict[str, float], spans: dict[str, tuple[int, int]], enough: float = 3.0
) -> Iterator[Proposal]:
    """Propose the value with most votes, the surer the larger its share and the more there were."""
    total = sum(votes.values())
    for value, count in sorted(votes.items(), key=lambda item: -item[1])[:1]:
        confidence = 0.95 * count / total * min(1.0, 0.5 + count / enough / 2)
        yield report.propose(field, value, spans[value], confidence)


def _times(report: Report) -> Iterator[Proposal]:
    votes: defaultdict[tuple[date, date], float] = defaultdict(float)
    best: dict[tuple[date, date], tuple[float, int, int, float]] = {}
    for period in report.periods():
        key, weight = (period.first, period.last), report.weight(period.start) * period.sureness
        votes[key] += weight
        best[key] = max(best.get(key, (0.0, 0, 0, 0.0)), (weight, -period.start, period.end, period.sureness))
    (first, last), count = max(votes.items(), key=lambda item: item[1], default=((date.min, date.min), 0.0))
    as_of = [] if count >= _CLEAR else list(_as_of(report))
    yield from as_of
    if votes and not as_of:
        _, start, end, sureness = best[first, last]
        confidence = (0.6 + 0.38 * count / sum(votes.values()) if count >= _CLEAR else 0.4) * sureness
        yield report.propose(Field.PERIOD_START_ON, first.isoformat(), (-start, end), confidence)
        yield report.propose(Field.PERIOD_END_ON, last.isoformat(), (-start, end), confidence)


_CLEAR: Final = 2.0
_OF_A_TYPE_2: Final = 0.4


def _as_of(report: Report) -> Iterator[Proposal]:
    """Propose the day a Type 1 speaks of.

    Confidence is low if the auditor says that operation over time was examined.
    """
    votes: defaultdict[str, float] = defaultdict(float)
    spans: dict[str, tuple[int, int]] = {}
    sureness: dict[str, float] = {}
    for found in phrases.AS_OF.finditer(report.plain):
        for day in report.days(found.end(), found.end() + 30)[:1]:
            if day.start == found.end():
                votes[day.on.isoformat()] += report.weight(found.start()) * day.sureness
                spans.setdefault(day.on.isoformat(), (found.start(), day.end))
                sureness[day.on.isoformat()] = day.sureness
    operated = report.end and phrases.OPERATED.search(report.plain, report.start, report.start + SCOPE)
    trust = _OF_A_TYPE_2 if operated else 1.0
    for each in _elected(report, Field.AS_OF_ON, votes, spans):
        confidence = round(each.confidence * sureness[each.value] * trust, 2)
        yield msgspec.structs.replace(each, confidence=confidence)


def _signature(report: Report) -> Iterator[Proposal]:
    """Propose the firm and the date at the end of the service auditor's report."""
    if report.end:
        signed = [day for day in report.days(report.tail, report.end) if _stands_alone(report.plain, day)]
        signed = signed or _outside_periods(report, report.tail, report.end)
        for day in signed[:1]:
            sure = 0.9 if phrases.FIRM.search(report.plain, max(report.tail, day.start - 300), day.end + 300) else 0.6
            yield report.propose(Field.REPORT_ON, day.on.isoformat(), (day.start, day.end), sure * day.sureness)
    yield from _auditor(report)


def _stands_alone(plain: str, day: Day) -> bool:
    """Say whether a date has a line of its own, as a signature's has."""
    return plain[day.start - 1 : day.start] == "\n" and plain[day.end : day.end + 2].lstrip(" ").startswith("\n")


def _outside_periods(report: Report, start: int, end: int) -> list[Day]:
    named = report.periods(start, end)
    return [day for day in report.days(start, end) if not any(p.start <= day.start < p.end for p in named)]


def _auditor(report: Report) -> Iterator[Proposal]:
    if report.end:
        near = phrases.FIRM.search(report.plain, report.tail, report.end)
        if near is not None:
            yield report.propose(Field.AUDITOR, near[1].strip(), near.span(1), 0.92)
            return
        place = phrases.PLACE.search(report.plain, report.tail, report.end)
        above = list(phrases.BEFORE_PLACE.finditer(report.plain, report.tail, place.start())) if place else []
        if above:
            yield report.propose(Field.AUDITOR, above[-1][1].strip(), above[-1].span(1), 0.6)
            return
    named = phrases.BY_FIRM.search(report.plain, 0, report.cover_end)
    if named is not None:
        yield report.propose(Field.AUDITOR, named[1].strip(), named.span(1), 0.7)


_UNFRAMED: Final = 60_000


def _opinion(report: Report) -> Iterator[Proposal]:
    start, end, trust = (report.start, report.end, 1.0) if report.end else (0, min(len(report.plain), _UNFRAMED), 0.5)
    found = _evaluated_sentences(report.plain, start, end)
    for value in ("disclaimer", "adverse", "qualified", "unqualified"):
        heading = phrases.HEADINGS[value].search(report.plain, start, end) if value in phrases.HEADINGS else None
        span = found.get(value) or (heading.span() if heading else None)
        if span is None:
            continue
        sure = 0.95 if heading is not None and value in found else 0.75
        if value == "unqualified":
            sure = 0.5 if phrases.DOUBTED.search(report.plain, start, end) else 0.95
        yield report.propose(Field.OPINION, value, span, sure * trust)
        return


def _evaluated_sentences(plain: str, start: int, end: int) -> dict[str, tuple[int, int]]:
    """Find the first sentence for each opinion. If one has two signs, the first decides."""
    found: dict[str, tuple[int, int]] = {}
    for opened in phrases.IN_OUR_OPINION.finditer(plain, start, end):
        stop = min(opened.start() + 900, end)
        qualified = phrases.QUALIFIED.search(plain, opened.start(), stop)
        adverse = phrases.ADVERSE.search(plain, opened.start(), qualified.start() if qualified else stop)
        clean = phrases.CLEAN.match(plain, opened.start(), stop)
        for value, sign in (("adverse", adverse), ("qualified", qualified), ("unqualified", clean)):
            if sign is not None:
                found.setdefault(value, (opened.start(), sign.end()))
                break
    disclaimed = phrases.DISCLAIMED.search(plain, start, end)
    if disclaimed and "unqualified" not in found and (phrases.NOT_ABLE.search(plain, start, end) or not found):
        found["disclaimer"] = disclaimed.span()
    return found


_ALL_CATEGORIES: Final = 5


def _categories(report: Report) -> Iterator[Proposal]:
    votes: defaultdict[tuple[str, ...], float] = defaultdict(float)
    best: dict[tuple[str, ...], tuple[float, int, int]] = {}
    for found in phrases.CATEGORY_LIST.finditer(report.plain):
        named = [" ".join(each[0].lower().split()) for each in phrases.ONE_CATEGORY.finditer(found[1])]
        before = report.plain[max(0, found.start(1) - 60) : found.start(1)]
        if len(named) == _ALL_CATEGORIES and before.rstrip().lower().endswith("for"):
            continue  # the title of TSP section 100 names all five, whatever is in scope
        key = tuple(sorted(set(named)))
        weight = report.weight(found.start()) * (1 if before.rstrip().lower().endswith("to") else 0.6)
        votes[key] += weight
        best[key] = max(best.get(key, (0.0, 0, 0)), (weight, -found.start(), found.end()))
    if not votes:
        return
    key, count = max(votes.items(), key=lambda item: (item[1], len(item[0])))
    _, start, end = best[key]
    confidence = (0.55 + 0.42 * count / sum(votes.values())) * min(1.0, 0.5 + count / 6)
    for category in key:
        yield report.propose(Field.CATEGORY, category.replace(" ", "_"), (-start, end), confidence)


def _system(report: Report) -> Iterator[Proposal]:
    votes: defaultdict[str, float] = defaultdict(float)
    spans: dict[str, tuple[int, int]] = {}
    for found in phrases.SYSTEM.finditer(report.plain):
        part = "described" if found["described"] else "owned"
        name = " ".join(found[part].split())
        if name.lower() not in phrases.UNFIT_SYSTEM and "Service Organization" not in name:
            votes[name] += report.weight(found.start())
            spans.setdefault(name, found.span(part))
    yield from _elected(report, Field.SYSTEM, votes, spans)


_PERIOD_DAYS_MIN: Final = 80


def _letter(report: Report) -> Iterator[Proposal]:
    """Read a bridge letter: management's word on the time since a report's period."""
    titled = phrases.LETTER.search(report.plain)
    if titled is not None:
        yield report.propose(Field.KIND, "bridge_letter", titled.span(), 0.95)
    named = sorted(report.periods(), key=lambda period: (period.first, period.start))
    whole = next((period for period in named if (period.last - period.first).days >= _PERIOD_DAYS_MIN), None)
    signed = _outside_periods(report, 0, len(report.plain))[:1]
    if whole is not None:
        for field, on in ((Field.PERIOD_START_ON, whole.first), (Field.PERIOD_END_ON, whole.last)):
            yield report.propose(field, on.isoformat(), (whole.start, whole.end), 0.9)
    for day in signed:
        yield report.propose(Field.REPORT_ON, day.on.isoformat(), (day.start, day.end), 0.8)
    bridged = [p for p in named if whole is not None and p.first > whole.first and p.last > whole.last]
    if bridged:
        last = max(bridged, key=lambda period: period.last)
        yield report.propose(Field.LETTER_END_ON, last.last.isoformat(), (last.start, last.end), 0.9)
    elif whole is not None:
        yield from _letter_end(report, signed, whole.last)


def _letter_end(report: Report, signed: list[Day], period_end: date) -> Iterator[Proposal]:
    for found in phrases.THROUGH.finditer(report.plain):
        day = next(iter(report.days(found.end(), found.end() + 30)), None)
        if day is not None and day.start == found.end() and day.on > period_end:
            yield report.propose(Field.LETTER_END_ON, day.on.isoformat(), (found.start(), day.end), 0.85)
            return
    this = phrases.THIS_LETTER.search(report.plain)
    if this is not None and signed:
        yield report.propose(Field.LETTER_END_ON, signed[0].on.isoformat(), this.span(), 0.7)
