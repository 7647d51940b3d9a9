"""Two cycles of one vendor and questionnaire compared, question by question.

Better and worse compare the credit that counted, each by its own cycle's method, marks and policy. A question whose
meaning was raised asks for something else, so that its credit is not compared.
"""

from collections.abc import Collection, Iterator
from enum import StrEnum

import msgspec

from vendorrisk.questionnaires.content import Content, Question, QuestionKind, Stance, questions_of
from vendorrisk.scoring.answers import Answer
from vendorrisk.scoring.score_model import Grade, Result


class CycleChange(StrEnum):
    """A change of one question between two cycles. Several can hold."""

    BETTER = "better"  # more credit counted
    WORSE = "worse"
    ANSWER_CHANGED = "answer_changed"  # another value, note or field, for the same credit
    REWORDED = "reworded"  # the question, in a language that both versions have
    MEANING_RAISED = "meaning_raised"
    NEWLY_ASKED = "newly_asked"
    NO_LONGER_ASKED = "no_longer_asked"
    NEWLY_NOT_APPLICABLE = "newly_not_applicable"
    EVIDENCE_ADDED = "evidence_added"
    EVIDENCE_RENEWED = "evidence_renewed"
    EVIDENCE_LOST = "evidence_lost"


class Cycle(msgspec.Struct, frozen=True, kw_only=True):
    """One cycle: its content, its declared answers, its score, and the keys of the questions that were asked."""

    content: Content
    answers: tuple[Answer, ...]
    result: Result
    shown: Collection[str]


class QuestionDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One question in both cycles. No change at all means unchanged. Counted credit is in millionths."""

    key: str
    earlier_place: int | None
    place: int | None
    is_critical: bool
    changes: tuple[CycleChange, ...]
    earlier_counted: int | None
    counted: int | None


class CycleDifferences(msgspec.Struct, frozen=True, kw_only=True):
    """All questions of both cycles, in the order of the later one, and the two scores."""

    earlier_method: str
    earlier_tenths: int | None
    earlier_grade: Grade
    method: str
    tenths: int | None
    grade: Grade
    questions: tuple[QuestionDifference, ...]
    worse_critical: tuple[str, ...]
    """Keys of critical questions that became worse."""


class _Side(msgspec.Struct, frozen=True, kw_only=True):
    """A question in one cycle, as it was asked."""

    place: int
    question: Question
    answer: Answer | None
    counted: int | None


def differences(earlier: Cycle, later: Cycle) -> CycleDifferences:
    before, after = _sides(earlier), _sides(later)
    keys = [question.key for _, _, question in questions_of(later.content)]
    keys += [question.key for _, _, question in questions_of(earlier.content) if question.key not in set(keys)]
    questions = tuple(
        _difference(key, before.get(key), after.get(key)) for key in keys if key in before or key in after
    )
    return CycleDifferences(
        earlier_method=earlier.result.method,
        earlier_tenths=earlier.result.score_tenths,
        earlier_grade=earlier.result.grade,
        method=later.result.method,
        tenths=later.result.score_tenths,
        grade=later.result.grade,
        questions=questions,
        worse_critical=tuple(
            found.key for found in questions if found.is_critical and CycleChange.WORSE in found.changes
        ),
    )


def _sides(cycle: Cycle) -> dict[str, _Side]:
    answers = {answer.place: answer for answer in cycle.answers if answer.stance is not Stance.CLEARED}
    return {
        question.key: _Side(
            place=place, question=question, answer=answers.get(place), counted=cycle.result.counted[place - 1]
        )
        for place, _, question in questions_of(cycle.content)
        if question.key in cycle.shown
    }


def _difference(key: str, before: _Side | None, after: _Side | None) -> QuestionDifference:
    last = after or before
    return QuestionDifference(
        key=key,
        earlier_place=before.place if before else None,
        place=after.place if after else None,
        is_critical=last is not None and last.question.critical,
        changes=tuple(_changes(before, after)),
        earlier_counted=before.counted if before else None,
        counted=after.counted if after else None,
    )


def _changes(before: _Side | None, after: _Side | None) -> Iterator[CycleChange]:
    if before is None:
        yield CycleChange.NEWLY_ASKED
        return
    if after is None:
        yield CycleChange.NO_LONGER_ASKED
        return
    if _is_reworded(before.question, after.question):
        yield CycleChange.REWORDED
    yield from _answer_changes(before, after)
    yield from _evidence_changes(_files(before.answer), _files(after.answer))


def _is_reworded(before: Question, after: Question) -> bool:
    both = before.text.keys() & after.text.keys()
    return any(before.text[language] != after.text[language] for language in both)


def _answer_changes(before: _Side, after: _Side) -> Iterator[CycleChange]:
    if before.question.meaning != after.question.meaning or before.question.kind is not after.question.kind:
        yield CycleChange.MEANING_RAISED
        return
    if _stance(after) is Stance.NOT_APPLICABLE:
        if _stance(before) is not Stance.NOT_APPLICABLE:
            yield CycleChange.NEWLY_NOT_APPLICABLE
        return
    if before.counted is not None and after.counted is not None and before.counted != after.counted:
        yield CycleChange.BETTER if after.counted > before.counted else CycleChange.WORSE
    elif _declared(before) != _declared(after):
        yield CycleChange.ANSWER_CHANGED


def _stance(side: _Side) -> Stance | None:
    return side.answer.stance if side.answer else None


def _declared(side: _Side) -> tuple[object, ...] | None:
    """Return the answer without its files, which are compared by themselves."""
    answer = side.answer
    if answer is None:
        return None
    value = None if side.question.kind is QuestionKind.FILE else answer.value
    return answer.stance, value, answer.note, answer.fields


def _files(answer: Answer | None) -> frozenset[str]:
    return frozenset(file.sha256 for file in answer.files) if answer else frozenset()


def _evidence_changes(before: Collection[str], after: Collection[str]) -> Iterator[CycleChange]:
    if before and not after:
        yield CycleChange.EVIDENCE_LOST
    elif not before and after:
        yield CycleChange.EVIDENCE_ADDED
    elif before != after:
        yield CycleChange.EVIDENCE_RENEWED
