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
    """Whether a step is open, done or waived."""

    OPEN = "open"
    DONE = "done"
    WAIVED = "waived"


class AnsweredFactor(msgspec.Struct, frozen=True):
    """One factor's part in a score. `points` of all factors add up to the score."""

    factor: str
    value: int
    """0 (harmless) to 4, as it counts."""
    unknown: bool
    """Whether it was not answered, and so counts as 3."""
    answer: str
    """The text of the answer."""
    weight: int
    points: int
    """Its part of the score."""


class AppliedFloor(msgspec.Struct, frozen=True):
    """A rule that demands at least a tier, whatever the score."""

    key: str
    tier: Tier
    """The least tier."""
    reason: str
    """Which answers demand the tier."""


class InherentRisk(msgspec.Struct, frozen=True):
    """A score of 0 to 100, the tier, and why."""

    score: int
    """0 (harmless) to 100."""
    tier: Tier
    """The tier that follows."""
    factors: tuple[AnsweredFactor, ...]
    """What each factor adds to the score."""
    floors: tuple[AppliedFloor, ...]
    unknown: tuple[str, ...]
    """Keys of the factors that were not answered."""
    model_version: str


class IntakeState(StrEnum):
    """Whether an intake request was decided, and how."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"


class ReviewOutcome(StrEnum):
    """The result of a review."""

    SATISFACTORY = "satisfactory"
    CONDITIONS = "conditions"
    UNSATISFACTORY = "unsatisfactory"


class InherentAnswers(Body):
    """0 (harmless) to 4 for each factor, by the texts of its scale; null or absent is unknown, and counts as 3."""

    data_classification: Annotated[int, Meta(ge=0, le=4)] | None = None
    """Sensitivity of the data."""
    data_volume: Annotated[int, Meta(ge=0, le=4)] | None = None
    """Amount of data."""
    access: Annotated[int, Meta(ge=0, le=4)] | None = None
    """Access to your systems."""
    criticality: Annotated[int, Meta(ge=0, le=4)] | None = None
    """Damage if the vendor fails."""
    substitutability: Annotated[int, Meta(ge=0, le=4)] | None = None
    """Effort to replace the vendor."""
    regulatory_weight: Annotated[int, Meta(ge=0, le=4)] | None = None
    """Weight of regulation on the service."""
    geography: Annotated[int, Meta(ge=0, le=4)] | None = None
    """Risk of the places of work and data."""
    fourth_parties: Annotated[int, Meta(ge=0, le=4)] | None = None
    """Dependence on other companies."""


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """Inherent-risk answers and what followed from them, by the rules of their day."""

    id: UUID
    vendor_id: UUID
    vendor_name: str
    answers: dict[str, int | None]
    """0 to 4 by factor, null where unknown."""
    result: InherentRisk
    score: int
    """0 (harmless) to 100."""
    tier: Tier
    """The tier that followed."""
    model_version: str
    assessed_by_id: UUID
    assessed_by_label: str
    assessed_at: datetime


class Assessed(msgspec.Struct, frozen=True):
    """The newest assessment, null while the questions were never answered; `version` is the vendor's."""

    assessment: Assessment | None
    next_review_on: date | None
    version: int
    """The vendor's version."""


class NewReview(Body):
    """A review that was held. Without a day it is today; without a next day the tier's cadence says when."""

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


class ReviewPolicyShown(msgspec.Struct, frozen=True):
    """The policy in force; version 0 is the default that nobody has changed."""

    critical_months: int
    """Months between reviews of a vendor of the tier critical."""
    high_months: int
    """Months between reviews of a vendor of the tier high."""
    medium_months: int
    """Months between reviews of a vendor of the tier medium."""
    low_months: int
    """Months between reviews of a vendor of the tier low."""
    version: int


class Review(msgspec.Struct, frozen=True, kw_only=True):
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


class ReviewHeld(msgspec.Struct, frozen=True):
    """A review just recorded; `version` is the vendor's."""

    id: UUID
    review: Review
    """The review."""
    version: int
    """The vendor's version."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an offboarding."""

    id: UUID
    vendor_id: UUID
    vendor_name: str
    step: OffboardingStep
    state: StepState
    """Whether the step is open, done or waived."""
    note: str | None
    proof: str | None
    settled_by_id: UUID | None
    """The actor who resolved the step. Null while open."""
    settled_by_label: str | None
    """The name of who resolved the step, at that time. Null while open."""
    settled_at: datetime | None
    """When the step was resolved. Null while open."""
    version: int


class Checklist(msgspec.Struct, frozen=True):
    """The offboarding of a vendor; empty while none was begun."""

    items: list[Step]


class Settlement(Body):
    """How a step was settled. A waiver needs a note; deletion a note or a proof, such as a certificate's place."""

    state: StepState
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
    """What is asked for, and why. Without an owner, the person who asks is the business owner."""

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


class Approval(Body):
    """Why a request is approved."""

    reason: Text | None = None


class IntakeRefusal(Body):
    """Why a request is rejected."""

    reason: Text


class ScaleShown(msgspec.Struct, frozen=True):
    """A factor as it is asked. The place of a text in `scale` is its answer, from 0."""

    factor: str
    title: str
    """The question."""
    weight: int
    scale: tuple[str, ...]
    """The texts of the answers 0 to 4."""


class FloorShown(msgspec.Struct, frozen=True):
    """A rule that demands at least a tier, whatever the score."""

    key: str
    tier: Tier
    """The least tier."""
    reason: str
    """Which answers demand the tier."""


class ModelShown(msgspec.Struct, frozen=True):
    """The rules in force: what is asked, how much it weighs, and which answers demand a tier."""

    model_version: str
    questions: list[ScaleShown]
    """What is asked."""
    floors: list[FloorShown]
    thresholds: dict[str, int]
    """The least score of each tier."""
    cadence_months: dict[str, int]
    """Months between reviews, by tier."""
