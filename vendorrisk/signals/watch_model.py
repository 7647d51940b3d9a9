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
    vendor_name: str
    asset_id: UUID
    kind: AssetKind
    name: str
    """The domain, host name or https address."""
    place: str
    """The registrable domain that the asset belongs to."""
    is_primary: bool
    """Whether it is the vendor's main domain or host."""
    source: AssetSource
    asked_at: datetime | None
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


class Suggestion(msgspec.Struct, frozen=True):
    """Something that may be the vendor's: nothing is looked at before a person attaches it."""

    kind: AssetKind
    name: str
    """The domain or host name."""
    source: str
    """Where it was found."""


class Suggestions(msgspec.Struct, frozen=True):
    """Assets that may be the vendor's."""

    items: list[Suggestion]


class RefreshAsked(msgspec.Struct, frozen=True):
    """How many assets will be looked at soon, and how many were seen under an hour ago and stay as they are."""

    asked: int
    """How many assets will be scanned soon."""
    recent: int
    """How many assets were scanned within the hour and are left out."""


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
    """Tells several subjects of one rule apart. Empty if there is one."""
    look_group: Group
    verdict: Verdict
    """What is believed now. Something worse must be seen twice."""
    known: Verdict | None
    """The last verdict other than unknown. Null if there was none."""
    known_at: datetime | None
    """When `known` was last seen. Null if there was none."""
    reason: str
    """Stable word for why the verdict is so."""
    detail: str
    evidence: dict[str, Any]
    severity: Severity
    """How bad a failure is."""
    confidence_percent: int
    cap: int | None
    is_open: bool
    """Whether a finding is open for it."""
    is_flapping: bool
    """Whether it changed too often to be believed."""
    judged_at: datetime
    """When any of this last changed."""
    last_look_at: datetime | None
    """When it was last scanned. Null if never."""
    changed_at: datetime
    """When the verdict last changed."""
    unseen_since: datetime | None
    """Since when it could not be seen. Null if it can."""
    unseen_looks: int
    """How many scans in a row could not see it."""
    observation_id: UUID | None


class PastJudgement(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a rule's verdict or value, since the asset was attached."""

    id: UUID
    vendor_asset_id: UUID
    asset_name: str
    rule: str
    discriminator: str
    """Tells several subjects of one rule apart. Empty if there is one."""
    verdict: Verdict
    """The verdict after."""
    before: Verdict
    """The verdict before."""
    happening: str | None
    """The kind of change. Null if none was notified."""
    reason: str
    """Stable word for why the verdict is so."""
    detail: str
    evidence: dict[str, Any]
    severity: Severity
    judged_at: datetime
    """When it was evaluated."""
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
    """The raw observation in its canonical form."""
    hash: str
    """SHA-256 of the canonical form, in hexadecimal."""
    previous_hash: str | None
    checker_version: str
    """Version of the scanner."""
    datasets: dict[str, Any]


class FindingSignal(msgspec.Struct, frozen=True, kw_only=True):
    """What a finding rests on, as stored: the sight that opened it, and the present one."""

    finding_id: UUID
    vendor_id: UUID
    vendor_name: str
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
    vendor_name: str
    vendor_asset_id: UUID
    asset_name: str
    rule: str
    """Key of the rule. `unobservable` if nothing was seen for a week."""
    discriminator: str
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


class RuleShown(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it counts. `off_because` says why it does not; `paused_until` while it is not believed."""

    id: str
    """The rule's key."""
    factor: str
    """The factor that the rule counts for."""
    look_group: Group
    scope: str
    """What the rule is applied to."""
    observes: str
    """What is observed, and when it passes."""
    remedy: str
    cadence_hours: int
    """Hours between scans of a vendor of a high tier."""
    severity: Severity
    """How bad a failure is."""
    weight: int
    """Weight within its factor."""
    confidence_percent: int
    cap: int | None
    criteria: list[str]
    is_on: bool
    """Whether the rule counts."""
    off_because: str
    """Why the rule does not count. Empty if it does."""
    paused_until: datetime | None
    """Until when results of the rule are not believed. Null if they are."""


class Methodology(msgspec.Struct, frozen=True, kw_only=True):
    """How the score is made, whole: the rules, the weights and every constant of the arithmetic."""

    model_version: str
    checker_version: str
    """Version of the scanner."""
    factor_weights: dict[str, int]
    """Weight by factor."""
    verdict_deficits_bp: dict[str, int]
    """What a verdict costs a rule, in hundredths of a percent of its weight."""
    hold: str
    """How long a verdict counts once it can no longer be seen."""
    overall: str
    """How factors make the score."""
    coverage: str
    """When a score is shown."""
    grades: dict[str, int]
    """The least score of each grade."""
    readers_criteria: list[str]
    """Trust services criteria that the rules speak to."""
    rules: list[RuleShown]
    """All rules."""


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
    vendor_name: str
    scored_at: datetime | None
    model_version: str
    reason: str
    """Why it was computed, as a stable word."""
    score: int | None
    grade: str
    number: int | None
    """Null while there is no score."""
    low: int | None
    """The number if all that is unknown failed."""
    high: int | None
    """The number if all that is unknown passed."""
    coverage_bp: int
    confidence_percent: int
    factors: list[FactorScore]
    """The score of each factor."""
    top_deductions: list[Deduction]
    """The largest deductions."""
    deductions: list[Deduction]
    """Everything missing from 100."""
    caps: list[Deduction]
    """The caps that hold the score down."""
    disputed: list[Deduction]
    """Deductions that are left out because their findings are suppressed."""
    score_as_disputed: int | None
    """The number if no finding were suppressed."""
    off: list[str]
    """Keys of rules that did not count."""
    previous_number: int | None
    previous_model_version: str | None
    """Version of the rules of the score before. Null for the first."""


class ScoreInBrief(msgspec.Struct, frozen=True, kw_only=True):
    """A score without its parts."""

    id: UUID
    vendor_id: UUID
    vendor_name: str
    scored_at: datetime
    model_version: str
    reason: str
    """Why it was computed, as a stable word."""
    score: int | None
    grade: str
    number: int
    previous_number: int | None


class LatestSignalScore(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor's score as it stands; `id` is the past score that tells every deduction."""

    id: UUID
    vendor_id: UUID
    vendor_name: str
    scored_at: datetime
    model_version: str
    score: int | None
    grade: str
    number: int | None
    low: int | None
    high: int | None
    coverage_bp: int
    confidence_percent: int


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A stored score. `inputs` are the standings it was computed from."""

    id: UUID
    vendor_id: UUID
    vendor_name: str
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
    """The score."""
    model_version: str
    stored_number: int
    """The number as it was stored."""
    replayed_number: int
    """The number computed again."""
    is_same: bool
    """Whether both are the same, as they must be."""
    standings: int
    """How many inputs the score was computed from."""


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
    """A public list that is fetched for all tenants."""

    feed: str
    """The feed's key."""
    is_on: bool
    """Whether the feed is read."""
    off_because: str
    """Why the feed is not read. Empty if it is."""
    attribution: str
    """What the feed's licence asks to name."""
    version: str
    """Version of the content."""
    checked_at: datetime | None
    """When the feed was last asked. Null if never."""
    fetched_at: datetime | None
    """When the feed last brought something new. Null if never."""
    failure: str | None
    """Why the last try brought nothing. Null if it did."""
    item_count: int
    """How many entries the feed has."""


class Feeds(msgspec.Struct, frozen=True):
    """All feeds."""

    items: list[FeedShown]
