"""What is stored about vendors, what comes in, and what is shown. Imports have their own: `import_model`."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vendorrisk.access.records import Body


class Lifecycle(StrEnum):
    """Where a vendor stands with us."""

    PROSPECT = "prospect"
    ONBOARDING = "onboarding"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    OFFBOARDING = "offboarding"
    TERMINATED = "terminated"


class Tier(StrEnum):
    """How much depends on a vendor; sets how often it is reviewed."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class TierSource(StrEnum):
    """Where a tier comes from: said by someone, or computed from inherent-risk answers."""

    DECLARED = "declared"
    INHERENT_RISK = "inherent_risk"


class DataClass(StrEnum):
    """Kinds of data a vendor or a service handles."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    PERSONAL = "personal"
    SPECIAL_CATEGORY = "special_category"
    HEALTH = "health"
    CARD = "card"
    SECRETS = "secrets"


class TrustCategory(StrEnum):
    """The five SOC 2 trust services categories (AICPA TSP 100)."""

    SECURITY = "security"
    AVAILABILITY = "availability"
    CONFIDENTIALITY = "confidentiality"
    PROCESSING_INTEGRITY = "processing_integrity"
    PRIVACY = "privacy"


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


class Intake(StrEnum):
    """Whether taking the vendor on was agreed to."""

    OPEN = "open"
    APPROVED = "approved"
    WAIVED = "waived"


class IntakeState(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"


class ReviewOutcome(StrEnum):
    SATISFACTORY = "satisfactory"
    CONDITIONS = "conditions"
    UNSATISFACTORY = "unsatisfactory"


Line = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(min_length=1, max_length=4000)]
Amount = Annotated[
    str, Meta(pattern=r"^[0-9]{1,15}(\.[0-9]{1,4})?\Z", description="a decimal as text", examples=["125000.00"])
]
Countries = Annotated[list[Annotated[str, Meta(max_length=100)]], Meta(max_length=60, examples=[["DE", "IE"]])]
Country = Annotated[str, Meta(min_length=2, max_length=100, examples=["DE"], description="ISO 3166-1")]
Currency = Annotated[str, Meta(min_length=3, max_length=3, examples=["EUR"], description="ISO 4217")]
Domain = Annotated[str, Meta(min_length=1, max_length=2000, examples=["acme.example"])]
Identifier = Annotated[str, Meta(min_length=1, max_length=40)]
Names = Annotated[list[Line], Meta(max_length=20)]
Domains = Annotated[list[Domain], Meta(max_length=50)]
Tags = Annotated[list[Annotated[str, Meta(min_length=1, max_length=40)]], Meta(max_length=30)]
DataClasses = Annotated[list[DataClass], Meta(max_length=8)]
Reference = Annotated[str, Meta(min_length=1, max_length=100, description="your own number for the vendor")]


class Contact(Body):
    """A person at the vendor."""

    name: Line
    email: Annotated[str, Meta(max_length=320)] | None = None
    phone: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    role: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


Contacts = Annotated[list[Contact], Meta(max_length=50)]


class ContactShown(msgspec.Struct, frozen=True):
    name: str
    email: str | None = None
    phone: str | None = None
    role: str | None = None


class Vendor(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor, whole. `tier` may be declared until inherent-risk answers compute it."""

    id: UUID
    reference: str | None
    name: str
    aliases: list[str]
    description: str | None
    lifecycle: Lifecycle
    lifecycle_reason: str | None
    lifecycle_changed_at: datetime
    intake: Intake
    intake_note: str | None
    business_owner_id: UUID | None
    security_owner_id: UUID | None
    contacts: list[ContactShown]
    domains: list[str]
    country: str | None
    data_countries: list[str]
    data_classes: list[DataClass]
    legal_name: str | None
    lei: str | None
    vat: str | None
    duns: str | None
    annual_spend: Decimal | None
    currency: str | None
    tags: list[str]
    tier: Tier | None
    tier_source: TierSource | None
    inherent_score: int | None
    model_version: str | None
    last_reviewed_on: date | None
    next_review_on: date | None
    created_at: datetime
    updated_at: datetime
    version: int


class VendorSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor as a row of a list."""

    id: UUID
    reference: str | None
    name: str
    lifecycle: Lifecycle
    tier: Tier | None
    tier_source: TierSource | None
    inherent_score: int | None
    business_owner_id: UUID | None
    security_owner_id: UUID | None
    domains: list[str]
    country: str | None
    data_classes: list[DataClass]
    annual_spend: Decimal | None
    currency: str | None
    tags: list[str]
    last_reviewed_on: date | None
    next_review_on: date | None
    created_at: datetime
    updated_at: datetime
    version: int


class ExportedVendor(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor as a row of an export: what an import takes, and what is shown only."""

    id: UUID
    reference: str | None
    name: str
    aliases: list[str]
    description: str | None
    lifecycle: str
    tier: str | None
    business_owner: str | None
    security_owner: str | None
    domains: list[str]
    country: str | None
    data_countries: list[str]
    data_classes: list[str]
    legal_name: str | None
    lei: str | None
    vat: str | None
    duns: str | None
    annual_spend: Decimal | None
    currency: str | None
    tags: list[str]
    contact_name: str | None
    contact_email: str | None
    contact_phone: str | None
    last_reviewed_on: date | None
    next_review_on: date | None
    inherent_score: int | None
    tier_source: str | None
    created_at: datetime
    updated_at: datetime


class VendorFound(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor that is like what was searched for. `likeness` runs from 0 to 1."""

    id: UUID
    name: str
    aliases: list[str]
    domains: list[str]
    lifecycle: Lifecycle
    tier: Tier | None
    likeness: float


class VendorsFound(msgspec.Struct, frozen=True):
    """The likest first."""

    items: list[VendorFound]


class NewVendor(Body):
    """A vendor to register. One that is in use already is taken over as `active`.

    That takes a business owner, a tier, and an `intake_note` that says why no request was needed.
    """

    name: Line
    reference: Reference | None = None
    aliases: Names = msgspec.field(default_factory=list)
    description: Text | None = None
    lifecycle: Lifecycle = Lifecycle.PROSPECT
    intake_note: Text | None = None
    business_owner_id: UUID | None = None
    security_owner_id: UUID | None = None
    contacts: Contacts = msgspec.field(default_factory=list)
    domains: Domains = msgspec.field(default_factory=list)
    country: Country | None = None
    data_countries: Countries = msgspec.field(default_factory=list)
    data_classes: DataClasses = msgspec.field(default_factory=list)
    legal_name: Line | None = None
    lei: Identifier | None = None
    vat: Identifier | None = None
    duns: Identifier | None = None
    annual_spend: Amount | None = None
    currency: Currency | None = None
    tags: Tags = msgspec.field(default_factory=list)
    tier: Tier | None = None
    last_reviewed_on: date | None = None
    next_review_on: date | None = None


class VendorChanges(Body):
    """What may be changed freely; lifecycle, reviews and computed tiers move by their own routes."""

    name: Line | UnsetType = UNSET
    reference: Reference | UnsetType | None = UNSET
    aliases: Names | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    business_owner_id: UUID | UnsetType | None = UNSET
    security_owner_id: UUID | UnsetType | None = UNSET
    contacts: Contacts | UnsetType = UNSET
    domains: Domains | UnsetType = UNSET
    country: Country | UnsetType | None = UNSET
    data_countries: Countries | UnsetType = UNSET
    data_classes: DataClasses | UnsetType = UNSET
    legal_name: Line | UnsetType | None = UNSET
    lei: Identifier | UnsetType | None = UNSET
    vat: Identifier | UnsetType | None = UNSET
    duns: Identifier | UnsetType | None = UNSET
    annual_spend: Amount | UnsetType | None = UNSET
    currency: Currency | UnsetType | None = UNSET
    tags: Tags | UnsetType = UNSET
    tier: Tier | UnsetType = UNSET
    next_review_on: date | UnsetType | None = UNSET


class Move(Body):
    """A move to another lifecycle state; some need a reason.

    `intake_note` waives the intake request of a vendor that becomes active; it says why, and takes the permission to
    approve.
    """

    to: Lifecycle
    reason: Text | None = None
    intake_note: Text | None = None


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
    """An assessment just made; `version` is the vendor's."""

    assessment: Assessment
    next_review_on: date | None
    version: int


class NewReview(Body):
    """A review that was held. Without a day it is today; without a next day the tier's cadence says when."""

    outcome: ReviewOutcome
    reviewed_on: date | None = None
    note: Text | None = None
    next_review_on: date | None = None


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


class VendorService(msgspec.Struct, frozen=True, kw_only=True):
    """What we use of a vendor. Evidence covers a service."""

    id: UUID
    vendor_id: UUID
    name: str
    description: str | None
    data_classes: list[DataClass]
    categories_needed: list[TrustCategory]
    is_uptime_critical: bool
    handles_transactions: bool
    created_at: datetime
    updated_at: datetime
    version: int


Categories = Annotated[list[TrustCategory], Meta(max_length=5)]


class NewVendorService(Body):
    """A service. `categories_needed` adds to what its data and use call for."""

    name: Line
    description: Text | None = None
    data_classes: DataClasses = msgspec.field(default_factory=list)
    categories_needed: Categories = msgspec.field(default_factory=list)
    is_uptime_critical: bool = False
    handles_transactions: bool = False


class VendorServiceChanges(Body):
    name: Line | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    data_classes: DataClasses | UnsetType = UNSET
    categories_needed: Categories | UnsetType = UNSET
    is_uptime_critical: bool | UnsetType = UNSET
    handles_transactions: bool | UnsetType = UNSET


class FourthParty(msgspec.Struct, frozen=True, kw_only=True):
    """A company that a vendor stands on; `provider_id` where it is a vendor of ours too."""

    id: UUID
    vendor_id: UUID
    service_id: UUID | None
    provider_id: UUID | None
    name: str
    purpose: str | None
    created_at: datetime
    updated_at: datetime
    version: int


Purpose = Annotated[str, Meta(min_length=1, max_length=1000)]


class NewFourthParty(Body):
    name: Line
    service_id: UUID | None = None
    provider_id: UUID | None = None
    purpose: Purpose | None = None


class FourthPartyChanges(Body):
    name: Line | UnsetType = UNSET
    service_id: UUID | UnsetType | None = UNSET
    provider_id: UUID | UnsetType | None = UNSET
    purpose: Purpose | UnsetType | None = UNSET


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


class NewVendors(Body):
    """Up to 200 vendors to register; each stands or falls alone."""

    items: Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=200)]


class ChangedVendor(Body):
    """A merge patch for one vendor, and the version it is meant for."""

    id: UUID
    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    changes: dict[str, Any]


class VendorsChanges(Body):
    items: Annotated[list[ChangedVendor], Meta(min_length=1, max_length=200)]


class RowResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one item: the record's id, or the refusal with its faults."""

    index: int
    id: UUID | None = None
    version: int | None = None
    code: str | None = None
    detail: str | None = None
    errors: tuple[Any, ...] = ()


class RowResults(msgspec.Struct, frozen=True):
    items: list[RowResult]
    done: int
    refused: int


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
