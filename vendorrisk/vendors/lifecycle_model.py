"""What is stored and returned of intake, reviews and offboarding."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from vendorrisk.access.records import Body
from vendorrisk.vendors.model import DataClass, DataClasses, Domain, Line, Text


class OffboardingStep(StrEnum):
    """What must be seen to before a vendor counts as terminated."""

    DATA_RETURNED = "data_returned"
    ACCESS_REMOVED = "access_removed"
    DELETION_PROVEN = "deletion_proven"


class StepState(StrEnum):
    OPEN = "open"
    DONE = "done"
    WAIVED = "waived"


class IntakeState(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"


class ReviewOutcome(StrEnum):
    SATISFACTORY = "satisfactory"
    CONDITIONS = "conditions"
    UNSATISFACTORY = "unsatisfactory"


class NewReview(Body):
    """A review that was held. Without a day it is today; without a next day the tier's cadence says when."""

    outcome: ReviewOutcome
    reviewed_on: date | None = None
    note: Text | None = None
    next_review_on: date | None = None


Months = Annotated[int, Meta(ge=1, le=60)]


class ReviewPolicy(Body):
    """How many months lie between two reviews of a vendor, by its tier."""

    critical_months: Months = 3
    high_months: Months = 6
    medium_months: Months = 12
    low_months: Months = 24


class ReviewPolicyShown(msgspec.Struct, frozen=True):
    """The policy in force; version 0 is the default that nobody has changed."""

    critical_months: int
    high_months: int
    medium_months: int
    low_months: int
    version: int


class Review(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    vendor_id: UUID
    reviewed_on: date
    outcome: ReviewOutcome
    note: str | None
    next_review_on: date | None
    reviewed_by_id: UUID
    reviewed_by_label: str
    created_at: datetime


class ReviewHeld(msgspec.Struct, frozen=True):
    """A review just recorded; `version` is the vendor's."""

    id: UUID
    review: Review
    version: int


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an offboarding."""

    id: UUID
    vendor_id: UUID
    step: OffboardingStep
    state: StepState
    note: str | None
    proof: str | None
    settled_by_id: UUID | None
    settled_by_label: str | None
    settled_at: datetime | None
    version: int


class Checklist(msgspec.Struct, frozen=True):
    """The offboarding of a vendor; empty while none was begun."""

    items: list[Step]


class Settlement(Body):
    """How a step was settled. A waiver needs a note; deletion a note or a proof, such as a certificate's place."""

    state: StepState
    note: Text | None = None
    proof: Annotated[str, Meta(min_length=1, max_length=2000)] | None = None


class IntakeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Someone asks to take a vendor on. `vendor_id` is set once approved, or from the start for a known prospect."""

    id: UUID
    vendor_id: UUID | None
    name: str
    domain: str | None
    purpose: str
    data_classes: list[DataClass]
    business_owner_id: UUID | None
    state: IntakeState
    requested_by_id: UUID
    requested_by_label: str
    requested_by_member_id: UUID | None
    decided_by_id: UUID | None
    decided_by_label: str | None
    decided_at: datetime | None
    decision_reason: str | None
    created_at: datetime
    updated_at: datetime
    version: int


class NewIntakeRequest(Body):
    """What is asked for, and why. Without an owner, the person who asks is the business owner."""

    name: Line
    purpose: Text
    domain: Domain | None = None
    data_classes: DataClasses = msgspec.field(default_factory=list)
    business_owner_id: UUID | None = None
    vendor_id: UUID | None = None


class Approval(Body):
    reason: Text | None = None


class IntakeRefusal(Body):
    reason: Text
