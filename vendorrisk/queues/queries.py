"""The statements of queues, claimed and typed."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from vendorrisk.access.model import Tenant
from vendorrisk.db.connection import Connection
from vendorrisk.db.queries import QueryFile

_across = QueryFile("across_tenants")
_sql = QueryFile("queues")
NOTE_DELIVERIES = _across.command("note_deliveries")
NOTE_DEADLINES = _across.command("note_deadlines")
NOTE_ALERTS = _across.command("note_alerts")
NOTE_IMPORTS = _across.command("note_imports")
NOTE_EXTRACTIONS = _across.command("note_extractions")
NOTE_COVERAGE = _across.command("note_coverage")
NOTE_DOCUMENTS = _across.command("note_documents")
NOTE_ACCEPTANCES = _across.command("note_acceptances")
NOTE_REQUESTED_SCANS = _across.command("note_requested_scans")
NOTE_DOMAINS = _across.command("note_domains")
NOTE_RECONCILIATIONS = _across.command("note_reconciliations")
NOTE_DIGESTS = _across.command("note_digests")
NOTE_RESPONSES = _across.command("note_responses")
_DUE = _sql.rows("due_tenants", Tenant)
_SERVED = _sql.command("tenant_served")
_LEAVE = _sql.command("tenant_leaves")
_BEGIN_TRY = _sql.scalar("begin_try", int)
_TRY_FAILED = _sql.command("try_failed")
_TRY_ENDED = _sql.command("try_ended")


async def due(connection: Connection, queue: str) -> list[Tenant]:
    """Return the noted tenants of a queue in the order of their turns."""
    return await _DUE.many(connection, queue)


async def served(connection: Connection, queue: str, tenants: Iterable[UUID]) -> None:
    """Put tenants behind the others. In one order, so that two workers never wait in a ring."""
    await _SERVED.run_each(connection, [(tenant, queue) for tenant in sorted(tenants)])


async def leave(connection: Connection, queue: str, tenants: Iterable[UUID]) -> None:
    """Take tenants out of the queue, in one order."""
    await _LEAVE.run_each(connection, [(tenant, queue) for tenant in sorted(tenants)])


async def begin_try(connection: Connection, place: Sequence[object], now: datetime, until: datetime) -> int:
    """Count a try of the row at (tenant, queue, row). Return its number."""
    return await _BEGIN_TRY.one(connection, *place, now, until)


async def try_failed(connection: Connection, place: Sequence[object], until: datetime, reason: str) -> None:
    await _TRY_FAILED.run(connection, *place, until, reason)


async def try_ended(connection: Connection, place: Sequence[object]) -> None:
    await _TRY_ENDED.run(connection, *place)
