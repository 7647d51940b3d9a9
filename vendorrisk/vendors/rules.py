"""Which transitions a vendor may make, their requirements, its next review, and the needs of its services."""

from collections.abc import Collection, Mapping
from datetime import MAXYEAR, date
from types import MappingProxyType

import msgspec
from dateutil.relativedelta import relativedelta

from vendorrisk.vendors.lifecycle_model import OffboardingStepKind, OffboardingStepState
from vendorrisk.vendors.model import DataClass, Lifecycle, Tier, TrustCategory

TRANSITIONS: Mapping[Lifecycle, frozenset[Lifecycle]] = MappingProxyType(
    {
        Lifecycle.PROSPECT: frozenset({Lifecycle.ONBOARDING, Lifecycle.TERMINATED}),
        Lifecycle.ONBOARDING: frozenset({Lifecycle.ACTIVE, Lifecycle.PROSPECT, Lifecycle.OFFBOARDING}),
        Lifecycle.ACTIVE: frozenset({Lifecycle.SUSPENDED, Lifecycle.OFFBOARDING}),
        Lifecycle.SUSPENDED: frozenset({Lifecycle.ACTIVE, Lifecycle.OFFBOARDING}),
        Lifecycle.OFFBOARDING: frozenset({Lifecycle.ACTIVE, Lifecycle.TERMINATED}),
        Lifecycle.TERMINATED: frozenset({Lifecycle.PROSPECT}),
    }
)
"""State → states that may follow.

A prospect that was never used needs no offboarding. A vendor that comes back starts over as a prospect.
"""

_NEED_A_REASON = frozenset(
    {
        (Lifecycle.PROSPECT, Lifecycle.TERMINATED),
        (Lifecycle.ONBOARDING, Lifecycle.PROSPECT),
        (Lifecycle.ACTIVE, Lifecycle.SUSPENDED),
        (Lifecycle.SUSPENDED, Lifecycle.ACTIVE),
        (Lifecycle.OFFBOARDING, Lifecycle.ACTIVE),
        (Lifecycle.TERMINATED, Lifecycle.PROSPECT),
    }
)
_REVIEWED = frozenset({Lifecycle.ACTIVE, Lifecycle.SUSPENDED})

Cadence = Mapping[Tier, int]
"""Tier → months between reviews."""

CADENCE_MONTHS: Cadence = MappingProxyType({Tier.CRITICAL: 3, Tier.HIGH: 6, Tier.MEDIUM: 12, Tier.LOW: 24})


class TransitionChecks(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that the rules of a transition depend on. `steps` is empty while no offboarding was begun."""

    lifecycle: Lifecycle
    intake_decided: bool = False
    answered: bool = False
    business_owner: bool = False
    steps: Mapping[OffboardingStepKind, OffboardingStepState] = MappingProxyType({})


class Missing(msgspec.Struct, frozen=True):
    """Something a transition waits for."""

    code: str
    detail: str


def may_follow(now: Lifecycle, wanted: Lifecycle) -> bool:
    return wanted in TRANSITIONS[now]


def needs_reason(now: Lifecycle, wanted: Lifecycle) -> bool:
    """Whether the transition must say why: the ones that stop, undo or go back."""
    return (now, wanted) in _NEED_A_REASON


def missing_for(checks: TransitionChecks, wanted: Lifecycle) -> tuple[Missing, ...]:
    """Return all unmet requirements of a transition, not only the first."""
    missing: list[Missing] = []
    if wanted is Lifecycle.ACTIVE:
        if not checks.intake_decided:
            missing.append(Missing("intake_open", "Have its intake request approved, or say why none was needed."))
        if not checks.answered:
            missing.append(Missing("inherent_risk_unanswered", "Answer the inherent-risk questions."))
        if not checks.business_owner:
            missing.append(Missing("business_owner_missing", "Name a business owner."))
    if wanted is Lifecycle.TERMINATED and checks.lifecycle is Lifecycle.OFFBOARDING:
        missing += [
            Missing(f"{step}_open", f"Record {_SPOKEN[step]}, or waive it with a reason.")
            for step in OffboardingStepKind
            if checks.steps.get(step, OffboardingStepState.OPEN) is OffboardingStepState.OPEN
        ]
    return tuple(missing)


_SPOKEN = {
    OffboardingStepKind.DATA_RETURNED: "that our data was returned",
    OffboardingStepKind.ACCESS_REMOVED: "that access was removed",
    OffboardingStepKind.DELETION_PROVEN: "the proof of deletion",
}


def is_reviewed(lifecycle: Lifecycle) -> bool:
    """Whether reviews fall due in this state: while we use the vendor, or could again tomorrow."""
    return lifecycle in _REVIEWED


def next_review_on(
    lifecycle: Lifecycle, tier: Tier | None, since: date, cadence: Cadence = CADENCE_MONTHS
) -> date | None:
    """Return the day the next review is due, counted from the last review, or from becoming active.

    A step of months that leads past the end of a month stops at its last day. None where nothing falls due: no
    tier yet, or a state that is not reviewed.
    """
    if tier is None or not is_reviewed(lifecycle):
        return None
    return months_after(since, cadence[tier])


def months_after(day: date, months: int) -> date:
    """Add months, stopping at the last day of a shorter month. A day past year 9999 stops at its end."""
    if day.year + (day.month + months - 1) // 12 > MAXYEAR:
        return date.max
    return day + relativedelta(months=months)


def categories_needed(
    data_classes: Collection[DataClass], *, uptime_critical: bool, transactions: bool
) -> tuple[frozenset[TrustCategory], ...]:
    """Return the SOC 2 categories a service needs. One category of each set is enough.

    Security always. Personal data: Privacy or Confidentiality. Other confidential data: Confidentiality.
    Uptime-critical: Availability. Transactions: Processing Integrity.
    """
    needed = [frozenset({TrustCategory.SECURITY})]
    classes = frozenset(data_classes)
    if classes & {DataClass.CONFIDENTIAL, DataClass.SECRETS, DataClass.CARD}:
        needed.append(frozenset({TrustCategory.CONFIDENTIALITY}))
    elif classes & {DataClass.PERSONAL, DataClass.SPECIAL_CATEGORY, DataClass.HEALTH}:
        needed.append(frozenset({TrustCategory.PRIVACY, TrustCategory.CONFIDENTIALITY}))
    if uptime_critical:
        needed.append(frozenset({TrustCategory.AVAILABILITY}))
    if transactions:
        needed.append(frozenset({TrustCategory.PROCESSING_INTEGRITY}))
    return tuple(needed)
