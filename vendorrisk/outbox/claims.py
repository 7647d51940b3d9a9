"""Taking deliveries: lock due ones, load their messages, record that an attempt begins.

All three happen in one transaction, which ends before a message leaves.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.background import JobContext
from vendorrisk.db.connection import Connection
from vendorrisk.ids import new_id
from vendorrisk.outbox import queries, rules
from vendorrisk.outbox.kind import Kind
from vendorrisk.outbox.model import Due, Lease

Kinds = Mapping[str, Kind[Any]]
LEASE = timedelta(seconds=90)
"""Longer than any channel's timeout and the recording after it."""


class LoadError(Exception):
    """A kind could not load its messages. Nothing was claimed."""

    def __init__(self, owner_kind: str) -> None:
        super().__init__(f"messages of kind {owner_kind!r} cannot be loaded")
        self.owner_kind = owner_kind


class Flight(msgspec.Struct, frozen=True):
    """An attempt that has begun, with the data of its message."""

    lease: Lease
    kind: Kind[Any]
    facts: Any


class Claimed(msgspec.Struct, frozen=True):
    """The result of a claim: `taken` deliveries, of which the wanted ones are under way."""

    taken: int
    flights: list[Flight]


async def claim(context: JobContext, kinds: Kinds, most: int) -> Claimed:
    """Claim deliveries that may be tried now, each under a lease. Raises `LoadError`."""
    now, token = context.clock(), new_id()
    async with context.database.system() as connection:
        due = await queries.lock_due(connection, now, most, kinds, rules.TRIES)
        if not due:
            return Claimed(0, [])
        facts = await load(connection, kinds, due)
        flights = [_flight(kinds[one.owner_kind], one, token, facts[one.id]) for one in due if one.id in facts]
        await queries.begin(connection, now, token, now + LEASE, due, facts)
    return Claimed(len(due), flights)


def _flight(kind: Kind[Any], due: Due, token: UUID, facts: Any) -> Flight:
    return Flight(Lease(due, token, kind.channel(facts)), kind, facts)


async def load(connection: Connection, kinds: Kinds, due: Sequence[Due]) -> dict[UUID, Any]:
    """Return the messages' data by delivery, without those that must not be sent. Raises `LoadError`."""
    facts: dict[UUID, Any] = {}
    by_kind = attrgetter("owner_kind")
    for owner_kind, of_kind in groupby(sorted(due, key=by_kind), by_kind):
        try:
            facts.update(await kinds[owner_kind].load(connection, list(of_kind)))
        except Exception as error:
            raise LoadError(owner_kind) from error
    return facts
