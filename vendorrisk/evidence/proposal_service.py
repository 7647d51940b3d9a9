"""Proposals from a file, stored for a person to confirm, and the records that confirmed proposals become."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.access.records import check_version, found
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.evidence import criteria, documents, proposal_queries, queries, reports
from vendorrisk.evidence.coverage import AuditorOpinion, ReportType
from vendorrisk.evidence.document_model import Document, TextExtraction
from vendorrisk.evidence.proposal_model import NewProposalDecision, Proposal, ProposalDecision
from vendorrisk.evidence.proposal_queries import ProposalToKeep
from vendorrisk.evidence.report_model import (
    BridgeLetter,
    NewBridgeLetter,
    NewCuec,
    NewSoc2Exception,
    NewSoc2Report,
    NewSubserviceOrganisation,
    Soc2ReportDetail,
    SubserviceMethod,
)
from vendorrisk.evidence.report_text import Field
from vendorrisk.evidence.report_text import Proposal as Read
from vendorrisk.vendors.model import TrustCategory

LEASE = timedelta(minutes=5)


async def proposals(work: Work, document_id: UUID, page: PageRequest) -> Page[Proposal]:
    """Return the proposals from a document's file. Its `extraction` says whether its text was extracted at all."""
    found(await queries.find_document(work, document_id))
    return await work.page(proposal_queries.LIST_PROPOSALS, page, document_id)


async def decide(
    work: Work, document_id: UUID, proposal_id: UUID, decision: NewProposalDecision, expected: int
) -> Proposal:
    """Confirm or reject one proposal. A decision is final."""
    before = found(await proposal_queries.lock_proposal(work, document_id, proposal_id))
    check_version(before, expected)
    if before.decision is not ProposalDecision.OPEN:
        raise Refusal(Code.PROPOSAL_DECIDED, "A decision is final. Change the record instead.")
    after = await proposal_queries.decide_proposal(work, proposal_id, ProposalDecision(decision.decision))
    await audit.record(work, Action.PROPOSAL_DECIDED, Target("proposal", proposal_id), before=before, after=after)
    return after


async def save_extraction(work: Work, document: UUID, token: UUID, read: list[Read], problem: str | None) -> bool:
    """Save the proposals of an extraction. If its lease was lost, change nothing and return False."""
    extraction = TextExtraction.UNREADABLE if problem is not None and not read else TextExtraction.READ
    if not await proposal_queries.finish_extraction(work, document, token, extraction, problem):
        return False
    await proposal_queries.replace_open_proposals(work, document, [_to_keep(proposal) for proposal in read])
    after = {"extraction": extraction, "problem": problem, "proposals": len(read)}
    await audit.record(work, Action.DOCUMENT_READ, Target("document", document), after=after)
    return True


async def record_report(work: Work, document_id: UUID) -> Soc2ReportDetail:
    """Record the SOC 2 report that the confirmed proposals of a document make."""
    document = found(await queries.lock_document(work, document_id))
    documents.check_counting(document)
    confirmed = await proposal_queries.confirmed_proposals(work, document_id)
    return await reports.record(work, _report_of(document, confirmed))


async def record_letter(work: Work, document_id: UUID) -> BridgeLetter:
    """Record the bridge letter of a document's confirmed proposals, to the report with the period it names."""
    document = found(await queries.lock_document(work, document_id))
    documents.check_counting(document)
    single: dict[str, Any] = {}
    for proposal in await proposal_queries.confirmed_proposals(work, document_id):
        single.setdefault(proposal.field, proposal.value)
    ends_on, period_end = _day(single, Field.LETTER_END_ON), _day(single, Field.PERIOD_END_ON)
    if ends_on is None or period_end is None:
        detail = f"Confirm a proposal for each of: {Field.PERIOD_END_ON}, {Field.LETTER_END_ON}. Or record it by hand."
        raise Refusal(Code.PROPOSALS_INCOMPLETE, detail)
    stored = await queries.reports_of_vendor(work, document.vendor_id)
    named = [report.id for report in stored if report.period_end_on == period_end]
    if len(named) != 1:
        what = "Several reports have" if named else "No report of this vendor has"
        detail = f"{what} a period that ends on {period_end}. Record the report, and add the letter to it by hand."
        raise Refusal(Code.PROPOSALS_INCOMPLETE, detail)
    new = NewBridgeLetter(ends_on=ends_on, issued_on=_day(single, Field.REPORT_ON), document_id=document.id)
    return await reports.add_letter(work, named[0], new)


def _to_keep(read: Read) -> ProposalToKeep:
    value: Any = {"value": read.value, **read.more} if read.more else read.value
    return ProposalToKeep(read.field, value, read.page, read.quotation, read.confidence)


def _report_of(document: Document, confirmed: list[Proposal]) -> NewSoc2Report:
    """Put a report together from confirmed proposals. Refuse if a required one is missing."""
    single: dict[str, Any] = {}
    many: dict[str, list[Any]] = {}
    for proposal in confirmed:
        single.setdefault(proposal.field, proposal.value)
        many.setdefault(proposal.field, []).append(proposal.value)
    missing = [f.value for f in (Field.REPORT_TYPE, Field.OPINION) if f not in single]
    if missing:
        detail = f"Confirm a proposal for each of: {', '.join(missing)}. Or record the report by hand."
        raise Refusal(Code.PROPOSALS_INCOMPLETE, detail)
    categories = {TrustCategory(c) for c in many.get(Field.CATEGORY, [])} | {TrustCategory.SECURITY}
    return NewSoc2Report(
        vendor_id=document.vendor_id,
        document_id=document.id,
        service_ids=[document.service_id] if document.service_id else [],
        report_type=ReportType(single[Field.REPORT_TYPE]),
        opinion=AuditorOpinion(single[Field.OPINION]),
        categories=sorted(categories),
        as_of_on=_day(single, Field.AS_OF_ON),
        period_start_on=_day(single, Field.PERIOD_START_ON),
        period_end_on=_day(single, Field.PERIOD_END_ON),
        report_on=_day(single, Field.REPORT_ON),
        auditor=single.get(Field.AUDITOR),
        system_name=single.get(Field.SYSTEM),
        exceptions=[e for e in map(_exception, many.get(Field.EXCEPTION, [])) if e is not None],
        cuecs=[_cuec(value) for value in many.get(Field.CUEC, [])],
        subservice_organisations=[_subservice(value) for value in many.get(Field.SUBSERVICE, [])],
    )


def _day(single: dict[str, Any], field: Field) -> date | None:
    return None if field not in single else msgspec.convert(single[field], date)


def _parts(value: Any) -> dict[str, str]:
    return value if isinstance(value, dict) else {"value": str(value)}


def _exception(value: Any) -> NewSoc2Exception | None:
    parts = _parts(value)
    criterion = criteria.normalised(parts["value"])
    if criterion is None:
        return None
    return NewSoc2Exception(
        criterion=criterion,
        control=parts.get("control") or "See the report.",
        deviation=parts.get("deviation") or "See the report.",
        management_response=parts.get("response") or None,
    )


def _cuec(value: Any) -> NewCuec:
    parts = _parts(value)
    first = parts.get("criteria", "").split(",")[0].strip()
    return NewCuec(control=parts["value"], criterion=criteria.normalised(first))


def _subservice(value: Any) -> NewSubserviceOrganisation:
    parts = _parts(value)
    method = parts.get("method")
    return NewSubserviceOrganisation(
        name=parts["value"],
        method=SubserviceMethod(method) if method else SubserviceMethod.CARVE_OUT,
        purpose=parts.get("purpose") or None,
    )
