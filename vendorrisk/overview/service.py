"""Composite reads."""

from uuid import UUID

from vendorrisk.access.model import permit
from vendorrisk.access.permissions import Permission
from vendorrisk.access.records import found
from vendorrisk.access.work import Work
from vendorrisk.clock import zone
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.evidence import service as evidence
from vendorrisk.overview import queries, rules
from vendorrisk.overview.model import (
    DecisionScope,
    TodayOverview,
    VendorOverview,
    VendorPosture,
    VendorViews,
    WaitingDecisionCount,
)
from vendorrisk.signals import service as signals
from vendorrisk.vendors.service import vendor

_READS = (
    Permission.VENDORS_READ,
    Permission.EVIDENCE_READ,
    Permission.FINDINGS_READ,
    Permission.SIGNALS_READ,
    Permission.ALERTS_READ,
)
_MOST_CHANGES, _MOST_FINDINGS, _MOST_DATES, _MOST_DOCUMENTS, _MOST_FOURTH_PARTIES = 30, 5, 7, 10, 20


async def postures(work: Work, page: PageRequest) -> Page[VendorPosture]:
    _check(work)
    return await work.page(queries.LIST_STANDINGS, page, work.today, work.now)


async def views(work: Work) -> VendorViews:
    _check(work)
    return VendorViews(rules.views(await queries.count_views(work), work.today))


async def of_vendor(work: Work, vendor_id: UUID) -> VendorOverview:
    """Return the first of everything that a vendor's page shows."""
    _check(work)
    record = await vendor(work, vendor_id)
    rows = await postures(work, PageRequest(queries.POSTURES, limit=1).within("id", vendor_id))
    posture = found(next(iter(rows.items), None))
    return VendorOverview(
        id=record.id,
        vendor=record,
        posture=posture,
        coverage=await evidence.vendor_coverage(work, vendor_id, None),
        findings=await queries.most_severe_findings(work, vendor_id, _MOST_FINDINGS),
        score=None if posture.score_id is None else await signals.past_score(work, posture.score_id),
        coming_dates=await queries.coming_dates(work, vendor_id, _MOST_DATES),
        documents=await queries.documents(work, vendor_id, _MOST_DOCUMENTS),
        fourth_parties=await queries.fourth_parties(work, vendor_id, _MOST_FOURTH_PARTIES),
        version=record.version,
    )


async def today(work: Work, whose: DecisionScope) -> TodayOverview:
    """Return the day's dashboard. A key that belongs to no member sees everyone's decisions."""
    _check(work)
    since = rules.since(work.today, zone(work.by.actor.tenant.time_zone))
    kinds = await queries.waiting(work, work.by.actor.member_id if whose is DecisionScope.MINE else None)
    changes = await queries.changes(work, since, _MOST_CHANGES)
    due = await queries.due_by_week(work)
    messages = await queries.messages(work)
    return TodayOverview(
        day=work.today,
        since=since,
        headline=rules.headline(kinds, changes, due),
        waiting=rules.first_waiting(kinds),
        waiting_by_kind=[
            WaitingDecisionCount(kind=k.kind, waiting=k.waiting, at_critical_vendors=k.at_critical_vendors)
            for k in kinds
        ],
        changes=changes,
        due=due,
        coverage=await queries.coverage_by_tier(work),
        findings=await queries.open_findings(work),
        scores=await queries.scores(work),
        messages=messages,
        is_silent=rules.is_silent(messages),
    )


def _check(work: Work) -> None:
    """Refuse a caller who may not read all that is shown: a key's scopes may hold only some of it."""
    for permission in _READS:
        permit(work.by.actor, permission)
