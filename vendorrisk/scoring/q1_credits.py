"""Method `q1`: the credit that the value of an answer earns by itself, in thousandths.

    options           the credit of the option
    multiple          share: credits chosen / all positive credits; best, worst: the highest or lowest chosen.
                      The option of `none_of`, alone, earns its own credit
    number            the first band that reaches the value
    date              the first band that reaches its age in days on the day of the submission
    file              1000
    table             rows: the mean credit of one column; count: the first band that reaches the number of rows
    none              the credit of "there is none"
    text              none, until a reviewer gives one

`share` and `rows` round down to a thousandth. All else is exact.

This file is part of a released method, so it never changes. A change of arithmetic is another method.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from vendorrisk.questionnaires.content import (
    Band,
    Column,
    Content,
    Question,
    QuestionKind,
    Score,
    ScoreRule,
    options_of,
)
from vendorrisk.scoring.answers import is_none

WHOLE: Final = 1000

Credit = Callable[[Any, date], int | None]
"""The value of an answer and the day of the submission → thousandths, or None: nothing to score yet."""


def credit_of(content: Content, question: Question) -> Credit:
    """Return the rule by which the answers of a question earn credit."""
    rule = _rule(content, question)
    none = question.none.credit if question.none is not None else None
    if none is None:
        return rule
    return lambda value, on: none if is_none(value) else rule(value, on)


def _rule(content: Content, question: Question) -> Credit:
    if question.kind in {QuestionKind.YES_NO, QuestionKind.SINGLE}:
        credits_ = _credits(content, question)
        return lambda value, _: credits_[value]
    if question.kind is QuestionKind.FILE:
        return lambda value, _: WHOLE if value else 0
    return _scored(content, question, question.score) if question.score is not None else _nothing_yet


def _nothing_yet(_value: Any, _on: date) -> None:
    return None


def _scored(content: Content, question: Question, score: Score) -> Credit:
    bands = score.bands
    match score.rule:
        case ScoreRule.BANDS:
            return lambda value, _: of_bands(value, bands)
        case ScoreRule.AGE_IN_DAYS:
            return lambda value, on: of_bands((on - date.fromisoformat(value)).days, bands)
        case ScoreRule.COUNT:
            return lambda value, _: of_bands(len(value), bands)
        case ScoreRule.ROWS:
            return _of_rows(content, question, score)
    credits_ = _credits(content, question)
    return lambda value, _: of_choices(value, credits_, score)


def _credits(content: Content, asked: Question | Column) -> dict[str, int]:
    return {option.key: option.credit for option in options_of(content, asked)}


def of_choices(chosen: Sequence[str], credits_: Mapping[str, int], score: Score) -> int:
    """Return the credit of several choices. No choice earns nothing."""
    if not chosen:
        return 0
    if list(chosen) == [score.none_of]:
        return credits_[chosen[0]]
    earned = [credits_[key] for key in chosen]
    if score.rule is ScoreRule.SHARE:
        possible = sum(credit for credit in credits_.values() if credit > 0)
        return min(WHOLE, sum(earned) * WHOLE // possible) if possible else 0
    return max(earned) if score.rule is ScoreRule.BEST else min(earned)


def of_bands(value: float, bands: Sequence[Band]) -> int:
    """Return the credit of the first band that reaches the value. Above all bands nothing is earned."""
    return next((band.credit for band in bands if band.up_to is None or value <= band.up_to), 0)


def _of_rows(content: Content, question: Question, score: Score) -> Credit:
    column = next(column for column in question.columns if column.key == score.column)
    credits_ = _credits(content, column)

    def mean(rows: Sequence[Mapping[str, Any]], _: date) -> int:
        return sum(credits_.get(row.get(column.key, ""), 0) for row in rows) // len(rows) if rows else 0

    return mean
