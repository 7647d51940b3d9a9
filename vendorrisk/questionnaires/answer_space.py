"""The answers to a question that make a difference to tests of it: finitely many for each kind."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain, combinations, pairwise
from typing import Final

from vendorrisk.questionnaires.condition_checks import Subject
from vendorrisk.questionnaires.condition_tree import Compare, Count, Given, Has, In, Mark, Test, compared
from vendorrisk.questionnaires.content import MOST_FILES, MOST_ROWS, TODAY, QuestionKind

_ALWAYS_KNOWN: Final = "vendor.tier"
_ANY_DAY: Final = date(2000, 1, 1)
_ONE_DAY: Final = timedelta(days=1)


def answer_space(subject: Subject, tests: Sequence[Test], *, most: int) -> tuple[Given | None, ...] | None:
    """Return the answers, those without a value first. Null stands for no answer, or for too many answers."""
    bare: list[Given | None] = [] if any(test.ref == _ALWAYS_KNOWN for test in tests) else [None]
    if subject.may_be_not_applicable:
        bare.append(Mark.NOT_APPLICABLE)
    if subject.may_be_none:
        bare.append(Mark.NONE)
    if subject.kind is QuestionKind.MULTIPLE and 2 ** len(_named(tests)) > most:
        return None
    return (*bare, *_SPACES[subject.kind](subject, tests))


def _named(tests: Iterable[Test]) -> list[str]:
    """Return the options that tests name, in their order."""
    named: dict[str, None] = {}
    for test in tests:
        literals = test.literals if isinstance(test, In) else [test.literal] if isinstance(test, Compare | Has) else []
        named.update(dict.fromkeys(str(compared(literal)) for literal in literals))
    return list(named)


def _choices(subject: Subject, tests: Sequence[Test]) -> Iterator[Given]:
    named = _named(tests)
    yield from [option for option in subject.options if option not in named][:1]
    yield from [option for option in named if option in subject.options]


def _sets(subject: Subject, tests: Sequence[Test]) -> Iterator[Given]:
    """Yield sets of choices: each subset of the named options, filled up with others to each size that matters."""
    question = subject.question
    alone = question.score.none_of if question is not None and question.score is not None else None
    least, most = 0, len(subject.options)
    if question is not None:
        least = 1 if question.min_choices is None else question.min_choices
        most = most if question.max_choices is None else question.max_choices
    named = [option for option in _named(tests) if option in subject.options and option != alone]
    others = [option for option in subject.options if option not in named and option != alone]
    if alone in subject.options:
        yield frozenset({str(alone)})
    counts = _counts(tests)
    for chosen in chain.from_iterable(combinations(named, size) for size in range(len(named) + 1)):
        low, high = max(least, len(chosen)), min(most, len(chosen) + len(others))
        # Without a test of the count, the smallest allowed set stands for all that have these named options.
        for size in _near(counts, low, high)[: None if counts else 1]:
            yield frozenset((*chosen, *others[: size - len(chosen)]))


def _numbers(subject: Subject, tests: Sequence[Test]) -> Iterator[Given]:
    question = subject.question
    bounds = () if question is None else (question.minimum, question.maximum)
    low, high = (None if bound is None else Decimal(repr(bound)) for bound in bounds or (None, None))
    named = [test.literal for test in tests if isinstance(test, Compare) and isinstance(test.literal, Decimal)]
    points = sorted({*named, *(bound for bound in (low, high) if bound is not None)}) or [Decimal(0)]
    tried = {*points, points[0] - 1, points[-1] + 1, *((one + other) / 2 for one, other in pairwise(points))}
    if question is not None and question.whole:
        floors = [point.to_integral_value(rounding="ROUND_FLOOR") for point in points]
        tried = {floor + step for floor in floors for step in (-1, 0, 1)}
    for number in sorted(tried):
        if (low is None or number >= low) and (high is None or number <= high):
            yield number


def _days(subject: Subject, tests: Sequence[Test]) -> Iterator[Given]:
    question = subject.question
    bounds = () if question is None else (question.not_before, question.not_after)
    low, high = (None if bound in {None, TODAY} else date.fromisoformat(str(bound)) for bound in bounds or (None, None))
    named = [test.literal for test in tests if isinstance(test, Compare) and isinstance(test.literal, date)]
    points = {*named, *(bound for bound in (low, high) if bound is not None)} or {_ANY_DAY}
    tried = {day for point in points for day in (_moved(point, -_ONE_DAY), point, _moved(point, _ONE_DAY))}
    for day in sorted(tried):
        if (low is None or day >= low) and (high is None or day <= high):
            yield day


def _moved(day: date, by: timedelta) -> date:
    try:
        return day + by
    except OverflowError:
        return day


def _text(_: Subject, __: Sequence[Test]) -> Iterator[Given]:
    yield ""


def _files(_: Subject, tests: Sequence[Test]) -> Iterator[Given]:
    yield from _near(_counts(tests), 1, MOST_FILES)


def _rows(subject: Subject, tests: Sequence[Test]) -> Iterator[Given]:
    question = subject.question
    least = 0 if question is None or question.min_rows is None else question.min_rows
    most = MOST_ROWS if question is None or question.max_rows is None else question.max_rows
    yield from _near(_counts(tests), least, most)


def _counts(tests: Iterable[Test]) -> list[int]:
    return [test.number for test in tests if isinstance(test, Count)]


def _near(counts: Iterable[int], least: int, most: int) -> list[int]:
    """Return the bounds, and the counts at and beside each threshold within them."""
    tried = {least, most, *(count + step for count in counts for step in (-1, 0, 1))}
    return sorted(count for count in tried if least <= count <= most)


_SPACES: Final[Mapping[QuestionKind, Callable[[Subject, Sequence[Test]], Iterator[Given]]]] = {
    QuestionKind.YES_NO: _choices,
    QuestionKind.SINGLE: _choices,
    QuestionKind.MULTIPLE: _sets,
    QuestionKind.TEXT: _text,
    QuestionKind.NUMBER: _numbers,
    QuestionKind.DATE: _days,
    QuestionKind.FILE: _files,
    QuestionKind.TABLE: _rows,
}
