"""The statements of findings."""

from datetime import date, datetime
from uuid import UUID

from vendorrisk.access.work import Work
from vendorrisk.db.constraints import Holder, refusing
from vendorrisk.db.paging import EQUALITY, RANGE, Column, ListOf
from vendorrisk.db.queries import Query, QueryFile
from vendorrisk.errors import Code
from vendorrisk.findings.model import (
    Finding,
    FindingPolicy,
    FindingPolicyDetail,
    FindingSeverity,
    FindingState,
    FindingTransition,
)
from vendorrisk.ids import new_id
from vendorrisk.vendors.model import Tier

_sql = QueryFile("findings")
_FIND_POLICY = _sql.rows("find_finding_policy", FindingPolicyDetail)
_LOCK_POLICY = _sql.rows("lock_finding_policy", FindingPolicyDetail)
_SAVE_POLICY = _sql.rows("save_finding_policy", FindingPolicyDetail)
_INSERT = _sql.rows("insert_finding", Finding)
_FIND = _sql.rows("find_finding", Finding)
_LOCK = _sql.rows("lock_finding", Finding)
_LOCK_OF_SOURCE = _sql.rows("lock_finding_of_source", Finding)
_LOCK_OF_REFERENCE = _sql.rows("lock_finding_of_reference", Finding)
_HOLDER_OF_REFERENCE = _sql.rows("holder_of_reference", Holder)
LIST_FINDINGS = _sql.rows("list_findings", Finding)
_UPDATE = _sql.rows("update_finding", Finding)
_INSERT_TRANSITION = _sql.command("insert_transition")
_LIST_TRANSITIONS = _sql.rows("list_transitions", FindingTransition)
_ENDED = _sql.scalar("ended_acceptances", UUID)

_TIER = "(select v.tier from vendors as v where v.tenant_id = findings.tenant_id and v.id = findings.vendor_id)"

FINDINGS = ListOf(
    "findings",
    {
        "id": Column("id", UUID, "uuid"),
        "vendor_id": Column("vendor_id", UUID, "uuid"),
        "source_kind": Column("source_kind"),
        "source_id": Column("source_id", UUID, "uuid"),
        "title": Column("title"),
        "severity": Column("severity", FindingSeverity, operators=RANGE, sortable=True, weight_sql="level_weight({})"),
        "tier": Column(_TIER, Tier, operators=RANGE, nullable=True, weight_sql="level_weight({})"),
        "state": Column("state", FindingState),
        "reference": Column("reference", nullable=True),
        "owner_id": Column("owner_id", UUID, "uuid", EQUALITY, nullable=True),
        "opened_on": Column("opened_on", date, "date", RANGE),
        "due_on": Column("due_on", date, "date", RANGE, sortable=True),
        "until_on": Column("until_on", date, "date", RANGE, sortable=True, nullable=True),
        "times_reopened": Column("times_reopened", int, "integer", RANGE),
        "state_changed_at": Column("state_changed_at", datetime, "timestamptz", RANGE),
        "created_at": Column("created_at", datetime, "timestamptz", RANGE, sortable=True),
        "updated_at": Column("updated_at", datetime, "timestamptz", RANGE, sortable=True),
    },
    default_sort="-created_at",
)

_BROKEN = {
    "findings_vendor_is_known": (Code.REFERENCE_UNKNOWN, "There is no such vendor.", "/vendor_id"),
    "findings_reference_is_unique": (
        Code.FINDING_REFERENCE_TAKEN,
        "Another finding has this reference.",
        "/reference",
    ),
    "findings_owner_is_known": (Code.REFERENCE_UNKNOWN, "There is no such member.", "/owner_id"),
}


async def find_policy(work: Work) -> FindingPolicyDetail | None:
    return await _FIND_POLICY.one_or_none(work.db, work.tenant_id)


async def lock_policy(work: Work) -> FindingPolicyDetail | None:
    return await _LOCK_POLICY.one_or_none(work.db, work.tenant_id)


async def save_policy(work: Work, p: FindingPolicy) -> FindingPolicyDetail:
    days = (p.critical_days, p.high_days, p.medium_days, p.low_days)
    return await _SAVE_POLICY.one(work.db, work.tenant_id, *days, work.now)


async def insert(work: Work, f: Finding) -> Finding | None:
    """Insert a finding. Return None if its source already has one."""
    own = (f.id, f.vendor_id, f.source_kind, f.source_id, f.title, f.description, f.severity, f.owner_id)
    more = (f.opened_on, f.due_on, work.now, f.reference, f.metadata)
    with refusing(_BROKEN, _holders(f), seen_by="findings:read"):
        return await _INSERT.one_or_none(work.db, work.tenant_id, *own, *more)


async def find(work: Work, finding_id: UUID) -> Finding | None:
    return await _FIND.one_or_none(work.db, work.tenant_id, finding_id)


async def lock(work: Work, finding_id: UUID) -> Finding | None:
    return await _LOCK.one_or_none(work.db, work.tenant_id, finding_id)


async def lock_of_source(work: Work, source_kind: str, source_id: UUID) -> Finding | None:
    return await _LOCK_OF_SOURCE.one_or_none(work.db, work.tenant_id, source_kind, source_id)


async def update(work: Work, f: Finding) -> Finding:
    own = (f.id, f.title, f.description, f.severity, f.state, f.state_reason, f.state_changed_at, f.owner_id)
    more = (f.due_on, f.until_on, f.times_reopened, work.now, f.reference, f.metadata)
    with refusing(_BROKEN, _holders(f), seen_by="findings:read"):
        return await _UPDATE.one(work.db, work.tenant_id, *own, *more)


async def lock_of_reference(work: Work, reference: str) -> Finding | None:
    return await _LOCK_OF_REFERENCE.one_or_none(work.db, work.tenant_id, reference)


def _holders(f: Finding) -> dict[str, tuple[Query[Holder], tuple[object, ...]]]:
    return {"findings_reference_is_unique": (_HOLDER_OF_REFERENCE, (f.reference,))}


async def insert_transition(work: Work, finding: Finding, before: FindingState | None) -> None:
    actor = work.by.actor
    own = (finding.id, before, finding.state, finding.state_reason, finding.until_on)
    await _INSERT_TRANSITION.run(work.db, work.tenant_id, new_id(), *own, actor.id, actor.label, work.now)


async def transitions(work: Work, finding_id: UUID) -> list[FindingTransition]:
    return await _LIST_TRANSITIONS.many(work.db, work.tenant_id, finding_id)


async def ended_acceptances(work: Work, most: int) -> list[UUID]:
    """Return findings with a last day that is over, in the tenant's own calendar."""
    return await _ENDED.many(work.db, work.tenant_id, work.today, most, work.now)
