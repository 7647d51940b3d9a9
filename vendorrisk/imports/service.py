"""A file becomes records: received, checked row by row, and applied whole or not at all.

A small file is imported in the request. A large one waits in its row for the job, which stages it in chunks, each in
its own transaction, and applies it in one. A worker that dies leaves a lease that expires. The next worker begins from
the start, and nothing was applied.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import islice
from uuid import UUID

import msgspec

from vendorrisk.access.records import check_version, found
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.db.connection import Connection
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.http.spool import Spool
from vendorrisk.imports import queries
from vendorrisk.imports.columns import ImportCellProblem, MappingError, Matched, ReadRow, match_headings, read_rows
from vendorrisk.imports.kind import Kind, applied_actions
from vendorrisk.imports.model import (
    Import,
    ImportAcceptance,
    ImportRow,
    ImportRowOutcome,
    ImportState,
    NewImport,
    StoredRow,
    ToldRows,
)
from vendorrisk.imports.options import Options
from vendorrisk.sandbox.running import API_SANDBOX, Input
from vendorrisk.sheets.errors import UnreadableError
from vendorrisk.sheets.files import QUICK, NotNowError, TooDemandingError, format_of, table_of
from vendorrisk.sheets.reading import AnyTable

CHUNK = 5_000
SMALL_BYTES = 256 * 1024
SMALL_ROWS = 2_000
_SMALL_CHUNK = 250  # rows that a request stores at once: a few milliseconds of the event loop


class ImportFile(msgspec.Struct, frozen=True):
    """A file that has arrived. `table`, `matched` and `chunks` are those of a small file, which is read at once."""

    new: NewImport
    spool: Spool
    table: AnyTable | None = None
    matched: Matched | None = None
    chunks: Sequence[list[ReadRow]] = ()


@asynccontextmanager
async def looked_into(kind: Kind, spool: Spool, options: Options, *, on_behalf_of: UUID) -> AsyncIterator[ImportFile]:
    """Read a small file as a table, with no transaction open meanwhile. Refuses a file that is no table.

    Its rows are read in a thread, and stored in small chunks, so that other requests go on meanwhile.
    """
    table: AnyTable | None = None
    matched: Matched | None = None

    async def load() -> Input:
        return Input(spool.size, spool.pieces())

    async with AsyncExitStack() as stack:
        new = _new_import(spool, options)
        try:
            if spool.size <= SMALL_BYTES:
                reading = table_of(new.format, load, QUICK, API_SANDBOX, on_behalf_of=on_behalf_of)
                table = await stack.enter_async_context(reading)
                matched = match_headings(kind.layout, table.headings, dict(options.mapping))
        except (NotNowError, TooDemandingError):
            table = None
        except (UnreadableError, MappingError) as error:
            raise Refusal(Code.IMPORT_UNREADABLE, str(error)) from None
        if table is None or matched is None or table.row_count > SMALL_ROWS:
            yield ImportFile(new, spool)  # the job has more time and memory
            return
        rows = read_rows(kind.layout, table, matched, new.date_order)
        read = await asyncio.to_thread(list, chunks(rows, _SMALL_CHUNK))
        yield ImportFile(new, spool, table, matched, read)


def _new_import(spool: Spool, options: Options) -> NewImport:
    try:
        file_format = format_of(spool.head)
    except UnreadableError as error:
        raise Refusal(Code.IMPORT_UNREADABLE, str(error)) from None
    return NewImport(
        is_dry_run=options.dry_run,
        is_partial=options.partial,
        format=file_format,
        file_name=options.file_name,
        file_digest=spool.sha256,
        mapping=dict(options.mapping),
        date_order=options.date_order,
    )


async def receive(work: Work, kind: Kind, file: ImportFile) -> Import:
    """Take a file in. A small one is checked at once, and applied at once unless it is a dry run."""
    made = await queries.insert(work, kind.name, file.new, file.spool)
    told = ImportState.RECEIVED
    if file.table is not None and file.matched is not None:
        for chunk in file.chunks:
            await kind.stage(work, made.id, chunk, file.matched.headings)
        made = await checked(work, made, file.table, file.matched)
        if made.state is ImportState.ACCEPTED and made.to_create + made.to_change <= SMALL_ROWS:
            made, told = await applied(work, kind, made), ImportState.APPLIED
    if made.state in {ImportState.RECEIVED, ImportState.ACCEPTED}:
        work.nudge("run_imports")
    await audit.record(work, kind.action(told), kind.target(made.id), after=made)
    return made


def chunks(rows: Iterator[ReadRow], size: int = CHUNK) -> Iterator[list[ReadRow]]:
    while chunk := list(islice(rows, size)):
        yield chunk


async def checked(work: Work, made: Import, table: AnyTable, matched: Matched) -> Import:
    """Close the check. Unless a dry run was requested, the import is accepted if nothing blocks it."""
    notices = [*table.notices, *matched.notices]
    closed = await queries.finish_check(work, made.id, ImportState.CHECKED, notices, matched.headings)
    if made.is_dry_run or (closed.with_problems and not made.is_partial):
        return closed
    return await queries.set_state(work, made.id, ImportState.ACCEPTED, is_partial=made.is_partial)


async def applied(work: Work, kind: Kind, accepted: Import) -> Import:
    """Create and change the records. Refuses if any of them was changed since the check."""
    if await kind.outdated(work, accepted.id):
        raise kind.refused_as_outdated()
    done = await kind.apply(work, accepted)
    if (done.created, done.changed) != (accepted.to_create, accepted.to_change):
        raise kind.refused_as_outdated()
    return await queries.set_state(work, accepted.id, ImportState.APPLIED, is_partial=accepted.is_partial)


async def accept(work: Work, kind: Kind, import_id: UUID, acceptance: ImportAcceptance, expected: int) -> Import:
    """Apply the checked rows: at once if they are few, else by the job."""
    before = found(await queries.lock(work, kind.name, import_id))
    check_version(before, expected)
    if before.state is not ImportState.CHECKED:
        detail = f"Only an import that is checked can be accepted. This one is {before.state}."
        raise Refusal(Code.IMPORT_NOT_READY, detail)
    if before.with_problems and not acceptance.partial:
        which = "1 row has" if before.with_problems == 1 else f"{before.with_problems} rows have"
        detail = f'{which} problems. Correct the file, or accept with the body {{"partial": true}} to leave them out.'
        raise Refusal(Code.IMPORT_HAS_PROBLEMS, detail)
    after = await queries.set_state(work, import_id, ImportState.ACCEPTED, is_partial=acceptance.partial)
    if after.to_create + after.to_change <= SMALL_ROWS:
        after = await applied(work, kind, after)
    else:
        work.nudge("run_imports")
    await audit.record(work, kind.action(after.state), kind.target(import_id), before=before, after=after)
    return after


async def cancel(work: Work, kind: Kind, import_id: UUID, expected: int) -> None:
    """Call an import off, and forget its rows. One that was applied stands."""
    before = found(await queries.lock(work, kind.name, import_id))
    check_version(before, expected)
    if before.state not in {ImportState.RECEIVED, ImportState.CHECKED, ImportState.ACCEPTED}:
        raise Refusal(Code.IMPORT_NOT_READY, f"The import is {before.state}. There is nothing to cancel.")
    await queries.drop(work, import_id)
    after = await queries.set_state(work, import_id, ImportState.CANCELLED, is_partial=before.is_partial)
    await audit.record(work, kind.action(after.state), kind.target(import_id), before=before, after=after)


async def first_astray(connection: Connection, tenant_id: UUID) -> ToldRows | None:
    """Return the first import with rows that differ from its audit entry, on a connection across tenants."""
    for told in await queries.applied(connection, tenant_id, applied_actions()):
        counted = await queries.counts(connection, tenant_id, told.import_id)
        if counted.rows_digest.hex() != told.rows_digest:
            return told
    return None


async def one(work: Work, kind: Kind, import_id: UUID) -> Import:
    return found(await queries.find(work, kind.name, import_id))


async def many(work: Work, kind: Kind, page: PageRequest) -> Page[Import]:
    return await work.page(queries.LIST, page, kind.name)


async def rows(work: Work, kind: Kind, import_id: UUID, page: PageRequest) -> Page[ImportRow]:
    whole = await one(work, kind, import_id)
    stored = await work.page(queries.LIST_ROWS, page, import_id)
    items = [shown(row, kind, whole) for row in stored.items]
    return Page(items=items, next=stored.next, prev=stored.prev, total=stored.total)


def shown(row: StoredRow, kind: Kind, whole: Import) -> ImportRow:
    """Describe a row's problems, and name the record that the row has created."""
    made = whole.state is ImportState.APPLIED and row.outcome is ImportRowOutcome.CREATE
    # A field with an unreadable cell gets no further problem. The id is exempt: it is never in `given`.
    unread = {problem.field for problem in row.problems} - {*row.given, "id"}
    of_records = [
        ImportCellProblem(row.row_number, code, detail, whole.headings.get(field), field)
        for code, (field, detail) in ((code, kind.problems[code]) for code in dict.fromkeys(row.problem_codes))
        if field not in unread
    ]
    return ImportRow(
        id=row.id,
        row_number=row.row_number,
        outcome=row.outcome,
        record_id=row.id if made else row.record_id,
        given=row.given,
        before=row.before,
        problems=[*row.problems, *of_records],
    )
