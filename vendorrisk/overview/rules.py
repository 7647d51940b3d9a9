"""Decisions from days and figures: the day from which changes count, the order of work, the filters of a view."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from vendorrisk.overview.model import (
    DueInWeek,
    MessageHealth,
    RecentChange,
    RecentChangeKind,
    TodayHeadline,
    VendorView,
    VendorViewCounts,
    WaitingDecision,
    WaitingDecisionsOfKind,
)
from vendorrisk.vendors.model import Tier

MOST_WAITING = 10
_END_OF_WORK = time(17)
_SATURDAY = 5
_WORSE = frozenset({RecentChangeKind.COVERAGE_LAPSED, RecentChangeKind.SIGNAL_SCORE_FELL})
_WEIGHT = {Tier.CRITICAL: 0, Tier.HIGH: 1, Tier.MEDIUM: 2, Tier.LOW: 3}

VIEWS = {
    "all_vendors": (),
    "in_use": ("lifecycle:in:active,suspended",),
    "critical": ("tier:eq:critical",),
    "without_tier": ("tier:null:true",),
    "without_owner": ("business_owner_id:null:true",),
    "review_overdue": ("next_review_on:lt:{today}",),
    "coverage_lost": ("coverage_state:in:lapsed,not_relied_on,none",),
    "with_findings": ("open_findings:gt:0",),
    "findings_overdue": ("overdue_findings:gt:0",),
    "graded_low": ("grade:in:D,F",),
    "not_rated": ("score:null:true",),
}
"""View → the filters of `/v1/overview/vendors` that make it. `ViewCounts` has a field for each."""


def since(today: date, zone: ZoneInfo) -> datetime:
    """Return when the previous working day ended. Saturday and Sunday are none."""
    day = today - timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day -= timedelta(days=1)
    return datetime.combine(day, _END_OF_WORK, zone).astimezone(UTC)


def first_waiting(kinds: Sequence[WaitingDecisionsOfKind]) -> list[WaitingDecision]:
    """Return waiting work sorted by its day, then by the tier of its vendor."""
    items = [item for kind in kinds for item in kind.items]
    items.sort(key=lambda item: (item.due_on, 4 if item.tier is None else _WEIGHT[item.tier], item.subject_id))
    return items[:MOST_WAITING]


def headline(
    kinds: Sequence[WaitingDecisionsOfKind], changes: Sequence[RecentChange], due: Sequence[DueInWeek]
) -> TodayHeadline:
    worse = {change.kind: change.of_kind for change in changes if change.kind in _WORSE}
    return TodayHeadline(
        decisions_waiting=sum(kind.waiting for kind in kinds),
        dates_this_week=sum(row.dates for row in due if row.week == 0),
        dates_this_week_at_critical_vendors=sum(row.at_critical_vendors for row in due if row.week == 0),
        vendors_worse=sum(worse.values()),
    )


def is_silent(messages: MessageHealth) -> bool:
    """Return True if somebody may not have been notified: an alert without recipients, or a message that is dead."""
    return messages.alerts_without_recipients > 0 or messages.messages_dead > 0


def views(counts: VendorViewCounts, today: date) -> list[VendorView]:
    held = msgspec.structs.asdict(counts)
    return [
        VendorView(name, [text.format(today=today.isoformat()) for text in filters], held[name])
        for name, filters in VIEWS.items()
    ]
