"""Operations on documents and their files."""

from collections.abc import AsyncIterator
from uuid import UUID

import msgspec

from vendorrisk.access.records import check_version, found, patched
from vendorrisk.access.upsert import as_changes, create_or_change, with_reference
from vendorrisk.access.work import Transactions, Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.evidence import proposal_queries, queries, rules, service
from vendorrisk.evidence.document_model import (
    Assurance,
    Document,
    DocumentChanges,
    DocumentKind,
    NewDocument,
    TextExtraction,
    Withdrawal,
)
from vendorrisk.ids import new_id
from vendorrisk.storage.media_types import MediaType
from vendorrisk.storage.names import safe_name
from vendorrisk.storage.port import FullError, LockedError, StorageError, UnreachableError
from vendorrisk.storage.vault import EncryptedFileStore, StoredFile

READ_EVIDENCE = "read_evidence"
_READABLE = frozenset({DocumentKind.SOC2_TYPE1, DocumentKind.SOC2_TYPE2, DocumentKind.BRIDGE_LETTER})


async def documents(work: Work, page: PageRequest) -> Page[Document]:
    return await work.page(queries.LIST_DOCUMENTS, page)


async def document(work: Work, document_id: UUID) -> Document:
    return found(await queries.find_document(work, document_id))


async def add(work: Work, new: NewDocument) -> Document:
    """Add a document. With `supersedes_id` it is the next revision of one that then no longer counts."""
    before = None if new.supersedes_id is None else await _superseded(work, new)
    wanted = Document(
        id=new_id(),
        vendor_name="",
        expires_on=None,
        assurance=Assurance.NONE,
        revision=1 if before is None else before.revision + 1,
        superseded_at=None,
        withdrawn_at=None,
        file_sha256=None,
        file_bytes=None,
        file_name=None,
        media_type=None,
        extraction=TextExtraction.NONE,
        extraction_detail=None,
        created_at=work.now,
        updated_at=work.now,
        version=1,
        **msgspec.structs.asdict(new),
    )
    rules.check_document(wanted, work.today)
    await _check_service(work, wanted)
    in_force = await service.policy(work)
    added = await queries.insert_document(work, service.evaluate_document(wanted, in_force, work.today))
    await service.follow(work, added, in_force)
    await audit.record(work, Action.DOCUMENT_ADDED, Target("document", added.id), after=added)
    return added


async def change(work: Work, document_id: UUID, changes: DocumentChanges, expected: int) -> Document:
    before = await _counting(work, document_id, expected)
    wanted = patched(before, changes)
    rules.check_document(wanted, work.today)
    await _check_service(work, wanted)
    if wanted == before:
        return before
    in_force = await service.policy(work)
    after = await queries.update_document(work, service.evaluate_document(wanted, in_force, work.today))
    await service.follow(work, after, in_force)
    await audit.record(work, Action.DOCUMENT_CHANGED, Target("document", after.id), before=before, after=after)
    return after


async def add_or_change(work: Work, reference: str, new: NewDocument) -> tuple[Document, bool]:
    """File a document under the caller's own number, or make the one that has it what the body says.

    With `supersedes_id` it is the next revision, which takes the number over.
    """
    with_reference(new, reference)

    async def change_known() -> Document | None:
        known = await queries.lock_document_of_reference(work, reference)
        if known is None or new.supersedes_id not in {None, known.supersedes_id}:
            return None
        if (known.vendor_id, known.kind) != (new.vendor_id, new.kind):
            detail = "A document of another vendor or kind has this reference."
            raise Refusal(Code.DOCUMENT_REFERENCE_TAKEN, detail, pointer="/kind")
        return await change(work, known.id, as_changes(new, DocumentChanges, kept=()), known.version)

    return await create_or_change(work, change_known, lambda: add(work, new))


async def withdraw(work: Work, document_id: UUID, withdrawal: Withdrawal, expected: int) -> Document:
    """Let a document count no more: it was filed wrongly, or taken back. It and its file stay on record.

    Refused while a report that counts rests on it.
    """
    before = await _counting(work, document_id, expected)
    if await queries.reports_resting_on(work, document_id):
        raise Refusal(Code.IN_USE, "A SOC 2 report was recorded from it. Withdraw the report first.")
    after = await queries.update_document(work, msgspec.structs.replace(before, withdrawn_at=work.now))
    await service.follow(work, after, await service.policy(work))
    await audit.record(
        work,
        Action.DOCUMENT_WITHDRAWN,
        Target("document", after.id),
        before=before,
        after={"document": after, "reason": withdrawal.reason},
    )
    return after


async def check_takes_file(transactions: Transactions, document_id: UUID, expected: int) -> None:
    """Refuse a file that could not be stored, before the first byte of it is received."""
    async with transactions.look() as work:
        _check_counting(await document(work, document_id), expected)


async def store_file(
    transactions: Transactions,
    file_store: EncryptedFileStore,
    document_id: UUID,
    chunks: AsyncIterator[bytes],
    name: str,
    most: int,
    expected: int,
) -> Document:
    """Store the file of a document, sealed. A SOC 2 report or bridge letter as PDF then waits for text extraction.

    A different file removes the proposals of the file before, with their decisions, which the audit log keeps. The same
    file again keeps both.

    The bytes are durable before the row names them. Where the transaction then fails, they are left without a row, and
    sending the file again finds them.
    """
    try:
        stored = await file_store.put(transactions.tenant_id, chunks, file_name=name, max_bytes=most)
    except UnreachableError as error:
        raise _unavailable(error) from error
    work = await transactions.begin()
    before = await _counting(work, document_id, expected)
    name, extraction = safe_name(name, stored.media_type), _extraction_of(before, stored)
    if (before.file_sha256, before.file_name, before.extraction) == (stored.sha256, name, extraction):
        return before
    if before.file_sha256 not in {None, stored.sha256}:
        await proposal_queries.forget_proposals(work, document_id)
    facts = (stored.sha256, stored.size, name, stored.media_type.text, extraction)
    after = await proposal_queries.attach_file(work, document_id, *facts)
    if extraction is TextExtraction.WAITING:
        work.nudge(READ_EVIDENCE)
    await audit.record(work, Action.DOCUMENT_FILE_STORED, Target("document", after.id), before=before, after=after)
    return after


async def open_file(
    transactions: Transactions, file_store: EncryptedFileStore, document_id: UUID
) -> tuple[Document, AsyncIterator[bytes]]:
    """Return a document and the plain bytes of its file, checked as they pass."""
    async with transactions.look() as work:
        wanted = await document(work, document_id)
    if wanted.file_sha256 is None:
        raise Refusal(Code.DOCUMENT_WITHOUT_FILE, "Send its file first, with PUT to this address.")
    try:
        return wanted, await file_store.open(transactions.tenant_id, wanted.file_sha256)
    except LockedError as error:
        detail = f"The file is sealed with key {error.key_id}, which this process does not hold. Tell the operator."
        raise Refusal(Code.SEALING_KEY_UNKNOWN, detail, retry_after_seconds=30) from error
    except UnreachableError as error:
        raise _unavailable(error) from error
    except StorageError as error:
        raise Refusal(Code.FILE_DAMAGED, "Tell the operator the request id.") from error


def _unavailable(error: UnreachableError) -> Refusal:
    if isinstance(error, FullError):
        detail = "Nothing was changed. Tell the operator that the file store is full, and try again later."
        return Refusal(Code.DISK_FULL, detail, retry_after_seconds=60)
    return Refusal(Code.STORE_UNAVAILABLE, "The file store does not answer. Try again.", retry_after_seconds=10)


def _extraction_of(before: Document, stored: StoredFile) -> TextExtraction:
    """Return True if a file waits for text extraction. The same file is not read twice."""
    if before.kind not in _READABLE or stored.media_type is not MediaType.PDF:
        return TextExtraction.NONE
    is_known = before.file_sha256 == stored.sha256 and before.extraction is TextExtraction.READ
    return TextExtraction.READ if is_known else TextExtraction.WAITING


async def _superseded(work: Work, new: NewDocument) -> Document:
    """Take the older revision out of count, for a document of the same vendor and kind."""
    older = await queries.lock_document(work, new.supersedes_id) if new.supersedes_id else None
    if older is None or (older.vendor_id, older.kind) != (new.vendor_id, new.kind):
        detail = "Send the id of a document of the same vendor and kind."
        raise Refusal(Code.REFERENCE_UNKNOWN, detail, pointer="/supersedes_id")
    check_counting(older)
    ended = await queries.update_document(work, msgspec.structs.replace(older, superseded_at=work.now))
    await service.follow(work, ended, await service.policy(work))
    return older


async def _check_service(work: Work, wanted: Document) -> None:
    """Refuse a service of another vendor."""
    if wanted.service_id is None:
        return
    own = {service.id for service in await queries.services_of_vendor(work, wanted.vendor_id)}
    if wanted.service_id not in own:
        raise Refusal(Code.REFERENCE_UNKNOWN, "Send the id of a service of this vendor.", pointer="/service_id")


async def _counting(work: Work, document_id: UUID, expected: int) -> Document:
    before = found(await queries.lock_document(work, document_id))
    _check_counting(before, expected)
    return before


def _check_counting(before: Document, expected: int) -> None:
    check_version(before, expected)
    check_counting(before)


def check_counting(document: Document) -> None:
    """Refuse operations on a document that was superseded or withdrawn."""
    if document.superseded_at is not None or document.withdrawn_at is not None:
        raise Refusal(Code.DOCUMENT_SUPERSEDED, "It was superseded or withdrawn. Work on the revision that counts.")
