"""Rows that are tried one by one: a failure is counted, delays only its own row, and ends in giving up."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
import structlog
from prometheus_client import Counter

from vendorrisk.background import JobContext
from vendorrisk.db.connection import Connection
from vendorrisk.foreign_text import sound
from vendorrisk.queues import queries
from vendorrisk.queues.turns import is_outage

GIVEN_UP = Counter("vendorrisk_rows_given_up_total", "Rows of queues that failed as often as they may.", ["queue"])

MOST_TRIES = 8
"""Tries of a row before it is given up."""
LEASE = timedelta(minutes=5)
"""How long a row waits whose worker died."""

_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(days=1)
_WHEN_GIVEN_UP = timedelta(days=7)
_MOST_REASON = 500

_log = structlog.get_logger("queues")


def wait(tries: int) -> timedelta:
    """Return how long a row waits after so many tries: doubling, up to a day. A row given up is tried weekly."""
    if tries >= MOST_TRIES:
        return _WHEN_GIVEN_UP
    doubled: timedelta = _FIRST_WAIT * (1 << (tries - 1))
    return min(doubled, _LONGEST_WAIT)


_PASSING = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.InsufficientResourcesError,
)


def is_passing(error: Exception) -> bool:
    """Return True if the same again may succeed: the database was busy, and the row is not at fault."""
    return isinstance(error, _PASSING)


def reason_of(error: Exception) -> str:
    """Return the reason of a failure in a form that Postgres can hold: its text may be a stranger's."""
    return sound(f"{type(error).__name__}: {error}")[:_MOST_REASON]


async def one_by_one(
    context: JobContext,
    queue: str,
    tenant_id: UUID,
    rows: Sequence[UUID],
    handle: Callable[[Connection, UUID], Awaitable[None]],
) -> int:
    """Handle rows of one tenant, each in a transaction of its own. Return how many succeeded."""
    done = 0
    for row_id in rows:
        done += await _tried(context, (tenant_id, queue, row_id), handle)
    return done


async def _tried(
    context: JobContext, place: tuple[UUID, str, UUID], handle: Callable[[Connection, UUID], Awaitable[None]]
) -> bool:
    tenant_id, queue, row_id = place
    now = context.clock()
    async with context.database.tenant(tenant_id) as connection:
        tries = await queries.begin_try(connection, place, now, now + LEASE)
    try:
        async with context.database.tenant(tenant_id) as connection:
            await handle(connection, row_id)
            await queries.try_ended(connection, place)
    except Exception as error:
        if is_outage(error):
            raise
        _log.exception("row_failed", queue=queue, row=str(row_id), tries=tries)
        async with context.database.tenant(tenant_id) as connection:
            await queries.try_failed(connection, place, now + wait(tries), reason_of(error))
        if tries >= MOST_TRIES:
            note_given_up(queue, row_id, reason_of(error))
        return False
    return True


def note_given_up(queue: str, row_id: UUID | str, reason: str) -> None:
    """Count and log a row that failed as often as it may."""
    GIVEN_UP.labels(queue).inc()
    _log.error("row_given_up", queue=queue, row=str(row_id), reason=reason)
