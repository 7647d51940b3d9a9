"""The part of a content that a vendor sees, made of named fields alone.

Weights, credits, critical marks, conditions, gates, flags, findings and internal help have no field here. So they
cannot leave the tenant by this way, whatever the format gains. Tips, the flags with `shown`, come with the answers that
raise them.
"""

import re
import unicodedata
from collections.abc import Mapping
from itertools import count
from typing import Final

import msgspec

from vendorrisk.questionnaires.content import (
    Column,
    Content,
    EvidenceWanted,
    NotApplicable,
    Number,
    Question,
    QuestionKind,
    options_of,
)

Texts = dict[str, str]


class _Seen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Fields with their default are left out."""


class SeenOption(_Seen, frozen=True, kw_only=True):
    """A choice."""

    key: str
    label: Texts
    asks_note: bool = False
    """If true, a note is wanted beside this choice."""


class SeenColumn(_Seen, frozen=True, kw_only=True):
    """A column of a table, or a further input under a question."""

    key: str
    label: Texts
    kind: str
    required: bool = False
    options: tuple[SeenOption, ...] = ()


class SeenQuestion(_Seen, frozen=True, kw_only=True):
    """A question as the vendor reads it. Bounds belong to single kinds, as in the format."""

    key: str
    place: int
    """Number of the question in the questionnaire, from 1."""
    kind: QuestionKind
    text: Texts
    help: Texts | None = None
    required: bool = True
    not_applicable: NotApplicable = NotApplicable.NEVER
    evidence: EvidenceWanted | None = None
    options: tuple[SeenOption, ...] = ()
    none_of: str | None = None
    """The option that excludes all others."""
    none: Texts | None = None
    """Label of the answer "there is none", "never" or "no limit", if the question offers it."""
    fields: tuple[SeenColumn, ...] = ()
    maps: dict[str, tuple[str, ...]] = {}
    """Ids of criteria, by framework."""
    minimum: Number | None = None
    maximum: Number | None = None
    whole: bool = False
    unit: str | None = None
    not_before: str | None = None
    not_after: str | None = None
    max_characters: int | None = None
    min_choices: int | None = None
    max_choices: int | None = None
    columns: tuple[SeenColumn, ...] = ()
    min_rows: int | None = None
    max_rows: int | None = None


class SeenSection(_Seen, frozen=True, kw_only=True):
    """A section as the vendor reads it."""

    key: str
    title: Texts
    intro: Texts | None = None
    questions: tuple[SeenQuestion, ...] = ()


class RespondentView(_Seen, frozen=True, kw_only=True):
    """A questionnaire as the vendor reads it, with all questions, shown or not."""

    title: Texts
    description: Texts | None = None
    licence: str | None = None
    languages: tuple[str, ...]
    default_language: str
    sections: tuple[SeenSection, ...]


_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_DECODER: Final = msgspec.json.Decoder(RespondentView)
_SAME: Final = ("minimum", "maximum", "whole", "unit", "not_before", "not_after", "max_characters")
_SAME_COUNTS: Final = ("min_choices", "max_choices", "min_rows", "max_rows")
_PLACEHOLDER: Final = re.compile(r"\{(vendor|service|tenant|due_on)\}")


def respondent_view(content: Content) -> bytes:
    """Return the view as canonical JSON: sorted keys, no blanks, UTF-8, NFC."""
    return unicodedata.normalize("NFC", _ENCODER.encode(seen(content)).decode()).encode()


def read_view(stored: bytes) -> RespondentView:
    """Return the view that `respondent_view` wrote."""
    return _DECODER.decode(stored)


def seen(content: Content) -> RespondentView:
    """Return the part of a content that a vendor may see."""
    place = count(1)
    return RespondentView(
        title=content.title,
        description=content.description,
        licence=content.licence,
        languages=content.languages,
        default_language=content.default_language,
        sections=tuple(
            SeenSection(
                key=section.key,
                title=section.title,
                intro=section.intro,
                questions=tuple(_question(content, question, next(place)) for question in section.questions),
            )
            for section in content.sections
        ),
    )


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its placeholders filled in. A value is not searched for placeholders itself."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def _question(content: Content, question: Question, place: int) -> SeenQuestion:
    return SeenQuestion(
        key=question.key,
        place=place,
        kind=question.kind,
        text=question.text,
        help=question.help,
        required=question.required,
        not_applicable=question.not_applicable,
        evidence=question.evidence,
        options=_options(content, question),
        none_of=question.score.none_of if question.score is not None else None,
        none=question.none.label if question.none is not None else None,
        fields=tuple(_column(content, field) for field in question.fields),
        maps=dict(question.maps),
        columns=tuple(_column(content, column) for column in question.columns),
        **{name: getattr(question, name) for name in (*_SAME, *_SAME_COUNTS)},
    )


def _column(content: Content, column: Column) -> SeenColumn:
    return SeenColumn(
        key=column.key,
        label=column.label,
        kind=column.kind,
        required=column.required,
        options=_options(content, column),
    )


def _options(content: Content, chosen: Question | Column) -> tuple[SeenOption, ...]:
    return tuple(
        SeenOption(key=option.key, label=option.label, asks_note=option.asks_note)
        for option in options_of(content, chosen)
    )
