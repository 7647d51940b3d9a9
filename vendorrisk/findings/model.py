"""What is stored of findings, what comes in, and what is shown."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vendorrisk.access.records import Body


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class State(StrEnum):
    """`open` and `acknowledged` are standing; the others are closed."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    REMEDIATED = "remediated"
    ACCEPTED = "accepted"
    DISPUTED = "disputed"
    FALSE_POSITIVE = "false_positive"


Title = Annotated[str, Meta(min_length=1, max_length=300, pattern=r"\S", extra={"words": "text that is not blank"})]
Description = Annotated[
    str, Meta(min_length=1, max_length=8000, pattern=r"\S", extra={"words": "text that is not blank"})
]
Reason = Annotated[str, Meta(min_length=1, max_length=4000, pattern=r"\S", extra={"words": "text that is not blank"})]
Days = Annotated[int, Meta(ge=1, le=1000)]


class FindingPolicy(Body):
    """How many days a finding may stand, by severity."""

    critical_days: Days = 7
    high_days: Days = 30
    medium_days: Days = 90
    low_days: Days = 180


class FindingPolicyShown(msgspec.Struct, frozen=True):
    """The policy in force; version 0 is the default that nobody has changed."""

    critical_days: int
    high_days: int
    medium_days: int
    low_days: int
    version: int


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong with a vendor. `source_id` is what it is about; its own id where a person opened it."""

    id: UUID
    vendor_id: UUID
    source_kind: str
    source_id: UUID
    title: str
    description: str | None
    severity: Severity
    state: State
    state_reason: str | None
    state_changed_at: datetime
    owner_id: UUID | None
    opened_on: date
    due_on: date
    until_on: date | None
    times_reopened: int
    created_at: datetime
    updated_at: datetime
    version: int


class NewFinding(Body):
    """A finding that a person opens. Without `due_on` the policy of its severity decides."""

    vendor_id: UUID
    title: Title
    severity: Severity
    description: Description | None = None
    owner_id: UUID | None = None
    due_on: date | None = None


class FindingChanges(Body):
    """A new severity moves the due date by the policy, unless one is sent with it."""

    title: Title | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    severity: Severity | UnsetType = UNSET
    owner_id: UUID | UnsetType | None = UNSET
    due_on: date | UnsetType = UNSET


class NewMove(Body):
    """A move to another state. Closing needs a reason; accepting and disputing need a day on which that ends."""

    to: State
    reason: Reason | None = None
    until_on: date | None = None


class MovedFinding(NewMove, kw_only=True):
    """A move of one finding among many, held to the version it was meant for."""

    id: UUID
    version: Annotated[int, Meta(ge=1)]


class FindingMoves(Body):
    items: Annotated[list[MovedFinding], Meta(min_length=1, max_length=200)]


class Move(msgspec.Struct, frozen=True):
    """One move of a finding; `from_state` is null where it was opened."""

    id: UUID
    from_state: State | None
    to_state: State
    reason: str | None
    until_on: date | None
    moved_by_id: UUID
    moved_by_label: str
    moved_at: datetime


class FindingShown(msgspec.Struct, frozen=True):
    """A finding with everything that happened to it."""

    id: UUID
    finding: Finding
    moves: list[Move]
    version: int


class TenantDue(msgspec.Struct, frozen=True):
    id: UUID
    time_zone: str
