"""The facts of our record that conditions may ask, as they stood when an assessment was sent.

A fact is the answer to a question that nobody is asked: `vendor.tier` is compared like a single choice. A fact that is
not known, such as one of a service where none is assessed, counts as unanswered. Only an unknown tier has a name.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from vendorrisk.questionnaires.content import QuestionKind
from vendorrisk.vendors.model import DataClass, Lifecycle, Tier

UNKNOWN: Final = "unknown"
YES, NO = "yes", "no"


class AssessmentPurpose(StrEnum):
    """The reason for an assessment."""

    ONBOARDING = "onboarding"
    PERIODIC = "periodic"
    TRIGGERED = "triggered"
    AD_HOC = "ad_hoc"


class FactShape(msgspec.Struct, frozen=True):
    """The kind of question that a fact resembles, and all values it can have."""

    kind: QuestionKind
    options: tuple[str, ...]


_DATA: Final = FactShape(QuestionKind.MULTIPLE, tuple(DataClass))
_TRUTH: Final = FactShape(QuestionKind.YES_NO, (YES, NO))
FACTS: Final[Mapping[str, FactShape]] = {
    "vendor.tier": FactShape(QuestionKind.SINGLE, (*Tier, UNKNOWN)),
    "vendor.data_classes": _DATA,
    "vendor.lifecycle": FactShape(QuestionKind.SINGLE, tuple(Lifecycle)),
    "service.data_classes": _DATA,
    "service.is_uptime_critical": _TRUTH,
    "service.handles_transactions": _TRUTH,
    "assessment.purpose": FactShape(QuestionKind.SINGLE, tuple(AssessmentPurpose)),
}
FACT_PREFIXES: Final = ("vendor.", "service.", "assessment.")
"""Beginnings that no key of a question may have."""
