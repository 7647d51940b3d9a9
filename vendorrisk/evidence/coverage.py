"""SOC 2 coverage of one service: which days are proven, by which reports, until when, and why.

All intervals are closed intervals of calendar days. A month step clamps to the last day of its month: 31 August and six
months is 28 or 29 February. The rules:

- A Type 2 report covers its period, and is relied on from the period's start until the period's end plus
  `type2_months` (12).
- A bridge letter bridges from the day after the period's end to its own end, but at most `bridge_months` (3) after the
  period's end. Management writes it, not the auditor: it bridges, it never covers.
- A Type 1 report speaks of the design on one day, and is relied on for `type1_months` (6) from that day: "partial".
- A SOC 3 report, and a certificate that its vendor's management system was audited (ISO/IEC 27001), are no SOC 2
  reports. If nothing better supports a day, they support it in part: "partial". They never move the end of the proof by
  reports, so that people who wait for the next report are notified in time.
- An adverse opinion or a disclaimer is not relied on. It refutes every report with a period that ends no later, and
  ends the reliance on that report and its bridging. A day inside another report's period stays covered. A qualified
  opinion is relied on, and is flagged beside any state.
- The days between two periods that no period covers are a gap. Bridging does not remove a gap, but shows in it.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec
from dateutil.relativedelta import relativedelta

from vendorrisk.evidence.policy import EvidencePolicy

DAY = timedelta(days=1)


class AuditorOpinion(StrEnum):
    """The auditor's opinion (AICPA AT-C 205)."""

    UNQUALIFIED = "unqualified"
    QUALIFIED = "qualified"
    ADVERSE = "adverse"
    DISCLAIMER = "disclaimer"


class ReportType(StrEnum):
    """Type 1 speaks of design on a day, Type 2 of operation over a period."""

    TYPE_1 = "type_1"
    TYPE_2 = "type_2"


class CoverageState(StrEnum):
    """How well a day is proven, from best to worst."""

    COVERED = "covered"
    BRIDGED = "bridged"
    IN_RELIANCE = "in_reliance"
    PARTIAL = "partial"
    LAPSED = "lapsed"
    NOT_RELIED_ON = "not_relied_on"
    NONE = "none"


RELIED_ON = frozenset({CoverageState.COVERED, CoverageState.BRIDGED, CoverageState.IN_RELIANCE, CoverageState.PARTIAL})


class Letter(msgspec.Struct, frozen=True):
    """A bridge letter: management's word from the report's period end until `ends_on`."""

    id: UUID
    ends_on: date


class Report(msgspec.Struct, frozen=True):
    """The parts of a SOC 2 report that coverage depends on. A Type 1 has `from_on` = `to_on` = its as-of date."""

    id: UUID
    report_type: ReportType
    from_on: date
    to_on: date
    opinion: AuditorOpinion
    categories: frozenset[str] = frozenset()
    letters: tuple[Letter, ...] = ()


class Support(msgspec.Struct, frozen=True):
    """A document that supports days in part. `to_on` is the last day that its author had examined."""

    id: UUID
    from_on: date
    until_on: date
    to_on: date
    reason: str
    categories: frozenset[str] = frozenset()
    opinion: AuditorOpinion = AuditorOpinion.UNQUALIFIED


class CoverageSegment(msgspec.Struct, frozen=True):
    """A stretch of days in one state, by a report or a document. `until_on` is null where it has no end of its own."""

    from_on: date
    until_on: date | None
    """Last day. Null if the stretch has no end."""
    state: CoverageState
    is_qualified: bool
    """Whether the report's opinion is qualified."""
    report_id: UUID | None
    """The report that proves the days. Null if none does."""
    reason: str
    """Why the days have this state, in a sentence."""
    document_id: UUID | None = None
    """The document that supports the days in part. Null if none does."""


class CoverageGap(msgspec.Struct, frozen=True):
    """Days between two periods that no period covers. `bridged_days` of them lie under a bridge letter."""

    from_on: date
    until_on: date
    """Last day."""
    days: int
    """How many days the gap has."""
    bridged_days: int
    """How many of them a bridge letter bridges."""


class Coverage(msgspec.Struct, frozen=True):
    """Coverage at a day. `effective_until_on` is the last day reachable from it without a hole.

    `next_change_on` is the first day after it on which the state or the categories relied on change.
    """

    at: date
    state: CoverageState
    is_qualified: bool
    reason: str
    effective_until_on: date | None
    next_change_on: date | None
    preparation_from_on: date | None
    gaps: tuple[CoverageGap, ...]
    warnings: tuple[str, ...]
    timeline: tuple[CoverageSegment, ...]


class _Claim(msgspec.Struct, frozen=True):
    """Days in one state by one report or document."""

    from_on: date
    until_on: date
    state: CoverageState
    by: Report | Support
    reason: str


_RANK = {state: rank for rank, state in enumerate(CoverageState)}


def plus_months(day: date, months: int) -> date:
    """Return the day `months` later, clamped to the last day of that month and to the calendar's end."""
    try:
        return day + relativedelta(months=months)
    except (OverflowError, ValueError):
        return date.max


def coverage(reports: Iterable[Report], at: date, policy: EvidencePolicy, supports: Iterable[Support] = ()) -> Coverage:
    """Compute the coverage of one service from its reports and supporting documents, as seen on a day."""
    known = sorted(reports, key=lambda r: (r.from_on, r.to_on, r.id))
    proven = [claim for report in known for claim in _claims(report, policy)]
    claims = [*proven, *_supporting(supports)]
    timeline = _timeline(claims)
    here = next((s for s in timeline if s.from_on <= at and (s.until_on is None or at <= s.until_on)), None)
    until = _reachable(_timeline(proven) if proven else timeline, at)
    return Coverage(
        at=at,
        state=CoverageState.NONE if here is None else here.state,
        is_qualified=here is not None and here.is_qualified,
        reason="No report says anything about this day." if here is None else here.reason,
        effective_until_on=until,
        next_change_on=_next_change(claims, timeline, at),
        preparation_from_on=None if until is None else _minus_days(until, policy.preparation_days),
        gaps=gaps(known, policy),
        warnings=_warnings(known, policy),
        timeline=timeline,
    )


def categories_relied_on(
    reports: Iterable[Report], at: date, policy: EvidencePolicy, supports: Iterable[Support] = ()
) -> frozenset[str]:
    """Return the categories in scope of the reports relied on at a day."""
    proven = [claim for report in reports for claim in _claims(report, policy)]
    return _categories([*proven, *_supporting(supports)], at)


def _supporting(supports: Iterable[Support]) -> list[_Claim]:
    known = sorted(supports, key=lambda s: (s.from_on, s.until_on, s.id))
    return [_Claim(s.from_on, s.until_on, CoverageState.PARTIAL, s, s.reason) for s in known if s.from_on <= s.until_on]


def _categories(claims: Sequence[_Claim], day: date) -> frozenset[str]:
    return frozenset[str]().union(*(c.by.categories for c in _counting(claims, day) if c.state in RELIED_ON))


def gaps(reports: Sequence[Report], policy: EvidencePolicy) -> tuple[CoverageGap, ...]:
    """Return the days between consecutive periods that no period covers. Overlapping periods are merged first."""
    periods = [r for r in reports if r.report_type is ReportType.TYPE_2 and _counts(r)]
    found: list[CoverageGap] = []
    end: date | None = None
    for report in sorted(periods, key=lambda r: (r.from_on, r.to_on)):
        if end is not None and report.from_on > end + DAY:
            first, last = end + DAY, report.from_on - DAY
            bridged = _bridged_days(periods, first, last, policy)
            found.append(CoverageGap(first, last, (last - first).days + 1, bridged))
        end = report.to_on if end is None else max(end, report.to_on)
    return tuple(found)


def _counts(report: Report) -> bool:
    return report.opinion not in {AuditorOpinion.ADVERSE, AuditorOpinion.DISCLAIMER}


def _bridged_days(periods: Sequence[Report], first: date, last: date, policy: EvidencePolicy) -> int:
    """Count the days of a gap that letters reach: each begins after its own report's period, so reach is all."""
    ends = [_bridge_end(r, policy) for r in periods if r.to_on < first]
    reach = max((min(end, last) for end in ends if end is not None), default=first - DAY)
    return max(0, (reach - first).days + 1)


def _claims(report: Report, policy: EvidencePolicy) -> list[_Claim]:
    """Return the claims of one report about days."""
    if report.report_type is ReportType.TYPE_1:
        until = plus_months(report.from_on, policy.type1_months)
        reason = f"Type 1 as of {report.from_on}: design only, relied on for {policy.type1_months} months."
        state = CoverageState.PARTIAL if _counts(report) else CoverageState.NOT_RELIED_ON
        return [_Claim(report.from_on, until, state, report, reason if _counts(report) else _refused(report))]
    until = plus_months(report.to_on, policy.type2_months)
    if not _counts(report):
        return [_Claim(report.from_on, until, CoverageState.NOT_RELIED_ON, report, _refused(report))]
    period = f"{report.from_on} to {report.to_on}"
    claims = [_Claim(report.from_on, report.to_on, CoverageState.COVERED, report, f"Inside the period {period}.")]
    if (bridged := _bridge_end(report, policy)) is not None:
        reason = f"A bridge letter of management follows the period {period}. It bridges to {bridged}."
        claims.append(_Claim(report.to_on + DAY, bridged, CoverageState.BRIDGED, report, reason))
    if until > report.to_on:
        reason = f"The period {period} is relied on for {policy.type2_months} months after its end, to {until}."
        claims.append(_Claim(report.to_on + DAY, until, CoverageState.IN_RELIANCE, report, reason))
    return claims


def _refused(report: Report) -> str:
    what = "an adverse opinion" if report.opinion is AuditorOpinion.ADVERSE else "a disclaimer of opinion"
    return f"The auditor gave {what}. The report is not relied on."


def _bridge_end(report: Report, policy: EvidencePolicy) -> date | None:
    """Return the last day that letters bridge, within the limit. Null if none reaches past the period."""
    limit = plus_months(report.to_on, policy.bridge_months)
    ends = [min(letter.ends_on, limit) for letter in report.letters if letter.ends_on > report.to_on]
    return max(ends, default=None)


def _timeline(claims: Sequence[_Claim]) -> tuple[CoverageSegment, ...]:
    """Lay all claims over each other: the best state wins each day, and days after the last claim are lapsed."""
    days = _edges(claims)
    found: list[CoverageSegment] = []
    for index, first in enumerate(days):
        last = days[index + 1] - DAY if index + 1 < len(days) else None
        _append(found, _segment(claims, first, last))
    return tuple(found)


def _edges(claims: Sequence[_Claim]) -> list[date]:
    """Return the days on which a claim begins, or has just ended."""
    return sorted({c.from_on for c in claims} | {c.until_on + DAY for c in claims if c.until_on < date.max})


def _counting(claims: Sequence[_Claim], day: date) -> list[_Claim]:
    """Return the claims that count on a day: those that include it and that no refuting report puts aside."""
    here = [c for c in claims if c.from_on <= day <= c.until_on]
    refuted = max((c.by.to_on for c in here if c.state is CoverageState.NOT_RELIED_ON), default=date.min)
    keeps = {CoverageState.COVERED, CoverageState.NOT_RELIED_ON}
    return [c for c in here if c.state in keeps or c.by.to_on > refuted]


def _segment(claims: Sequence[_Claim], first: date, last: date | None) -> CoverageSegment:
    open_claims = _counting(claims, first)
    if not open_claims:
        ended = max((c for c in claims if c.until_on < first), key=lambda c: (c.until_on, c.by.to_on, c.by.id))
        what = "Evidence not relied on" if ended.state is CoverageState.NOT_RELIED_ON else "Reliance"
        return _by(ended, first, last, CoverageState.LAPSED, f"{what} ended on {ended.until_on}. Nothing follows it.")
    best = min(open_claims, key=_preference)
    return _by(best, first, last, best.state, best.reason)


def _preference(claim: _Claim) -> tuple[int, bool, int, int]:
    is_support = isinstance(claim.by, Support)
    return _RANK[claim.state], is_support, -claim.until_on.toordinal(), -claim.by.to_on.toordinal()


def _by(claim: _Claim, first: date, last: date | None, state: CoverageState, reason: str) -> CoverageSegment:
    is_support = isinstance(claim.by, Support)
    is_qualified = claim.by.opinion is AuditorOpinion.QUALIFIED and state is not CoverageState.LAPSED
    report_id, document_id = (None, claim.by.id) if is_support else (claim.by.id, None)
    return CoverageSegment(first, last, state, is_qualified, report_id, reason, document_id)


def _append(found: list[CoverageSegment], segment: CoverageSegment) -> None:
    """Add a segment, joined with the one before where nothing changes between them."""
    if found:
        before = found[-1]
        if msgspec.structs.replace(segment, from_on=before.from_on, until_on=before.until_on) == before:
            found[-1] = msgspec.structs.replace(before, until_on=segment.until_on)
            return
    found.append(segment)


def _reachable(timeline: Sequence[CoverageSegment], at: date) -> date | None:
    """Return the last day reachable from `at` through days that are relied on.

    If there is none, return the last such day before.
    """
    until: date | None = None
    for segment in timeline:
        if segment.state not in RELIED_ON:
            if segment.from_on > at and until is not None and until >= at:
                break
            continue
        if segment.from_on > at and (until is None or until < at):
            break
        until = segment.until_on or date.max
    return until


def _next_change(claims: Sequence[_Claim], timeline: Sequence[CoverageSegment], at: date) -> date | None:
    """Return the first day after `at` on which the state or the categories relied on change."""
    changes, now = {segment.from_on for segment in timeline}, _categories(claims, at)
    later = (day for day in _edges(claims) if day > at)
    return next((day for day in later if day in changes or _categories(claims, day) != now), None)


def _warnings(reports: Sequence[Report], policy: EvidencePolicy) -> tuple[str, ...]:
    found = []
    for report in reports:
        if report.report_type is ReportType.TYPE_2:
            if report.to_on < plus_months(report.from_on, policy.shortest_period_months) - DAY:
                found.append(
                    f"The period {report.from_on} to {report.to_on} is shorter than "
                    f"{policy.shortest_period_months} months. Ask why."
                )
            if report.to_on > plus_months(report.from_on, policy.longest_period_months) - DAY:
                found.append(
                    f"The period {report.from_on} to {report.to_on} is longer than "
                    f"{policy.longest_period_months} months. Ask why."
                )
        limit = plus_months(report.to_on, policy.bridge_months)
        found += [
            f"The bridge letter to {letter.ends_on} goes beyond the limit. It counts to {limit}."
            for letter in report.letters
            if letter.ends_on > limit
        ]
    return tuple(found)


def _minus_days(day: date, days: int) -> date:
    return date.fromordinal(max(1, day.toordinal() - days))
