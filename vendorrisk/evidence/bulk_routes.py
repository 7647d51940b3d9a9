"""The operations on documents, SOC 2 reports and proposals, for many at once. Files are sent one by one."""

from uuid import UUID

from litestar import Router

from vendorrisk.access.permissions import Permission
from vendorrisk.access.records import Version
from vendorrisk.access.work import Work
from vendorrisk.bulk import bulk, part
from vendorrisk.evidence import documents, proposal_service, reports
from vendorrisk.evidence.document_model import Document, NewDocument
from vendorrisk.evidence.proposal_model import NewProposalDecision, Proposal
from vendorrisk.evidence.report_model import NewSoc2Report, Soc2ReportDetail

_ID = "018f2f6e-8d2a-7c31-9d50-6b0d2f3c1a10"


class DecidedProposal(NewProposalDecision, kw_only=True):
    """The decision on one proposal, and the version it is meant for."""

    document_id: UUID
    """The document whose file it was read in."""
    id: UUID
    """The proposal."""
    version: Version


@bulk(
    "/documents/bulk-additions",
    Permission.EVIDENCE_WRITE,
    example=[{"vendor_id": _ID, "kind": "policy", "title": "Access policy"}],
)
async def add_documents(work: Work, item: NewDocument) -> Document:
    """File up to 200 documents. Each is filed or rejected alone. Their files are sent one by one, with PUT."""
    return await documents.add(work, item)


@bulk(
    "/proposals/bulk-decisions",
    Permission.EVIDENCE_CONFIRM,
    example=[{"document_id": _ID, "id": _ID, "version": 1, "decision": "confirmed"}],
)
async def decide_proposals(work: Work, item: DecidedProposal) -> Proposal:
    """Confirm or reject up to 200 proposals. Each is decided alone."""
    return await proposal_service.decide(work, item.document_id, item.id, part(item, NewProposalDecision), item.version)


@bulk(
    "/soc2-reports/bulk-records",
    Permission.EVIDENCE_WRITE,
    example=[
        {
            "vendor_id": _ID,
            "report_type": "type_1",
            "as_of_on": "2025-12-31",
            "opinion": "unqualified",
            "categories": ["security"],
        }
    ],
)
async def record_soc2_reports(work: Work, item: NewSoc2Report) -> Soc2ReportDetail:
    """Record up to 200 SOC 2 reports. Each is recorded or rejected alone."""
    return await reports.record(work, item)


router = Router("/", route_handlers=[add_documents, decide_proposals, record_soc2_reports], tags=["Evidence"])
