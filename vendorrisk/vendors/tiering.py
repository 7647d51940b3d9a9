"""Inherent risk: how much harm a vendor could do before any of its controls are counted, and the tier that follows.

The model is data with a version. Published versions are never changed, only followed by another, so that an old
assessment computed again gives its old numbers. All arithmetic is on whole numbers.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from vendorrisk.vendors.inherent_risk_model import AppliedTierFloor, InherentRisk, InherentRiskFactor
from vendorrisk.vendors.model import Tier

UNKNOWN_COUNTS_AS = 3
HIGHEST = 4


class RiskFactor(StrEnum):
    """The questions about a vendor. Each is answered 0 (harmless) to 4, or left unknown."""

    DATA_CLASSIFICATION = "data_classification"
    DATA_VOLUME = "data_volume"
    ACCESS = "access"
    CRITICALITY = "criticality"
    SUBSTITUTABILITY = "substitutability"
    REGULATORY_WEIGHT = "regulatory_weight"
    GEOGRAPHY = "geography"
    FOURTH_PARTIES = "fourth_parties"


Answers = Mapping[RiskFactor, int | None]
"""Factor → 0…4. None or absent is unknown."""


class Question(msgspec.Struct, frozen=True):
    """A factor as people see it. `scale` holds the five texts for 0 to 4."""

    factor: RiskFactor
    title: str
    weight: int
    scale: tuple[str, str, str, str, str]


class Floor(msgspec.Struct, frozen=True):
    """A tier that is reached whatever the score, where every condition (factor, at least) holds."""

    key: str
    tier: Tier
    reason: str
    conditions: tuple[tuple[RiskFactor, int], ...]


class RiskModel(msgspec.Struct, frozen=True):
    """One version of the rules. `thresholds` run from the highest tier down. Below the last is low."""

    version: str
    questions: tuple[Question, ...]
    floors: tuple[Floor, ...]
    thresholds: tuple[tuple[Tier, int], ...]


_TIERS_UPWARDS = (Tier.LOW, Tier.MEDIUM, Tier.HIGH, Tier.CRITICAL)

V1 = RiskModel(
    version="inherent-1",
    questions=(
        Question(
            RiskFactor.DATA_CLASSIFICATION,
            "What is the most sensitive data the vendor holds or sees?",
            5,
            (
                "No data of ours",
                "Public data only",
                "Internal data",
                "Confidential or personal data",
                "Special categories, health data, card data or secrets",
            ),
        ),
        Question(
            RiskFactor.DATA_VOLUME,
            "How many records of that kind?",
            3,
            ("None", "Under 1,000", "1,000 to 99,999", "100,000 to 999,999", "1,000,000 or more"),
        ),
        Question(
            RiskFactor.ACCESS,
            "What access does the vendor have to our systems and sites?",
            4,
            (
                "None",
                "Read-only access to an application",
                "Access to the network or to production",
                "Privileged access to production",
                "Privileged access and physical access",
            ),
        ),
        Question(
            RiskFactor.CRITICALITY,
            "How long could we do without the service?",
            5,
            ("Over a month", "Up to a month", "Up to a week", "Hours to a day", "Minutes"),
        ),
        Question(
            RiskFactor.SUBSTITUTABILITY,
            "How soon could another vendor take over?",
            2,
            ("At once", "Within weeks", "Within three months", "Within a year, at great effort", "Not at all"),
        ),
        Question(
            RiskFactor.REGULATORY_WEIGHT,
            "What does regulation make of the service?",
            4,
            (
                "Nothing particular",
                "General duties only",
                "Contract duties apply, such as a data processing agreement",
                "Supervised outsourcing",
                "Supports a critical or important function",
            ),
        ),
        Question(
            RiskFactor.GEOGRAPHY,
            "Under which law is the service given and the data kept?",
            1,
            (
                "The same law as ours",
                "Another country of the same legal area",
                "A country recognised as adequate",
                "Another country, with safeguards in contract",
                "A country of high risk",
            ),
        ),
        Question(
            RiskFactor.FOURTH_PARTIES,
            "How much of the service stands on other companies?",
            2,
            ("None of it", "One, well known", "A few, well known", "Several", "Many, or in long chains"),
        ),
    ),
    floors=(
        Floor(
            "special_categories_at_scale",
            Tier.CRITICAL,
            "Special categories, health data, card data or secrets in 100,000 records or more",
            ((RiskFactor.DATA_CLASSIFICATION, 4), (RiskFactor.DATA_VOLUME, 3)),
        ),
        Floor(
            "critical_function",
            Tier.CRITICAL,
            "Supports a critical or important function",
            ((RiskFactor.REGULATORY_WEIGHT, 4),),
        ),
        Floor("privileged_access", Tier.HIGH, "Privileged access to production", ((RiskFactor.ACCESS, 3),)),
        Floor("personal_data", Tier.MEDIUM, "Confidential or personal data", ((RiskFactor.DATA_CLASSIFICATION, 3),)),
    ),
    thresholds=((Tier.CRITICAL, 70), (Tier.HIGH, 50), (Tier.MEDIUM, 25)),
)

MODELS: Mapping[str, RiskModel] = {V1.version: V1}
"""Every published version. Entries are only ever added."""

CURRENT = V1


def inherent_risk_for(answers: Answers, model: RiskModel = CURRENT) -> InherentRisk:
    """Return score, tier and every reason. An unknown answer counts as 3, in the floors too, and is listed."""
    values = {q.factor: _value(answers, q.factor) for q in model.questions}
    reached = sum(q.weight * values[q.factor] for q in model.questions)
    most = HIGHEST * sum(q.weight for q in model.questions)
    # Halves round up: a score is never rounded towards less risk.
    score = (200 * reached + most) // (2 * most)
    floors = tuple(
        AppliedTierFloor(floor.key, floor.tier, floor.reason) for floor in model.floors if _holds(floor, values)
    )
    return InherentRisk(
        score=score,
        tier=max((_tier_by_score(score, model), *(f.tier for f in floors)), key=_TIERS_UPWARDS.index),
        factors=_contributions(answers, model, score, most),
        floors=floors,
        unknown=tuple(q.factor.value for q in model.questions if answers.get(q.factor) is None),
        model_version=model.version,
    )


def _value(answers: Answers, factor: RiskFactor) -> int:
    given = answers.get(factor)
    if given is None:
        return UNKNOWN_COUNTS_AS
    if not 0 <= given <= HIGHEST:
        raise ValueError(f"{factor} is answered by 0 to {HIGHEST}")
    return given


def _holds(floor: Floor, values: Mapping[RiskFactor, int]) -> bool:
    return all(values[factor] >= least for factor, least in floor.conditions)


def _tier_by_score(score: int, model: RiskModel) -> Tier:
    return next((tier for tier, least in model.thresholds if score >= least), Tier.LOW)


def _contributions(answers: Answers, model: RiskModel, score: int, most: int) -> tuple[InherentRiskFactor, ...]:
    """Share the score out in whole points that add up to it, by largest remainder."""
    exact = [divmod(100 * q.weight * _value(answers, q.factor), most) for q in model.questions]
    points = [whole for whole, _ in exact]
    by_remainder = sorted(range(len(exact)), key=lambda at: (-exact[at][1], at))
    for at in by_remainder[: score - sum(points)]:
        points[at] += 1
    return tuple(
        InherentRiskFactor(
            factor=q.factor.value,
            value=_value(answers, q.factor),
            unknown=answers.get(q.factor) is None,
            answer="Unknown" if answers.get(q.factor) is None else q.scale[_value(answers, q.factor)],
            weight=q.weight,
            points=share,
        )
        for q, share in zip(model.questions, points, strict=True)
    )
