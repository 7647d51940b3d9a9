"""Stored and returned types of signal scores, their methodology and the feeds they use."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.evaluation.model import RuleSeverity, ScanKind, ScoreDeduction, SignalFactorScore


class SignalRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it counts. `disabled_reason` says why it does not count. It is not believed before `paused_until`."""

    id: str
    """The rule's key."""
    factor: str
    """The factor that the rule counts for."""
    scan_kind: ScanKind
    scope: str
    """The kind of subject that the rule evaluates."""
    observes: str
    """The condition under which the rule passes."""
    remedy: str
    cadence_hours: int
    """Hours between scans of a vendor of a high tier."""
    severity: RuleSeverity
    """How bad a failure is."""
    weight: int
    """Weight within its factor."""
    confidence_percent: int
    cap: int | None
    criteria: list[str]
    is_enabled: bool
    """Whether the rule counts."""
    disabled_reason: str
    """Why the rule does not count. Empty if it does."""
    paused_until: datetime | None
    """Until when results of the rule are not believed. Null if they are."""


class SignalMethodology(msgspec.Struct, frozen=True, kw_only=True):
    """How the score is made, whole: the rules, the weights and every constant of the arithmetic."""

    model_version: str
    scanner_version: str
    """Version of the scanner."""
    factor_weights: dict[str, int]
    """Weight by factor."""
    verdict_deficits_bp: dict[str, int]
    """The cost of a verdict, in hundredths of a percent of its rule's weight."""
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
    rules: list[SignalRule]
    """All rules."""


class CurrentScore(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor's row of work and its current score."""

    vendor_id: UUID
    reconcile_at: datetime
    reconciled_at: datetime | None
    notified_until: datetime | None
    snapshot_id: UUID | None
    model_version: str | None
    score: int | None
    grade: str | None
    number: int | None
    scored_at: datetime | None
    baseline_score: dict[str, Any] | None
    recent: list[dict[str, Any]]


class SignalScore(msgspec.Struct, frozen=True, kw_only=True):
    """One score with all its inputs.

    `score` is null and `grade` NR if less than half of the applicable rules were observed. The deductions add up: 100
    times `number` plus all `points_bp` is 10,000. `reason` says why it was made: `first`, `change`, `model` or
    `keyframe`. A vendor without a score has neither `id` nor `number`: its `reason` is `not_watched` if no asset is
    attached, and `not_scored_yet` until its assets were observed.
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
    factors: list[SignalFactorScore]
    """The score of each factor."""
    top_deductions: list[ScoreDeduction]
    """The largest deductions."""
    deductions: list[ScoreDeduction]
    """Everything missing from 100."""
    caps: list[ScoreDeduction]
    """The caps that hold the score down."""
    suppressed: list[ScoreDeduction]
    """Deductions that are left out because their findings are suppressed."""
    score_unsuppressed: int | None
    """The number if no finding were suppressed."""
    disabled_rules: list[str]
    """Keys of rules that did not count."""
    previous_number: int | None
    previous_model_version: str | None
    """Version of the rules of the score before. Null for the first."""


class SignalScoreSummary(msgspec.Struct, frozen=True, kw_only=True):
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
    """A vendor's current score. `id` is the past score that lists every deduction."""

    id: UUID
    vendor_id: UUID
    vendor_name: str
    scored_at: datetime
    model_version: str
    score: int | None
    grade: str
    number: int | None
    low: int | None
    """The number if all that is unknown failed."""
    high: int | None
    """The number if all that is unknown passed."""
    coverage_bp: int
    confidence_percent: int


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A stored score. `inputs` are the score inputs it was computed from."""

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


class ScoreReplay(msgspec.Struct, frozen=True, kw_only=True):
    """A past score computed again from its stored inputs. `is_same` must be true. If it is not, please report a bug."""

    id: UUID
    """The score."""
    model_version: str
    stored_number: int
    """The number as it was stored."""
    replayed_number: int
    """The number computed again."""
    is_same: bool
    """Whether both are the same, as they must be."""
    input_count: int
    """How many inputs the score was computed from."""


class SignalFeed(msgspec.Struct, frozen=True, kw_only=True):
    """A public list that is fetched for all tenants."""

    feed: str
    """The feed's key."""
    is_enabled: bool
    """Whether the feed is read."""
    disabled_reason: str
    """Why the feed is not read. Empty if it is."""
    attribution: str
    """The attribution that the feed's licence requires."""
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


class SignalFeeds(msgspec.Struct, frozen=True):
    """All feeds."""

    items: list[SignalFeed]
