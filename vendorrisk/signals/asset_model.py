"""Stored and returned types of watched assets, their signals and observations."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from vendorrisk.access.records import Body
from vendorrisk.evaluation.model import AssetKind, RuleSeverity, ScanKind, Verdict


class AssetSource(StrEnum):
    """Why it is watched: a person attached it, or recorded it of the vendor, or it is the `www` of a watched domain."""

    PERSON = "person"
    VENDOR_RECORD = "vendor_record"
    DOMAIN = "domain"


class VendorAsset(msgspec.Struct, frozen=True, kw_only=True):
    """A scanned asset of a vendor. `scan_requested_at` is set while a requested scan is pending.

    Where none is primary, the domain or host attached first counts as the vendor's main one.
    """

    id: UUID
    vendor_id: UUID
    vendor_name: str
    asset_id: UUID
    kind: AssetKind
    name: str
    """The domain, host name or https address."""
    registrable_domain: str
    """The registrable domain that the asset belongs to."""
    is_primary: bool
    """Whether it is the vendor's main domain or host."""
    source: AssetSource
    scan_requested_at: datetime | None
    """When a scan was requested. Null if none is waited for."""
    attached_at: datetime
    """When it was attached to the vendor."""
    removed_at: datetime | None
    """When it was removed. Null while it is watched."""
    updated_at: datetime
    version: int


class NewVendorAsset(Body):
    """A domain or host name, or the https address of a page or of a public source repository."""

    kind: AssetKind
    name: Annotated[str, Meta(min_length=1, max_length=2000, examples=["example.com"])]
    """A domain, a host name, or an https address."""
    is_primary: bool = False
    """Whether it is the vendor's main domain or host."""


class VendorAssetChanges(Body):
    """Changes to a watched asset."""

    is_primary: bool
    """True makes it the vendor's main domain or host."""


class AssetSuggestion(msgspec.Struct, frozen=True):
    """Something that may be the vendor's: nothing is scanned before a person attaches it."""

    kind: AssetKind
    name: str
    """The domain or host name."""
    source: str
    """Where it was found."""


class AssetSuggestions(msgspec.Struct, frozen=True):
    """Assets that may be the vendor's."""

    items: list[AssetSuggestion]


class RefreshRequested(msgspec.Struct, frozen=True):
    """How many assets will be scanned soon, and how many were seen under an hour ago and stay as they are."""

    requested: int
    """How many assets will be scanned soon."""
    recent: int
    """How many assets were scanned within the hour and are left out."""


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a rule on an asset of the vendor.

    `verdict` is the confirmed verdict: a worse one counts when it was seen twice. If the last scan could not observe
    the rule, it is unknown. Then `known` is the last confirmed verdict, which still counts for a while, `reason` is the
    cause, and `unknown_since` its start. `evaluated_at` is when any of these last changed, `last_scan_at` when the
    asset was last scanned.
    """

    id: UUID
    vendor_asset_id: UUID
    asset_kind: AssetKind
    asset_name: str
    rule: str
    subject: str
    """Tells several subjects of one rule apart. Empty if there is one."""
    scan_kind: ScanKind
    verdict: Verdict
    """The confirmed verdict. A worse verdict must be seen twice."""
    known: Verdict | None
    """The last verdict other than unknown. Null if there was none."""
    known_at: datetime | None
    """When `known` was last seen. Null if there was none."""
    reason: str
    """Stable word for why the verdict is so."""
    detail: str
    evidence: dict[str, Any]
    severity: RuleSeverity
    """How bad a failure is."""
    confidence_percent: int
    cap: int | None
    is_open: bool
    """Whether a finding is open for it."""
    is_flapping: bool
    """Whether it changed too often to be believed."""
    evaluated_at: datetime
    """When any of this last changed."""
    last_scan_at: datetime | None
    """When it was last scanned. Null if never."""
    changed_at: datetime
    """When the verdict last changed."""
    unknown_since: datetime | None
    """Since when it could not be seen. Null if it can."""
    unknown_scans: int
    """How many scans in a row could not see it."""
    observation_id: UUID | None


class PastEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a rule's verdict or value, since the asset was attached."""

    id: UUID
    vendor_asset_id: UUID
    asset_name: str
    rule: str
    subject: str
    """Tells several subjects of one rule apart. Empty if there is one."""
    verdict: Verdict
    """The verdict after."""
    before: Verdict
    """The verdict before."""
    change: str | None
    """The kind of change. Null if none was notified."""
    reason: str
    """Stable word for why the verdict is so."""
    detail: str
    evidence: dict[str, Any]
    severity: RuleSeverity
    evaluated_at: datetime
    """When it was evaluated."""
    observation_id: UUID | None


class StoredObservation(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    asset_id: UUID
    scan_kind: ScanKind
    observed_at: datetime
    raw: bytes
    raw_hash: bytes
    previous_hash: bytes | None
    scanner_version: str
    datasets: dict[str, Any]


class SignalObservation(msgspec.Struct, frozen=True, kw_only=True):
    """A raw observation in its canonical form, from which its evaluations follow. Hashes are in hex."""

    id: UUID
    asset_id: UUID
    scan_kind: ScanKind
    observed_at: datetime
    observation: dict[str, Any]
    """The raw observation in its canonical form."""
    hash: str
    """SHA-256 of the canonical form, in hexadecimal."""
    previous_hash: str | None
    scanner_version: str
    """Version of the scanner."""
    datasets: dict[str, Any]


class FindingSignal(msgspec.Struct, frozen=True, kw_only=True):
    """The stored evidence of a finding: the observation that opened it, and the current one."""

    finding_id: UUID
    vendor_id: UUID
    vendor_name: str
    vendor_asset_id: UUID
    asset_name: str
    rule: str
    subject: str
    model_version: str | None
    opened_at: datetime
    closed_at: datetime | None
    opened_on: UUID | None
    seen_on: UUID | None
    verdict: Verdict | None
    reason: str | None
    detail: str | None
    evidence: dict[str, Any] | None
    last_seen_at: datetime | None


class FindingSignalDetail(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence of a finding.

    `rule` is "unobservable" if nothing could be observed for a week. Then it has no criteria. `observation_ids` are the
    observations that opened it and last confirmed it. `verdict` and the fields after it are current, and null if the
    asset is watched no longer. `gone_at` is when the rule had passed twice again.
    """

    finding_id: UUID
    vendor_id: UUID
    vendor_name: str
    vendor_asset_id: UUID
    asset_name: str
    rule: str
    """Key of the rule. `unobservable` if nothing was seen for a week."""
    subject: str
    """Tells several subjects of one rule apart. Empty if there is one."""
    criteria: list[str]
    remedy: str
    model_version: str | None
    """Version of the rules it was opened by. Null if it is no longer stored."""
    observation_ids: list[UUID]
    """The observations it was opened on and last seen on."""
    first_seen_at: datetime
    """When it was first seen."""
    last_seen_at: datetime | None
    """When it was last seen. Null if it is no longer stored."""
    gone_at: datetime | None
    """When the rule passed again, twice. Null if it does not."""
    verdict: Verdict | None
    """The present verdict. Null if the asset is no longer watched."""
    reason: str | None
    """Stable word for why the verdict is so. Null if the asset is no longer watched."""
    detail: str | None
    evidence: dict[str, Any] | None
    """Values that led to the verdict, by name. Null if the asset is no longer watched."""
