"""Operations on SOC 2 reports and their parts."""

from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.access.records import check_version, found, patched
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.evidence import coverage, queries, report_part_queries, rules, service
from vendorrisk.evidence.coverage import AuditorOpinion, ReportType
from vendorrisk.evidence.coverage_model import AuditAreas
from vendorrisk.evidence.document_model import Withdrawal
from vendorrisk.evidence.report_model import (
    BridgeLetter,
    Cuec,
    CuecChanges,
    CuecState,
    NewBridgeLetter,
    NewCuec,
    NewSoc2Exception,
    NewSoc2Report,
    NewSubserviceOrganisation,
    Soc2Exception,
    Soc2ExceptionChanges,
    Soc2Report,
    Soc2ReportChanges,
    Soc2ReportDetail,
    SubserviceOrganisation,
    SubserviceOrganisationChanges,
)
from vendorrisk.findings import service as findings
from vendorrisk.ids import new_id

_PARTS = ("exceptions", "cuecs", "subservice_organisations", "bridge_letters")


async def reports(work: Work, page: PageRequest) -> Page[Soc2Report]:
    return await work.page(queries.LIST_REPORTS, page)


async def report(work: Work, report_id: UUID) -> Soc2ReportDetail:
    """Return a report with all its parts and its questionable points."""
    return await _with_parts(work, found(await queries.find_report(work, report_id)))


async def _with_parts(work: Work, stored: Soc2Report) -> Soc2ReportDetail:
    letters = await report_part_queries.letters(work, [stored.id])
    pairs = tuple(coverage.Letter(letter.id, letter.ends_on) for letter in letters)
    in_force = await service.policy(work)
    computed = coverage.coverage([rules.report_for_coverage(stored, pairs)], work.today, in_force)
    return Soc2ReportDetail(
        **msgspec.structs.asdict(stored),
        exceptions=await queries.exceptions(work, stored.id),
        cuecs=await queries.cuecs(work, stored.id),
        subservice_organisations=await queries.subservice(work, stored.id),
        bridge_letters=letters,
        warnings=list(computed.warnings),
    )


async def audit_areas(work: Work, report_id: UUID) -> AuditAreas:
    """Return a report through the five audit areas."""
    stored = found(await queries.find_report(work, report_id))
    areas, others = rules.audit_areas(stored, await queries.exceptions(work, report_id))
    return AuditAreas(report_id, areas, others)


async def all_exceptions(work: Work, page: PageRequest) -> Page[Soc2Exception]:
    return await work.page(report_part_queries.LIST_ALL_EXCEPTIONS, page)


async def all_cuecs(work: Work, page: PageRequest) -> Page[Cuec]:
    return await work.page(report_part_queries.LIST_ALL_CUECS, page)


async def all_subservice_organisations(work: Work, page: PageRequest) -> Page[SubserviceOrganisation]:
    return await work.page(report_part_queries.LIST_ALL_SUBSERVICE, page)


async def record(work: Work, new: NewSoc2Report) -> Soc2ReportDetail:
    """Record a report, whole. An opinion that is not clean and each exception open a finding. Coverage follows."""
    wanted = Soc2Report(
        id=new_id(),
        vendor_name="",
        withdrawn_at=None,
        withdrawn_reason=None,
        created_at=work.now,
        updated_at=work.now,
        version=1,
        **{k: v for k, v in msgspec.structs.asdict(new).items() if k not in _PARTS},
    )
    wanted = _normalised(wanted)
    rules.check_report(wanted, work.today)
    await _check_belonging(work, wanted)
    await queries.insert_report(work, wanted)
    for index, exception in enumerate(new.exceptions):
        await _insert_exception(work, wanted, exception, f"/exceptions/{index}")
    for index, cuec in enumerate(new.cuecs):
        await queries.insert_cuec(work, wanted.id, _checked_cuec(cuec, f"/cuecs/{index}"))
    for index, organisation in enumerate(new.subservice_organisations):
        _check_provider(wanted, organisation.provider_id, f"/subservice_organisations/{index}")
        await queries.insert_subservice(work, wanted.id, organisation)
    for index, letter in enumerate(new.bridge_letters):
        await _insert_letter(work, wanted, letter, f"/bridge_letters/{index}")
    await _sync_opinion_finding(work, wanted)
    await service.cover(work, wanted.vendor_id)
    shown = await report(work, wanted.id)
    await audit.record(work, Action.SOC2_REPORT_RECORDED, Target("soc2_report", wanted.id), after=shown)
    return shown


async def change(work: Work, report_id: UUID, changes: Soc2ReportChanges, expected: int) -> Soc2ReportDetail:
    before = await lock_counting(work, report_id, expected)
    wanted = _normalised(patched(before, changes))
    rules.check_report(wanted, work.today)
    await _check_belonging(work, wanted)
    if wanted == before:
        return await report(work, report_id)
    await queries.update_report(work, wanted)
    if (wanted.opinion, wanted.opinion_reason) != (before.opinion, before.opinion_reason):
        await _sync_opinion_finding(work, wanted)
    await service.cover(work, wanted.vendor_id)
    after = found(await queries.find_report(work, report_id))
    await _audit_change(work, Action.SOC2_REPORT_CHANGED, "soc2_report", before, after)
    return await _with_parts(work, after)


async def withdraw(work: Work, report_id: UUID, withdrawal: Withdrawal, expected: int) -> Soc2ReportDetail:
    """Withdraw a report. It stays on record but no longer counts, and its findings end with it."""
    before = await lock_counting(work, report_id, expected)
    await queries.update_report(
        work, msgspec.structs.replace(before, withdrawn_at=work.now, withdrawn_reason=withdrawal.reason)
    )
    for exception in await queries.exceptions(work, report_id):
        await findings.close_for(work, "soc2_exception", exception.id, reason=withdrawal.reason)
    await findings.close_for(work, "soc2_opinion", report_id, reason=withdrawal.reason)
    await service.cover(work, before.vendor_id)
    after = found(await queries.find_report(work, report_id))
    await _audit_change(work, Action.SOC2_REPORT_WITHDRAWN, "soc2_report", before, after)
    return await _with_parts(work, after)


async def add_exception(work: Work, report_id: UUID, new: NewSoc2Exception) -> Soc2Exception:
    added = await _insert_exception(work, await lock_counting(work, report_id), new, "")
    await audit.record(work, Action.SOC2_EXCEPTION_ADDED, Target("soc2_exception", added.id), after=added)
    return added


async def change_exception(
    work: Work, report_id: UUID, exception_id: UUID, changes: Soc2ExceptionChanges, expected: int
) -> Soc2Exception:
    before = found(await queries.lock_exception(work, report_id, exception_id))
    check_version(before, expected)
    wanted = patched(before, changes)
    if wanted == before:
        return before
    after = await queries.update_exception(work, wanted)
    await findings.restate_for(work, "soc2_exception", after.id, **_finding_words(after))
    await _audit_change(work, Action.SOC2_EXCEPTION_CHANGED, "soc2_exception", before, after)
    return after


async def add_cuec(work: Work, report_id: UUID, new: NewCuec) -> Cuec:
    await lock_counting(work, report_id)
    added = await queries.insert_cuec(work, report_id, _checked_cuec(new, ""))
    await audit.record(work, Action.SOC2_CUEC_ADDED, Target("soc2_cuec", added.id), after=added)
    return added


async def change_cuec(work: Work, report_id: UUID, cuec_id: UUID, changes: CuecChanges, expected: int) -> Cuec:
    """Name the person who operates a control of ours, and its proof. `in_place` needs both."""
    before = found(await queries.lock_cuec(work, report_id, cuec_id))
    check_version(before, expected)
    wanted = patched(before, changes)
    if wanted == before:
        return before
    after = await queries.update_cuec(work, wanted)
    await _audit_change(work, Action.SOC2_CUEC_CHANGED, "soc2_cuec", before, after)
    return after


async def add_subservice(work: Work, report_id: UUID, new: NewSubserviceOrganisation) -> SubserviceOrganisation:
    _check_provider(await lock_counting(work, report_id), new.provider_id, "")
    added = await queries.insert_subservice(work, report_id, new)
    await audit.record(work, Action.SOC2_SUBSERVICE_ADDED, Target("soc2_subservice", added.id), after=added)
    return added


async def change_subservice(
    work: Work, report_id: UUID, organisation_id: UUID, changes: SubserviceOrganisationChanges, expected: int
) -> SubserviceOrganisation:
    before = found(await queries.lock_subservice(work, report_id, organisation_id))
    check_version(before, expected)
    wanted = patched(before, changes)
    _check_provider(found(await queries.find_report(work, report_id)), wanted.provider_id, "")
    if wanted == before:
        return before
    after = await queries.update_subservice(work, wanted)
    await _audit_change(work, Action.SOC2_SUBSERVICE_CHANGED, "soc2_subservice", before, after)
    return after


async def add_letter(work: Work, report_id: UUID, new: NewBridgeLetter) -> BridgeLetter:
    """Add a bridge letter of management to a Type 2 report. Coverage follows."""
    stored = await lock_counting(work, report_id)
    added = await _insert_letter(work, stored, new, "")
    await service.cover(work, stored.vendor_id)
    await audit.record(work, Action.BRIDGE_LETTER_ADDED, Target("bridge_letter", added.id), after=added)
    return added


async def remove_letter(work: Work, report_id: UUID, letter_id: UUID, expected: int) -> None:
    """Remove a letter that was recorded wrongly. The audit log keeps it, and coverage follows."""
    stored = await lock_counting(work, report_id)
    before = found(await report_part_queries.lock_letter(work, report_id, letter_id))
    check_version(before, expected)
    await report_part_queries.delete_letter(work, letter_id)
    await service.cover(work, stored.vendor_id)
    await audit.record(work, Action.BRIDGE_LETTER_REMOVED, Target("bridge_letter", letter_id), before=before)


async def _insert_exception(work: Work, stored: Soc2Report, new: NewSoc2Exception, at: str) -> Soc2Exception:
    criterion = rules.checked_criterion(new.criterion, f"{at}/criterion")
    added = await queries.insert_exception(work, stored.id, msgspec.structs.replace(new, criterion=criterion))
    await findings.open_for(
        work,
        "soc2_exception",
        added.id,
        vendor_id=stored.vendor_id,
        **_finding_words(added),
    )
    return added


def _finding_words(exception: Soc2Exception) -> dict[str, Any]:
    """Return the text of an exception's finding."""
    return {
        "severity": exception.severity,
        "title": f"SOC 2 exception at {exception.criterion}",
        "description": f"{exception.control}\n\n{exception.deviation}",
    }


async def _insert_letter(work: Work, stored: Soc2Report, new: NewBridgeLetter, at: str) -> BridgeLetter:
    await check_letter(work, stored, new, at)
    return await report_part_queries.insert_letter(work, stored.id, new)


async def check_letter(work: Work, stored: Soc2Report, new: NewBridgeLetter, at: str) -> None:
    """Refuse a letter that bridges nothing, has dates that cannot be, or lies in another vendor's document."""
    pointer = f"{at}/ends_on"
    if stored.report_type is not ReportType.TYPE_2 or stored.period_end_on is None:
        raise Refusal(Code.BRIDGE_LETTER_INVALID, "Only a Type 2 report's period can be bridged.", pointer=pointer)
    if new.ends_on <= stored.period_end_on:
        detail = f"The letter must reach past the period's end ({stored.period_end_on})."
        raise Refusal(Code.BRIDGE_LETTER_INVALID, detail, pointer=pointer)
    rules.check_letter(new, at, work.today)
    await _check_document(work, new.document_id, stored.vendor_id, f"{at}/document_id")


async def _sync_opinion_finding(work: Work, stored: Soc2Report) -> None:
    """Open or restate the finding of an opinion that is not clean. End it if the opinion was corrected."""
    severity = rules.OPINION_SEVERITY.get(stored.opinion)
    if severity is None:
        await findings.close_for(work, "soc2_opinion", stored.id, reason="The opinion is unqualified.")
        return
    what = {AuditorOpinion.QUALIFIED: "a qualified opinion", AuditorOpinion.ADVERSE: "an adverse opinion"}
    words: dict[str, Any] = {
        "severity": severity,
        "title": f"The SOC 2 report carries {what.get(stored.opinion, 'a disclaimer of opinion')}",
        "description": stored.opinion_reason or "Read the auditor's reasons in section I of the report.",
    }
    await findings.open_for(work, "soc2_opinion", stored.id, vendor_id=stored.vendor_id, **words)
    await findings.restate_for(work, "soc2_opinion", stored.id, **words)


async def _check_belonging(work: Work, wanted: Soc2Report) -> None:
    """Refuse services and a document of another vendor, and a document that was withdrawn."""
    await _check_document(work, wanted.document_id, wanted.vendor_id, "/document_id")
    if wanted.service_ids:
        own = {s.id for s in await queries.services_of_vendor(work, wanted.vendor_id)}
        if not own.issuperset(wanted.service_ids):
            detail = "Send ids of services of this vendor."
            raise Refusal(Code.REFERENCE_UNKNOWN, detail, pointer="/service_ids")


async def _check_document(work: Work, document_id: UUID | None, vendor_id: UUID, pointer: str) -> None:
    # Locked, so that it is not withdrawn meanwhile.
    document = None if document_id is None else await queries.lock_document(work, document_id)
    if document is not None and document.vendor_id != vendor_id:
        raise Refusal(Code.REFERENCE_UNKNOWN, "The document belongs to another vendor.", pointer=pointer)
    # An older revision may be recorded still: last year's report is no less a report for this year's file.
    if document is not None and document.withdrawn_at is not None:
        detail = "The document was withdrawn. Add it again, or send another."
        raise Refusal(Code.DOCUMENT_SUPERSEDED, detail, pointer=pointer)


def _check_provider(stored: Soc2Report, provider_id: UUID | None, at: str) -> None:
    if provider_id == stored.vendor_id:
        detail = "The report is this vendor's own. Name another company."
        raise Refusal(Code.FOURTH_PARTY_IS_THE_VENDOR, detail, pointer=f"{at}/provider_id")


def _normalised(wanted: Soc2Report) -> Soc2Report:
    """Put lists in order, each member once, and criteria as the standard writes them."""
    tested = [rules.checked_criterion(c, f"/criteria_tested/{i}") for i, c in enumerate(wanted.criteria_tested)]
    return msgspec.structs.replace(
        wanted,
        categories=sorted(set(wanted.categories)),
        criteria_tested=sorted(set(tested)),
        service_ids=sorted(set(wanted.service_ids)),
    )


def _checked_cuec(new: NewCuec, at: str) -> NewCuec:
    if new.state is CuecState.IN_PLACE and (new.owner_id is None or new.proof is None):
        detail = "Name the control's owner and its proof."
        raise Refusal(Code.CUEC_WITHOUT_PROOF, detail, pointer=f"{at}/state")
    if new.criterion is None:
        return new
    return msgspec.structs.replace(new, criterion=rules.checked_criterion(new.criterion, f"{at}/criterion"))


async def lock_counting(work: Work, report_id: UUID, expected: int | None = None) -> Soc2Report:
    """Lock a report and return it. Refuse one that was withdrawn."""
    stored = found(await queries.lock_report(work, report_id))
    if expected is not None:
        check_version(stored, expected)
    if stored.withdrawn_at is not None:
        raise Refusal(Code.REPORT_WITHDRAWN, "It no longer counts. Record the report again if that was a mistake.")
    return stored


async def _audit_change(work: Work, action: Action, kind: str, before: Any, after: Any) -> None:
    await audit.record(work, action, Target(kind, after.id), before=before, after=after)
