"""The tenant's policy about scores, with the defaults and their bounds. Each snapshot keeps its policy."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

import msgspec
from msgspec import Meta

from vendorrisk.errors import FieldCode, FieldError

Thousandths = Annotated[int, Meta(ge=0, le=1000)]
Step = Annotated[int, Meta(ge=1, le=100)]


class GradeSteps(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The least score of each grade. Lower scores are an F."""

    a: Step = 90
    b: Step = 80
    c: Step = 70
    d: Step = 60


class ConfidenceSteps(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The confidence in an answer by its evidence, in thousandths. An unanswered question has 0."""

    verified: Thousandths = 1000
    given: Thousandths = 800
    claim: Thousandths = 500


class ScoringPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How answers become a score."""

    evidence: Annotated[int, Meta(ge=500, le=1000)] = 800
    """Part of the credit that counts while evidence is missing, in thousandths."""
    cap: Annotated[int, Meta(ge=0, le=89)] = 59
    """Highest score while a critical question has no credit."""
    completeness: Annotated[int, Meta(ge=500, le=1000)] = 800
    """Least completeness for a grade, in thousandths."""
    grades: GradeSteps = GradeSteps()
    confidence: ConfidenceSteps = ConfidenceSteps()


def policy_faults(policy: ScoringPolicy) -> Iterator[FieldError]:
    """Yield the faults between the fields of a policy. The types hold the bounds of single fields."""
    for part, falls in (("grades", True), ("confidence", False)):
        steps = msgspec.structs.asdict(getattr(policy, part))
        for (upper, high), (lower, low) in pairwise(steps.items()):
            if low > high or (falls and low == high):
                most = high - 1 if falls else high
                detail = f"{lower} must be {'below' if falls else 'at most'} {upper}. Send at most {most}."
                yield FieldError(detail, FieldCode.OUT_OF_RANGE, pointer=f"/{part}/{lower}")
