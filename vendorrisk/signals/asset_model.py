"""What is stored and returned of watched assets, their signals and observations."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from vendorrisk.access.records import Body
from vendorrisk.evaluation.model import AssetKind, Group, Severity, Verdict


class AssetSource(StrEnum):
    """Why it is watched: a person attached it, or recorded it of the vendor, or it is the `www` of a watched domain."""

    PERSON = "person"
    VENDOR_RECORD = "vendor_record"
    DOMAIN = "domain"


class VendorAsset(msgspec.Struct, frozen=True, kw_only=True):
    """Something of a vendor that is looked at. `asked_at` is set while a look at once is waited for.

    Where none is primary, the domain or host attached first counts as the vendor's main one.
    """

    id: UUID
    vendor_id: UUID
    asset_id: UUID
    kind: AssetKind
    name: str
    place: str
    is_primary: bool
    source: AssetSource
    asked_at: datetime | None
    attached_at: datetime
    removed_at: datetime | None
    updated_at: datetime
    version: int


class NewVendorAsset(Body):
    """A domain or host name, or the https address of a page or of a public source repository."""

    kind: AssetKind
    name: Annotated[str, Meta(min_length=1, max_length=2000, examples=["example.com"])]
    is_primary: bool = False


class VendorAssetChanges(Body):
    is_primary: bool


class Suggestion(msgspec.Struct, frozen=True):
    """Something that may be the vendor's: nothing is looked at before a person attaches it."""

    kind: AssetKind
    name: str
    source: str


class Suggestions(msgspec.Struct, frozen=True):
    items: list[Suggestion]


class RefreshAsked(msgspec.Struct, frozen=True):
    """How many assets will be looked at soon, and how many were seen under an hour ago and stay as they are."""

    asked: int
    recent: int


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """Where a rule stands on an asset of the vendor.

    `verdict` is what is believed: something worse counts when it was seen twice. Where the last look saw nothing it is
    unknown, `known` is what was last believed and still counts for a while, `reason` is why nothing was seen, and
    `unseen_since` since when. `judged_at` is when any of this last
    changed, `last_look_at` when it was last looked at.
    """

    id: UUID
    vendor_asset_id: UUID
    asset_kind: AssetKind
    asset_name: str
    rule: str
    discriminator: str
    look_group: Group
    verdict: Verdict
    known: Verdict | None
    known_at: datetime | None
    reason: str
    detail: str
    evidence: dict[str, Any]
    severity: Severity
    confidence_percent: int
    cap: int | None
    is_open: bool
    is_flapping: bool
    judged_at: datetime
    last_look_at: datetime | None
    changed_at: datetime
    unseen_since: datetime | None
    unseen_looks: int
    observation_id: UUID | None


class PastJudgement(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a rule's verdict or value, since the asset was attached."""

    id: UUID
    vendor_asset_id: UUID
    asset_name: str
    rule: str
    discriminator: str
    verdict: Verdict
    before: Verdict
    happening: str | None
    reason: str
    detail: str
    evidence: dict[str, Any]
    severity: Severity
    judged_at: datetime
    observation_id: UUID | None


class StoredObservation(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    asset_id: UUID
    look_group: Group
    observed_at: datetime
    raw: bytes
    raw_hash: bytes
    previous_hash: bytes | None
    checker_version: str
    datasets: dict[str, Any]


class ObservationShown(msgspec.Struct, frozen=True, kw_only=True):
    """A raw observation in its canonical form, from which its judgements follow; hashes are in hex."""

    id: UUID
    asset_id: UUID
    look_group: Group
    observed_at: datetime
    observation: dict[str, Any]
    hash: str
    previous_hash: str | None
    checker_version: str
    datasets: dict[str, Any]


class FindingSignal(msgspec.Struct, frozen=True, kw_only=True):
    """What a finding rests on, as stored: the sight that opened it, and the present one."""

    finding_id: UUID
    vendor_id: UUID
    vendor_asset_id: UUID
    asset_name: str
    rule: str
    discriminator: str
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


class FindingSignalShown(msgspec.Struct, frozen=True, kw_only=True):
    """What a finding rests on. `rule` is "unobservable" where nothing was seen for a week; then it has no criteria.

    `observation_ids` are those it was opened on and last seen on. `verdict` and what follows it are of the present,
    null where the asset is watched no more; `gone_at` is when the rule was seen well again, twice.
    """

    finding_id: UUID
    vendor_id: UUID
    vendor_asset_id: UUID
    asset_name: str
    rule: str
    discriminator: str
    criteria: list[str]
    remedy: str
    model_version: str | None
    observation_ids: list[UUID]
    first_seen_at: datetime
    last_seen_at: datetime | None
    gone_at: datetime | None
    verdict: Verdict | None
    reason: str | None
    detail: str | None
    evidence: dict[str, Any] | None
