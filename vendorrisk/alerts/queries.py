"""The statements of alerts, claimed and typed."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.access.model import Tenant
from vendorrisk.access.work import Work
from vendorrisk.alerts.model import (
    Alert,
    AlertClass,
    AlertPolicy,
    AlertToSend,
    Deadline,
    Dispatched,
    NewAlertPolicy,
    ReceiverKind,
    SweepResult,
    TimedClass,
    UpcomingAlert,
)
from vendorrisk.alerts.receiver_model import NewReceiver, Receiver
from vendorrisk.db.connection import Connection
from vendorrisk.db.constraints import Finding, Holder, refusing
from vendorrisk.db.paging import EQUALITY, RANGE, Column, ListOf, Operator
from vendorrisk.db.queries import QueryFile
from vendorrisk.errors import Code
from vendorrisk.ids import new_id
from vendorrisk.outbox.model import AttemptOutcome, DeliveryState, Due
from vendorrisk.vendors.model import Tier

_sql = QueryFile("alerts")
_WATCH = _sql.command("watch_deadlines")
_UNWATCH = _sql.command("unwatch_deadlines")
_RAISE_DUE = _sql.rows("raise_due_alerts", SweepResult)
_RAISE_EVENT = _sql.scalar("raise_event", UUID)
_DISPATCH = _sql.rows("dispatch_alerts", Dispatched)
_TO_CHECK = _sql.scalar("deadlines_to_check", UUID)
_TO_DISPATCH = _sql.scalar("alerts_to_dispatch", UUID)
_LOAD = _sql.rows("load_messages", AlertToSend)
LIST_ALERTS = _sql.rows("list_alerts", Alert)
_FIND_ALERT = _sql.rows("find_alert", Alert)
LIST_UPCOMING = _sql.rows("list_upcoming", UpcomingAlert)
_INSERT_RECEIVER = _sql.rows("insert_receiver", Receiver)
_FIND_RECEIVER = _sql.rows("find_receiver", Receiver)
_LOCK_RECEIVER = _sql.rows("lock_receiver", Receiver)
LIST_RECEIVERS = _sql.rows("list_receivers", Receiver)
_UPDATE_RECEIVER = _sql.rows("update_receiver", Receiver)
_REMOVE_RECEIVER = _sql.command("remove_receiver")
_LOCK_TENANT = _sql.scalar("lock_tenant_of_receivers", UUID)
_COUNT_RECEIVERS = _sql.scalar("count_receivers", int)


class SealedAddress(msgspec.Struct, frozen=True):
    """A receiver's address as it lies in its row."""

    tenant_id: UUID
    id: UUID
    address_sealed: bytes


_SEALED = _sql.scalar("find_sealed_address", bytes)
_SEALED_BY_OTHERS = _sql.rows("receivers_sealed_by_others", SealedAddress)
_RESEAL = _sql.command("reseal_receiver")
_COUNT_MEMBERS = _sql.scalar("count_members", int)
_INSERT_TEST_ALERT = _sql.command("insert_test_alert")
LIST_POLICIES = _sql.rows("list_policies", AlertPolicy)
_FIND_POLICY = _sql.rows("find_policy", AlertPolicy)
_LOCK_POLICY = _sql.rows("lock_policy", AlertPolicy)
_UPDATE_POLICY = _sql.rows("update_policy", AlertPolicy)
_RESCHEDULE = _sql.command("reschedule_deadlines")
_RECEIVER_OF_NAME = _sql.rows("receiver_of_name", Holder)

_LISTED = frozenset({Operator.EQ, Operator.IN})
_ID = Column("id", UUID, "uuid")
_CREATED = Column("created_at", datetime, "timestamptz", RANGE, sortable=True)
_UPDATED = Column("updated_at", datetime, "timestamptz", RANGE, sortable=True)

ALERTS = ListOf(
    "alerts",
    {
        "id": _ID,
        "alert_class": Column("alert_class", AlertClass),
        "vendor_id": Column("vendor_id", UUID, "uuid", nullable=True),
        "subject_kind": Column("subject_kind"),
        "subject_id": Column("subject_id", UUID, "uuid"),
        "tier": Column("tier", Tier, nullable=True),
        "due_on": Column("due_on", date, "date", RANGE, nullable=True),
        "raised_at": Column("raised_at", datetime, "timestamptz", RANGE, sortable=True),
        "has_recipients": Column("has_recipients", bool, "boolean", EQUALITY, nullable=True),
    },
    default_sort="-raised_at",
)
UPCOMING = ListOf(
    "upcoming_alerts",
    {
        "alert_class": Column("upcoming.alert_class", TimedClass),
        "vendor_id": Column("upcoming.vendor_id", UUID, "uuid"),
        "tier": Column("upcoming.tier", Tier, nullable=True),
        "due_on": Column("upcoming.due_on", date, "date", RANGE),
        "alert_on": Column("upcoming.alert_on", date, "date", RANGE, sortable=True),
    },
    default_sort="alert_on",
    key_sql="upcoming.id",
    key_pg="text",
    key_kind=str,
)
RECEIVERS = ListOf(
    "receivers",
    {
        "id": _ID,
        "name": Column("name", sortable=True),
        "kind": Column("kind", ReceiverKind),
        "is_active": Column("is_active", bool, "boolean", EQUALITY),
        "created_at": _CREATED,
        "updated_at": _UPDATED,
    },
    default_sort="name",
)
DELIVERIES = ListOf(
    "deliveries",
    {
        "id": _ID,
        "alert_id": Column("owner_id", UUID, "uuid"),
        "receiver_id": Column("destination_id", UUID, "uuid"),
        "recipient": Column("recipient", equal_sql="nullif(recipient, '')"),
        "state": Column("state", DeliveryState),
        "failure": Column("failure", nullable=True),
        "possible_duplicates": Column("possible_duplicates", int, "integer", RANGE),
        "sent_at": Column("sent_at", datetime, "timestamptz", RANGE, nullable=True),
        "created_at": _CREATED,
        "updated_at": _UPDATED,
    },
    default_sort="-created_at",
)
ATTEMPTS = ListOf(
    "delivery_attempts",
    {
        "number": Column("number", int, "integer", RANGE, sortable=True),
        "outcome": Column("outcome", AttemptOutcome),
    },
    default_sort="number",
)
POLICIES = ListOf(
    "alert_policies",
    {
        "alert_class": Column("alert_class", TimedClass, operators=_LISTED, sortable=True),
        "updated_at": _UPDATED,
    },
    default_sort="alert_class",
    key="alert_class",
    key_sql="alert_class",
    key_pg="text",
    key_kind=str,
)

_RECEIVER_BROKEN = {
    "receivers_name_is_unique": (
        Code.RECEIVER_NAME_TAKEN,
        "Another receiver has this name. Change that one, or send another name.",
        "/name",
    )
}


async def watch(work: Work, deadlines: Sequence[Deadline]) -> int:
    """Store deadlines, set-based. Return how many are new or changed."""
    return await _WATCH.run(
        work.db,
        work.tenant_id,
        [new_id() for _ in deadlines],
        [d.alert_class.value for d in deadlines],
        [d.subject_kind for d in deadlines],
        [d.subject_id for d in deadlines],
        [d.vendor_id for d in deadlines],
        [d.title for d in deadlines],
        [d.due_on for d in deadlines],
    )


async def unwatch(work: Work, alert_class: TimedClass, subject_kind: str, subject_ids: Sequence[UUID]) -> int:
    return await _UNWATCH.run(work.db, work.tenant_id, alert_class, subject_kind, list(subject_ids))


async def raise_due(
    connection: Connection, tenants: Sequence[Tenant], now: datetime, most: int, only: UUID | None = None
) -> list[SweepResult]:
    """Check deadlines of several tenants, at most so many of each, or one deadline alone."""
    return await _RAISE_DUE.each(connection, [(each.id, now, most, each.time_zone, only) for each in tenants])


async def to_check(connection: Connection, tenant: Tenant, now: datetime, most: int) -> list[UUID]:
    return await _TO_CHECK.many(connection, tenant.id, now, most, tenant.time_zone)


async def raise_event(
    work: Work,
    alert_class: AlertClass,
    dedupe_key: str,
    vendor_id: UUID | None,
    subject_kind: str,
    subject_id: UUID,
    title: str,
    facts: dict[str, Any],
) -> UUID | None:
    """Insert the alert. Return None if this key has been raised before."""
    return await _RAISE_EVENT.one_or_none(
        work.db,
        work.tenant_id,
        new_id(),
        alert_class,
        dedupe_key,
        vendor_id,
        subject_kind,
        subject_id,
        title,
        facts,
        work.now,
    )


async def dispatch(
    connection: Connection, tenants: Sequence[Tenant], now: datetime, most: int, tries: int, only: UUID | None = None
) -> list[Dispatched]:
    """Dispatch alerts of several tenants, at most so many of each, or one alert alone."""
    return await _DISPATCH.each(connection, [(each.id, now, most, tries, only) for each in tenants])


async def to_dispatch(connection: Connection, tenant: Tenant, now: datetime, most: int) -> list[UUID]:
    return await _TO_DISPATCH.many(connection, tenant.id, now, most)


async def load(connection: Connection, due: Sequence[Due]) -> dict[UUID, AlertToSend]:
    """Load the alerts of deliveries, without those to a receiver that was removed or is switched off."""
    loaded = await _LOAD.many(
        connection,
        [one.tenant_id for one in due],
        [one.id for one in due],
        [one.owner_id for one in due],
        [one.destination_id for one in due],
        [one.recipient for one in due],
    )
    return {one.delivery_id: one for one in loaded}


async def find_alert(work: Work, alert_id: UUID) -> Alert | None:
    return await _FIND_ALERT.one_or_none(work.db, work.tenant_id, alert_id)


def _holder(name: str) -> dict[str, Finding]:
    return {"receivers_name_is_unique": (_RECEIVER_OF_NAME, (name,))}


async def insert_receiver(
    work: Work, receiver_id: UUID, new: NewReceiver, kind: ReceiverKind, sealed: bytes | None, shown: str
) -> Receiver:
    with refusing(_RECEIVER_BROKEN, _holder(new.name), seen_by="alerts:read"):
        return await _INSERT_RECEIVER.one(
            work.db,
            work.tenant_id,
            receiver_id,
            new.name,
            kind,
            sealed,
            shown,
            new.classes,
            new.tiers,
            new.owner_ids,
            work.now,
        )


async def find_receiver(work: Work, receiver_id: UUID) -> Receiver | None:
    return await _FIND_RECEIVER.one_or_none(work.db, work.tenant_id, receiver_id)


async def lock_receiver(work: Work, receiver_id: UUID) -> Receiver | None:
    return await _LOCK_RECEIVER.one_or_none(work.db, work.tenant_id, receiver_id)


async def sealed_address(work: Work, receiver_id: UUID) -> bytes:
    """Return the sealed address, or an empty one for owners, who have none."""
    return await _SEALED.one(work.db, work.tenant_id, receiver_id)


async def update_receiver(work: Work, receiver: Receiver, *, readdressed: bool, sealed: bytes | None) -> Receiver:
    with refusing(_RECEIVER_BROKEN, _holder(receiver.name), seen_by="alerts:read"):
        return await _UPDATE_RECEIVER.one(
            work.db,
            work.tenant_id,
            receiver.id,
            receiver.name,
            receiver.kind,
            readdressed,
            sealed,
            receiver.destination,
            receiver.classes,
            receiver.tiers,
            receiver.owner_ids,
            receiver.is_active,
            work.now,
        )


async def remove_receiver(work: Work, receiver_id: UUID) -> None:
    await _REMOVE_RECEIVER.run(work.db, work.tenant_id, receiver_id, work.now)


async def lock_tenant(work: Work) -> None:
    """Let changes that count the tenant's receivers follow one another."""
    await _LOCK_TENANT.one(work.db, work.tenant_id)


async def count_receivers(work: Work) -> int:
    return await _COUNT_RECEIVERS.one(work.db, work.tenant_id)


async def count_members(work: Work, member_ids: Sequence[UUID]) -> int:
    return await _COUNT_MEMBERS.one(work.db, work.tenant_id, list(member_ids))


async def insert_test_alert(work: Work, alert_id: UUID, receiver_id: UUID) -> None:
    await _INSERT_TEST_ALERT.run(
        work.db, work.tenant_id, alert_id, f"test:{alert_id}", receiver_id, "Test message", work.now
    )


async def find_policy(work: Work, alert_class: TimedClass) -> AlertPolicy | None:
    return await _FIND_POLICY.one_or_none(work.db, work.tenant_id, alert_class)


async def lock_policy(work: Work, alert_class: TimedClass) -> AlertPolicy | None:
    return await _LOCK_POLICY.one_or_none(work.db, work.tenant_id, alert_class)


async def update_policy(work: Work, alert_class: TimedClass, new: NewAlertPolicy) -> AlertPolicy:
    return await _UPDATE_POLICY.one(
        work.db,
        work.tenant_id,
        alert_class,
        new.critical,
        new.high,
        new.medium,
        new.low,
        new.overdue_every_days,
        work.now,
    )


async def reschedule(work: Work, alert_class: TimedClass) -> int:
    """Recalculate the next threshold of every watched deadline of a class."""
    return await _RESCHEDULE.run(work.db, work.tenant_id, alert_class)


async def sealed_by_others(
    connection: Connection, key_id: bytes, after: tuple[UUID, UUID], most: int
) -> list[SealedAddress]:
    return await _SEALED_BY_OTHERS.many(connection, key_id, *after, most)


async def reseal(connection: Connection, old: SealedAddress, sealed: bytes) -> int:
    return await _RESEAL.run(connection, old.tenant_id, old.id, old.address_sealed, sealed)
