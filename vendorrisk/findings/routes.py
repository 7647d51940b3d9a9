"""Findings and the policy of their due dates."""

from uuid import UUID

from litestar import Response, Router
from litestar.params import FromPath, JSONBody

from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.bulk import bulk
from vendorrisk.db.paging import Page
from vendorrisk.errors import Code
from vendorrisk.findings import queries, service
from vendorrisk.findings.model import (
    Finding,
    FindingChanges,
    FindingDetail,
    FindingPolicy,
    FindingPolicyDetail,
    NewFinding,
    NewTransition,
    TransitionedFinding,
)
from vendorrisk.http.dependencies import ExpectedVersion, InWork, ListPage, OwnReference
from vendorrisk.http.routing import acts, changes, creates, lists, reads, replaces, upserted, upserts

_ACCEPTED = [Code.REFERENCE_UNKNOWN, Code.FINDING_DATE_INVALID, Code.FINDING_REFERENCE_TAKEN]
_ID = "018f2f6e-8d2a-7c31-9d50-6b0d2f3c1a10"


@lists("/findings", Permission.FINDINGS_READ, queries.FINDINGS)
async def list_findings(work: InWork, page: ListPage) -> Page[Finding]:
    """List findings."""
    return await service.findings(work, page)


@creates(
    "/findings",
    Permission.FINDINGS_WRITE,
    at="/v1/findings/{id}",
    refuses=_ACCEPTED,
    example={
        "vendor_id": "018f2f6e-8d2a-7c31-9d50-6b0d2f3c1a10",
        "title": "No MFA for administrators",
        "severity": "high",
    },
)
async def open_finding(work: InWork, data: JSONBody[NewFinding]) -> FindingDetail:
    """Open a finding against a vendor. Its severity sets the due date, unless one is sent."""
    return await service.open_manually(work, data)


@upserts(
    "/findings/by-reference",
    Permission.FINDINGS_WRITE,
    refuses=[*_ACCEPTED, Code.REFERENCE_DIFFERS],
    example={"vendor_id": _ID, "title": "Backups are not tested", "severity": "high", "metadata": {"scanner": "x"}},
)
async def open_or_change_finding(
    work: InWork, reference: OwnReference, data: JSONBody[NewFinding]
) -> Response[FindingDetail]:
    """Open a finding under your own reference, or change the one that has it. No version is needed.

    Send the whole finding: a field that is left out takes its default, and a due date that is left out stays. If
    nothing differs, nothing is written.
    """
    return upserted(*await service.open_or_change(work, reference, data))


@reads("/findings/{finding_id:uuid}", Permission.FINDINGS_READ)
async def get_finding(work: InWork, finding_id: FromPath[UUID]) -> FindingDetail:
    """Read a finding with everything that happened to it."""
    return await service.finding(work, finding_id)


@changes(
    "/findings/{finding_id:uuid}",
    Permission.FINDINGS_WRITE,
    refuses=_ACCEPTED,
    example={"severity": "medium"},
)
async def change_finding(
    work: InWork, expected: ExpectedVersion, finding_id: FromPath[UUID], data: JSONBody[FindingChanges]
) -> FindingDetail:
    """Change a finding. A new severity moves the due date, unless one is sent with it."""
    return await service.change(work, finding_id, data, expected)


@acts(
    "/findings/{finding_id:uuid}/transitions",
    Permission.FINDINGS_WRITE,
    refuses=[Code.FINDING_TRANSITION_NOT_ALLOWED, Code.FINDING_REASON_MISSING, Code.FINDING_DATE_INVALID],
    example={"to": "acknowledged", "reason": "Confirmed with the vendor."},
)
async def transition_finding(
    work: InWork, expected: ExpectedVersion, finding_id: FromPath[UUID], data: JSONBody[NewTransition]
) -> FindingDetail:
    """Acknowledge, remediate, accept or dispute until a day, call false, or reopen a finding."""
    return await service.transition(work, finding_id, data, expected)


@bulk(
    "/findings/bulk-openings",
    Permission.FINDINGS_WRITE,
    example=[{"vendor_id": _ID, "title": "No MFA for administrators", "severity": "high"}],
)
async def open_findings(work: Work, item: NewFinding) -> FindingDetail:
    """Open up to 200 findings. Each is opened or rejected alone."""
    return await service.open_manually(work, item)


@bulk(
    "/findings/bulk-transitions",
    Permission.FINDINGS_WRITE,
    example=[{"id": _ID, "version": 1, "to": "acknowledged"}],
)
async def transition_findings(work: Work, item: TransitionedFinding) -> FindingDetail:
    """Transition up to 200 findings to other states. Each is transitioned or rejected alone."""
    return await service.transition(work, item.id, item, item.version)


@reads("/finding-policy", Permission.FINDINGS_READ)
async def get_finding_policy(work: InWork) -> FindingPolicyDetail:
    """Return how many days a finding may stand, by severity."""
    return await service.policy(work)


@replaces(
    "/finding-policy",
    Permission.TENANT_MANAGE,
    example={"critical_days": 7, "high_days": 30, "medium_days": 60, "low_days": 120},
)
async def set_finding_policy(
    work: InWork, expected: ExpectedVersion, data: JSONBody[FindingPolicy]
) -> FindingPolicyDetail:
    """Replace the policy: how many days a finding may stay active, by severity. It applies from now on."""
    return await service.set_policy(work, data, expected)


router = Router(
    "/",
    route_handlers=[
        list_findings,
        open_finding,
        open_or_change_finding,
        get_finding,
        change_finding,
        transition_finding,
        open_findings,
        transition_findings,
        get_finding_policy,
        set_finding_policy,
    ],
    tags=["Findings"],
)
