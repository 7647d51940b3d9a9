"""The answers of the last decided cycle, carried over to the content of the next one.

    carried    same key, meaning and kind, and the value still fits: filled in, to be confirmed
    beside     shown beside the question as the earlier answer, not filled in, with the reason
    gone       the key is not asked any more: only the comparison of the cycles shows it

Files whose document was superseded, withdrawn or has expired are not carried. Their answer says to renew them. A "not
applicable" is carried with its reason. The reviewer accepts it again.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from enum import StrEnum

import msgspec

from vendorrisk.errors import FieldCode, FieldError
from vendorrisk.questionnaires.content import (
    Content,
    NotApplicable,
    Question,
    QuestionKind,
    ScoreRule,
    Stance,
    Texts,
    questions_of,
)
from vendorrisk.scoring.answers import Answer, AnswerFile, is_none
from vendorrisk.scoring.q1_credits import of_bands
from vendorrisk.scoring.values import AnswerInvalidError, SentAnswer, normalised


class CarryOutcome(StrEnum):
    """Where an earlier answer went."""

    CARRIED = "carried"
    BESIDE = "beside"
    GONE = "gone"


class BesideReason(StrEnum):
    """Why an earlier answer was not filled in."""

    MEANING_RAISED = "meaning_raised"
    KIND_CHANGED = "kind_changed"
    OPTION_GONE = "option_gone"
    OUT_OF_BOUNDS = "out_of_bounds"
    NEVER_NOT_APPLICABLE = "never_not_applicable"
    RENEW = "renew"  # all its files are out of date


class CarriedOver(msgspec.Struct, frozen=True, kw_only=True):
    """One earlier answer and its place in the next cycle.

    `answer` is the carried answer, unconfirmed, at its new place. In the value of a file question and in `files` each
    file is named by its SHA-256: its upload in the new assessment has no id yet.
    """

    key: str
    outcome: CarryOutcome
    earlier: Answer
    earlier_text: Texts
    place: int | None = None
    """In the new content. Null if it is gone."""
    text: Texts | None = None
    answer: Answer | None = None
    reason: BesideReason | None = None
    renew: tuple[AnswerFile, ...] = ()
    """Files that were not carried."""


def carried_over(
    earlier: Content,
    answers: Iterable[Answer],
    current: Content,
    *,
    today: date,
    outdated_files: Collection[str] = (),
) -> tuple[CarriedOver, ...]:
    """Carry the answers of the last submission over. `outdated_files` holds SHA-256 values, in hexadecimal."""
    asked = {place: question for place, _, question in questions_of(earlier)}
    now = {question.key: (place, question) for place, _, question in questions_of(current)}
    return tuple(
        _carried(asked[answer.place], answer, current, now.get(asked[answer.place].key), today, outdated_files)
        for answer in sorted(answers, key=lambda answer: answer.place)
        if answer.stance is not Stance.CLEARED
    )


def _carried(
    question: Question,
    answer: Answer,
    current: Content,
    target: tuple[int, Question] | None,
    today: date,
    outdated: Collection[str],
) -> CarriedOver:
    if target is None:
        return CarriedOver(key=question.key, outcome=CarryOutcome.GONE, earlier=answer, earlier_text=question.text)
    place, now = target
    kept = tuple(file for file in answer.files if file.sha256 not in outdated)
    renew = tuple(file for file in answer.files if file.sha256 in outdated)
    filled = _filled(question, answer, current, now, kept, today)
    is_carried = isinstance(filled, Answer)
    return CarriedOver(
        key=question.key,
        outcome=CarryOutcome.CARRIED if is_carried else CarryOutcome.BESIDE,
        earlier=answer,
        earlier_text=question.text,
        place=place,
        text=now.text,
        answer=msgspec.structs.replace(filled, place=place) if isinstance(filled, Answer) else None,
        reason=None if isinstance(filled, Answer) else filled,
        renew=renew,
    )


def _filled(
    question: Question, answer: Answer, current: Content, now: Question, kept: tuple[AnswerFile, ...], today: date
) -> Answer | BesideReason:
    if now.kind is not question.kind:
        return BesideReason.KIND_CHANGED
    if now.meaning != question.meaning:
        return BesideReason.MEANING_RAISED
    if answer.stance is Stance.NOT_APPLICABLE and now.not_applicable is NotApplicable.NEVER:
        return BesideReason.NEVER_NOT_APPLICABLE
    value = answer.value
    if now.kind is QuestionKind.FILE and answer.stance is Stance.ANSWERED:
        value = named_by_hash(answer, kept)
        if not value:
            return BesideReason.RENEW
    return fitting(current, now, msgspec.structs.replace(answer, value=value, files=kept), today=today)


def named_by_hash(answer: Answer, files: Iterable[AnswerFile]) -> list[str]:
    """Return the value of a file question with the SHA-256 of each file that is among `files`."""
    named = set(answer.value)
    return sorted({file.sha256 for file in files if file.id in named or file.sha256 in named})


def fitting(current: Content, question: Question, answer: Answer, *, today: date) -> Answer | BesideReason:
    """Return the answer to the current question, unconfirmed, or the reason why it does not fit.

    Further fields that do not fit are left out. The value of a file question is not checked,
    because its uploads have no id yet.
    """
    fields = {field.key: answer.fields[field.key] for field in question.fields if field.key in answer.fields}
    is_checked = question.kind is not QuestionKind.FILE or answer.stance is not Stance.ANSWERED
    sent = SentAnswer(
        stance=answer.stance if is_checked else Stance.CLEARED,
        value=answer.value if is_checked else None,
        reason=answer.reason,
        note=answer.note,
        fields=fields,
    )
    faults = tuple(_faults(current, question, sent, today))
    if any(not _is_in_fields(fault) for fault in faults):
        gone = any(fault.code == FieldCode.NOT_ALLOWED for fault in faults)
        return BesideReason.OPTION_GONE if gone else BesideReason.OUT_OF_BOUNDS
    wrong = {str(fault.pointer).split("/")[2] for fault in faults}
    kept = {key: field for key, field in fields.items() if key not in wrong}
    return msgspec.structs.replace(answer, fields=kept, is_confirmed=False, version=1)


def _faults(content: Content, question: Question, sent: SentAnswer, today: date) -> Iterator[FieldError]:
    try:
        normalised(content, question, sent, today=today)
    except AnswerInvalidError as error:
        yield from error.faults


def _is_in_fields(fault: FieldError) -> bool:
    return str(fault.pointer).startswith("/fields/")


def needs_single_confirmation(question: Question, answer: Answer, *, today: date) -> bool:
    """Return True if a carried answer is confirmed by itself, not with its section.

    That is each critical question, and each date that has left the best band of its age.
    """
    if question.critical:
        return True
    score = question.score
    if score is None or score.rule is not ScoreRule.AGE_IN_DAYS or answer.stance is not Stance.ANSWERED:
        return False
    if is_none(answer.value):
        return False
    age = (today - date.fromisoformat(answer.value)).days
    return of_bands(age, score.bands) < max(band.credit for band in score.bands)
