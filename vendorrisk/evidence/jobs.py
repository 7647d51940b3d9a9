"""Background work on evidence: files are read for proposals, and coverage ages."""

from datetime import timedelta

import structlog

from vendorrisk.access.model import Tenant, system
from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.background import Job, JobContext
from vendorrisk.evidence import documents, proposal_queries, proposal_service, queries, service
from vendorrisk.evidence.extract_fields import Extraction, read_report
from vendorrisk.identity import service as identity
from vendorrisk.storage.port import DamagedError, MissingError, UnreachableError
from vendorrisk.texts.pdf import Problem

_SLICE = 100
_UPLOADS_HAVE_ENDED = timedelta(days=1)  # far longer than the longest upload, and than clocks differ
_log = structlog.get_logger("evidence")


async def read_evidence(context: JobContext) -> int:
    """Read one waiting file in the sandbox, with no transaction open meanwhile, and store its proposals."""
    now = context.clock()
    async with context.database.system() as connection:
        claimed = await proposal_queries.claim_extraction(connection, now, now + proposal_service.LEASE)
        if claimed is None:
            return 0
        token, file = claimed
        tenant = await identity.acting_tenant(connection, file.tenant_id)
    read = await _read(context, file)
    if read.problem is Problem.BUSY:
        return 0  # the file keeps waiting, and a worker tries again after the lease
    by = system(tenant, documents.READ_EVIDENCE, Permission.EVIDENCE_WRITE)
    async with context.database.tenant(tenant.id) as connection:
        work = Work(db=connection, by=by, now=context.clock(), request_id=str(token))
        problem = None if read.problem is None else read.problem.value
        await proposal_service.save_extraction(work, file.id, token, read.proposals, problem)
    return 1


async def _read(context: JobContext, file: proposal_queries.FileToRead) -> Extraction:
    try:
        content = await context.file_store.read(file.tenant_id, file.file_sha256)
    except UnreachableError as error:
        _log.warning("file_store_unreachable", document=str(file.id), error=str(error))
        return Extraction([], [], Problem.BUSY)
    except (DamagedError, MissingError) as error:
        _log.error("file_unreadable", document=str(file.id), error=str(error))
        return Extraction([], [], Problem.BROKEN)
    return await read_report(context.sandbox, content, on_behalf_of=file.tenant_id)


async def age_coverage(context: JobContext) -> int:
    """Recalculate coverage that changes only because time passes, on the day of its next change."""
    now = context.clock()
    async with context.database.system() as connection:
        due = await queries.tenants_with_changes(connection, now)
    done = 0
    for each in due:
        by = system(Tenant(each.id, each.time_zone), "age_coverage", Permission.EVIDENCE_WRITE)
        async with context.database.tenant(each.id) as connection:
            work = Work(db=connection, by=by, now=now, request_id="age_coverage")
            vendors = await queries.vendors_with_changes(work, _SLICE)
            for vendor_id in vendors:
                await service.cover(work, vendor_id)
        done += len(vendors)
    return done


async def age_documents(context: JobContext) -> int:
    """Recalculate documents that time or a vendor's offboarding changes: their assurance and their deadlines."""
    now = context.clock()
    async with context.database.system() as connection:
        due = await queries.tenants_with_documents_to_recheck(connection, now)
    done = 0
    for each in due:
        by = system(Tenant(each.id, each.time_zone), "age_documents", Permission.EVIDENCE_WRITE)
        async with context.database.tenant(each.id) as connection:
            work = Work(db=connection, by=by, now=now, request_id="age_documents")
            done += await service.age_documents(work, _SLICE)
    return done


async def sweep_files(context: JobContext) -> int:
    """Remove remains of uploads that died from the store: bodies that no key names, and parts never finished."""
    before = context.clock() - _UPLOADS_HAVE_ENDED
    async with context.database.system() as connection:
        tenants = await identity.every_tenant(connection)
    removed = await context.file_store.tidy(before)
    for tenant in tenants:
        try:
            removed += await context.file_store.sweep(tenant.id, before)
        except (DamagedError, MissingError) as error:
            _log.error("file_unreadable", tenant=str(tenant.id), error=str(error))
    return removed


JOBS = (
    Job(documents.READ_EVIDENCE, read_evidence, 60, alone=False),
    Job("age_coverage", age_coverage, 600),
    Job("age_documents", age_documents, 600),
    Job("sweep_files", sweep_files, 86400, timeout_seconds=3600, at_start=True),
)
