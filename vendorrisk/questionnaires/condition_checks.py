"""The references, operators and values of a condition, held against the questions it may refer to.

kind              tests that fit
yes_no, single    = != in is
multiple          has count is
number, date      = != < <= > >= is
text              is
file, table       is count
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from vendorrisk.questionnaires.condition_grammar import ConditionError, ConditionFault, parse_with_offsets
from vendorrisk.questionnaires.condition_tree import (
    AnswerState,
    Compare,
    Condition,
    Count,
    Has,
    In,
    Is,
    Literal,
    Operator,
    Test,
    leaves_of,
)
from vendorrisk.questionnaires.content import MOST_DIGITS, Content, NotApplicable, Question, QuestionKind, options_of
from vendorrisk.value_words import one_of
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


def _names(kinds: Iterable[StrEnum]) -> tuple[str, ...]:
    """Return plain texts. Conditions compare types too."""
    return tuple(kind.value for kind in kinds)


_DATA: Final = FactShape(QuestionKind.MULTIPLE, _names(DataClass))
_TRUTH: Final = FactShape(QuestionKind.YES_NO, (YES, NO))
FACTS: Final[Mapping[str, FactShape]] = {
    "vendor.tier": FactShape(QuestionKind.SINGLE, (*_names(Tier), UNKNOWN)),
    "vendor.data_classes": _DATA,
    "vendor.lifecycle": FactShape(QuestionKind.SINGLE, _names(Lifecycle)),
    "service.data_classes": _DATA,
    "service.is_uptime_critical": _TRUTH,
    "service.handles_transactions": _TRUTH,
    "assessment.purpose": FactShape(QuestionKind.SINGLE, _names(AssessmentPurpose)),
}
FACT_PREFIXES: Final = ("vendor.", "service.", "assessment.")
"""Beginnings that no key of a question may have."""


class Subject(NamedTuple):
    """All answers that a question or fact can have, as far as a condition can tell them apart."""

    kind: QuestionKind
    options: tuple[str, ...] = ()
    may_be_not_applicable: bool = False
    may_be_none: bool = False
    is_fact: bool = False
    question: Question | None = None  # its bounds narrow the answers


class ConditionFound(NamedTuple):
    """A fault of a condition, at an offset in its text."""

    fault: ConditionFault
    offset: int
    detail: str


FACT_SUBJECTS: Final[Mapping[str, Subject]] = {
    name: Subject(shape.kind, shape.options, is_fact=True) for name, shape in FACTS.items()
}


def subject_of(content: Content, question: Question) -> Subject:
    return Subject(
        question.kind,
        tuple(option.key for option in options_of(content, question)),
        may_be_not_applicable=question.not_applicable is not NotApplicable.NEVER,
        may_be_none=question.none is not None,
        question=question,
    )


def checked_condition(
    text: str, earlier: Mapping[str, Subject], *, own: str | None = None, later: Collection[str] = ()
) -> tuple[Condition | None, tuple[ConditionFound, ...]]:
    """Return the condition and all faults of its references. A text with a fault of grammar has no condition.

    `earlier` are the questions that it may refer to. `own` and `later` make the faults of other references precise.
    """
    try:
        condition, offsets = parse_with_offsets(text)
    except ConditionError as error:
        return None, (ConditionFound(error.fault, error.offset, error.detail),)
    found = []
    for test, offset in zip(leaves_of(condition), offsets, strict=True):
        subject = FACT_SUBJECTS.get(test.ref) or earlier.get(test.ref)
        faults = _misfits(test, subject) if subject is not None else [_stray(test.ref, own, later)]
        found += [ConditionFound(fault, offset, detail) for fault, detail in faults]
    return condition, tuple(found)


def _stray(ref: str, own: str | None, later: Collection[str]) -> tuple[ConditionFault, str]:
    if ref == own:
        return ConditionFault.REFERS_TO_ITSELF, f"The question {ref} cannot decide whether it is asked itself."
    if ref in later:
        return ConditionFault.REFERS_FORWARD, f"The question {ref} is asked later. Move it before this condition."
    facts = one_of(list(FACTS))
    return ConditionFault.UNKNOWN_QUESTION, f"There is no question or fact {ref}. The facts are {facts}."


def _misfits(test: Test, subject: Subject) -> Iterator[tuple[ConditionFault, str]]:
    allowed = _FITS[subject.kind]
    if _spelling(test) not in allowed:
        detail = f"{test.ref} is of kind {subject.kind}. Use {one_of(allowed)}."
        yield ConditionFault.OPERATOR_DOES_NOT_FIT, detail
    elif isinstance(test, Is):
        yield from _impossible_state(test, subject)
    elif not isinstance(test, Count):
        for literal in test.literals if isinstance(test, In) else (test.literal,):
            yield from _unfit_literal(test.ref, literal, subject)


def _impossible_state(test: Is, subject: Subject) -> Iterator[tuple[ConditionFault, str]]:
    if test.state is AnswerState.NOT_APPLICABLE and not subject.may_be_not_applicable:
        yield ConditionFault.NEVER_SO, f"{test.ref} cannot be declared not applicable."
    if test.state is AnswerState.NONE and not subject.may_be_none:
        yield ConditionFault.NEVER_SO, f'{test.ref} does not offer the answer "there is none".'


def _unfit_literal(ref: str, literal: Literal, subject: Subject) -> Iterator[tuple[ConditionFault, str]]:
    if isinstance(literal, bool) and subject.is_fact and set(subject.options) == {YES, NO}:
        return
    wanted, words = _LITERALS.get(subject.kind, (str, f"one of its options: {one_of(subject.options)}"))
    if type(literal) is not wanted:
        yield ConditionFault.VALUE_DOES_NOT_FIT, f"{ref} is of kind {subject.kind}. Compare it with {words}."
    elif isinstance(literal, Decimal) and len(literal.as_tuple().digits) > MOST_DIGITS:
        yield ConditionFault.VALUE_DOES_NOT_FIT, f"Write a number of at most {MOST_DIGITS} digits."
    elif isinstance(literal, str) and literal not in subject.options:
        yield ConditionFault.UNKNOWN_OPTION, f"{ref} has no option of this key. Its options: {one_of(subject.options)}."


def _spelling(test: Test) -> str:
    match test:
        case Compare():
            return test.operator
        case Is():
            return "is"
        case In():
            return "in"
        case Has():
            return "has"
        case Count():
            return "count"


_COMPARED = (*Operator, "is")
_CHOSEN = (Operator.EQUAL, Operator.UNEQUAL, "in", "is")
_COUNTED = ("count", "is")
_FITS: Final[Mapping[QuestionKind, tuple[str, ...]]] = {
    QuestionKind.YES_NO: _CHOSEN,
    QuestionKind.SINGLE: _CHOSEN,
    QuestionKind.MULTIPLE: ("has", *_COUNTED),
    QuestionKind.NUMBER: _COMPARED,
    QuestionKind.DATE: _COMPARED,
    QuestionKind.TEXT: ("is",),
    QuestionKind.FILE: _COUNTED,
    QuestionKind.TABLE: _COUNTED,
}
_LITERALS: Final[Mapping[QuestionKind, tuple[type, str]]] = {
    QuestionKind.NUMBER: (Decimal, "a number"),
    QuestionKind.DATE: (date, "a date, like 2026-06-30"),
}
