"""Taking deliveries: lock due ones of some tenants, load their messages, record that an attempt begins.

All three happen in one transaction, which ends before a message leaves.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec
import structlog

from vendorrisk.background import JobContext
from vendorrisk.channels.port import Address, Failure, Undeliverable, host_of
from vendorrisk.db.connection import Connection
from vendorrisk.ids import new_id
from vendorrisk.outbox import queries, results, rules
from vendorrisk.outbox.kind import Kind, Kinds
from vendorrisk.outbox.model import DeliveryState, Due, Lease
from vendorrisk.outbox.queries import Share
from vendorrisk.queues.places import Places
from vendorrisk.queues.turns import is_outage

LEASE = timedelta(seconds=90)
"""Longer than any channel's timeout and the recording after it."""

_log = structlog.get_logger("outbox")


class Flight(msgspec.Struct, frozen=True):
    """An attempt that has begun, with the data of its message and its address.

    `trouble` is there instead of an address where the message cannot be sent: the attempt fails by it.
    """

    lease: Lease
    kind: Kind[Any]
    facts: Any
    address: Address | None
    trouble: Undeliverable | None = None
    host: str = ""


class Claimed(msgspec.Struct, frozen=True):
    """The result of a claim."""

    taken: Mapping[UUID, int]
    """How many deliveries of each tenant were tried, cancelled or given up."""
    flights: list[Flight] = []
    dead: list[tuple[UUID, str]] = []
    """Deliveries that were given up, and the words for them in metrics."""
    crowded: Mapping[UUID, Mapping[UUID, str]] = {}
    """By tenant: the destinations that were left out, because as many as may be are under way to their hosts."""


async def claim(context: JobContext, kinds: Kinds, shares: Sequence[Share], places: Places) -> Claimed:
    """Claim deliveries that may be tried now, each under a lease, and take their places."""
    flying = list[Flight]()
    try:
        return await _claim(context, kinds, shares, places, flying)
    except BaseException:
        free(places, flying)
        raise


async def _claim(
    context: JobContext, kinds: Kinds, shares: Sequence[Share], places: Places, flying: list[Flight]
) -> Claimed:
    """Claim, and add those that took a place to `flying`, so that they can be given back if the claim fails."""
    now, token = context.clock(), new_id()
    async with context.database.system() as connection:
        locked = await queries.lock_due(connection, now, shares, kinds, rules.TRIES)
        if not locked:
            return Claimed({})
        facts = await load(connection, kinds, locked)
        made = {
            one.id: _flight(kinds[one.owner_kind], one, token, facts[one.id], context)
            for one in locked
            if one.id in facts
        }
        crowded = _taken_places(places, made, flying)
        due = [one for one in locked if not one.is_spent and one.id not in crowded]
        await queries.begin(connection, now, token, now + LEASE, due, facts)
        ended = await queries.end_spent(connection, now, [one for one in locked if one.is_spent], facts)
        await results.notify_owners(connection, kinds, ended)
    return Claimed(
        Counter(one.tenant_id for one in locked if one.id not in crowded),
        flying,
        [(one.id, made[one.id].lease.channel) for one in ended if one.state is DeliveryState.DEAD],
        _destinations(made[delivery_id] for delivery_id in crowded),
    )


def _taken_places(places: Places, made: Mapping[UUID, Flight], flying: list[Flight]) -> set[UUID]:
    """Take the places of flights. Return the deliveries to hosts without a free place."""
    crowded = set[UUID]()
    for delivery_id, flight in made.items():
        due = flight.lease.delivery
        if due.is_spent:
            continue
        if places.has_room(flight.host):
            places.take(due.tenant_id, flight.host)
            flying.append(flight)
        else:
            crowded.add(delivery_id)
    return crowded


def _destinations(flights: Iterable[Flight]) -> dict[UUID, dict[UUID, str]]:
    found: dict[UUID, dict[UUID, str]] = {}
    for flight in flights:
        due = flight.lease.delivery
        found.setdefault(due.tenant_id, {})
        if due.destination_id is not None:
            found[due.tenant_id][due.destination_id] = flight.host
    return found


def free(places: Places, flights: Iterable[Flight]) -> None:
    """Give the places of flights back."""
    for flight in flights:
        places.free(flight.lease.delivery.tenant_id, flight.host)


def _flight(kind: Kind[Any], due: Due, token: UUID, facts: Any, context: JobContext) -> Flight:
    """Make a flight. A message that cannot be addressed fails by its attempt, so that the try is counted."""
    if isinstance(facts, Undeliverable):
        return Flight(Lease(due, token, "unknown"), kind, None, None, facts)
    lease = Lease(due, token, "unknown")
    try:
        lease = Lease(due, token, kind.channel(facts))
        facts = facts if kind.opened is None else kind.opened(facts, context.keyring)
        address = kind.address(facts, context.keyring)
        return Flight(lease, kind, facts, address, None, host_of(address))
    except Undeliverable as why:
        return Flight(lease, kind, facts, None, why)
    except Exception as error:  # noqa: BLE001 - the fault of one message must not stop the others
        _log.exception("delivery_failed", delivery=str(due.id), destination=str(due.destination_id))
        fault = Undeliverable(Failure.TEMPORARY, type(error).__name__, retryable=True)
        return Flight(lease, kind, facts, None, fault)


async def load(connection: Connection, kinds: Kinds, due: Sequence[Due]) -> dict[UUID, Any]:
    """Return the messages' data by delivery, without those that must not be sent.

    Where a kind fails, each of its messages is loaded alone. One that cannot be loaded has an `Undeliverable` as its
    data: its attempt fails, is counted, and is made again later.
    """
    facts: dict[UUID, Any] = {}
    by_kind = attrgetter("owner_kind")
    for owner_kind, of_kind in groupby(sorted(due, key=by_kind), by_kind):
        batch = list(of_kind)
        loaded = await _loaded(connection, kinds[owner_kind], batch)
        if loaded is None:
            for one in batch:
                alone = await _loaded(connection, kinds[owner_kind], [one])
                facts.update({one.id: _UNREADABLE} if alone is None else alone)
        else:
            facts.update(loaded)
    return facts


_UNREADABLE = Undeliverable(Failure.TEMPORARY, "the message cannot be loaded", retryable=True)


async def _loaded(connection: Connection, kind: Kind[Any], due: Sequence[Due]) -> Mapping[UUID, Any] | None:
    await connection.execute("savepoint loading")
    try:
        return await kind.load(connection, due)
    except Exception as error:
        if is_outage(error):
            raise
        # One trace for the batch. Then each message is loaded alone, and the faulty ones are named.
        log = _log.exception if len(due) > 1 else _log.warning
        ids = [str(one.id) for one in due]
        log("messages_unreadable", owner_kind=kind.owner_kind, deliveries=ids, error=type(error).__name__)
        await connection.execute("rollback to savepoint loading")
        return None
