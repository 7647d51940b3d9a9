"""Vendors: stored records, request bodies and responses. Imports have their own: `import_model`."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vendorrisk.access.records import Body, Metadata


class Lifecycle(StrEnum):
    """Where a vendor stands with us."""

    PROSPECT = "prospect"
    ONBOARDING = "onboarding"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    OFFBOARDING = "offboarding"
    TERMINATED = "terminated"


class Tier(StrEnum):
    """How much depends on a vendor. Sets how often it is reviewed."""

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


class VendorIntake(StrEnum):
    """Whether taking the vendor on was agreed to."""

    OPEN = "open"
    APPROVED = "approved"
    WAIVED = "waived"


Line = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(min_length=1, max_length=4000)]
Amount = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,15}(\.[0-9]{1,4})?\Z",
        description="a decimal as text",
        examples=["125000.00"],
        extra={"words": 'an amount as text, like "125000.00": at most 15 digits, and 4 after the point'},
    ),
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


class NewContact(Body):
    """A person at the vendor."""

    name: Line
    email: Annotated[str, Meta(max_length=320)] | None = None
    phone: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    role: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


Contacts = Annotated[list[NewContact], Meta(max_length=50)]


class Contact(msgspec.Struct, frozen=True):
    """A person at the vendor."""

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
    intake: VendorIntake
    intake_note: str | None
    business_owner_id: UUID | None
    security_owner_id: UUID | None
    contacts: list[Contact]
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
    metadata: dict[str, str]
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
    metadata: dict[str, str]
    created_at: datetime
    updated_at: datetime
    version: int


class ExportedVendor(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor as a row of an export: the columns an import takes, and those that are shown only."""

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


class VendorMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor that is similar to the searched text. `similarity` runs from 0 to 1."""

    id: UUID
    name: str
    aliases: list[str]
    domains: list[str]
    lifecycle: Lifecycle
    tier: Tier | None
    similarity: float
    """Similarity to the text that was searched for, 0 to 1."""


class VendorMatches(msgspec.Struct, frozen=True):
    """The most similar first."""

    items: list[VendorMatch]


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
    metadata: Metadata = msgspec.field(default_factory=dict)
    tier: Tier | None = None
    last_reviewed_on: date | None = None
    """Day of a review that was held before. Only for a vendor in use."""
    next_review_on: date | None = None
    """Day the next review is due. By the review policy of its tier if left out."""


class VendorChanges(Body):
    """The fields that may be changed freely. Lifecycle, reviews and computed tiers change by their own routes."""

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
    metadata: Metadata | UnsetType = UNSET
    tier: Tier | UnsetType = UNSET
    next_review_on: date | UnsetType | None = UNSET


class VendorTransition(Body):
    """A transition to another lifecycle state. Some need a reason.

    `intake_note` waives the intake request of a vendor that becomes active. It says why, and takes the permission to
    approve.
    """

    to: Lifecycle
    """The lifecycle state to move to."""
    reason: Text | None = None
    """Why, in words. Required to stop, undo or go back."""
    intake_note: Text | None = None


Categories = Annotated[list[TrustCategory], Meta(max_length=5)]
