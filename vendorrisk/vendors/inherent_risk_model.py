"""What is stored and returned of inherent risk."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from vendorrisk.access.records import Body
from vendorrisk.vendors.model import Tier


class AnsweredFactor(msgspec.Struct, frozen=True):
    """One factor's part in a score. `points` of all factors add up to the score."""

    factor: str
    value: int
    unknown: bool
    answer: str
    weight: int
    points: int


class AppliedFloor(msgspec.Struct, frozen=True):
    """A rule that demands at least a tier, whatever the score."""

    key: str
    tier: Tier
    reason: str


class InherentRisk(msgspec.Struct, frozen=True):
    """A score of 0 to 100, the tier, and why."""

    score: int
    tier: Tier
    factors: tuple[AnsweredFactor, ...]
    floors: tuple[AppliedFloor, ...]
    unknown: tuple[str, ...]
    model_version: str


class InherentAnswers(Body):
    """0 (harmless) to 4 for each factor, by the texts of its scale; null or absent is unknown, and counts as 3."""

    data_classification: Annotated[int, Meta(ge=0, le=4)] | None = None
    data_volume: Annotated[int, Meta(ge=0, le=4)] | None = None
    access: Annotated[int, Meta(ge=0, le=4)] | None = None
    criticality: Annotated[int, Meta(ge=0, le=4)] | None = None
    substitutability: Annotated[int, Meta(ge=0, le=4)] | None = None
    regulatory_weight: Annotated[int, Meta(ge=0, le=4)] | None = None
    geography: Annotated[int, Meta(ge=0, le=4)] | None = None
    fourth_parties: Annotated[int, Meta(ge=0, le=4)] | None = None


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """Inherent-risk answers and what followed from them, by the rules of their day."""

    id: UUID
    vendor_id: UUID
    answers: dict[str, int | None]
    result: InherentRisk
    score: int
    tier: Tier
    model_version: str
    assessed_by_id: UUID
    assessed_by_label: str
    assessed_at: datetime


class Assessed(msgspec.Struct, frozen=True):
    """An assessment just made; `version` is the vendor's."""

    assessment: Assessment
    next_review_on: date | None
    version: int


class ScaleShown(msgspec.Struct, frozen=True):
    """A factor as it is asked. The place of a text in `scale` is its answer, from 0."""

    factor: str
    title: str
    weight: int
    scale: tuple[str, ...]


class FloorShown(msgspec.Struct, frozen=True):
    key: str
    tier: Tier
    reason: str


class ModelShown(msgspec.Struct, frozen=True):
    """The rules in force: what is asked, how much it weighs, and which answers demand a tier."""

    model_version: str
    questions: list[ScaleShown]
    floors: list[FloorShown]
    thresholds: dict[str, int]
    cadence_months: dict[str, int]
