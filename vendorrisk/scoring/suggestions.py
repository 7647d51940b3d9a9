"""Answers to other questionnaires that are suggested for the questions of this one.

A question takes suggestions from the same vendor's decided assessments only. Two questions are one if they share an id
in `same_as`, or if one is a copy of the other: same key, same meaning, same wording. Kind and options must be equal,
and the value must fit. Files are not suggested: they belong to the other assessment.
"""

import unicodedata
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Final
from uuid import UUID

import msgspec

from vendorrisk.evidence.coverage import plus_months
from vendorrisk.questionnaires.content import Content, Question, QuestionKind, Stance, options_of, questions_of
from vendorrisk.scoring.answers import Answer
from vendorrisk.scoring.carry_over import fitting

OLD_AFTER_MONTHS: Final = 18


class SuggestionSource(msgspec.Struct, frozen=True, kw_only=True):
    """The last submission of a decided assessment. `given_on` is the day of that submission."""

    assessment_id: UUID
    given_on: date
    content: Content
    answers: tuple[Answer, ...]


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, unconfirmed and at its new place, with its origin. `is_old`: given more than 18 months ago."""

    place: int
    key: str
    answer: Answer
    assessment_id: UUID
    earlier_key: str
    given_on: date
    is_old: bool


def suggestions(
    content: Content, places: Collection[int], sources: Iterable[SuggestionSource], *, today: date
) -> tuple[Suggestion, ...]:
    """Return at most one suggestion for each place, from the newest source. `places` are those without an answer."""
    found: dict[int, Suggestion] = {}
    newest_first = sorted(sources, key=lambda source: (source.given_on, source.assessment_id), reverse=True)
    for source in newest_first:
        for suggestion in _of_source(content, places, source, today):
            found.setdefault(suggestion.place, suggestion)
    return tuple(found[place] for place in sorted(found))


def _of_source(
    content: Content, places: Collection[int], source: SuggestionSource, today: date
) -> Iterator[Suggestion]:
    answered = {answer.place: answer for answer in source.answers if answer.stance is Stance.ANSWERED}
    earlier = [(question, answered[place]) for place, _, question in questions_of(source.content) if place in answered]
    by_key = {question.key: (question, answer) for question, answer in earlier}
    by_id = {name: (question, answer) for question, answer in reversed(earlier) for name in question.same_as}
    for place, _, question in questions_of(content):
        if place not in places or question.kind is QuestionKind.FILE:
            continue
        for candidate, answer in _candidates(question, by_key, by_id):
            if not _is_alike(content, question, source.content, candidate):
                continue
            answer_now = fitting(content, question, answer, today=today)
            if isinstance(answer_now, Answer):
                yield Suggestion(
                    place=place,
                    key=question.key,
                    answer=msgspec.structs.replace(answer_now, place=place),
                    assessment_id=source.assessment_id,
                    earlier_key=candidate.key,
                    given_on=source.given_on,
                    is_old=plus_months(source.given_on, OLD_AFTER_MONTHS) < today,
                )
                break


_Pair = tuple[Question, Answer]


def _candidates(question: Question, by_key: dict[str, _Pair], by_id: dict[str, _Pair]) -> Iterator[_Pair]:
    copy = by_key.get(question.key)
    if copy is not None and copy[0].meaning == question.meaning and _is_worded_alike(copy[0], question):
        yield copy
    for name in question.same_as:
        if name in by_id:
            yield by_id[name]


def _is_worded_alike(left: Question, right: Question) -> bool:
    return any(
        _plain(left.text[language]) == _plain(text) for language, text in right.text.items() if language in left.text
    )


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _is_alike(content: Content, question: Question, other: Content, candidate: Question) -> bool:
    """Return True if both questions have the same kind and the same options or columns, by their keys."""
    return (
        question.kind is candidate.kind
        and question.unit == candidate.unit
        and _keys(content, question) == _keys(other, candidate)
        and _columns(content, question) == _columns(other, candidate)
    )


def _keys(content: Content, question: Question) -> set[str]:
    return {option.key for option in options_of(content, question)}


def _columns(content: Content, question: Question) -> list[tuple[str, str, frozenset[str]]]:
    return [
        (column.key, column.kind, frozenset(option.key for option in options_of(content, column)))
        for column in question.columns
    ]
