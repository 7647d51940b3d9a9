"""The statements of confirmations, claimed and typed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from vendorrisk.access.work import Work
from vendorrisk.alerts.receiver_model import Receiver
from vendorrisk.db.connection import Connection
from vendorrisk.db.queries import QueryFile
from vendorrisk.outbox.model import Due


class StoredConfirmation(msgspec.Struct, frozen=True):
    """A confirmation with its receiver and tenant."""

    id: UUID
    receiver_id: UUID
    token_hash: bytes
    tenant_name: str
    time_zone: str
    address: str
    is_open: bool


class MailToConfirm(msgspec.Struct, frozen=True):
    """The data of a mail that asks for a confirmation, as it is stored."""

    tenant_id: UUID
    delivery_id: UUID
    id: UUID
    receiver_id: UUID
    token_hash: bytes
    address_sealed: bytes
    tenant_name: str
    created_at: datetime


_sql = QueryFile("alerts")
_COUNT_UNASKED = _sql.scalar("count_unasked_messages", int)
_END = _sql.command("end_confirmations")
_INSERT = _sql.command("insert_confirmation")
_LOCK = _sql.scalar("lock_confirmation", UUID)
_FIND = _sql.rows("find_confirmation", StoredConfirmation)
_CONFIRM = _sql.rows("confirm_receiver", Receiver)
_LOAD = _sql.rows("load_confirmations", MailToConfirm)


async def count_unasked(work: Work, since: datetime) -> int:
    """Return how many tests and confirmations the tenant has sent since an instant."""
    return await _COUNT_UNASKED.one(work.db, work.tenant_id, since)


async def end_earlier(work: Work, receiver_id: UUID) -> None:
    await _END.run(work.db, work.tenant_id, receiver_id, work.now)


async def insert(work: Work, confirmation_id: UUID, receiver_id: UUID, token_hash: bytes, until: datetime) -> None:
    await _INSERT.run(work.db, work.tenant_id, confirmation_id, receiver_id, token_hash, work.now, until)


async def lock(connection: Connection, tenant_id: UUID, confirmation_id: UUID) -> None:
    await _LOCK.one_or_none(connection, tenant_id, confirmation_id)


async def find(
    connection: Connection, tenant_id: UUID, confirmation_id: UUID, now: datetime
) -> StoredConfirmation | None:
    return await _FIND.one_or_none(connection, tenant_id, confirmation_id, now)


async def confirm(work: Work, confirmation_id: UUID, receiver_id: UUID) -> Receiver:
    return await _CONFIRM.one(work.db, work.tenant_id, confirmation_id, receiver_id, work.now)


async def load(connection: Connection, due: Sequence[Due]) -> list[MailToConfirm]:
    """Load the mails of deliveries, without those with a link that has ended."""
    return await _LOAD.many(
        connection, [one.tenant_id for one in due], [one.id for one in due], [one.owner_id for one in due]
    )
