"""The statements of the outbox, claimed and typed."""

from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from vendorrisk.access.work import Work
from vendorrisk.db.connection import Connection
from vendorrisk.db.queries import QueryFile
from vendorrisk.ids import new_id
from vendorrisk.outbox.model import Delivery, DeliveryAttempt, Due, NewDelivery, Recorded, Result

_across = QueryFile("across_tenants")
_sql = QueryFile("outbox")
_LOCK_DUE = _sql.rows("lock_due_deliveries", Due)
_BEGIN = _across.command("begin_attempts")
_END_SPENT = _across.rows("end_spent_deliveries", Recorded)
_RECORD = _across.rows("record_attempts", Recorded)
_POSTPONE = _across.command("postpone_deliveries")
_INSERT = _sql.rows("insert_delivery", Delivery)
_CANCEL = _sql.command("cancel_deliveries")
LIST_DELIVERIES = _sql.rows("list_deliveries", Delivery)
_FIND = _sql.rows("find_delivery", Delivery)
_LOCK = _sql.rows("lock_delivery", Delivery)
_RESEND = _sql.rows("resend_delivery", Delivery)
LIST_ATTEMPTS = _sql.rows("list_attempts", DeliveryAttempt)


class Share(msgspec.Struct, frozen=True):
    """The deliveries that a tenant may have claimed now: `most`, and none to the destinations in `without`."""

    tenant_id: UUID
    most: int
    without: Sequence[UUID] = ()


async def lock_due(
    connection: Connection, now: datetime, shares: Iterable[Share], owner_kinds: Iterable[str], tries: int
) -> list[Due]:
    """Lock due deliveries of several tenants, by one statement for each."""
    kinds = list(owner_kinds)
    return await _LOCK_DUE.each(
        connection, [(share.tenant_id, now, kinds, share.most, tries, list(share.without)) for share in shares]
    )


async def begin(
    connection: Connection, now: datetime, token: UUID, until: datetime, due: Sequence[Due], wanted: Container[UUID]
) -> None:
    """Begin an attempt of each delivery that is wanted, under a lease until an instant. Cancel the others."""
    await _BEGIN.run(
        connection,
        now,
        token,
        until,
        [one.tenant_id for one in due],
        [one.id for one in due],
        [one.id in wanted for one in due],
        [one.lease_token for one in due],
    )


async def end_spent(
    connection: Connection, now: datetime, spent: Sequence[Due], wanted: Container[UUID]
) -> list[Recorded]:
    """Make each delivery dead that is wanted, and cancel the others."""
    return await _END_SPENT.many(
        connection,
        now,
        [one.tenant_id for one in spent],
        [one.id for one in spent],
        [one.id in wanted for one in spent],
        [one.lease_token for one in spent],
    )


async def record(connection: Connection, now: datetime, results: Sequence[Result]) -> list[Recorded]:
    """Record results of attempts. Return the deliveries that were still under the lease."""
    return await _RECORD.many(
        connection,
        now,
        [r.lease.delivery.tenant_id for r in results],
        [r.lease.delivery.id for r in results],
        [r.lease.token for r in results],
        [r.state.value for r in results],
        [r.next_attempt_at for r in results],
        [r.outcome.value for r in results],
        [r.failure for r in results],
        [r.detail for r in results],
    )


async def postpone(connection: Connection, back_offs: Sequence[tuple[UUID, UUID, datetime]]) -> int:
    """Let the pending deliveries of destinations, given by (tenant, destination), wait until an instant."""
    tenants, destinations, instants = zip(*back_offs, strict=True)
    return await _POSTPONE.run(connection, list(tenants), list(destinations), list(instants))


async def insert(work: Work, new: NewDelivery, tries: int) -> Delivery:
    return await _INSERT.one(
        work.db,
        work.tenant_id,
        new_id(),
        new.owner_kind,
        new.owner_id,
        new.destination_kind,
        new.destination_id,
        new.recipient,
        tries,
        work.now,
    )


async def cancel(work: Work, destination_id: UUID) -> int:
    return await _CANCEL.run(work.db, work.tenant_id, destination_id, work.now)


async def find(work: Work, owner_kind: str, delivery_id: UUID) -> Delivery | None:
    return await _FIND.one_or_none(work.db, work.tenant_id, owner_kind, delivery_id)


async def lock(work: Work, owner_kind: str, delivery_id: UUID) -> Delivery | None:
    return await _LOCK.one_or_none(work.db, work.tenant_id, owner_kind, delivery_id)


async def resend(work: Work, delivery_id: UUID, tries: int) -> Delivery:
    return await _RESEND.one(work.db, work.tenant_id, delivery_id, work.now, tries)
