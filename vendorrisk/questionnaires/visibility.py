"""The questions that are shown, and the flags that are raised, by the answers and facts of one moment.

The questions are visited once, in their order, because conditions refer to earlier questions only. A hidden question
counts as unanswered in later conditions. The caller leaves out answers that are not confirmed.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias

from vendorrisk.questionnaires.condition_checks import FACTS, NO, UNKNOWN, YES
from vendorrisk.questionnaires.condition_grammar import parse
from vendorrisk.questionnaires.condition_tree import Condition, Given, Mark, Truth, leaves_of, truth_of
from vendorrisk.questionnaires.content import (
    NONE_VALUE,
    Content,
    Flag,
    Option,
    Question,
    QuestionKind,
    Section,
    Stance,
    canonical,
    digest,
    options_of,
    questions_of,
)

Fact: TypeAlias = str | bool | Collection[str] | None
"""A name, a truth, or a set of names. Null: not known."""


class Answered(NamedTuple):
    """An answer: its stance (`Stance`), and its value as it is stored."""

    stance: str
    value: object = None


class RaisedFlag(NamedTuple):
    """A flag that holds, with the key of its question."""

    question: str
    flag: Flag


class Turn(NamedTuple):
    """The keys that become shown and hidden, in the order of the questions."""

    shown: tuple[str, ...]
    hidden: tuple[str, ...]


_Reader = Callable[[object], Given | None]


class _Step(NamedTuple):
    key: str
    truth: Truth | None
    read: _Reader | None  # none where no condition refers to the question


class Compiled:
    """A content, prepared for evaluation. It never changes."""

    def __init__(self, content: Content, sha256: str) -> None:
        """Raises `ConditionError` if a condition cannot be parsed. A published content has none of those."""
        self.content: Final = content
        self.sha256: Final = sha256
        self.questions: Final = questions_of(content)
        """All questions in their order, each with its place, from 1, and its section."""
        self.by_key: Final[Mapping[str, Question]] = {question.key: question for _, _, question in self.questions}
        self.places: Final[Mapping[str, int]] = {question.key: place for place, _, question in self.questions}
        self.options: Final[Mapping[str, tuple[Option, ...]]] = {
            key: options_of(content, question) for key, question in self.by_key.items()
        }
        conditions = {
            question.key: [parse(when) for when in (section.when, question.when) if when is not None]
            for _, section, question in self.questions
        }
        self.gates: Final[Mapping[str, tuple[str, ...]]] = {
            key: tuple(dict.fromkeys(ref for ref in _refs(found) if ref not in FACTS))
            for key, found in conditions.items()
        }
        """The questions that decide whether a question is shown: those of its own condition and its section's."""
        flags = [RaisedFlag(question.key, flag) for _, _, question in self.questions for flag in question.flags]
        flag_conditions = [parse(raised.flag.when) for raised in flags]
        self.steering: Final = frozenset(key for keys in self.gates.values() for key in keys)
        """The questions that show or hide others by their answers."""
        self.flagging: Final = frozenset(_refs(flag_conditions)) - frozenset(FACTS)
        """The questions that raise flags by their answers."""
        self._flags = list(zip(flags, map(truth_of, flag_conditions), strict=True))
        self._sections = [self._steps(section) for section in content.sections]

    @classmethod
    def of(cls, content: Content, sha256: str | None = None) -> "Compiled":
        """Return the compiled content, kept by its digest. A digest that the caller knows is not computed again."""
        name = sha256 if sha256 is not None else digest(canonical(content))
        return cls.known(name) or _keep(cls(content, name))

    @classmethod
    def known(cls, sha256: str) -> "Compiled | None":
        """Return the compiled content if this process has it. Its text need not be read then."""
        found = _KEPT.get(sha256)
        return None if found is None else _keep(found)

    def steers(self, key: str) -> bool:
        """Return True if an answer to the question can show or hide others."""
        return key in self.steering

    def shown(self, answers: Mapping[str, Answered], facts: Mapping[str, Fact]) -> frozenset[str]:
        """Return the keys of the questions that are asked."""
        return frozenset(self._visited(answers, facts)[0])

    def flags(self, answers: Mapping[str, Answered], facts: Mapping[str, Fact]) -> tuple[RaisedFlag, ...]:
        """Return the flags that hold, in the order of their questions.

        The condition of a flag decides alone: its question may be hidden.
        """
        given = self._visited(answers, facts)[1]
        return tuple(raised for raised, truth in self._flags if truth(given))

    def turned(self, before: Collection[str], after: Collection[str]) -> Turn:
        """Return the questions that are newly shown and newly hidden, between two results of `shown`."""
        return Turn(
            tuple(key for key in self.places if key in after and key not in before),
            tuple(key for key in self.places if key in before and key not in after),
        )

    def _visited(
        self, answers: Mapping[str, Answered], facts: Mapping[str, Fact]
    ) -> tuple[list[str], Mapping[str, Given]]:
        """Return the questions shown, and the facts and answers that conditions see."""
        given: dict[str, Given] = _known(facts)
        shown = []
        for section_truth, steps in self._sections:
            if section_truth is not None and not section_truth(given):
                continue
            for key, truth, read in steps:
                if truth is not None and not truth(given):
                    continue
                shown.append(key)
                if read is not None and (answer := answers.get(key)) is not None:
                    value = _given(answer, read)
                    if value is not None:
                        given[key] = value
        return shown, given

    def _steps(self, section: Section) -> tuple[Truth | None, list[_Step]]:
        seen = self.steering | self.flagging
        steps = [
            _Step(
                question.key,
                None if question.when is None else truth_of(parse(question.when)),
                _READERS[question.kind] if question.key in seen else None,
            )
            for question in section.questions
        ]
        return None if section.when is None else truth_of(parse(section.when)), steps


_MOST_KEPT = 64
_KEPT: dict[str, Compiled] = {}
"""Compiled contents by digest, the last used last."""


def _keep(compiled: Compiled) -> Compiled:
    _KEPT.pop(compiled.sha256, None)
    _KEPT[compiled.sha256] = compiled
    while len(_KEPT) > _MOST_KEPT:
        _KEPT.pop(next(iter(_KEPT)), None)
    return compiled


def _known(facts: Mapping[str, Fact]) -> dict[str, Given]:
    """Return the facts as conditions compare them. Names that are no facts are left out."""
    known: dict[str, Given] = {"vendor.tier": UNKNOWN}
    for name, value in facts.items():
        if name not in FACTS or value is None:
            continue
        if isinstance(value, bool):
            known[name] = YES if value else NO
        else:
            known[name] = str(value) if isinstance(value, str) else frozenset(map(str, value))
    return known


def _refs(conditions: Iterable[Condition]) -> Iterable[str]:
    return (leaf.ref for condition in conditions for leaf in leaves_of(condition))


def _given(answer: Answered, read: _Reader) -> Given | None:
    """Return an answer as conditions compare it. Null: unanswered, or a value that no condition can compare."""
    if answer.stance == Stance.ANSWERED:
        return Mark.NONE if answer.value == NONE_VALUE else read(answer.value)
    return Mark.NOT_APPLICABLE if answer.stance == Stance.NOT_APPLICABLE else None


def _option(value: object) -> Given | None:
    return str(value) if isinstance(value, str) else None


def _chosen(value: object) -> Given | None:
    return frozenset(map(str, value)) if isinstance(value, list | tuple | frozenset | set) else None


def _number(value: object) -> Given | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return number if number.is_finite() else None


def _day(value: object) -> Given | None:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return value if type(value) is date else None


def _text(value: object) -> Given | None:
    return "" if isinstance(value, str) and value else None


def _rows(value: object) -> Given | None:
    return len(value) if isinstance(value, list | tuple) else None


_READERS: Final[Mapping[QuestionKind, _Reader]] = {
    QuestionKind.YES_NO: _option,
    QuestionKind.SINGLE: _option,
    QuestionKind.MULTIPLE: _chosen,
    QuestionKind.TEXT: _text,
    QuestionKind.NUMBER: _number,
    QuestionKind.DATE: _day,
    QuestionKind.FILE: _rows,
    QuestionKind.TABLE: _rows,
}
