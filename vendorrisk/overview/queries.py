"""The statements across features."""

from datetime import date, datetime
from uuid import UUID

from vendorrisk.access.work import Work
from vendorrisk.alerts.model import TimedClass
from vendorrisk.db.paging import EQUALITY, RANGE, Column, ListOf
from vendorrisk.db.queries import QueryFile
from vendorrisk.evidence.coverage import CoverageState
from vendorrisk.findings.model import Finding
from vendorrisk.overview.model import (
    ComingDate,
    CoverageOfTier,
    DocumentInBrief,
    DueInWeek,
    FourthPartyInBrief,
    MessageHealth,
    OpenFindings,
    RecentChange,
    ScoresInSum,
    VendorPosture,
    VendorViewCounts,
    WaitingDecisionsOfKind,
)
from vendorrisk.vendors.vendor_list import VENDORS

_sql = QueryFile("overview")
LIST_STANDINGS = _sql.rows("list_vendor_postures", VendorPosture)
_COUNT_VIEWS = _sql.rows("count_vendor_views", VendorViewCounts)
_FINDINGS = _sql.rows("most_severe_findings", Finding)
_DATES = _sql.rows("coming_dates", ComingDate)
_DOCUMENTS = _sql.rows("current_documents_in_brief", DocumentInBrief)
_FOURTH_PARTIES = _sql.rows("first_fourth_parties", FourthPartyInBrief)
_WAITING = _sql.rows("waiting_decisions", WaitingDecisionsOfKind)
_CHANGES = _sql.rows("changes_since", RecentChange)
_DUE = _sql.rows("due_by_week", DueInWeek)
_COVERAGE = _sql.rows("coverage_by_tier", CoverageOfTier)
_OPEN = _sql.rows("findings_by_severity", OpenFindings)
_SCORES = _sql.rows("scores_in_sum", ScoresInSum)
_MESSAGES = _sql.rows("message_health", MessageHealth)


def _of_vendor(column: Column) -> Column:
    """Return a column of the vendors' list as it is named where several tables meet."""
    equal = None if column.equal_sql is None else f"v.{column.equal_sql}"
    return Column(
        f"v.{column.sql}",
        column.kind,
        column.pg,
        column.operators,
        sortable=column.sortable,
        nullable=column.nullable,
        normalise=column.normalise,
        equal_sql=equal,
        weight_sql=column.weight_sql,
    )


def _count(sql: str) -> Column:
    return Column(sql, int, "integer", RANGE, sortable=True)


_NOT_SORTED = frozenset({"annual_spend"})
"""Columns that a row of the overview does not show, so that it cannot be sorted by them."""

POSTURES = ListOf(
    "vendor_postures",
    {
        **{name: _of_vendor(column) for name, column in VENDORS.columns.items() if name not in _NOT_SORTED},
        "coverage_state": Column("coverage.state", CoverageState, nullable=True),
        "coverage_until_on": Column("coverage.effective_until_on", date, "date", RANGE, sortable=True, nullable=True),
        "coverage_is_qualified": Column("coverage.is_qualified", bool, "boolean", EQUALITY, nullable=True),
        "grade": Column("s.grade", nullable=True),
        "score": Column("s.score", int, "integer", RANGE, nullable=True),
        "number": Column("s.number", int, "integer", RANGE, sortable=True, nullable=True),
        "change_in_30_days": Column("s.number - past.number", int, "integer", RANGE, nullable=True),
        "scored_at": Column("s.scored_at", datetime, "timestamptz", RANGE, nullable=True),
        "open_findings": _count("open.findings"),
        "open_critical": _count("open.critical"),
        "open_high": _count("open.high"),
        "overdue_findings": _count("open.overdue"),
        "next_due_on": Column("coming.due_on", date, "date", RANGE, sortable=True, nullable=True),
        "next_due_class": Column("coming.alert_class", TimedClass, nullable=True),
    },
    default_sort="name",
    key_sql="v.id",
)


async def count_views(work: Work) -> VendorViewCounts:
    return await _COUNT_VIEWS.one(work.db, work.tenant_id, work.today)


async def most_severe_findings(work: Work, vendor_id: UUID, most: int) -> list[Finding]:
    return await _FINDINGS.many(work.db, work.tenant_id, vendor_id, most)


async def coming_dates(work: Work, vendor_id: UUID, most: int) -> list[ComingDate]:
    return await _DATES.many(work.db, work.tenant_id, vendor_id, most)


async def documents(work: Work, vendor_id: UUID, most: int) -> list[DocumentInBrief]:
    return await _DOCUMENTS.many(work.db, work.tenant_id, vendor_id, most)


async def fourth_parties(work: Work, vendor_id: UUID, most: int) -> list[FourthPartyInBrief]:
    return await _FOURTH_PARTIES.many(work.db, work.tenant_id, vendor_id, most)


async def waiting(work: Work, member_id: UUID | None) -> list[WaitingDecisionsOfKind]:
    """Return the waiting work by kind. For one member, return that member's work and nobody's."""
    return await _WAITING.many(work.db, work.tenant_id, work.today, member_id, _zone(work))


async def changes(work: Work, since: datetime, most: int) -> list[RecentChange]:
    return await _CHANGES.many(work.db, work.tenant_id, since, work.today, _zone(work), most)


async def due_by_week(work: Work) -> list[DueInWeek]:
    return await _DUE.many(work.db, work.tenant_id, work.today)


async def coverage_by_tier(work: Work) -> list[CoverageOfTier]:
    return await _COVERAGE.many(work.db, work.tenant_id)


async def open_findings(work: Work) -> list[OpenFindings]:
    return await _OPEN.many(work.db, work.tenant_id, work.today)


async def scores(work: Work) -> ScoresInSum:
    return await _SCORES.one(work.db, work.tenant_id)


async def messages(work: Work) -> MessageHealth:
    return await _MESSAGES.one(work.db, work.tenant_id, work.now, work.today)


def _zone(work: Work) -> str:
    return work.by.actor.tenant.time_zone
