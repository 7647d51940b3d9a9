"""The differences between two contents, question by question, by key.

An answer *carries over* if the question has the same key, meaning and kind, and if the answer is still valid. Where
neither an option is gone nor a bound is narrower, every earlier answer is valid.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec

from vendorrisk.questionnaires.condition_grammar import ConditionError, parse, printed
from vendorrisk.questionnaires.content import (
    TODAY,
    Content,
    NotApplicable,
    Question,
    Section,
    options_of,
    questions_of,
)


class QuestionAspect(StrEnum):
    """The parts of a question that a new version can change."""

    MEANING = "meaning"
    KIND = "kind"
    WORDING = "wording"
    HELP = "help"
    OPTIONS = "options"
    WEIGHT = "weight"
    CREDIT = "credit"
    CRITICAL = "critical"
    REQUIRED = "required"
    NOT_APPLICABLE = "not_applicable"
    EVIDENCE = "evidence"
    CONDITION = "condition"
    GATE = "gate"
    FLAGS = "flags"
    FINDING = "finding"
    BOUNDS = "bounds"
    COLUMNS = "columns"
    FIELDS = "fields"
    MAPS = "maps"


class SectionAspect(StrEnum):
    """The parts of a section that a new version can change, and its coming and going."""

    ADDED = "added"
    REMOVED = "removed"
    TITLE = "title"
    INTRO = "intro"
    CONDITION = "condition"


class ListedQuestion(msgspec.Struct, frozen=True):
    """A question that one of the versions lacks."""

    key: str
    place: int
    """Number of the question in the version that has it."""
    weight: int


class MovedQuestion(msgspec.Struct, frozen=True):
    """A question that stands elsewhere. Questions that only make room for others did not move."""

    key: str
    place_before: int
    place: int
    section_before: str
    section: str


class AspectChange(msgspec.Struct, frozen=True, kw_only=True):
    """One changed part of a question. Values other than texts are JSON. Null: the version has none."""

    aspect: QuestionAspect
    language: str | None = None
    """Language of the text, for the wording and the help."""
    before: str | None
    after: str | None


class ChangedQuestion(msgspec.Struct, frozen=True):
    """A question that both versions have, with all that differs."""

    key: str
    place: int
    """Number of the question in the newer version."""
    changes: tuple[AspectChange, ...]


class ChangedSection(msgspec.Struct, frozen=True):
    """A section that differs."""

    key: str
    aspects: tuple[SectionAspect, ...]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two versions compared."""

    about: tuple[str, ...]
    """Changed fields of the whole document, such as its title."""
    sections: tuple[ChangedSection, ...]
    added: tuple[ListedQuestion, ...]
    removed: tuple[ListedQuestion, ...]
    moved: tuple[MovedQuestion, ...]
    changed: tuple[ChangedQuestion, ...]
    weight_before: int
    """Sum of all weights of the older version."""
    weight_after: int
    """Sum of all weights of the newer version."""
    questions_after: int
    """Questions of the newer version."""
    carried_over: int
    """Questions of the newer version to which every earlier answer carries over."""
    carried_over_if_valid: int
    """Questions of the newer version to which an earlier answer carries over if it is still valid."""
    carried_over_share: int
    """Thousandths of the questions to which every earlier answer carries over, rounded down."""


class _Asked(NamedTuple):
    place: int
    section: Section
    question: Question
    content: Content


def compared(old: Content, new: Content) -> Comparison:
    """Return the differences. A version does not differ from itself."""
    before, after = _by_key(old), _by_key(new)
    kept = [key for key in after if key in before]
    carried = [_carries(before[key], after[key]) for key in kept]
    sure = carried.count(_Carried.ALWAYS)
    return Comparison(
        about=tuple(name for name in _ABOUT if getattr(old, name) != getattr(new, name)),
        sections=tuple(_sections(old, new)),
        added=tuple(_listed(one) for key, one in after.items() if key not in before),
        removed=tuple(_listed(one) for key, one in before.items() if key not in after),
        moved=tuple(_moved(before, after, kept)),
        changed=tuple(_changed(before, after, kept)),
        weight_before=sum(one.question.weight for one in before.values()),
        weight_after=sum(one.question.weight for one in after.values()),
        questions_after=len(after),
        carried_over=sure,
        carried_over_if_valid=carried.count(_Carried.IF_VALID),
        carried_over_share=1000 * sure // len(after) if after else 0,
    )


_ABOUT: Final = ("title", "description", "licence", "languages", "default_language", "method")
_BOUNDS: Final = (
    *("minimum", "maximum", "whole", "unit", "not_before", "not_after", "max_characters"),
    *("min_choices", "max_choices", "min_rows", "max_rows"),
)
_PLAIN: Final[Mapping[QuestionAspect, tuple[str, ...]]] = {
    QuestionAspect.MEANING: ("meaning",),
    QuestionAspect.KIND: ("kind",),
    QuestionAspect.WEIGHT: ("weight",),
    QuestionAspect.CREDIT: ("score", "none"),
    QuestionAspect.CRITICAL: ("critical",),
    QuestionAspect.REQUIRED: ("required",),
    QuestionAspect.NOT_APPLICABLE: ("not_applicable",),
    QuestionAspect.EVIDENCE: ("evidence",),
    QuestionAspect.GATE: ("gate",),
    QuestionAspect.FLAGS: ("flags",),
    QuestionAspect.FINDING: ("finding",),
    QuestionAspect.BOUNDS: _BOUNDS,
    QuestionAspect.COLUMNS: ("columns",),
    QuestionAspect.FIELDS: ("fields",),
    QuestionAspect.MAPS: ("maps", "same_as"),
}


class _Carried(StrEnum):
    ALWAYS = "always"
    IF_VALID = "if_valid"
    NEVER = "never"


def _by_key(content: Content) -> dict[str, _Asked]:
    return {
        question.key: _Asked(place, section, question, content) for place, section, question in questions_of(content)
    }


def _listed(one: _Asked) -> ListedQuestion:
    return ListedQuestion(one.question.key, one.place, one.question.weight)


def _sections(old: Content, new: Content) -> Iterator[ChangedSection]:
    before = {section.key: section for section in old.sections}
    after = {section.key: section for section in new.sections}
    for key, section in after.items():
        earlier = before.get(key)
        if earlier is None:
            yield ChangedSection(key, (SectionAspect.ADDED,))
            continue
        differs = {
            SectionAspect.TITLE: section.title != earlier.title,
            SectionAspect.INTRO: section.intro != earlier.intro,
            SectionAspect.CONDITION: _condition(section.when) != _condition(earlier.when),
        }
        if any(differs.values()):
            yield ChangedSection(key, tuple(aspect for aspect, is_other in differs.items() if is_other))
    for key in before:
        if key not in after:
            yield ChangedSection(key, (SectionAspect.REMOVED,))


def _moved(before: Mapping[str, _Asked], after: Mapping[str, _Asked], kept: list[str]) -> Iterator[MovedQuestion]:
    stayed = _longest_rise([before[key].place for key in kept])
    for number, key in enumerate(kept):
        old, new = before[key], after[key]
        if number not in stayed or old.section.key != new.section.key:
            yield MovedQuestion(key, old.place, new.place, old.section.key, new.section.key)


def _longest_rise(places: list[int]) -> set[int]:
    """Return the indices of a longest rising part: as few questions as possible count as moved."""
    ends: list[int] = []
    at: list[int] = []
    previous: list[int | None] = []
    for index, place in enumerate(places):
        length = bisect_left(ends, place)
        previous.append(at[length - 1] if length else None)
        ends[length : length + 1] = [place]
        at[length : length + 1] = [index]
    rising: set[int] = set()
    last = at[-1] if at else None
    while last is not None:
        rising.add(last)
        last = previous[last]
    return rising


def _changed(before: Mapping[str, _Asked], after: Mapping[str, _Asked], kept: list[str]) -> Iterator[ChangedQuestion]:
    for key in kept:
        if changes := tuple(_changes(before[key], after[key])):
            yield ChangedQuestion(key, after[key].place, changes)


def _changes(old: _Asked, new: _Asked) -> Iterator[AspectChange]:
    one, other = old.question, new.question
    yield from _texts(QuestionAspect.WORDING, one.text, other.text)
    yield from _texts(QuestionAspect.HELP, one.help or {}, other.help or {})
    yield from _texts(QuestionAspect.HELP, one.internal_help or {}, other.internal_help or {})
    for aspect, names in _PLAIN.items():
        for name in names:
            yield from _change(aspect, getattr(one, name), getattr(other, name))
    yield from _change(QuestionAspect.OPTIONS, options_of(old.content, one), options_of(new.content, other))
    yield from _change(QuestionAspect.CONDITION, _condition(one.when), _condition(other.when))


def _texts(aspect: QuestionAspect, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[AspectChange]:
    for language in sorted({*old, *new}):
        before, after = old.get(language), new.get(language)
        if before != after:
            yield AspectChange(aspect=aspect, language=language, before=before, after=after)


def _change(aspect: QuestionAspect, old: object, new: object) -> Iterator[AspectChange]:
    if old != new:
        yield AspectChange(aspect=aspect, before=_written(old), after=_written(new))


def _written(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else str(value)
    return msgspec.json.encode(value, order="sorted").decode()


def _condition(when: str | None) -> str | None:
    """Return a condition in its printed form, so that blanks and idle brackets are no difference."""
    try:
        return None if when is None else printed(parse(when))
    except ConditionError:
        return when


def _carries(old: _Asked, new: _Asked) -> _Carried:
    one, other = old.question, new.question
    if (one.key, one.meaning, one.kind) != (other.key, other.meaning, other.kind):
        return _Carried.NEVER
    options = {option.key for option in options_of(new.content, other)}
    is_valid = (
        {option.key for option in options_of(old.content, one)} <= options
        and all(_is_open(getattr(one, name), getattr(other, name), is_least=True) for name in _LEAST)
        and all(_is_open(getattr(one, name), getattr(other, name), is_least=False) for name in _MOST)
        and one.unit == other.unit
        and (one.whole or not other.whole)
        and _inputs(old) == _inputs(new)
        and other.not_applicable in {one.not_applicable, NotApplicable.WITH_REASON}
        and (one.none is None or other.none is not None)
    )
    return _Carried.ALWAYS if is_valid else _Carried.IF_VALID


_LEAST: Final = ("minimum", "not_before", "min_choices", "min_rows")
_MOST: Final = ("maximum", "not_after", "max_characters", "max_choices", "max_rows")


def _is_open(old: Any, new: Any, *, is_least: bool) -> bool:
    """Return True if the new bound lets everything pass that the old one did."""
    if new is None or new == old:
        return True
    if old is None or TODAY in {old, new}:
        return False
    return bool(new <= old if is_least else new >= old)


def _inputs(asked: _Asked) -> list[object]:
    """Return all of the columns and fields that an answer depends on."""
    question = asked.question
    return [
        (one.key, one.kind, one.required, [option.key for option in options_of(asked.content, one)])
        for one in (*question.columns, *question.fields)
    ]
