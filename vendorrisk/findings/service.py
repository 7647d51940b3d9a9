"""Operations on findings."""

from datetime import date
from uuid import UUID

import msgspec
from msgspec import UNSET

from vendorrisk.access.records import check_version, found, patched, says_already
from vendorrisk.access.upsert import as_changes, create_or_change, with_reference
from vendorrisk.access.work import Work
from vendorrisk.alerts import service as alerts
from vendorrisk.alerts.model import Deadline, TimedClass
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.findings import queries, rules
from vendorrisk.findings.model import (
    Finding,
    FindingChanges,
    FindingDetail,
    FindingPolicy,
    FindingPolicyDetail,
    FindingSeverity,
    FindingState,
    NewFinding,
    NewTransition,
)
from vendorrisk.ids import new_id

MANUAL = "manual"
_MOST_TITLE, _MOST_DESCRIPTION = 300, 8000


async def policy(work: Work) -> FindingPolicyDetail:
    default = FindingPolicyDetail(**msgspec.structs.asdict(FindingPolicy()), version=0)
    return await queries.find_policy(work) or default


async def set_policy(work: Work, wanted: FindingPolicy, expected: int) -> FindingPolicyDetail:
    """Replace the policy. It applies to findings that get their severity from now on."""
    default = FindingPolicyDetail(**msgspec.structs.asdict(FindingPolicy()), version=0)
    before = await queries.lock_policy(work) or default
    check_version(before, expected)
    if before.version and says_already(before, wanted):
        return before
    after = await queries.save_policy(work, wanted)
    await audit.record(
        work, Action.FINDING_POLICY_CHANGED, Target("finding_policy", work.tenant_id), before=before, after=after
    )
    return after


async def findings(work: Work, page: PageRequest) -> Page[Finding]:
    return await work.page(queries.LIST_FINDINGS, page)


async def finding(work: Work, finding_id: UUID) -> FindingDetail:
    stored = found(await queries.find(work, finding_id))
    return FindingDetail(**msgspec.structs.asdict(stored), transitions=await queries.transitions(work, finding_id))


async def open_manually(work: Work, new: NewFinding) -> FindingDetail:
    """Open a finding that a person has found."""
    if new.due_on is not None:
        rules.check_due(new.due_on)
    finding_id = new_id()
    wanted = await _wanted(work, finding_id, MANUAL, finding_id, new)
    opened = await queries.insert(work, wanted)
    return await _opened(work, found(opened))


async def open_or_change(work: Work, reference: str, new: NewFinding) -> tuple[FindingDetail, bool]:
    """Open a finding under the caller's own number, or make the one that has it what the body says."""
    with_reference(new, reference)

    async def change_known() -> FindingDetail | None:
        known = await queries.lock_of_reference(work, reference)
        if known is None:
            return None
        if known.vendor_id != new.vendor_id:
            detail = "A finding of another vendor has this reference."
            raise Refusal(Code.FINDING_REFERENCE_TAKEN, detail, pointer="/vendor_id")
        return await change(work, known.id, as_changes(new, FindingChanges, kept=("due_on",)), known.version)

    return await create_or_change(work, change_known, lambda: open_manually(work, new))


async def open_for(
    work: Work,
    source_kind: str,
    source_id: UUID,
    *,
    vendor_id: UUID,
    severity: FindingSeverity,
    title: str,
    description: str | None = None,
) -> Finding:
    """Open a finding for the source, in the caller's transaction. If one is active, return it unchanged.

    A remediated finding is reopened, because the source was seen again. A finding that a person accepted, disputed or
    marked as false positive keeps its state.
    """
    new = NewFinding(
        vendor_id=vendor_id,
        title=title[:_MOST_TITLE],
        severity=severity,
        description=description[:_MOST_DESCRIPTION] if description else None,
    )
    opened = await queries.insert(work, await _wanted(work, new_id(), source_kind, source_id, new))
    if opened is not None:
        await _opened(work, opened)
        return opened
    current = found(await queries.lock_of_source(work, source_kind, source_id))
    if current.state is FindingState.REMEDIATED:
        return await _transitioned(work, current, FindingState.OPEN, "The source was seen again.", None)
    return current


async def restate_for(
    work: Work, source_kind: str, source_id: UUID, *, severity: FindingSeverity, title: str, description: str | None
) -> None:
    """Restate the finding of a source by the source's present severity and text.

    Without a finding or a difference, do nothing.

    A new severity moves the due date by the policy. If the severity rises, the finding is reopened, because earlier
    decisions were about a milder problem.
    """
    before = await queries.lock_of_source(work, source_kind, source_id)
    if before is None:
        return
    wanted = _saying(before, severity, title, description)
    if wanted == before:
        return
    after = await _changed(work, before, await _redated(work, before, wanted))
    if rules.is_more_severe(after.severity, before.severity) and not rules.is_active(after):
        await _transitioned(work, after, FindingState.OPEN, "The source has become more severe.", None)


async def raise_severity(
    work: Work,
    source_kind: str,
    source_id: UUID,
    *,
    severity: FindingSeverity,
    title: str,
    description: str | None = None,
) -> bool:
    """Raise the severity of a source's active finding. If none is active, do nothing and return False.

    It is due as one opened today would be, and never later than it was. A suppressed finding stays as it is.
    """
    before = await queries.lock_of_source(work, source_kind, source_id)
    if before is None or not rules.is_active(before):
        return False
    due_on = min(before.due_on, rules.due_on(severity, work.today, await _in_force(work)))
    wanted = _saying(before, severity, title, description)
    await _changed(work, before, msgspec.structs.replace(wanted, due_on=due_on))
    return True


def _saying(before: Finding, severity: FindingSeverity, title: str, description: str | None) -> Finding:
    """Return the finding with its source's title, description and severity, cut to the longest a finding holds."""
    words = description[:_MOST_DESCRIPTION] if description else None
    return msgspec.structs.replace(before, severity=severity, title=title[:_MOST_TITLE], description=words)


async def _changed(work: Work, before: Finding, wanted: Finding) -> Finding:
    after = await queries.update(work, wanted)
    await _watch(work, after)
    await audit.record(work, Action.FINDING_CHANGED, Target("finding", after.id), before=before, after=after)
    return after


async def close_for(work: Work, source_kind: str, source_id: UUID, *, reason: str) -> None:
    """Remediate the active finding of a source that no longer holds. If none is active, do nothing."""
    current = await queries.lock_of_source(work, source_kind, source_id)
    if current is not None and rules.is_active(current):
        await _transitioned(work, current, FindingState.REMEDIATED, reason, None)


async def change(work: Work, finding_id: UUID, changes: FindingChanges, expected: int) -> FindingDetail:
    before = found(await queries.lock(work, finding_id))
    check_version(before, expected)
    wanted = patched(before, changes)
    if changes.due_on is not UNSET:
        rules.check_due(wanted.due_on)
    else:
        wanted = await _redated(work, before, wanted)
    if wanted != before:
        await _changed(work, before, wanted)
    return await finding(work, finding_id)


async def _redated(work: Work, before: Finding, wanted: Finding) -> Finding:
    """Return the finding with the due date of its new severity, or unchanged if the severity is the same."""
    if wanted.severity is before.severity:
        return wanted
    due_on = rules.due_on(wanted.severity, before.opened_on, await _in_force(work))
    return msgspec.structs.replace(wanted, due_on=due_on)


async def transition(work: Work, finding_id: UUID, wanted: NewTransition, expected: int) -> FindingDetail:
    before = found(await queries.lock(work, finding_id))
    check_version(before, expected)
    rules.check_transition(before, wanted, work.today)
    await _transitioned(work, before, wanted.to, wanted.reason, wanted.until_on)
    return await finding(work, finding_id)


async def end_acceptance(work: Work, finding_id: UUID) -> None:
    """Reopen an accepted or disputed finding after its last day."""
    before = await queries.lock(work, finding_id)
    if before is None or before.until_on is None or before.until_on >= work.today:
        return
    what = "acceptance" if before.state is FindingState.ACCEPTED else "dispute"
    await _transitioned(work, before, FindingState.OPEN, f"The {what} ended on {before.until_on}.", None)


async def _wanted(work: Work, finding_id: UUID, source_kind: str, source_id: UUID, new: NewFinding) -> Finding:
    return Finding(
        id=finding_id,
        vendor_id=new.vendor_id,
        vendor_name="",
        source_kind=source_kind,
        source_id=source_id,
        title=new.title,
        description=new.description,
        severity=new.severity,
        state=FindingState.OPEN,
        state_reason=None,
        state_changed_at=work.now,
        owner_id=new.owner_id,
        opened_on=work.today,
        reference=new.reference,
        metadata=new.metadata,
        due_on=new.due_on or rules.due_on(new.severity, work.today, await _in_force(work)),
        until_on=None,
        times_reopened=0,
        created_at=work.now,
        updated_at=work.now,
        version=1,
    )


async def _in_force(work: Work) -> FindingPolicy:
    shown = await policy(work)
    return FindingPolicy(
        critical_days=shown.critical_days,
        high_days=shown.high_days,
        medium_days=shown.medium_days,
        low_days=shown.low_days,
    )


async def _opened(work: Work, opened: Finding) -> FindingDetail:
    await queries.insert_transition(work, opened, None)
    await _watch(work, opened)
    await audit.record(work, Action.FINDING_OPENED, Target("finding", opened.id), after=opened)
    return await finding(work, opened.id)


async def _transitioned(
    work: Work, before: Finding, to: FindingState, reason: str | None, until_on: date | None
) -> Finding:
    reopened = to is FindingState.OPEN and not rules.is_active(before)
    wanted = msgspec.structs.replace(
        before,
        state=to,
        state_reason=reason,
        state_changed_at=work.now,
        until_on=until_on,
        times_reopened=before.times_reopened + reopened,
        due_on=rules.due_on_reopening(before, work.today, await _in_force(work)) if reopened else before.due_on,
    )
    after = await queries.update(work, wanted)
    await queries.insert_transition(work, after, before.state)
    await _watch(work, after)
    await audit.record(work, Action.FINDING_TRANSITIONED, Target("finding", after.id), before=before, after=after)
    return after


async def _watch(work: Work, finding: Finding) -> None:
    """Keep the due date in view while the finding is active."""
    if not rules.is_active(finding):
        await alerts.unwatch(work, TimedClass.FINDING_DUE, "finding", finding.id)
        return
    await alerts.watch(
        work,
        Deadline(
            alert_class=TimedClass.FINDING_DUE,
            subject_kind="finding",
            subject_id=finding.id,
            vendor_id=finding.vendor_id,
            title=finding.title,
            due_on=finding.due_on,
        ),
    )
