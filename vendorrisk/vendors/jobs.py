"""Background work: imports that are too large for a request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

from vendorrisk.access.model import Tenant, system
from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.background import Job, World
from vendorrisk.errors import Refusal
from vendorrisk.vendors import import_queries as queries
from vendorrisk.vendors import importing
from vendorrisk.vendors.import_columns import MappingError, Matched, match_headings, read_rows
from vendorrisk.vendors.import_model import Claimed, Import, ImportState
from vendorrisk.vendors.spreadsheet import Table, UnreadableError

_LEASE = timedelta(minutes=5)
# Statements over all rows: time and memory enough, and planned for the tables as they are, not as they were when the
# connection first ran the statement (an import may be what fills them).
_FOR_MANY_ROWS = """set local statement_timeout = '300s'; set local work_mem = '64MB';
    set local plan_cache_mode = force_custom_plan; set local jit = off"""


class _LostError(Exception):
    """Another worker holds the import now, or it was called off."""


async def run_imports(world: World) -> int:
    """Take the oldest import that waits, and check or apply it; 0 where none waits."""
    token, now = uuid4(), world.clock()
    async with world.database.system() as connection:
        claimed = await queries.claim(connection, token, now, now + _LEASE)
    if claimed is None:
        return 0
    run = _Run(world, claimed, token)
    try:
        await run.go()
    except (UnreadableError, MappingError, Refusal) as reason:
        await run.refuse(reason.detail if isinstance(reason, Refusal) else str(reason))
    except _LostError:
        return 1
    return 1


class _Run:
    """One worker's hold on one import."""

    def __init__(self, world: World, claimed: Claimed, token: UUID) -> None:
        self.world, self.id, self.token = world, claimed.id, token
        self.tenant = Tenant(claimed.tenant_id, claimed.time_zone)

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """Open one transaction inside the tenant, with time enough for statements over all rows."""
        by = system(self.tenant, "run_imports", Permission.VENDORS_WRITE)
        async with self.world.database.tenant(self.tenant.id) as connection:
            await connection.execute(_FOR_MANY_ROWS)
            yield Work(db=connection, by=by, now=self.world.clock(), request_id=f"job:{self.token}")

    async def go(self) -> None:
        async with self.work() as work:
            made = await self._held(work, 0, None)
            content = await queries.file(work, self.id)
        if made.state is ImportState.RECEIVED and content is not None:
            made = await self._check(made, content)
        if made.state is ImportState.ACCEPTED:
            await self._apply()
        else:
            await self._release()

    async def _held(self, work: Work, done: int, total: int | None) -> Import:
        """Renew the lease and read the import; leaves where the lease is lost."""
        if not await queries.hold(work, self.id, self.token, work.now + _LEASE, done, total):
            raise _LostError
        found = await queries.lock(work, self.id)
        if found is None or found.state not in {ImportState.RECEIVED, ImportState.ACCEPTED}:
            raise _LostError
        return found

    async def _check(self, made: Import, content: bytes) -> Import:
        table = await importing.table_of(made.format, content, importing.THOROUGH)
        matched = match_headings(table.headings, made.mapping)
        async with self.work() as work:
            await self._held(work, 0, len(table.rows))
            await queries.drop_rows(work, self.id)
        await self._stage(made, table, matched)
        async with self.work() as work:
            before = await self._held(work, len(table.rows), len(table.rows))
            after = await importing.checked(work, before, table, matched)
            target = Target("vendor_import", self.id)
            await audit.record(work, Action.IMPORT_CHECKED, target, before=before, after=after)
        return after

    async def _stage(self, made: Import, table: Table, matched: Matched) -> None:
        rows = read_rows(table, matched, made.date_order)
        chunked, done = importing.chunks(rows), 0
        # Reading goes on in a thread while the chunk before it is stored.
        chunk = await asyncio.to_thread(next, chunked, None)
        while chunk is not None:
            following = asyncio.create_task(asyncio.to_thread(next, chunked, None))
            try:
                async with self.work() as work:
                    done += len(chunk)
                    await self._held(work, done, len(table.rows))
                    await importing.stage(work, self.id, chunk, matched)
            finally:
                chunk = await following

    async def _apply(self) -> None:
        async with self.work() as work:
            before = await self._held(work, 0, None)
            after = await importing.applied(work, before)
            await queries.release(work, self.id, self.token)
            target = Target("vendor_import", self.id)
            await audit.record(work, Action.IMPORT_APPLIED, target, before=before, after=after)

    async def _release(self) -> None:
        async with self.work() as work:
            await queries.release(work, self.id, self.token)

    async def refuse(self, reason: str) -> None:
        async with self.work() as work:
            before = await queries.lock(work, self.id)
            if before is None or before.state not in {ImportState.RECEIVED, ImportState.ACCEPTED}:
                return
            after = await queries.refuse(work, self.id, reason)
            target = Target("vendor_import", self.id)
            await audit.record(work, Action.IMPORT_REFUSED, target, before=before, after=after)


JOBS = (Job("run_imports", run_imports, every_seconds=15, timeout_seconds=900, alone=False),)
