"""Background work on evidence: files are read for proposals, and coverage ages."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import structlog

from vendorrisk.access.model import Tenant, system
from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.background import Job, JobContext
from vendorrisk.db.connection import Connection
from vendorrisk.evidence import documents, proposal_queries, proposal_service, queries, service
from vendorrisk.evidence.extract_fields import Extraction, read_report
from vendorrisk.evidence.proposal_queries import FileToRead
from vendorrisk.identity import service as identity
from vendorrisk.queues import queries as queues
from vendorrisk.queues import rows
from vendorrisk.queues.turns import Queue, in_turn, is_outage
from vendorrisk.storage.port import DamagedError, LockedError, MissingError, UnreachableError
from vendorrisk.texts.pdf import Problem

FILES = Queue(documents.READ_EVIDENCE, queues.NOTE_EXTRACTIONS)
COVERAGE = Queue("age_coverage", queues.NOTE_COVERAGE)
DOCUMENTS = Queue("age_documents", queues.NOTE_DOCUMENTS)

_SLICE = 100
_TRIES = 3
"""Tries of a file. It fails by itself at once, so these are the deaths of workers and busy databases."""
_AT_ONCE = 2
"""Files of one tenant that are read at once: fewer than a worker reads, so that others find a place."""
_UPLOADS_HAVE_ENDED = timedelta(days=1)  # far longer than the longest upload, and than clocks differ
_log = structlog.get_logger("evidence")


async def read_evidence(context: JobContext) -> int:
    """Read one waiting file in the sandbox, with no transaction open meanwhile, and store its proposals."""

    async def visit(tenant: Tenant) -> int:
        now = context.clock()
        async with context.database.tenant(tenant.id) as connection:
            claimed = await proposal_queries.claim_extraction(
                connection, tenant.id, now, now + proposal_service.LEASE, _AT_ONCE
            )
        if claimed is None:
            return 0
        token, file = claimed
        await _Reading(context, tenant, file, token).end()
        return 1

    return await in_turn(context, FILES, visit, context.clock(), most=1)


class _Reading:
    """One worker's hold on one file."""

    def __init__(self, context: JobContext, tenant: Tenant, file: FileToRead, token: UUID) -> None:
        self._context, self._tenant, self._file, self._token = context, tenant, file, token

    async def end(self) -> None:
        """Read the file, and end whatever happens: no file is tried for ever."""
        if self._file.tries > _TRIES:
            rows.note_given_up(FILES.name, self._file.id, "its workers died")
            await self._save(Extraction([], [], Problem.FAILED))
            return
        try:
            read = await self._read()
            if read.problem is Problem.BUSY:
                await self._wait(is_counted=False)
            else:
                await self._save(read)
        except Exception as error:  # noqa: BLE001 - whatever a file does to us, it is not tried for ever
            if rows.is_passing(error) or is_outage(error):
                await self._wait(is_counted=rows.is_passing(error))
                return
            _log.exception("extraction_failed", document=str(self._file.id))
            rows.note_given_up(FILES.name, self._file.id, rows.reason_of(error))
            await self._save(Extraction([], [], Problem.FAILED))

    async def _read(self) -> Extraction:
        try:
            content = await self._context.file_store.read(self._tenant.id, self._file.file_sha256)
        except (UnreachableError, LockedError) as error:
            # A worker that holds the key, or finds the store again, reads it later.
            _log.warning("file_store_unreachable", document=str(self._file.id), error=str(error))
            return Extraction([], [], Problem.BUSY)
        except (DamagedError, MissingError) as error:
            _log.error("file_unreadable", document=str(self._file.id), error=str(error))
            return Extraction([], [], Problem.BROKEN)
        return await read_report(self._context.sandbox, content, on_behalf_of=self._tenant.id)

    async def _save(self, read: Extraction) -> None:
        async with self._context.database.tenant(self._tenant.id) as connection:
            problem = None if read.problem is None else read.problem.value
            work = self._work(connection)
            await proposal_service.save_extraction(work, self._file.id, self._token, read.proposals, problem)

    async def _wait(self, *, is_counted: bool) -> None:
        """Let the file wait behind the others: the same again may succeed."""
        until = self._context.clock() + rows.wait(self._file.tries)
        async with self._context.database.tenant(self._tenant.id) as connection:
            work = self._work(connection)
            await proposal_queries.let_wait(work, self._file.id, self._token, until, is_counted=is_counted)

    def _work(self, connection: Connection) -> Work:
        by = system(self._tenant, documents.READ_EVIDENCE, Permission.EVIDENCE_WRITE)
        return Work(db=connection, by=by, now=self._context.clock(), request_id=str(self._token))


async def age_coverage(context: JobContext) -> int:
    """Recalculate coverage that changes only because time passes, on the day of its next change."""
    return await _one_by_one(context, COVERAGE, queries.vendors_with_changes, service.cover)


async def age_documents(context: JobContext) -> int:
    """Recalculate documents that time or a vendor's offboarding changes: their assurance and their deadlines."""
    return await _one_by_one(context, DOCUMENTS, queries.documents_to_recheck, service.age_document)


async def _one_by_one(
    context: JobContext,
    queue: Queue,
    find: Callable[[Work, int], Awaitable[list[UUID]]],
    handle: Callable[[Work, UUID], Awaitable[None]],
) -> int:
    now = context.clock()

    def work(tenant: Tenant, connection: Connection) -> Work:
        by = system(tenant, queue.name, Permission.EVIDENCE_WRITE)
        return Work(db=connection, by=by, now=now, request_id=queue.name)

    async def visit(tenant: Tenant) -> int:
        async with context.database.tenant(tenant.id) as connection:
            found = await find(work(tenant, connection), _SLICE)
        return await rows.one_by_one(
            context, queue.name, tenant.id, found, lambda connection, one: handle(work(tenant, connection), one)
        )

    return await in_turn(context, queue, visit, now)


async def sweep_files(context: JobContext) -> int:
    """Remove remains of uploads that died from the store: bodies that no key names, and parts never finished."""
    before = context.clock() - _UPLOADS_HAVE_ENDED
    async with context.database.system() as connection:
        tenants = await identity.every_tenant(connection)
    removed = await context.file_store.tidy(before)
    for tenant in tenants:
        try:
            removed += await context.file_store.sweep(tenant.id, before)
        except UnreachableError:
            raise
        except Exception as error:  # noqa: BLE001 - the files of one tenant must not keep those of the others
            _log.error("file_unreadable", tenant=str(tenant.id), error=str(error))
    return removed


JOBS = (
    Job(documents.READ_EVIDENCE, read_evidence, 60, at_once=3),
    Job("age_coverage", age_coverage, 600),
    Job("age_documents", age_documents, 600),
    Job("sweep_files", sweep_files, 86400, timeout_seconds=3600, at_start=True),
)
"""Background work on evidence, for the schedule."""
