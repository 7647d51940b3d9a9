"""Documents and their files, proposals, coverage, and the policy. SOC 2 reports have routes of their own."""

import base64
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any
from urllib.parse import unquote
from uuid import UUID

from litestar import Request, Response, Router
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from vendorrisk.access.permissions import Permission
from vendorrisk.db.paging import Page
from vendorrisk.errors import Code
from vendorrisk.evidence import documents, proposal_queries, proposal_service, queries, service
from vendorrisk.evidence.coverage_model import EvidencePolicyDetail, StoredCoverage, VendorCoverage
from vendorrisk.evidence.document_model import Document, DocumentChanges, NewDocument, Withdrawal
from vendorrisk.evidence.policy import EvidencePolicy
from vendorrisk.evidence.proposal_model import NewProposalDecision, Proposal
from vendorrisk.evidence.report_model import BridgeLetter, Soc2ReportDetail
from vendorrisk.http.dependencies import ExpectedVersion, InTransactions, InWork, ListPage, OwnReference, TheService
from vendorrisk.http.file_bodies import sent_file
from vendorrisk.http.routing import acts, changes, creates, lists, reads, replaces, upserted, upserts
from vendorrisk.storage.media_types import MediaType
from vendorrisk.storage.names import content_disposition

_REFERENCES = [
    Code.REFERENCE_UNKNOWN,
    Code.DATES_INVALID,
    Code.DOCUMENT_SUPERSEDED,
    Code.DOCUMENT_REFERENCE_TAKEN,
]


@lists("/documents", Permission.EVIDENCE_READ, queries.DOCUMENTS)
async def list_documents(work: InWork, page: ListPage) -> Page[Document]:
    """List evidence. `filter=superseded_at:null:true` leaves the revisions that count."""
    return await documents.documents(work, page)


@creates(
    "/documents",
    Permission.EVIDENCE_WRITE,
    at="/v1/documents/{id}",
    refuses=_REFERENCES,
    example={
        "vendor_id": "018f2f6e-8d2a-7c31-9d50-6b0d2f3c1a10",
        "kind": "iso27001_certificate",
        "title": "ISO/IEC 27001:2022 certificate",
        "stated_until_on": "2027-06-30",
    },
)
async def add_document(work: InWork, data: JSONBody[NewDocument]) -> Document:
    """File a document, or the next revision of one. Its file is sent apart, with PUT."""
    return await documents.add(work, data)


@upserts(
    "/documents/by-reference",
    Permission.EVIDENCE_WRITE,
    refuses=[*_REFERENCES, Code.REFERENCE_DIFFERS],
    example={
        "vendor_id": "018f2f6e-8d2a-7c31-9d50-6b0d2f3c1a10",
        "kind": "policy",
        "title": "Access policy",
        "metadata": {"source": "wiki"},
    },
)
async def add_or_change_document(
    work: InWork, reference: OwnReference, data: JSONBody[NewDocument]
) -> Response[Document]:
    """File a document under your own reference, or change the one that has it. No version is needed.

    Send the whole document: a field that is left out takes its default. With `supersedes_id` it is the next revision,
    which takes the reference over. If nothing differs, nothing is written.
    """
    return upserted(*await documents.add_or_change(work, reference, data))


@reads("/documents/{document_id:uuid}", Permission.EVIDENCE_READ)
async def get_document(work: InWork, document_id: FromPath[UUID]) -> Document:
    """Return a document, without its file."""
    return await documents.document(work, document_id)


@changes(
    "/documents/{document_id:uuid}",
    Permission.EVIDENCE_WRITE,
    refuses=_REFERENCES,
    example={"stated_until_on": "2027-07-31"},
)
async def change_document(
    work: InWork, expected: ExpectedVersion, document_id: FromPath[UUID], data: JSONBody[DocumentChanges]
) -> Document:
    """Change a document. Its end is recalculated by the rule of its kind."""
    return await documents.change(work, document_id, data, expected)


@acts(
    "/documents/{document_id:uuid}/withdrawal",
    Permission.EVIDENCE_WRITE,
    refuses=[Code.DOCUMENT_SUPERSEDED, Code.IN_USE],
    example={"reason": "The certificate was suspended."},
)
async def withdraw_document(
    work: InWork, expected: ExpectedVersion, document_id: FromPath[UUID], data: JSONBody[Withdrawal]
) -> Document:
    """Let a document count no more. It and its file stay on record."""
    return await documents.withdraw(work, document_id, data, expected)


@replaces(
    "/documents/{document_id:uuid}/file",
    Permission.EVIDENCE_WRITE,
    raw="file",
    file_example="Backups are encrypted and restored every quarter.\n",
    refuses=[
        Code.DOCUMENT_SUPERSEDED,
        Code.BODY_TOO_LARGE,
        Code.FILE_TYPE_REFUSED,
        Code.FILE_EMPTY,
        Code.FILE_PART_INVALID,
        Code.STORE_UNAVAILABLE,
    ],
)
async def store_document_file(
    transactions: InTransactions,
    expected: ExpectedVersion,
    service: TheService,
    request: Request[Any, Any, Any],
    document_id: FromPath[UUID],
    file_name: Annotated[str | None, QueryParameter(max_length=1000, required=False)] = None,
) -> Document:
    """Send the file of a document: PDF, DOCX, XLSX, PNG, JPEG, CSV or text, recognised by its content.

    It is the body itself, or the one part of a form (`curl -X PUT -F file=@report.pdf`), and keeps the part's name
    unless `file_name` gives another.
    """
    await documents.check_takes_file(transactions, document_id, expected)
    async with sent_file(request, most=service.settings.upload_max_bytes) as sent:
        return await documents.store_file(
            transactions,
            service.file_store,
            document_id,
            sent.chunks,
            unquote(file_name or "") or sent.name or "document",
            service.settings.upload_max_bytes,
            expected,
        )


@reads(
    "/documents/{document_id:uuid}/file",
    Permission.EVIDENCE_READ,
    streams=tuple(kind.text for kind in MediaType),
    tagged=True,
    refuses=[Code.DOCUMENT_WITHOUT_FILE, Code.FILE_DAMAGED, Code.STORE_UNAVAILABLE, Code.SEALING_KEY_UNKNOWN],
)
async def get_document_file(transactions: InTransactions, service: TheService, document_id: FromPath[UUID]) -> Stream:
    """Download the file, as an attachment, whatever it is."""
    document, chunks = await documents.open_file(transactions, service.file_store, document_id)
    return _attachment(document, chunks)


@lists("/documents/{document_id:uuid}/proposals", Permission.EVIDENCE_READ, proposal_queries.PROPOSALS)
async def list_proposals(work: InWork, page: ListPage, document_id: FromPath[UUID]) -> Page[Proposal]:
    """List the values that our rules read in the file, with page and quotation. Nothing is decided here."""
    return await proposal_service.proposals(work, document_id, page)


@acts(
    "/documents/{document_id:uuid}/proposals/{proposal_id:uuid}/decision",
    Permission.EVIDENCE_CONFIRM,
    refuses=[Code.PROPOSAL_DECIDED],
    example={"decision": "confirmed"},
)
async def decide_proposal(
    work: InWork,
    expected: ExpectedVersion,
    document_id: FromPath[UUID],
    proposal_id: FromPath[UUID],
    data: JSONBody[NewProposalDecision],
) -> Proposal:
    """Confirm or reject one proposal."""
    return await proposal_service.decide(work, document_id, proposal_id, data, expected)


@creates(
    "/documents/{document_id:uuid}/soc2-reports",
    Permission.EVIDENCE_CONFIRM,
    at="/v1/soc2-reports/{id}",
    refuses=[
        Code.PROPOSALS_INCOMPLETE,
        Code.DATES_INVALID,
        Code.SECURITY_CATEGORY_MISSING,
        Code.SOC2_REPORT_KNOWN,
        Code.REFERENCE_UNKNOWN,
        Code.DOCUMENT_SUPERSEDED,
    ],
)
async def record_proposed_report(work: InWork, document_id: FromPath[UUID]) -> Soc2ReportDetail:
    """Record the SOC 2 report that the confirmed proposals make."""
    return await proposal_service.record_report(work, document_id)


@creates(
    "/documents/{document_id:uuid}/bridge-letters",
    Permission.EVIDENCE_CONFIRM,
    refuses=[
        Code.PROPOSALS_INCOMPLETE,
        Code.BRIDGE_LETTER_INVALID,
        Code.BRIDGE_LETTER_KNOWN,
        Code.DATES_INVALID,
        Code.DOCUMENT_SUPERSEDED,
    ],
)
async def record_proposed_letter(work: InWork, document_id: FromPath[UUID]) -> BridgeLetter:
    """Record the bridge letter that the confirmed proposals make, to the report with the period it names."""
    return await proposal_service.record_letter(work, document_id)


@lists("/soc2-coverage", Permission.EVIDENCE_READ, queries.COVERAGE)
async def list_coverage(work: InWork, page: ListPage) -> Page[StoredCoverage]:
    """List the coverage of every service, soonest to end first."""
    return await service.coverages(work, page)


@reads("/vendors/{vendor_id:uuid}/coverage", Permission.EVIDENCE_READ)
async def get_vendor_coverage(
    work: InWork, vendor_id: FromPath[UUID], at: Annotated[date | None, QueryParameter(required=False)] = None
) -> VendorCoverage:
    """Compute SOC 2 coverage per service at a day: the timeline, with the reason for each date."""
    return await service.vendor_coverage(work, vendor_id, at)


@reads("/evidence-policy", Permission.EVIDENCE_READ)
async def get_evidence_policy(work: InWork) -> EvidencePolicyDetail:
    """Return how long each kind of evidence is relied on. Version 0 is the default."""
    return await service.policy(work)


@replaces(
    "/evidence-policy",
    Permission.TENANT_MANAGE,
    example={"type1_months": 6, "type2_months": 12, "bridge_months": 3},
)
async def set_evidence_policy(
    work: InWork, expected: ExpectedVersion, data: JSONBody[EvidencePolicy]
) -> EvidencePolicyDetail:
    """Replace the policy. All dates that depend on it are recalculated."""
    return await service.set_policy(work, data, expected)


def _attachment(document: Document, chunks: AsyncIterator[bytes]) -> Stream:
    return Stream(
        chunks,
        media_type=document.media_type or "application/octet-stream",
        headers={
            "content-disposition": content_disposition(document.file_name or "document"),
            "content-security-policy": "sandbox; default-src 'none'",
            "etag": f'"{document.version}"',
            "repr-digest": f"sha-256=:{_base64(document.file_sha256 or '')}:",  # RFC 9530
        },
    )


def _base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()


router = Router(
    "/",
    route_handlers=[
        list_documents,
        add_document,
        add_or_change_document,
        get_document,
        change_document,
        withdraw_document,
        store_document_file,
        get_document_file,
        list_proposals,
        decide_proposal,
        record_proposed_report,
        record_proposed_letter,
        list_coverage,
        get_vendor_coverage,
        get_evidence_policy,
        set_evidence_policy,
    ],
    tags=["Evidence"],
)
