"""The statements of the outbox, claimed and typed."""

from collections.abc import Callable, Container, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import TypeVar
from uuid import UUID

import msgspec

from vendorrisk.access.work import Work
from vendorrisk.db.connection import Connection
from vendorrisk.db.queries import QueryFile
from vendorrisk.ids import new_id
from vendorrisk.outbox.model import Delivery, DeliveryAttempt, Due, NewDelivery, Recorded, Result

Item = TypeVar("Item")

_sql = QueryFile("outbox")
_LOCK_DUE = _sql.rows("lock_due_deliveries", Due)
_BEGIN = _sql.command("begin_attempts")
_END_SPENT = _sql.rows("end_spent_deliveries", Recorded)
_RECORD = _sql.rows("record_attempts", Recorded)
_POSTPONE = _sql.command("postpone_deliveries")
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
    await _BEGIN.run_each(
        connection,
        [
            (
                tenant_id,
                now,
                token,
                until,
                [one.id for one in own],
                [one.id in wanted for one in own],
                [one.lease_token for one in own],
            )
            for tenant_id, own in by_tenant(due, attrgetter("tenant_id"))
        ],
    )


async def end_spent(
    connection: Connection, now: datetime, spent: Sequence[Due], wanted: Container[UUID]
) -> list[Recorded]:
    """Make each delivery dead that is wanted, and cancel the others."""
    return await _END_SPENT.each(
        connection,
        [
            (
                tenant_id,
                now,
                [one.id for one in own],
                [one.id in wanted for one in own],
                [one.lease_token for one in own],
            )
            for tenant_id, own in by_tenant(spent, attrgetter("tenant_id"))
        ],
    )


async def record(connection: Connection, now: datetime, results: Sequence[Result]) -> list[Recorded]:
    """Record results of attempts. Return the deliveries that were still under the lease."""
    return await _RECORD.each(
        connection,
        [
            (
                tenant_id,
                now,
                [r.lease.delivery.id for r in own],
                [r.lease.token for r in own],
                [r.state.value for r in own],
                [r.next_attempt_at for r in own],
                [r.outcome.value for r in own],
                [r.failure for r in own],
                [r.detail for r in own],
            )
            for tenant_id, own in by_tenant(results, attrgetter("lease.delivery.tenant_id"))
        ],
    )


async def postpone(connection: Connection, back_offs: Sequence[tuple[UUID, UUID, datetime]]) -> None:
    """Let the pending deliveries of destinations, given by (tenant, destination), wait until an instant."""
    await _POSTPONE.run_each(connection, sorted(back_offs))


def by_tenant(items: Iterable[Item], tenant_of: Callable[[Item], UUID]) -> list[tuple[UUID, list[Item]]]:
    """Group by tenant, in the order of their ids, so that two workers never wait for each other in a ring."""
    grouped = groupby(sorted(items, key=tenant_of), tenant_of)
    return [(tenant_id, list(own)) for tenant_id, own in grouped]


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
