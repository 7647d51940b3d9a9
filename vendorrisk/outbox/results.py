"""Results of attempts: recorded, counted, and made known to the owners."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import stamina
import structlog
from prometheus_client import Counter

from vendorrisk.background import JobContext
from vendorrisk.db.connection import Connection
from vendorrisk.db.pool import UNREACHABLE
from vendorrisk.errors import Refusal
from vendorrisk.outbox import queries
from vendorrisk.outbox.kind import Kinds
from vendorrisk.outbox.model import DeliveryState, Recorded, Result

ATTEMPTS = Counter("vendorrisk_delivery_attempts_total", "Tries of deliveries.", ["kind", "outcome"])
DEAD = Counter("vendorrisk_deliveries_dead_total", "Deliveries that were given up.", ["kind"])

_RECORD_SECONDS = 30.0
_ENDED = frozenset({DeliveryState.SENT, DeliveryState.DEAD})

_log = structlog.get_logger("outbox")


async def record(context: JobContext, kinds: Kinds, results: Collection[Result]) -> None:
    """Record the results of sends. If Postgres is away, retry for a while, because the sends have happened."""
    async for once in stamina.retry_context(
        on=(Refusal, *UNREACHABLE), attempts=None, timeout=_RECORD_SECONDS, wait_initial=0.1, wait_max=2.0
    ):
        with once:
            async with context.database.system() as connection:
                recorded = await queries.record(connection, context.clock(), [_storable(result) for result in results])
                await notify_owners(connection, kinds, recorded)
                if back_offs := _back_offs(results):
                    await queries.postpone(connection, back_offs)
    for result in results:
        ATTEMPTS.labels(result.lease.channel, result.outcome.value).inc()
        if result.state is DeliveryState.DEAD:
            count_dead(result.lease.channel, result.lease.delivery.id, result.failure)


def count_dead(channel: str, delivery_id: UUID, failure: str | None) -> None:
    """Count and log a delivery that was given up."""
    DEAD.labels(channel).inc()
    _log.warning("delivery_dead", delivery=str(delivery_id), failure=failure)


async def notify_owners(connection: Connection, kinds: Kinds, recorded: Sequence[Recorded]) -> None:
    """Call the `ended` of each kind that has one. A fault undoes only that kind's writes."""
    for kind in kinds.values():
        ended = [one for one in recorded if one.owner_kind == kind.owner_kind and one.state in _ENDED]
        if kind.ended is None or not ended:
            continue
        await connection.execute("savepoint ended")
        try:
            await kind.ended(connection, ended)
        except Exception:  # noqa: BLE001 - the sends are recorded all the same
            _log.exception("ended_failed", owner_kind=kind.owner_kind, deliveries=[str(one.id) for one in ended])
            await connection.execute("rollback to savepoint ended")


def _storable(result: Result) -> Result:
    """Return the result with a detail that Postgres can hold: a stranger wrote it."""
    if result.detail is None:
        return result
    sound = result.detail.encode("utf-8", "replace").decode().replace("\0", " ")
    return msgspec.structs.replace(result, detail=sound[:500])


def _back_offs(results: Iterable[Result]) -> list[tuple[UUID, UUID, datetime]]:
    """Return until when each destination backs off. A delivery without a destination backs off alone."""
    latest: dict[tuple[UUID, UUID], datetime] = {}
    for result in results:
        delivery = result.lease.delivery
        if result.back_off_until is not None and delivery.destination_id is not None:
            key = (delivery.tenant_id, delivery.destination_id)
            latest[key] = max(result.back_off_until, latest.get(key, result.back_off_until))
    return [(tenant, destination, until) for (tenant, destination), until in latest.items()]
