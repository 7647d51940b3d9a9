"""The language of conditions: a parser that reports the offset of a fault, and a printer.

    expr = both {"or" both}     both = no {"and" no}     no = "not" no | "(" expr ")" | test
    test = ref "is" ["not"] ("answered" | "not_applicable" | "none")
         | ref ("=" | "!=" | "<" | "<=" | ">" | ">=") literal
         | ref "in" "(" literal {"," literal} ")"
         | ref "has" literal
         | "count" "(" ref ")" ("=" | "!=" | "<" | "<=" | ">" | ">=") whole
    ref  = key of a question, or a fact
    literal = option key | number | ISO date | 'text' | true | false

There is neither arithmetic nor a function, so that a condition cannot loop, divide or fail. At most 1,000 characters,
50 tests and 20 levels of `not` and brackets are accepted.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

from vendorrisk.questionnaires.condition_tree import (
    AllOf,
    AnswerState,
    AnyOf,
    Compare,
    Condition,
    Count,
    Has,
    In,
    Is,
    Literal,
    Not,
    Operator,
    Test,
)

MOST_CHARACTERS: Final = 1000
MOST_TESTS: Final = 50
MOST_LEVELS: Final = 20
KEYWORDS: Final = frozenset(
    {"and", "or", "not", "is", "in", "has", "count", "answered", "not_applicable", "none", "true", "false"}
)


class ConditionFault(StrEnum):
    """The faults of a condition. The first eight are those of the grammar."""

    UNEXPECTED = "unexpected"
    EXPECTED = "expected"
    KEYWORD = "keyword"
    NO_SUCH_DATE = "no_such_date"
    TOO_LONG = "too_long"
    TOO_MANY_TESTS = "too_many_tests"
    TOO_DEEP = "too_deep"
    COUNT_IS_WHOLE = "count_is_whole"
    UNKNOWN_QUESTION = "unknown_question"
    REFERS_TO_ITSELF = "refers_to_itself"
    REFERS_FORWARD = "refers_forward"
    OPERATOR_DOES_NOT_FIT = "operator_does_not_fit"
    VALUE_DOES_NOT_FIT = "value_does_not_fit"
    UNKNOWN_OPTION = "unknown_option"
    NEVER_SO = "never_so"
    NEVER_ASKED = "never_asked"


class ConditionError(Exception):
    """A text is no condition. `offset` counts characters from 0."""

    def __init__(self, fault: ConditionFault, offset: int, detail: str) -> None:
        super().__init__(f"{fault} at {offset}: {detail}")
        self.fault = fault
        self.offset = offset
        self.detail = detail


def parse(text: str) -> Condition:
    """Return the condition that a text spells. Raises `ConditionError`, and no other error on any text."""
    return parse_with_offsets(text)[0]


def parse_with_offsets(text: str) -> tuple[Condition, tuple[int, ...]]:
    """As `parse`, with the offset of each test, in the order of `leaves_of`."""
    parser = _Parser(text)
    return parser.whole(), tuple(parser.offsets)


def printed(condition: Condition) -> str:
    """Return the text of a condition, which parses to the same condition. It has blanks where there is room."""
    tokens = list(_tokens_of(condition))
    spaced = _joined(tokens, _reads_better)
    return spaced if len(spaced) <= MOST_CHARACTERS else _joined(tokens, _would_merge)


_WORD = r"[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*"
_BLANKS = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"|(?P<number>-?[0-9]+(?:\.[0-9]+)?)"
    rf"|(?P<word>{_WORD})"
    r"|'(?P<text>[^'\r\n]{0,200})'"
    r"|(?P<sign><=|>=|!=|=|<|>|\(|\)|,)"
)
_BARE: Final = re.compile(_WORD)
_STATES: Final = frozenset(AnswerState)
_OPERATORS: Final = frozenset(Operator)
_COMPARED = "an operator: = != < <= > >= is in has"


class _Token(NamedTuple):
    kind: str
    value: Literal
    offset: int


def _scan(text: str) -> list[_Token]:
    if len(text) > MOST_CHARACTERS:
        detail = f"The condition has {len(text):,} characters. At most {MOST_CHARACTERS:,} are accepted."
        raise ConditionError(ConditionFault.TOO_LONG, MOST_CHARACTERS, detail)
    at, tokens = _end_of_blanks(text, 0), []
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            allowed = "Keys, numbers, dates, 'text', = != < <= > >= ( ) and , are allowed."
            raise ConditionError(ConditionFault.UNEXPECTED, at, f"This character has no meaning here. {allowed}")
        kind = str(found.lastgroup)
        tokens.append(_Token(kind, _value(kind, found[kind], at), at))
        at = _end_of_blanks(text, found.end())
    tokens.append(_Token("end", "", len(text)))
    return tokens


def _end_of_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return at if found is None else found.end()


def _value(kind: str, spelled: str, at: int) -> Literal:
    if kind == "number":
        return Decimal(spelled)
    if kind != "date":
        return spelled
    try:
        return date.fromisoformat(spelled)
    except ValueError:
        raise ConditionError(ConditionFault.NO_SUCH_DATE, at, f"There is no day {spelled}.") from None


class _Parser:
    """Recursive descent. The depth is bounded, so that no text exhausts the stack."""

    def __init__(self, text: str) -> None:
        self._tokens = _scan(text)
        self._at = 0
        self.offsets: list[int] = []

    def whole(self) -> Condition:
        condition = self._any_of(0)
        token = self._next
        if token.kind != "end":
            raise ConditionError(ConditionFault.UNEXPECTED, token.offset, "The condition is complete before this.")
        return condition

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _taken(self) -> _Token:
        token = self._next
        if token.kind != "end":
            self._at += 1
        return token

    def _comes(self, *spelled: str) -> bool:
        """Take the next token, if it is one of these words or signs."""
        token = self._next
        comes = token.kind in {"word", "sign"} and token.value in spelled
        self._at += comes
        return comes

    def _must(self, spelled: str) -> None:
        if not self._comes(spelled):
            raise self._expected(spelled)

    def _expected(self, wanted: str) -> ConditionError:
        return ConditionError(ConditionFault.EXPECTED, self._next.offset, f"Write {wanted} here.")

    def _any_of(self, depth: int) -> Condition:
        parts = self._parts("or", self._all_of, depth)
        return parts[0] if len(parts) == 1 else AnyOf(parts)

    def _all_of(self, depth: int) -> Condition:
        parts = self._parts("and", self._negated, depth)
        return parts[0] if len(parts) == 1 else AllOf(parts)

    def _parts(self, word: str, part: Callable[[int], Condition], depth: int) -> tuple[Condition, ...]:
        parts = [part(depth)]
        while self._comes(word):
            parts.append(part(depth))
        return tuple(parts)

    def _negated(self, depth: int) -> Condition:
        if depth > MOST_LEVELS:
            detail = f"The condition is nested too deeply. At most {MOST_LEVELS} levels are accepted."
            raise ConditionError(ConditionFault.TOO_DEEP, self._next.offset, detail)
        if self._comes("not"):
            return Not(self._negated(depth + 1))
        if self._comes("("):
            condition = self._any_of(depth + 1)
            self._must(")")
            return condition
        return self._test()

    def _test(self) -> Condition:
        offset = self._next.offset
        if len(self.offsets) == MOST_TESTS:
            detail = f"The condition has too many tests. At most {MOST_TESTS} are accepted."
            raise ConditionError(ConditionFault.TOO_MANY_TESTS, offset, detail)
        self.offsets.append(offset)
        if self._comes("count"):
            return self._count()
        ref = self._ref()
        if self._comes("is"):
            return self._state(ref)
        if self._comes("in"):
            self._must("(")
            literals = [self._literal()]
            while self._comes(","):
                literals.append(self._literal())
            self._must(")")
            return In(ref, tuple(literals))
        if self._comes("has"):
            return Has(ref, self._literal())
        return Compare(ref, self._operator(), self._literal())

    def _count(self) -> Condition:
        self._must("(")
        ref = self._ref()
        self._must(")")
        operator, token = self._operator(), self._next
        if not isinstance(token.value, Decimal):
            raise self._expected("a whole number")
        if token.value < 0 or token.value != token.value.to_integral_value():
            raise ConditionError(ConditionFault.COUNT_IS_WHOLE, token.offset, "A count is a whole number from 0.")
        self._taken()
        return Count(ref, operator, int(token.value))

    def _state(self, ref: str) -> Condition:
        negated, token = self._comes("not"), self._next
        if token.kind != "word" or token.value not in _STATES:
            raise self._expected("answered, not_applicable or none")
        self._taken()
        test = Is(ref, AnswerState(str(token.value)))
        return Not(test) if negated else test

    def _ref(self) -> str:
        token = self._next
        if token.kind != "word":
            raise self._expected("the key of a question or a fact")
        if token.value in KEYWORDS:
            raise self._reserved(token)
        self._taken()
        return str(token.value)

    def _operator(self) -> Operator:
        token = self._next
        if token.kind != "sign" or token.value not in _OPERATORS:
            raise self._expected(_COMPARED)
        self._taken()
        return Operator(str(token.value))

    def _literal(self) -> Literal:
        token = self._next
        if token.kind in {"end", "sign"}:
            raise self._expected("an option, a number, a date or a 'text'")
        if token.kind == "word" and token.value in KEYWORDS - {"none", "true", "false"}:
            raise self._reserved(token)
        self._taken()
        is_truth = token.kind == "word" and token.value in {"true", "false"}
        return token.value == "true" if is_truth else token.value

    @staticmethod
    def _reserved(token: _Token) -> ConditionError:
        detail = f"The word {token.value} is part of the language. Write an option of that name as '{token.value}'."
        return ConditionError(ConditionFault.KEYWORD, token.offset, detail)


def _tokens_of(condition: Condition) -> Iterator[str]:
    match condition:
        case AnyOf() | AllOf():
            for number, part in enumerate(condition.parts):
                if number:
                    yield "or" if isinstance(condition, AnyOf) else "and"
                # `and` binds closer than `or`, so that of four pairs only this one needs no brackets.
                yield from _enclosed(part, (AnyOf, AllOf) if isinstance(condition, AllOf) else (AnyOf,))
        case Not(Is(ref, state)):
            yield from (ref, "is", "not", state)
        case Not():
            yield "not"
            yield from _enclosed(condition.inner, (AnyOf, AllOf))
        case _:
            yield from _tokens_of_test(condition)


def _enclosed(part: Condition, kinds: tuple[type, ...]) -> Iterator[str]:
    if not isinstance(part, kinds):
        yield from _tokens_of(part)
        return
    yield "("
    yield from _tokens_of(part)
    yield ")"


def _tokens_of_test(test: Test) -> Iterator[str]:
    match test:
        case Is():
            yield from (test.ref, "is", test.state)
        case Compare():
            yield from (test.ref, test.operator, _spelled(test.literal))
        case In():
            yield from (test.ref, "in", "(", _spelled(test.literals[0]))
            for literal in test.literals[1:]:
                yield from (",", _spelled(literal))
            yield ")"
        case Has():
            yield from (test.ref, "has", _spelled(test.literal))
        case Count():
            yield from ("count", "(", test.ref, ")", test.operator, str(test.number))


def _spelled(literal: Literal) -> str:
    if isinstance(literal, bool):
        return "true" if literal else "false"
    if isinstance(literal, Decimal):
        return format(literal, "f")
    if isinstance(literal, date):
        return literal.isoformat()
    is_bare = _BARE.fullmatch(literal) is not None and literal not in KEYWORDS - {"none"}
    return literal if is_bare else f"'{literal}'"


def _joined(tokens: list[str], needs_blank: Callable[[str, str], bool]) -> str:
    blanks = (" " if needs_blank(left, right) else "" for left, right in pairwise(tokens))
    return tokens[0] + "".join(blank + token for blank, token in zip(blanks, tokens[1:], strict=True))


def _reads_better(left: str, right: str) -> bool:
    return left != "(" and right not in {")", ","} and (left, right) != ("count", "(")


def _would_merge(left: str, right: str) -> bool:
    return left[0].isalpha() and (right[0].isalnum() or right[0] == "-")
