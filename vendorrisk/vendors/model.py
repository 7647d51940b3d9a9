"""What is stored about vendors, what comes in, and what is shown."""

from enum import StrEnum

import msgspec


class Lifecycle(StrEnum):
    """Where a vendor stands with us."""

    PROSPECT = "prospect"
    ONBOARDING = "onboarding"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    OFFBOARDING = "offboarding"
    TERMINATED = "terminated"


class Tier(StrEnum):
    """How much depends on a vendor; sets how often it is reviewed."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class TierSource(StrEnum):
    """Where a tier comes from: said by someone, or computed from inherent-risk answers."""

    DECLARED = "declared"
    INHERENT_RISK = "inherent_risk"


class DataClass(StrEnum):
    """Kinds of data a vendor or a service handles."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    PERSONAL = "personal"
    SPECIAL_CATEGORY = "special_category"
    HEALTH = "health"
    CARD = "card"
    SECRETS = "secrets"


class TrustCategory(StrEnum):
    """The five SOC 2 trust services categories (AICPA TSP 100)."""

    SECURITY = "security"
    AVAILABILITY = "availability"
    CONFIDENTIALITY = "confidentiality"
    PROCESSING_INTEGRITY = "processing_integrity"
    PRIVACY = "privacy"


class OffboardingStep(StrEnum):
    """What must be seen to before a vendor counts as terminated."""

    DATA_RETURNED = "data_returned"
    ACCESS_REMOVED = "access_removed"
    DELETION_PROVEN = "deletion_proven"


class StepState(StrEnum):
    OPEN = "open"
    DONE = "done"
    WAIVED = "waived"


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
