"""A vendor's products, changes of its list of sub-processors, and ratings by others."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vendorrisk.access.records import Body


class VendorProduct(msgspec.Struct, frozen=True, kw_only=True):
    """A product that the vendor runs."""

    id: UUID
    vendor_id: UUID
    vendor_name: str
    maker: str
    """The maker of the product."""
    product: str
    """The product, as the catalogue of exploited vulnerabilities names it."""
    created_at: datetime
    updated_at: datetime
    version: int


ProductName = Annotated[str, Meta(min_length=1, max_length=200)]


class NewVendorProduct(Body):
    """A product that the vendor runs, named as in the catalogue of exploited vulnerabilities. A version may follow."""

    maker: Annotated[ProductName, Meta(examples=["Ivanti"])]
    """The maker of the product."""
    product: Annotated[ProductName, Meta(examples=["Connect Secure"])]
    """The product, and its version if need be."""


class VendorProductChanges(Body):
    """Changes to a product that the vendor runs."""

    maker: ProductName | UnsetType = UNSET
    """Who makes the product."""
    product: ProductName | UnsetType = UNSET
    """The product, and its version if need be."""


class SubprocessorChangeKind(StrEnum):
    """A kind of change in a list of sub-processors."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class SubprocessorChangeState(StrEnum):
    """Whether a change of the list was accepted."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"


class SubprocessorChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change seen on the vendor's page of sub-processors. Accepting it changes the vendor's fourth parties.

    `details` are the other cells of its row, or their change: "Mail, EU → Mail, US". It is null if there are none.
    """

    id: UUID
    vendor_id: UUID
    vendor_name: str
    vendor_asset_id: UUID
    change: SubprocessorChangeKind
    name: str
    """The sub-processor as the page names it."""
    details: str | None
    """The other cells of its row, or their change. Null if there are none."""
    observed_at: datetime
    state: SubprocessorChangeState
    fourth_party_id: UUID | None
    decided_at: datetime | None
    decided_by_label: str | None
    version: int


class SubprocessorDecision(StrEnum):
    """The decision about a change."""

    ACCEPT = "accept"
    DISMISS = "dismiss"


class NewSubprocessorDecision(Body):
    """A decision on a change."""

    decision: SubprocessorDecision
    """Whether to carry the change over into the fourth parties."""


class VendorRating(msgspec.Struct, frozen=True, kw_only=True):
    """A third party's rating, in hundredths of its own scale."""

    id: UUID
    vendor_id: UUID
    vendor_name: str
    domain: str
    provider: str
    """The rating's provider."""
    rated_on: date
    """Day of the rating."""
    value_hundredths: int | None
    """The rating in hundredths of the provider's own scale. Null if it gave a grade only."""
    grade: str
    """The grade in the provider's own scale. Empty if it gave a number only."""
    imported_at: datetime
    """When the rating was imported."""


class RatingsImported(msgspec.Struct, frozen=True):
    """`unmatched` are domains that no vendor has."""

    imported: int
    """How many ratings are new or changed."""
    unchanged: int
    """How many ratings were known already."""
    unmatched: list[str]
    """Domains that no vendor has, at most 100."""
