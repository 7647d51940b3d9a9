"""A score and its explanation, as it is returned and stored.

Integers and exact fractions only. A fraction is text, such as `129259/1530` or `65`. Tenths are of points: 844 is 84.4.
Millionths are parts of one question's weight: a question with 1,000,000 counted earns its whole weight.

Replays compare whole results, so the fields of a released method's result never change either.
"""

from enum import StrEnum
from fractions import Fraction
from math import gcd
from typing import Literal

import msgspec

from vendorrisk.findings.model import FindingSeverity


class Grade(StrEnum):
    """A to F by the exact score. NR: not rated, because too little is answered or nothing has weight."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    F = "F"
    NOT_RATED = "NR"


class Cause(StrEnum):
    """Why a question lost points."""

    UNANSWERED = "unanswered"
    NOT_APPLICABLE_PENDING = "not_applicable_pending"
    NOT_APPLICABLE_REFUSED = "not_applicable_refused"
    NOT_MARKED = "not_marked"  # a text that no reviewer has given a credit
    INSUFFICIENT = "insufficient"
    WRONG = "wrong"
    OVERRIDE = "override"  # a reviewer's credit
    ANSWER = "answer"  # the answer itself earns less
    EVIDENCE = "evidence"  # evidence is missing


class LostPart(msgspec.Struct, frozen=True, gc=False):
    """The part of a loss that has one cause."""

    cause: Cause
    millionths: int
    tenths: int


class Loss(msgspec.Struct, frozen=True, gc=False):
    """The loss of one question. In points: weight x millionths / (10,000 x the applicable weight)."""

    place: int
    key: str
    weight: int
    millionths: int
    tenths: int
    parts: tuple[LostPart, ...]


class PartScore(msgspec.Struct, frozen=True, gc=False):
    """The score of a section or criterion. Null if no applicable question in it has weight."""

    key: str
    weight: int
    exact: str | None
    tenths: int | None


class Cap(msgspec.Struct, frozen=True):
    """A critical question without credit. `is_open`: an answer or a reviewer's reading could lift it."""

    place: int
    key: str
    is_open: bool


class Override(msgspec.Struct, frozen=True):
    """A reviewer's credit in place of the earned one. Both in thousandths. Null: it earned none by itself."""

    place: int
    key: str
    earned: int | None
    credit: int


class GateWeight(msgspec.Struct, frozen=True):
    """Weight that is hidden because of the answer to one question. Two gates may hide the same weight."""

    place: int
    key: str
    weight: int


class RaisedFlag(msgspec.Struct, frozen=True):
    """A flag of a question whose condition holds."""

    place: int
    key: str
    severity: FindingSeverity
    shown: bool


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A score by one method. Everything is null or NR where no applicable question has weight.

    `low` is the score itself. `high` is the score if everything open were answered as well as possible.
    """

    method: Literal["q1"] = "q1"
    grade: Grade
    score: str | None
    score_tenths: int | None
    before: str | None
    """The score before caps."""
    before_tenths: int | None
    high: str | None
    high_tenths: int | None
    completeness: str | None
    """Answered weight / applicable weight."""
    completeness_bp: int | None
    confidence: str | None
    confidence_bp: int | None
    asked: int
    """Questions that are shown."""
    applicable: int
    """Questions that are shown and not accepted as not applicable."""
    answered: int
    weight: int
    """The weight of the applicable questions."""
    hidden_weight: int
    """The weight of the questions that are not shown."""
    set_aside_weight: int
    """The weight of the questions that a reviewer accepted as not applicable."""
    losses: tuple[Loss, ...]
    """By place. Their tenths and `before_tenths` make 1000."""
    caps: tuple[Cap, ...]
    cap_tenths: int
    """`before_tenths` less `score_tenths`."""
    sections: tuple[PartScore, ...]
    criteria: tuple[PartScore, ...]
    """SOC 2 criteria. A question counts whole in each of its criteria."""
    gates: tuple[GateWeight, ...]
    """Questions whose answers hide weight. Weight that our record alone hides has none."""
    overrides: tuple[Override, ...]
    flags: tuple[RaisedFlag, ...]
    counted: tuple[int | None, ...]
    """Millionths for each place. Null where the question is not applicable or not shown."""

    def exact(self) -> Fraction | None:
        """Return the exact score in points."""
        return None if self.score is None else Fraction(self.score)


def fraction(part: int, whole: int) -> str:
    """Write an exact fraction in lowest terms."""
    common = gcd(part, whole)
    return str(part // common) if whole == common else f"{part // common}/{whole // common}"
