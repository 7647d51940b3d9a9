"""A condition as a tree of tests. Offsets are not part of it: two spellings of one condition are equal."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

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
