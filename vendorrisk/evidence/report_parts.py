"""Operations on one part of a SOC 2 report: read it, correct a bridge letter, remove what was recorded wrongly."""

from uuid import UUID

from vendorrisk.access.records import check_version, found, patched
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.evidence import queries, report_part_queries, reports, service
from vendorrisk.evidence.report_model import (
    BridgeLetter,
    BridgeLetterChanges,
    Cuec,
    NewBridgeLetter,
    Soc2Exception,
    SubserviceOrganisation,
)
from vendorrisk.findings import service as findings


async def exception(work: Work, report_id: UUID, exception_id: UUID) -> Soc2Exception:
    return found(await report_part_queries.find_exception(work, report_id, exception_id))


async def cuec(work: Work, report_id: UUID, cuec_id: UUID) -> Cuec:
    return found(await report_part_queries.find_cuec(work, report_id, cuec_id))


async def subservice(work: Work, report_id: UUID, organisation_id: UUID) -> SubserviceOrganisation:
    return found(await report_part_queries.find_subservice(work, report_id, organisation_id))


async def letter(work: Work, report_id: UUID, letter_id: UUID) -> BridgeLetter:
    return found(await report_part_queries.find_letter(work, report_id, letter_id))


async def remove_exception(work: Work, report_id: UUID, exception_id: UUID, expected: int) -> None:
    """Remove an exception that was recorded wrongly. Its finding is closed, and the audit log keeps the exception."""
    await reports.lock_counting(work, report_id)
    before = found(await queries.lock_exception(work, report_id, exception_id))
    check_version(before, expected)
    await report_part_queries.delete_exception(work, exception_id)
    await findings.close_for(work, "soc2_exception", exception_id, reason="The exception was removed from its report.")
    await audit.record(work, Action.SOC2_EXCEPTION_REMOVED, Target("soc2_exception", exception_id), before=before)


async def remove_cuec(work: Work, report_id: UUID, cuec_id: UUID, expected: int) -> None:
    """Remove a control that was recorded wrongly. The audit log keeps it."""
    await reports.lock_counting(work, report_id)
    before = found(await queries.lock_cuec(work, report_id, cuec_id))
    check_version(before, expected)
    await report_part_queries.delete_cuec(work, cuec_id)
    await audit.record(work, Action.SOC2_CUEC_REMOVED, Target("soc2_cuec", cuec_id), before=before)


async def remove_subservice(work: Work, report_id: UUID, organisation_id: UUID, expected: int) -> None:
    """Remove an organisation that was recorded wrongly. The audit log keeps it."""
    await reports.lock_counting(work, report_id)
    before = found(await queries.lock_subservice(work, report_id, organisation_id))
    check_version(before, expected)
    await report_part_queries.delete_subservice(work, organisation_id)
    await audit.record(work, Action.SOC2_SUBSERVICE_REMOVED, Target("soc2_subservice", organisation_id), before=before)


async def change_letter(
    work: Work, report_id: UUID, letter_id: UUID, changes: BridgeLetterChanges, expected: int
) -> BridgeLetter:
    """Correct a letter. It is checked as a new one is, and coverage follows."""
    stored = await reports.lock_counting(work, report_id)
    before = found(await report_part_queries.lock_letter(work, report_id, letter_id))
    check_version(before, expected)
    wanted = patched(before, changes)
    new = NewBridgeLetter(ends_on=wanted.ends_on, issued_on=wanted.issued_on, document_id=wanted.document_id)
    await reports.check_letter(work, stored, new, "")
    if wanted == before:
        return before
    after = await report_part_queries.update_letter(work, wanted)
    await service.cover(work, stored.vendor_id)
    await audit.record(
        work, Action.BRIDGE_LETTER_CHANGED, Target("bridge_letter", letter_id), before=before, after=after
    )
    return after
