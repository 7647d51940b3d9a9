"""Background work: imports that are too large for a request."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import structlog

from vendorrisk.access.model import Tenant, system
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.background import Job, JobContext
from vendorrisk.errors import Code, Refusal
from vendorrisk.imports import queries, service
from vendorrisk.imports.columns import MappingError, Matched, match_headings, read_rows
from vendorrisk.imports.kind import Kind
from vendorrisk.imports.model import Claimed, Import, ImportState
from vendorrisk.queues import queries as queues
from vendorrisk.queues import rows
from vendorrisk.queues.turns import Queue, in_turn, is_outage
from vendorrisk.sandbox.running import Input
from vendorrisk.sheets.errors import UnreadableError
from vendorrisk.sheets.files import THOROUGH, NotNowError, table_of
from vendorrisk.sheets.reading import AnyTable

QUEUE = Queue("run_imports", queues.NOTE_IMPORTS)

_LEASE = timedelta(minutes=5)
_TRIES = 3
"""Tries of an import in one state. Every other failure ends it at once, so these are deaths and busy databases."""
_LATER = frozenset({Code.OVERLOADED, Code.DATABASE_UNAVAILABLE})
# Statements over all rows: time and memory enough, and planned for the tables as they are, not as they were when the
# connection first ran the statement (an import may fill them).
_FOR_MANY_ROWS = """set local statement_timeout = '300s'; set local work_mem = '64MB';
    set local plan_cache_mode = force_custom_plan; set local jit = off"""

_log = structlog.get_logger("imports")


class _LostError(Exception):
    """Another worker holds the import now, or it was called off."""


async def run_imports(context: JobContext, kinds: Sequence[Kind]) -> int:
    """Take an import of these kinds that waits, of the tenant whose turn it is, and check or apply it.

    Return 0 if none waits. Imports of other kinds are left to workers that know them, such as those of a newer release.
    """
    by_name = {kind.name: kind for kind in kinds}

    async def visit(tenant: Tenant) -> int:
        token, now = uuid4(), context.clock()
        async with context.database.tenant(tenant.id) as connection:
            claimed = await queries.claim(connection, tenant.id, now, token, now + _LEASE, list(by_name))
        if claimed is None:
            return 0
        await _Run(context, by_name[claimed.kind], tenant, claimed, token).end()
        return 1

    return await in_turn(context, QUEUE, visit, context.clock(), list(by_name), most=1)


class _Run:
    """One worker's hold on one import."""

    def __init__(self, context: JobContext, kind: Kind, tenant: Tenant, claimed: Claimed, token: UUID) -> None:
        self.context, self.kind, self.id, self.token = context, kind, claimed.id, token
        self.tenant, self.tries = tenant, claimed.tries

    async def end(self) -> None:
        """Run, and end whatever happens: no import is tried for ever."""
        if self.tries > _TRIES:
            await self.reject(f"It was tried {_TRIES} times, and each time its worker came to no end.")
            return
        try:
            await self.run()
        except (UnreadableError, MappingError) as reason:
            await self.reject(str(reason))
        except NotNowError as reason:
            await self._wait(reason)
        except Refusal as reason:
            await (self._wait(reason) if reason.code in _LATER else self.reject(reason.detail))
        except _LostError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever a file does to us, it is not tried for ever
            await (self._wait(error) if rows.is_passing(error) or is_outage(error) else self._fail(error))

    async def _fail(self, error: Exception) -> None:
        _log.exception("import_failed", id=str(self.id), tries=self.tries)
        rows.note_given_up(QUEUE.name, self.id, rows.reason_of(error))
        await self.reject(
            f"The service failed on this file ({type(error).__name__}), and changed nothing. Send the rows in smaller"
            " files to find the one that it cannot take, or report it with the id of this import."
        )

    async def _wait(self, why: Exception) -> None:
        """Let the import wait: the same again may succeed. A try that failed by no fault of its own is given back."""
        until = self.context.clock() + rows.wait(min(self.tries, _TRIES))
        _log.warning("import_waits", id=str(self.id), tries=self.tries, error=rows.reason_of(why))
        async with self.work() as work:
            await queries.release(work, self.id, self.token, until, is_counted=rows.is_passing(why))

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """Open one transaction inside the tenant, with time enough for statements over all rows."""
        by = system(self.tenant, "run_imports", self.kind.write)
        async with self.context.database.tenant(self.tenant.id) as connection:
            await connection.execute(_FOR_MANY_ROWS)
            yield Work(db=connection, by=by, now=self.context.clock(), request_id=f"job:{self.token}")

    async def run(self) -> None:
        async with self.work() as work:
            made = await self._held(work, 0, None)
        if made.state is ImportState.RECEIVED:
            made = await self._check(made)
        if made.state is ImportState.ACCEPTED:
            await self._apply()
        else:
            await self.release()

    async def _file(self) -> Input:
        """Return the file. It is asked for when its turn to be read has come, which may be late."""
        async with self.work() as work:
            made = await self._held(work, 0, None)
        return Input(made.file_bytes, self._pieces(made.file_bytes))

    async def _pieces(self, size: int) -> AsyncIterator[bytes]:
        part = passed = 0
        while passed < size:
            async with self.work() as work:
                piece = await queries.file_part(work, self.id, part)
            if piece is None:
                raise _LostError
            yield piece
            part, passed = part + 1, passed + len(piece)

    async def _held(self, work: Work, done: int, total: int | None) -> Import:
        """Renew the lease and read the import. Leave if the lease is lost."""
        if not await queries.hold(work, self.id, self.token, work.now + _LEASE, done, total):
            raise _LostError
        found = await queries.lock(work, self.kind.name, self.id)
        if found is None or found.state not in {ImportState.RECEIVED, ImportState.ACCEPTED}:
            raise _LostError
        return found

    async def _check(self, made: Import) -> Import:
        sandbox = self.context.sandbox
        async with table_of(made.format, self._file, THOROUGH, sandbox, on_behalf_of=self.tenant.id) as table:
            matched = match_headings(self.kind.layout, table.headings, made.mapping)
            async with self.work() as work:
                await self._held(work, 0, table.row_count)
                await queries.drop_rows(work, self.id)
            await self._stage(made, table, matched)
            async with self.work() as work:
                before = await self._held(work, table.row_count, table.row_count)
                after = await service.checked(work, before, table, matched)
                await self._record(work, ImportState.CHECKED, before, after)
        return after

    async def _stage(self, made: Import, table: AnyTable, matched: Matched) -> None:
        read = read_rows(self.kind.layout, table, matched, made.date_order)
        chunked, done = service.chunks(read), 0
        # Reading goes on in a thread while the chunk before it is stored.
        chunk = await asyncio.to_thread(next, chunked, None)
        while chunk is not None:
            following = asyncio.create_task(asyncio.to_thread(next, chunked, None))
            try:
                async with self.work() as work:
                    done += len(chunk)
                    await self._held(work, done, table.row_count)
                    await self.kind.stage(work, self.id, chunk, matched.headings)
            finally:
                chunk = await following

    async def _apply(self) -> None:
        async with self.work() as work:
            before = await self._held(work, 0, None)
            after = await service.applied(work, self.kind, before)
            await queries.release(work, self.id, self.token)
            await self._record(work, ImportState.APPLIED, before, after)

    async def release(self) -> None:
        async with self.work() as work:
            await queries.release(work, self.id, self.token)

    async def reject(self, reason: str) -> None:
        async with self.work() as work:
            before = await queries.lock(work, self.kind.name, self.id)
            if before is None or before.state not in {ImportState.RECEIVED, ImportState.ACCEPTED}:
                return
            after = await queries.reject(work, self.id, reason)
            await self._record(work, ImportState.REJECTED, before, after)

    async def _record(self, work: Work, state: ImportState, before: Import, after: Import) -> None:
        action, target = self.kind.action(state), self.kind.target(self.id)
        await audit.record(work, action, target, before=before, after=after)


def jobs_of(kinds: Sequence[Kind]) -> tuple[Job, ...]:
    """Return the background work of the machine for these kinds."""

    async def run(context: JobContext) -> int:
        return await run_imports(context, kinds)

    return (Job("run_imports", run, every_seconds=15, timeout_seconds=900, at_once=2),)
