"""The statements of text extraction: files that wait for it, and the proposals that come of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.access.work import Work
from vendorrisk.db.connection import Connection
from vendorrisk.db.paging import RANGE, Column, ListOf
from vendorrisk.db.queries import QueryFile
from vendorrisk.evidence.document_model import Document, DocumentKind, TextExtraction
from vendorrisk.evidence.proposal_model import Proposal, ProposalDecision
from vendorrisk.ids import new_id


class FileToRead(msgspec.Struct, frozen=True):
    """A file that was claimed for text extraction."""

    id: UUID
    kind: DocumentKind
    file_sha256: str
    tries: int


class ProposalToKeep(msgspec.Struct, frozen=True):
    """A proposal of the rules before it is stored."""

    field: str
    value: Any
    page: int
    quotation: str
    confidence: float


_sql = QueryFile("evidence")
_ATTACH_FILE = _sql.rows("attach_file", Document)
_CLAIM_EXTRACTION = _sql.rows("claim_extraction", FileToRead)
_LET_WAIT = _sql.command("let_extraction_wait")
_FINISH_EXTRACTION = _sql.scalar("finish_extraction", bool)
_FORGET_OPEN = _sql.command("forget_open_proposals")
_FORGET = _sql.command("forget_proposals")
_INSERT_PROPOSALS = _sql.command("insert_proposals")
LIST_PROPOSALS = _sql.rows("list_proposals", Proposal)
_CONFIRMED = _sql.rows("confirmed_proposals", Proposal)
_LOCK_PROPOSAL = _sql.rows("lock_proposal", Proposal)
_DECIDE_PROPOSAL = _sql.rows("decide_proposal", Proposal)

PROPOSALS = ListOf(
    "proposals",
    {
        "id": Column("id", UUID, "uuid"),
        "field": Column("field", sortable=True),
        "decision": Column("decision", ProposalDecision),
        "confidence": Column("confidence", float, "real", RANGE),
        "page": Column("page", int, "integer", RANGE, sortable=True),
        "updated_at": Column("updated_at", datetime, "timestamptz", RANGE, sortable=True),
    },
    default_sort="field",
)


async def attach_file(
    work: Work, document_id: UUID, sha256: str, size: int, name: str, media_type: str, extraction: TextExtraction
) -> Document:
    """Give a document its file, which waits to be read where it is one that can be."""
    return await _ATTACH_FILE.one(
        work.db, work.tenant_id, document_id, sha256, size, name, media_type, extraction, work.now
    )


async def claim_extraction(
    connection: Connection, tenant_id: UUID, now: datetime, until: datetime, at_once: int
) -> tuple[UUID, FileToRead] | None:
    """Claim the next file of a tenant to read, if less than `at_once` are being read. Return it with the lease's token.

    Its try is counted with the claim.
    """
    token = new_id()
    claimed = await _CLAIM_EXTRACTION.one_or_none(connection, tenant_id, now, token, until, at_once)
    return None if claimed is None else (token, claimed)


async def let_wait(work: Work, document_id: UUID, token: UUID, until: datetime, *, is_counted: bool) -> None:
    """End the lease, and let the file wait until an instant. A try that is not counted is given back."""
    await _LET_WAIT.run(work.db, work.tenant_id, document_id, token, until, is_counted)


async def finish_extraction(
    work: Work, document_id: UUID, token: UUID, extraction: TextExtraction, detail: str | None
) -> bool:
    """Store the result of an extraction. If the lease was lost meanwhile, change nothing and return False."""
    done = await _FINISH_EXTRACTION.one_or_none(
        work.db, work.tenant_id, document_id, token, extraction, detail, work.now
    )
    return done is not None


async def replace_open_proposals(work: Work, document_id: UUID, found: Sequence[ProposalToKeep]) -> None:
    """Put fresh proposals in place of those nobody has decided."""
    await _FORGET_OPEN.run(work.db, work.tenant_id, document_id)
    await _INSERT_PROPOSALS.run(
        work.db,
        work.tenant_id,
        document_id,
        work.now,
        [new_id() for _ in found],
        [p.field for p in found],
        [p.value for p in found],
        [p.page for p in found],
        [p.quotation for p in found],
        [p.confidence for p in found],
    )


async def forget_proposals(work: Work, document_id: UUID) -> None:
    """Delete the proposals of a file that another one replaces."""
    await _FORGET.run(work.db, work.tenant_id, document_id)


async def confirmed_proposals(work: Work, document_id: UUID) -> list[Proposal]:
    return await _CONFIRMED.many(work.db, work.tenant_id, document_id)


async def lock_proposal(work: Work, document_id: UUID, proposal_id: UUID) -> Proposal | None:
    return await _LOCK_PROPOSAL.one_or_none(work.db, work.tenant_id, document_id, proposal_id)


async def decide_proposal(work: Work, proposal_id: UUID, decision: ProposalDecision) -> Proposal:
    actor = work.by.actor
    return await _DECIDE_PROPOSAL.one(work.db, work.tenant_id, proposal_id, decision, actor.id, actor.label, work.now)
