"""Everything that stands between an assessment and its submission."""

from collections.abc import Collection, Iterable, Iterator
from enum import StrEnum

import msgspec

from vendorrisk.questionnaires.content import Content, Question, QuestionKind, Section, Stance, options_of, questions_of
from vendorrisk.scoring.answers import Answer, is_none

_OF_OPTIONS = frozenset({QuestionKind.YES_NO, QuestionKind.SINGLE, QuestionKind.MULTIPLE})


class MissingPart(StrEnum):
    """The part of an answer that is missing."""

    ANSWER = "answer"
    CONFIRMATION = "confirmation"  # of a carried, suggested or imported answer
    NOTE = "note"  # the chosen option asks for one
    REASON = "reason"  # of "not applicable"
    FILE = "file"  # evidence is required
    FIELD = "field"  # a further field is required


class Missing(msgspec.Struct, frozen=True):
    """One missing part of one question. `field` is the key of a further field."""

    place: int
    key: str
    section: str
    part: MissingPart
    field: str | None = None


def missing(content: Content, answers: Iterable[Answer], shown: Collection[str]) -> tuple[Missing, ...]:
    """Return the missing parts, in the order of the questions. `shown` holds the keys of those that are asked."""
    given = {answer.place: answer for answer in answers if answer.stance is not Stance.CLEARED}
    return tuple(
        found
        for place, section, question in questions_of(content)
        if question.key in shown
        for found in _missing(content, section, place, question, given.get(place))
    )


def _missing(
    content: Content, section: Section, place: int, question: Question, answer: Answer | None
) -> Iterator[Missing]:
    for part, field in _parts(content, question, answer):
        yield Missing(place, question.key, section.key, part, field)


def _parts(content: Content, question: Question, answer: Answer | None) -> Iterator[tuple[MissingPart, str | None]]:
    if answer is None:
        if question.required:
            yield MissingPart.ANSWER, None
        return
    if not answer.is_confirmed:
        yield MissingPart.CONFIRMATION, None
    if answer.stance is Stance.NOT_APPLICABLE:
        if answer.reason is None:
            yield MissingPart.REASON, None
        return
    if answer.note is None and _asks_note(content, question, answer):
        yield MissingPart.NOTE, None
    if _wants_file(content, question, answer):
        yield MissingPart.FILE, None
    yield from (
        (MissingPart.FIELD, one.key) for one in question.fields if one.required and one.key not in answer.fields
    )


def _chosen(answer: Answer) -> list[str]:
    return [answer.value] if isinstance(answer.value, str) else answer.value


def _asks_note(content: Content, question: Question, answer: Answer) -> bool:
    if question.kind not in _OF_OPTIONS:
        return False
    asking = {option.key for option in options_of(content, question) if option.asks_note}
    return not asking.isdisjoint(_chosen(answer))


def _wants_file(content: Content, question: Question, answer: Answer) -> bool:
    """Return True if a file is missing. An answer that claims nothing has nothing to prove.

    That is "there is none", and a choice without credit among choices that have some.
    """
    if question.kind is QuestionKind.FILE:
        return not answer.value
    if question.evidence is None or not question.evidence.required or answer.files or is_none(answer.value):
        return False
    if question.kind not in _OF_OPTIONS:
        return True
    credits_ = {option.key: option.credit for option in options_of(content, question)}
    return not any(credits_.values()) or any(credits_.get(key) for key in _chosen(answer))
