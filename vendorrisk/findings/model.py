"""Findings: stored records, request bodies and responses."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vendorrisk.access.records import Body, Metadata, Reference, Version


class FindingSeverity(StrEnum):
    """How bad a finding is."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class FindingState(StrEnum):
    """`open` and `acknowledged` are active. The others are closed."""

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
    """How many days a finding may be active, by severity."""

    critical_days: Days = 7
    """Days until a finding of the severity critical is due."""
    high_days: Days = 30
    """Days until a finding of the severity high is due."""
    medium_days: Days = 90
    """Days until a finding of the severity medium is due."""
    low_days: Days = 180
    """Days until a finding of the severity low is due."""


class FindingPolicyDetail(msgspec.Struct, frozen=True):
    """The policy in force. Version 0 is the unchanged default."""

    critical_days: int
    """Days until a finding of the severity critical is due."""
    high_days: int
    """Days until a finding of the severity high is due."""
    medium_days: int
    """Days until a finding of the severity medium is due."""
    low_days: int
    """Days until a finding of the severity low is due."""
    version: int


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong with a vendor.

    `source_id` is the record the finding is about. A finding that a person opened has its own id there.
    """

    id: UUID
    vendor_id: UUID
    vendor_name: str
    source_kind: str
    """`person`, or the kind of record that the finding is about."""
    source_id: UUID
    title: str
    description: str | None
    severity: FindingSeverity
    state: FindingState
    state_reason: str | None
    """Why the state last changed. Null if no reason was given."""
    state_changed_at: datetime
    """When the state last changed."""
    owner_id: UUID | None
    opened_on: date
    """Day it was opened."""
    due_on: date
    until_on: date | None
    """Last day of an acceptance or dispute. Null in other states."""
    times_reopened: int
    """How often it was reopened after it had been closed."""
    reference: str | None
    metadata: dict[str, str]
    created_at: datetime
    updated_at: datetime
    version: int


class NewFinding(Body):
    """A finding that a person opens. Without `due_on` the policy of its severity decides."""

    vendor_id: UUID
    title: Title
    severity: FindingSeverity
    description: Description | None = None
    owner_id: UUID | None = None
    reference: Reference | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)
    due_on: date | None = None
    """Day by which it is due. By the policy of its severity if left out."""


class FindingChanges(Body):
    """A new severity moves the due date by the policy, unless one is sent with it."""

    title: Title | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    severity: FindingSeverity | UnsetType = UNSET
    owner_id: UUID | UnsetType | None = UNSET
    reference: Reference | UnsetType | None = UNSET
    metadata: Metadata | UnsetType = UNSET
    due_on: date | UnsetType = UNSET


class NewTransition(Body):
    """A transition to another state. Closing needs a reason. Accepting and disputing also need a last day."""

    to: FindingState
    """The state to move to."""
    reason: Reason | None = None
    """Required to close."""
    until_on: date | None = None
    """Last day of an acceptance or dispute. Required for these."""


class TransitionedFinding(NewTransition, kw_only=True):
    """A transition of one finding among many, held to the version it was meant for."""

    id: UUID
    """The finding."""
    version: Version


class FindingTransition(msgspec.Struct, frozen=True):
    """One transition of a finding. `from_state` is null for the one that opened it."""

    id: UUID
    from_state: FindingState | None
    """Null where the finding was opened."""
    to_state: FindingState
    reason: str | None
    """Why, in words. Null if no reason was given."""
    until_on: date | None
    """Last day of an acceptance or dispute. Null in other states."""
    transitioned_by_id: UUID
    transitioned_by_label: str
    transitioned_at: datetime
    """When the transition happened."""


class FindingDetail(Finding, frozen=True, kw_only=True):
    """A finding with everything that happened to it."""

    transitions: list[FindingTransition]
    """All changes of its state, oldest first."""
