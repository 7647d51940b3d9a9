"""What is stored of watching, what comes in, and what is shown."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from vendorrisk.access.records import Body
from vendorrisk.signals.model import Deduction, FactorScore, Group, Severity, Verdict


class AssetKind(StrEnum):
    """What can be looked at. A domain is looked at as a host too."""

    DOMAIN = "domain"
    HOST = "host"
    STATUS_PAGE = "status_page"
    TRUST_PAGE = "trust_page"
    DPA_PAGE = "dpa_page"
    SUBPROCESSOR_PAGE = "subprocessor_page"
    REPOSITORY = "repository"


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


class RuleShown(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it counts. `off_because` says why it does not; `paused_until` while it is not believed."""

    id: str
    factor: str
    look_group: Group
    scope: str
    observes: str
    remedy: str
    cadence_hours: int
    severity: Severity
    weight: int
    confidence_percent: int
    cap: int | None
    criteria: list[str]
    is_on: bool
    off_because: str
    paused_until: datetime | None


class Methodology(msgspec.Struct, frozen=True, kw_only=True):
    """How the score is made, whole: the rules, the weights and every constant of the arithmetic."""

    model_version: str
    checker_version: str
    factor_weights: dict[str, int]
    verdict_deficits_bp: dict[str, int]
    hold: str
    overall: str
    coverage: str
    grades: dict[str, int]
    readers_criteria: list[str]
    rules: list[RuleShown]


class CurrentScore(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor's row of work and its score as it stands."""

    vendor_id: UUID
    settle_at: datetime
    settled_at: datetime | None
    told_until: datetime | None
    snapshot_id: UUID | None
    model_version: str | None
    score: int | None
    grade: str | None
    number: int | None
    scored_at: datetime | None
    told: dict[str, Any] | None
    recent: list[dict[str, Any]]


class VendorScore(msgspec.Struct, frozen=True, kw_only=True):
    """One score with everything it was made of.

    `score` is null and `grade` NR where less than half of what applies was seen. The deductions add up:
    100 times `number` plus all `points_bp` is 10,000. `reason` says why it was made: `first`, `change`, `model` or
    `keyframe`. A vendor without a score has no `id` and no `number`: its `reason` is `not_watched` where no asset is
    attached, and `not_scored_yet` until its assets were seen.
    """

    id: UUID | None
    vendor_id: UUID
    scored_at: datetime | None
    model_version: str
    reason: str
    score: int | None
    grade: str
    number: int | None
    low: int | None
    high: int | None
    coverage_bp: int
    confidence_percent: int
    factors: list[FactorScore]
    top_deductions: list[Deduction]
    deductions: list[Deduction]
    caps: list[Deduction]
    disputed: list[Deduction]
    score_as_disputed: int | None
    off: list[str]
    previous_number: int | None
    previous_model_version: str | None


class ScoreInBrief(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    vendor_id: UUID
    scored_at: datetime
    model_version: str
    reason: str
    score: int | None
    grade: str
    number: int
    previous_number: int | None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A stored score. `inputs` are the standings it was computed from."""

    id: UUID
    vendor_id: UUID
    scored_at: datetime
    model_version: str
    reason: str
    previous_number: int | None
    previous_model_version: str | None
    result: dict[str, Any]
    inputs: dict[str, Any]


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A past score computed again from its stored inputs. `is_same` must be true; tell us where it is not."""

    id: UUID
    model_version: str
    stored_number: int
    replayed_number: int
    is_same: bool
    standings: int


# Feeds


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """A list that is fetched once for all. `failure` is why the last try brought nothing; what was read stays."""

    feed: str
    version: str
    checked_at: datetime | None
    fetched_at: datetime | None
    next_fetch_at: datetime
    failure: str | None
    failures: int
    item_count: int


class FeedShown(msgspec.Struct, frozen=True, kw_only=True):
    feed: str
    is_on: bool
    off_because: str
    attribution: str
    version: str
    checked_at: datetime | None
    fetched_at: datetime | None
    failure: str | None
    item_count: int


class Feeds(msgspec.Struct, frozen=True):
    items: list[FeedShown]
