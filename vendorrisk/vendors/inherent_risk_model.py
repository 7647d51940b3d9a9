"""Inherent risk: stored assessments, request bodies and responses."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from vendorrisk.access.records import Body
from vendorrisk.vendors.model import Tier


class InherentRiskFactor(msgspec.Struct, frozen=True):
    """One factor's part in a score. `points` of all factors add up to the score."""

    factor: str
    value: int
    """0 (harmless) to 4, as it counts."""
    unknown: bool
    """Whether it was not answered, and so counts as 3."""
    answer: str
    """The text of the answer."""
    weight: int
    points: int
    """Its part of the score."""


class AppliedTierFloor(msgspec.Struct, frozen=True):
    """A rule that demands at least a tier, whatever the score."""

    key: str
    tier: Tier
    """The least tier."""
    reason: str
    """Which answers demand the tier."""


class InherentRisk(msgspec.Struct, frozen=True):
    """A score of 0 to 100, the tier, and why."""

    score: int
    """0 (harmless) to 100."""
    tier: Tier
    """The tier that follows."""
    factors: tuple[InherentRiskFactor, ...]
    """Points that each factor adds to the score."""
    floors: tuple[AppliedTierFloor, ...]
    unknown: tuple[str, ...]
    """Keys of the factors that were not answered."""
    model_version: str


class InherentRiskAnswers(Body):
    """0 (harmless) to 4 for each factor, by the texts of its scale. Null or absent is unknown, and counts as 3."""

    data_classification: Annotated[int, Meta(ge=0, le=4)] | None = None
    """Sensitivity of the data."""
    data_volume: Annotated[int, Meta(ge=0, le=4)] | None = None
    """Amount of data."""
    access: Annotated[int, Meta(ge=0, le=4)] | None = None
    """Access to your systems."""
    criticality: Annotated[int, Meta(ge=0, le=4)] | None = None
    """Damage if the vendor fails."""
    substitutability: Annotated[int, Meta(ge=0, le=4)] | None = None
    """Effort to replace the vendor."""
    regulatory_weight: Annotated[int, Meta(ge=0, le=4)] | None = None
    """Weight of regulation on the service."""
    geography: Annotated[int, Meta(ge=0, le=4)] | None = None
    """Risk of the places of work and data."""
    fourth_parties: Annotated[int, Meta(ge=0, le=4)] | None = None
    """Dependence on other companies."""


class InherentRiskAssessment(msgspec.Struct, frozen=True, kw_only=True):
    """Inherent-risk answers with the score and tier that followed, by the rules of their day."""

    id: UUID
    vendor_id: UUID
    vendor_name: str
    answers: dict[str, int | None]
    """0 to 4 by factor, null where unknown."""
    result: InherentRisk
    score: int
    """0 (harmless) to 100."""
    tier: Tier
    """The tier that followed."""
    model_version: str
    assessed_by_id: UUID
    assessed_by_label: str
    assessed_at: datetime


class InherentRiskAssessmentDetail(msgspec.Struct, frozen=True):
    """The newest assessment, null while the questions were never answered. `version` is the vendor's."""

    assessment: InherentRiskAssessment | None
    next_review_on: date | None
    version: int
    """The vendor's version."""


class InherentRiskQuestion(msgspec.Struct, frozen=True):
    """A factor as it is asked. The place of a text in `scale` is its answer, from 0."""

    factor: str
    title: str
    """The question."""
    weight: int
    scale: tuple[str, ...]
    """The texts of the answers 0 to 4."""


class TierFloor(msgspec.Struct, frozen=True):
    """A rule that demands at least a tier, whatever the score."""

    key: str
    tier: Tier
    """The least tier."""
    reason: str
    """Which answers demand the tier."""


class InherentRiskModel(msgspec.Struct, frozen=True):
    """The rules in force: the questions, their weights, and the answers that demand a tier."""

    model_version: str
    questions: list[InherentRiskQuestion]
    """What is asked."""
    floors: list[TierFloor]
    thresholds: dict[str, int]
    """The least score of each tier."""
    cadence_months: dict[str, int]
    """Months between reviews, by tier."""
