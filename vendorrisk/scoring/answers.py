"""Answers and marks as the rules take them. Stored rows and packed submissions both become these.

A mark is of one version of an answer. If the answer has changed since, the mark does not count.
"""

from enum import StrEnum
from typing import Any

import msgspec

from vendorrisk.questionnaires.content import NONE_VALUE, Stance


class Verdict(StrEnum):
    """A reviewer's opinion of an answer."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    INSUFFICIENT = "insufficient"  # too little
    NEEDS_EVIDENCE = "needs_evidence"
    WRONG = "wrong"  # against facts that we know


class NotApplicableVerdict(StrEnum):
    """A reviewer's opinion of a "not applicable". Without one it is pending."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class EvidenceLevel(StrEnum):
    """How well an answer is proven."""

    NONE = "none"
    GIVEN = "given"
    VERIFIED = "verified"


def is_none(value: object) -> bool:
    """Return True if a value is "there is none", "never" or "no limit"."""
    return isinstance(value, dict) and value == NONE_VALUE


class AnswerFile(msgspec.Struct, frozen=True):
    """A file beside an answer. `sha256` is in hexadecimal."""

    sha256: str
    name: str
    id: str | None = None
    """Id of the upload. Null in a packed submission."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer in its normal form. An unconfirmed answer counts as unanswered."""

    place: int
    """The number of its question in the content, from 1."""
    stance: Stance
    value: Any = None
    reason: str | None = None
    note: str | None = None
    fields: dict[str, Any] = {}
    files: tuple[AnswerFile, ...] = ()
    is_confirmed: bool = True
    version: int = 1


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A reviewer's mark. If `evidence` is null, the files beside the answer decide: given or none."""

    place: int
    answer_version: int
    verdict: Verdict = Verdict.PENDING
    not_applicable: NotApplicableVerdict | None = None
    evidence: EvidenceLevel | None = None
    credit_override: int | None = None
    """Thousandths, in place of the credit that the answer earns by itself."""
