"""What is stored and returned of signal scores, their methodology and the feeds they use."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.evaluation.model import Deduction, FactorScore, Group, Severity


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
    100 times `number` plus all `points_bp` is 10,000.
    """

    id: UUID
    vendor_id: UUID
    scored_at: datetime
    model_version: str
    reason: str
    score: int | None
    grade: str
    number: int
    low: int
    high: int
    coverage_bp: int
    confidence_percent: int
    factors: list[FactorScore]
    top_deductions: list[Deduction]
    deductions: list[Deduction]
    caps: list[Deduction]
    disputed: list[Deduction]
    score_as_disputed: int
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
