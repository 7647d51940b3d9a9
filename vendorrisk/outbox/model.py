"""Stored records of deliveries and attempts."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec


class DeliveryState(StrEnum):
    """Where a delivery stands. `dead` gave up, `cancelled` lost its receiver."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"
    CANCELLED = "cancelled"


class AttemptOutcome(StrEnum):
    """The result of an attempt. `uncertain` may have been accepted."""

    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class NewDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A message to one recipient. Without a destination, `recipient` is the e-mail address."""

    owner_kind: str
    owner_id: UUID
    destination_kind: str | None = None
    destination_id: UUID | None = None
    recipient: str = ""


class Delivery(msgspec.Struct, frozen=True):
    """One message to one recipient. `possible_duplicates` counts attempts that followed one with an unknown end."""

    id: UUID
    owner_kind: str
    owner_id: UUID
    destination_kind: str | None
    destination_id: UUID | None
    recipient: str
    state: DeliveryState
    attempts: int
    attempts_allowed: int
    next_attempt_at: datetime | None
    possible_duplicates: int
    failure: str | None
    detail: str | None
    sent_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class DeliveryAttempt(msgspec.Struct, frozen=True):
    """One attempt to send a delivery."""

    id: UUID
    number: int
    """Counts the attempts of a delivery, from 1."""
    outcome: AttemptOutcome
    failure: str | None
    detail: str | None
    started_at: datetime
    """When the attempt began."""
    ended_at: datetime | None
    """When the attempt ended. Null while it runs, or if its end is unknown."""


class Due(msgspec.Struct, frozen=True):
    """A delivery that a sender has locked. `number` is its attempt's, `lease_token` that of a lease that ran out.

    If it is spent, that lease ran out at the last attempt it may have.
    """

    tenant_id: UUID
    id: UUID
    owner_kind: str
    owner_id: UUID
    destination_id: UUID | None
    recipient: str
    number: int
    attempts_allowed: int
    lease_token: UUID | None
    is_spent: bool = False


class Lease(msgspec.Struct, frozen=True):
    """An attempt under way. `channel` is the word for it in metrics."""

    delivery: Due
    token: UUID
    channel: str


class Result(msgspec.Struct, frozen=True):
    """The record of an attempt's result. The destination's other deliveries wait until `back_off_until` as well."""

    lease: Lease
    state: DeliveryState
    outcome: AttemptOutcome
    next_attempt_at: datetime | None
    failure: str | None
    detail: str | None
    back_off_until: datetime | None


class Recorded(msgspec.Struct, frozen=True):
    """The state of a delivery after an attempt was recorded."""

    tenant_id: UUID
    id: UUID
    owner_kind: str
    owner_id: UUID
    state: DeliveryState
    failure: str | None
