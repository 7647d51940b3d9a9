"""A condition as a tree of tests, and its truth.

Offsets are not part of the tree: two spellings of one condition are equal.

A condition has two values. A test of an unanswered, hidden or not applicable question is false, also with `!=`. Only
`not` turns it. The count of the answer "there is none" is 0. All other comparisons with it are false. A value of
another kind than the literal is unequal and not different: a condition never fails.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, Final, TypeAlias

import msgspec

Literal: TypeAlias = str | Decimal | date | bool
"""An option's key or a text, a number, a day, or the truth of a fact."""


class Operator(StrEnum):
    """A comparison."""

    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


class AnswerState(StrEnum):
    """The states that `is` tests. `answered` includes "there is none"."""

    ANSWERED = "answered"
    NOT_APPLICABLE = "not_applicable"
    NONE = "none"


class Is(msgspec.Struct, frozen=True, tag=True):
    """A test of the state of an answer."""

    ref: str
    state: AnswerState


class Compare(msgspec.Struct, frozen=True, tag=True):
    """A comparison of the answer with a literal."""

    ref: str
    operator: Operator
    literal: Literal


class In(msgspec.Struct, frozen=True, tag=True):
    """A test that the answer is one of several literals."""

    ref: str
    literals: tuple[Literal, ...]


class Has(msgspec.Struct, frozen=True, tag=True):
    """A test that an option is among those chosen."""

    ref: str
    literal: Literal


class Count(msgspec.Struct, frozen=True, tag=True):
    """A comparison of the number of choices, files or rows."""

    ref: str
    operator: Operator
    number: int


Test: TypeAlias = Is | Compare | In | Has | Count


class Not(msgspec.Struct, frozen=True, tag=True):
    inner: "Condition"


class AllOf(msgspec.Struct, frozen=True, tag=True):
    parts: tuple["Condition", ...]


class AnyOf(msgspec.Struct, frozen=True, tag=True):
    parts: tuple["Condition", ...]


Condition: TypeAlias = Test | Not | AllOf | AnyOf


def leaves_of(condition: Condition) -> Iterator[Test]:
    """Yield the tests of a condition, from left to right."""
    if isinstance(condition, Not):
        yield from leaves_of(condition.inner)
    elif isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            yield from leaves_of(part)
    else:
        yield condition


class Mark(Enum):
    """Answers without a value."""

    NOT_APPLICABLE = "not_applicable"
    NONE = "none"


Given: TypeAlias = str | frozenset[str] | Decimal | date | int | Mark
"""An answer as conditions compare it. Files and rows are an int: their number."""
Truth: TypeAlias = Callable[[Mapping[str, Given]], bool]
"""Decides by the answers to shown questions and by facts. A key that is missing is unanswered."""

_COMPARE: Final[Mapping[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQUAL: operator.eq,
    Operator.UNEQUAL: operator.ne,
    Operator.LESS: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.MORE: operator.gt,
    Operator.AT_LEAST: operator.ge,
}


def truth_of(condition: Condition) -> Truth:
    """Return the function that decides a condition."""
    match condition:
        case Not():
            inner = truth_of(condition.inner)
            return lambda given: not inner(given)
        case AllOf():
            return _all_of(tuple(map(truth_of, condition.parts)))
        case AnyOf():
            return _any_of(tuple(map(truth_of, condition.parts)))
        case _:
            return _test(condition)


def compared(literal: Literal) -> str | Decimal | date:
    """Return the value that an answer is compared with. The truth of a fact is stored as yes or no."""
    return literal if not isinstance(literal, bool) else "yes" if literal else "no"


def _all_of(parts: tuple[Truth, ...]) -> Truth:
    def decide(given: Mapping[str, Given]) -> bool:
        for part in parts:  # noqa: SIM110 - a generator would take twice the time
            if not part(given):
                return False
        return True

    return decide


def _any_of(parts: tuple[Truth, ...]) -> Truth:
    def decide(given: Mapping[str, Given]) -> bool:
        for part in parts:  # noqa: SIM110 - a generator would take twice the time
            if part(given):
                return True
        return False

    return decide


def _test(test: Test) -> Truth:
    match test:
        case Is():
            return _state(test)
        case Compare():
            return _comparison(test)
        case In():
            ref, choices = test.ref, frozenset(map(compared, test.literals))
            return lambda given: given.get(ref) in choices
        case Has():
            return _choice(test)
        case Count():
            return _number_of(test)


def _state(test: Is) -> Truth:
    ref = test.ref
    if test.state is AnswerState.ANSWERED:
        return lambda given: given.get(ref, Mark.NOT_APPLICABLE) is not Mark.NOT_APPLICABLE
    mark = Mark(test.state)
    return lambda given: given.get(ref) is mark


def _comparison(test: Compare) -> Truth:
    ref, literal, holds = test.ref, compared(test.literal), _COMPARE[test.operator]
    kind = type(literal)
    if test.operator is Operator.EQUAL and kind is str:
        return lambda given: given.get(ref) == literal

    def decide(given: Mapping[str, Given]) -> bool:
        value = given.get(ref)
        return type(value) is kind and holds(value, literal)

    return decide


def _choice(test: Has) -> Truth:
    ref, option = test.ref, compared(test.literal)

    def decide(given: Mapping[str, Given]) -> bool:
        value = given.get(ref)
        return isinstance(value, frozenset) and option in value

    return decide


def _number_of(test: Count) -> Truth:
    ref, number, holds = test.ref, test.number, _COMPARE[test.operator]

    def decide(given: Mapping[str, Given]) -> bool:
        value = given.get(ref)
        if value is Mark.NONE:
            return holds(0, number)
        if isinstance(value, frozenset):
            return holds(len(value), number)
        return type(value) is int and holds(value, number)

    return decide
