"""The order in which tenants are served: round robin, remembered between runs and between workers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import msgspec
import structlog
from prometheus_client import Counter

from vendorrisk.access.model import Tenant
from vendorrisk.background import JobContext
from vendorrisk.db.pool import UNREACHABLE
from vendorrisk.db.queries import Query
from vendorrisk.errors import Code, Refusal
from vendorrisk.queues import queries

FAILED = Counter("vendorrisk_queue_tenants_failed_total", "Turns of tenants that failed as a whole.", ["queue"])

_RUN_SECONDS = 30.0  # then a run ends, and the next one goes on with the tenants that have waited longest
_TOGETHER = 25  # tenants that share a transaction, where each has little to do
_AWAY = frozenset({Code.DATABASE_UNAVAILABLE, Code.OVERLOADED})

_log = structlog.get_logger("queues")


class Queue(msgspec.Struct, frozen=True):
    """A queue: its name, and the statement that notes which tenants are due."""

    name: str
    note: Query[None]


def is_outage(error: Exception) -> bool:
    """Return True if the database is away. This is nobody's fault, so it counts as no try."""
    return isinstance(error, UNREACHABLE) or (isinstance(error, Refusal) and error.code in _AWAY)


async def due_tenants(context: JobContext, queue: Queue, *arguments: object) -> list[Tenant]:
    """Note which tenants are due, and return all of them in the order of their turns."""
    async with context.database.system() as connection:
        await queue.note.run(connection, *arguments)
        return await queries.due(connection, queue.name)


async def remember(context: JobContext, queue: Queue, served: Sequence[UUID], left: Sequence[UUID]) -> None:
    """Put the served tenants behind the others, and forget those that have nothing due."""
    if served:
        async with context.database.system() as connection:
            await queries.served(connection, queue.name, served)
    if left:
        async with context.database.system() as connection:
            await queries.leave(connection, queue.name, left)


Visit = Callable[[Tenant], Awaitable[int]]
"""Does one slice of a tenant's rows, and returns how many."""
VisitMany = Callable[[Sequence[Tenant]], Awaitable[Sequence[int]]]
"""Does a slice of each of several tenants in one transaction. If one of them fails, they are visited one by one."""


async def in_turn(
    context: JobContext,
    queue: Queue,
    visit: Visit,
    *arguments: object,
    together: VisitMany | None = None,
    most: int | None = None,
) -> int:
    """Visit the due tenants, one slice each. Return how many rows were handled.

    `most` ends the run after that many rows. A tenant whose visit fails is logged and counted, and the next one is
    visited.
    """
    begun, handled = asyncio.get_running_loop().time(), 0
    served, left = list[UUID](), list[UUID]()
    due = await due_tenants(context, queue, *arguments)
    size = 1 if together is None else _TOGETHER
    try:
        for first in range(0, len(due), size):
            if context.stopping.is_set() or asyncio.get_running_loop().time() - begun > _RUN_SECONDS:
                break
            group = due[first : first + size]
            for tenant, done in zip(group, await _visited(queue, group, visit, together), strict=True):
                (served if done else left).append(tenant.id)
                handled += done
            if most is not None and handled >= most:
                break
    finally:
        await remember(context, queue, served, left)
    return handled


async def _visited(queue: Queue, group: Sequence[Tenant], visit: Visit, together: VisitMany | None) -> Sequence[int]:
    if together is not None:
        try:
            return await together(group)
        except Exception as error:
            if is_outage(error):
                raise
            _log.exception("tenants_failed", queue=queue.name, tenants=len(group))
    return [await _alone(queue, visit, tenant) for tenant in group]


async def _alone(queue: Queue, visit: Visit, tenant: Tenant) -> int:
    try:
        return await visit(tenant)
    except Exception as error:
        if is_outage(error):
            raise
        FAILED.labels(queue.name).inc()
        _log.exception("tenant_failed", queue=queue.name, tenant=str(tenant.id))
        return 0
