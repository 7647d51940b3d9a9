"""What is stored of diligence (risk, reviews, offboarding, intake), what comes in, and what is shown."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from vendorrisk.access.records import Body
from vendorrisk.vendors.model import DataClass, DataClasses, Domain, Line, Text, Tier


class OffboardingStep(StrEnum):
    """What must be seen to before a vendor counts as terminated."""

    DATA_RETURNED = "data_returned"
    ACCESS_REMOVED = "access_removed"
    DELETION_PROVEN = "deletion_proven"


class StepState(StrEnum):
    OPEN = "open"
    DONE = "done"
    WAIVED = "waived"


class AnsweredFactor(msgspec.Struct, frozen=True):
    """One factor's part in a score. `points` of all factors add up to the score."""

    factor: str
    value: int
    unknown: bool
    answer: str
    weight: int
    points: int


class AppliedFloor(msgspec.Struct, frozen=True):
    """A rule that demands at least a tier, whatever the score."""

    key: str
    tier: Tier
    reason: str


class InherentRisk(msgspec.Struct, frozen=True):
    """A score of 0 to 100, the tier, and why."""

    score: int
    tier: Tier
    factors: tuple[AnsweredFactor, ...]
    floors: tuple[AppliedFloor, ...]
    unknown: tuple[str, ...]
    model_version: str


class IntakeState(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"


class ReviewOutcome(StrEnum):
    SATISFACTORY = "satisfactory"
    CONDITIONS = "conditions"
    UNSATISFACTORY = "unsatisfactory"


class InherentAnswers(Body):
    """0 (harmless) to 4 for each factor, by the texts of its scale; null or absent is unknown, and counts as 3."""

    data_classification: Annotated[int, Meta(ge=0, le=4)] | None = None
    data_volume: Annotated[int, Meta(ge=0, le=4)] | None = None
    access: Annotated[int, Meta(ge=0, le=4)] | None = None
    criticality: Annotated[int, Meta(ge=0, le=4)] | None = None
    substitutability: Annotated[int, Meta(ge=0, le=4)] | None = None
    regulatory_weight: Annotated[int, Meta(ge=0, le=4)] | None = None
    geography: Annotated[int, Meta(ge=0, le=4)] | None = None
    fourth_parties: Annotated[int, Meta(ge=0, le=4)] | None = None


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """Inherent-risk answers and what followed from them, by the rules of their day."""

    id: UUID
    vendor_id: UUID
    answers: dict[str, int | None]
    result: InherentRisk
    score: int
    tier: Tier
    model_version: str
    assessed_by_id: UUID
    assessed_by_label: str
    assessed_at: datetime


class Assessed(msgspec.Struct, frozen=True):
    """The newest assessment, null while the questions were never answered; `version` is the vendor's."""

    assessment: Assessment | None
    next_review_on: date | None
    version: int


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


class ScaleShown(msgspec.Struct, frozen=True):
    """A factor as it is asked. The place of a text in `scale` is its answer, from 0."""

    factor: str
    title: str
    weight: int
    scale: tuple[str, ...]


class FloorShown(msgspec.Struct, frozen=True):
    key: str
    tier: Tier
    reason: str


class ModelShown(msgspec.Struct, frozen=True):
    """The rules in force: what is asked, how much it weighs, and which answers demand a tier."""

    model_version: str
    questions: list[ScaleShown]
    floors: list[FloorShown]
    thresholds: dict[str, int]
    cadence_months: dict[str, int]
