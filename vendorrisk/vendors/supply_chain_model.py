"""Services and fourth parties: stored records, request bodies and responses."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vendorrisk.access.records import Body
from vendorrisk.vendors.model import Categories, DataClass, DataClasses, Line, Text, TrustCategory


class VendorService(msgspec.Struct, frozen=True, kw_only=True):
    """A product or service that we use of a vendor. Evidence covers a service."""

    id: UUID
    vendor_id: UUID
    vendor_name: str
    name: str
    description: str | None
    data_classes: list[DataClass]
    categories_needed: list[TrustCategory]
    is_uptime_critical: bool
    handles_transactions: bool
    created_at: datetime
    updated_at: datetime
    version: int


class NewVendorService(Body):
    """A service. `categories_needed` adds to the categories that its data and use call for."""

    name: Line
    description: Text | None = None
    data_classes: DataClasses = msgspec.field(default_factory=list)
    categories_needed: Categories = msgspec.field(default_factory=list)
    is_uptime_critical: bool = False
    handles_transactions: bool = False


class VendorServiceChanges(Body):
    """Changes to a vendor's service."""

    name: Line | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    data_classes: DataClasses | UnsetType = UNSET
    categories_needed: Categories | UnsetType = UNSET
    is_uptime_critical: bool | UnsetType = UNSET
    handles_transactions: bool | UnsetType = UNSET


class FourthParty(msgspec.Struct, frozen=True, kw_only=True):
    """A company that a vendor depends on. `provider_id` is set if it is a vendor of ours too."""

    id: UUID
    vendor_id: UUID
    vendor_name: str
    service_id: UUID | None
    """The vendor's service that depends on the company. Null for all."""
    provider_id: UUID | None
    name: str
    purpose: str | None
    """The vendor's purpose in using the company. Null if unknown."""
    created_at: datetime
    updated_at: datetime
    version: int


Purpose = Annotated[str, Meta(min_length=1, max_length=1000)]


class NewFourthParty(Body):
    """A company that the vendor depends on."""

    name: Line
    service_id: UUID | None = None
    """The vendor's service that depends on the company. All if left out."""
    provider_id: UUID | None = None
    purpose: Purpose | None = None
    """The vendor's purpose in using the company."""


class FourthPartyChanges(Body):
    """Changes to a fourth party."""

    name: Line | UnsetType = UNSET
    service_id: UUID | UnsetType | None = UNSET
    provider_id: UUID | UnsetType | None = UNSET
    purpose: Purpose | UnsetType | None = UNSET
