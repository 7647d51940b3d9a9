"""What settling reads: a vendor, the states of its assets, its findings, and what happened. No statements."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.findings.model import State
from vendorrisk.signals.model import Group, Severity, Verdict
from vendorrisk.vendors.model import Lifecycle, Tier


class SettledVendor(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    lifecycle: Lifecycle
    tier: Tier | None


class VendorState(msgspec.Struct, frozen=True, kw_only=True):
    """A rule's state on an asset of the vendor."""

    vendor_asset_id: UUID
    rule: str
    discriminator: str
    look_group: Group
    verdict: Verdict
    known: Verdict | None
    known_at: datetime | None
    reason: str
    detail: str
    evidence: dict[str, Any]
    believed: dict[str, Any]
    severity: Severity
    confidence_percent: int
    cap: int | None
    is_open: bool
    is_flapping: bool
    judged_at: datetime
    changed_at: datetime
    unseen_since: datetime | None
    unseen_looks: int
    observation_id: UUID | None


class SignalFinding(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    vendor_asset_id: UUID
    rule: str
    discriminator: str
    generation: int
    finding_id: UUID
    opened_at: datetime
    closed_at: datetime | None
    told_at: datetime | None
    state: State
    until_on: date | None
    state_changed_at: datetime


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    vendor_asset_id: UUID
    asset_name: str
    id: UUID
    rule: str
    discriminator: str
    verdict: Verdict
    reason: str
    detail: str
    evidence: dict[str, Any]
    severity: Severity
    happening: str
    judged_at: datetime
    value_hash: bytes
