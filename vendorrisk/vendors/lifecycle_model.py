"""Intake, reviews and offboarding: stored records, request bodies and responses."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from vendorrisk.access.records import Body
from vendorrisk.vendors.model import DataClass, DataClasses, Domain, Line, Text


class OffboardingStepKind(StrEnum):
    """The steps to resolve before a vendor counts as terminated."""

    DATA_RETURNED = "data_returned"
    ACCESS_REMOVED = "access_removed"
    DELETION_PROVEN = "deletion_proven"


class OffboardingStepState(StrEnum):
    """Whether a step is open, done or waived."""

    OPEN = "open"
    DONE = "done"
    WAIVED = "waived"


class IntakeState(StrEnum):
    """Whether an intake request was decided, and how."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"


class ReviewOutcome(StrEnum):
    """The result of a review."""

    SATISFACTORY = "satisfactory"
    CONDITIONS = "conditions"
    UNSATISFACTORY = "unsatisfactory"


class NewVendorReview(Body):
    """A review that was held. Without a day it is today. Without a next day, the tier's cadence sets it."""

    outcome: ReviewOutcome
    reviewed_on: date | None = None
    """Day of the review. Today if left out."""
    note: Text | None = None
    next_review_on: date | None = None
    """Day the next review is due. By the review policy of the tier if left out."""


Months = Annotated[int, Meta(ge=1, le=60)]


class ReviewPolicy(Body):
    """How many months lie between two reviews of a vendor, by its tier."""

    critical_months: Months = 3
    """Months between reviews of a vendor of the tier critical."""
    high_months: Months = 6
    """Months between reviews of a vendor of the tier high."""
    medium_months: Months = 12
    """Months between reviews of a vendor of the tier medium."""
    low_months: Months = 24
    """Months between reviews of a vendor of the tier low."""


class ReviewPolicyDetail(msgspec.Struct, frozen=True):
    """The policy in force. Version 0 is the unchanged default."""

    critical_months: int
    """Months between reviews of a vendor of the tier critical."""
    high_months: int
    """Months between reviews of a vendor of the tier high."""
    medium_months: int
    """Months between reviews of a vendor of the tier medium."""
    low_months: int
    """Months between reviews of a vendor of the tier low."""
    version: int


class VendorReview(msgspec.Struct, frozen=True, kw_only=True):
    """A review that was held."""

    id: UUID
    vendor_id: UUID
    vendor_name: str
    reviewed_on: date
    outcome: ReviewOutcome
    note: str | None
    next_review_on: date | None
    reviewed_by_id: UUID
    reviewed_by_label: str
    created_at: datetime


class VendorReviewDetail(VendorReview, frozen=True, kw_only=True):
    """A review just recorded. A review is never changed, so `version` is the vendor's."""

    version: int
    """The vendor's version."""


class OffboardingStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an offboarding."""

    id: UUID
    vendor_id: UUID
    vendor_name: str
    step: OffboardingStepKind
    state: OffboardingStepState
    """Whether the step is open, done or waived."""
    note: str | None
    proof: str | None
    resolved_by_id: UUID | None
    """The actor who resolved the step. Null while open."""
    resolved_by_label: str | None
    """The name of who resolved the step, at that time. Null while open."""
    resolved_at: datetime | None
    """When the step was resolved. Null while open."""
    version: int


class OffboardingChecklist(msgspec.Struct, frozen=True):
    """The offboarding of a vendor. Empty while none was begun."""

    items: list[OffboardingStep]


class OffboardingStepResolution(Body):
    """How a step was resolved.

    A waiver needs a note. Deletion needs a note or a proof, such as the place of a certificate.
    """

    state: OffboardingStepState
    """`done` or `waived`. `open` reopens the step."""
    note: Text | None = None
    proof: Annotated[str, Meta(min_length=1, max_length=2000)] | None = None


class IntakeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Someone asks to take a vendor on. `vendor_id` is set once approved, or from the start for a known prospect."""

    id: UUID
    vendor_id: UUID | None
    """The vendor. Null until approved, unless it was known before."""
    vendor_name: str | None
    name: str
    """The vendor's name."""
    domain: str | None
    """The vendor's domain. Null if unknown."""
    purpose: str
    """Why the vendor is wanted."""
    data_classes: list[DataClass]
    business_owner_id: UUID | None
    state: IntakeState
    """Whether it is open, approved or rejected."""
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
    """The vendor that is requested, and the reason. Without an owner, the person who asks is the business owner."""

    name: Line
    """The vendor's name."""
    purpose: Text
    """Why the vendor is wanted."""
    domain: Domain | None = None
    data_classes: DataClasses = msgspec.field(default_factory=list)
    business_owner_id: UUID | None = None
    """The member who answers for using the vendor. The caller if left out."""
    vendor_id: UUID | None = None
    """A prospect that is registered already."""


class IntakeApproval(Body):
    """Why a request is approved."""

    reason: Text | None = None


class IntakeRejection(Body):
    """Why a request is rejected."""

    reason: Text
