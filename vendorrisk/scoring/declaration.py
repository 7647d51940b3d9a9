"""The text of a submission: every answer that a vendor declares, in one canonical form.

The same text of a state that is not submitted yet gives its digest. The submission repeats the digest that the person
saw, so that no later change slips in. The text holds neither ids nor versions: equal answers have one digest, across
cycles.

Answers to hidden questions, unconfirmed answers and cleared answers are not declared.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from vendorrisk.questionnaires.content import Content, QuestionKind, Stance, questions_of
from vendorrisk.scoring.answers import Answer, AnswerFile, is_none

FORMAT: Final = "vendorrisk-submission/1"

_ENCODER: Final = msgspec.json.Encoder(order="sorted")


class DeclaredFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file as it is declared. `sha256` is in hexadecimal."""

    sha256: str
    name: str


class DeclaredAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An answer as it is declared. The value of a file question holds the SHA-256 of each file, not its id."""

    key: str
    stance: Stance
    value: Any = None
    reason: str | None = None
    note: str | None = None
    fields: dict[str, Any] = {}
    files: tuple[DeclaredFile, ...] = ()


class Declaration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All answers to one content, in the order of its questions."""

    format: Literal["vendorrisk-submission/1"] = FORMAT
    content_sha256: str
    answers: tuple[DeclaredAnswer, ...]


def declared(content: Content, content_sha256: str, answers: Iterable[Answer], shown: Collection[str]) -> bytes:
    """Return the canonical text of what would be declared. `shown` holds the keys of the questions that are asked."""
    given = {answer.place: answer for answer in answers if answer.is_confirmed and answer.stance is not Stance.CLEARED}
    told = tuple(
        _declared(question.key, question.kind, given[place])
        for place, _, question in questions_of(content)
        if place in given and question.key in shown
    )
    return _ENCODER.encode(Declaration(content_sha256=content_sha256, answers=told))


def digest(declaration: bytes) -> str:
    """Return the SHA-256 of a declaration, in hexadecimal."""
    return hashlib.sha256(declaration).hexdigest()


def answers_of(content: Content, declaration: bytes, versions: Mapping[int, int] | None = None) -> tuple[Answer, ...]:
    """Return the answers of a stored submission, as `Answer` rows. Raises `msgspec.ValidationError` for another shape.

    `versions` holds the version of each answer by place, for the marks. An answer without one has version 0.
    """
    places = {question.key: place for place, _, question in questions_of(content)}
    known = versions or {}
    return tuple(
        Answer(
            place=places[told.key],
            stance=told.stance,
            value=told.value,
            reason=told.reason,
            note=told.note,
            fields=told.fields,
            files=tuple(AnswerFile(file.sha256, file.name) for file in told.files),
            version=known.get(places[told.key], 0),
        )
        for told in msgspec.json.decode(declaration, type=Declaration).answers
    )


def _declared(key: str, kind: QuestionKind, answer: Answer) -> DeclaredAnswer:
    files = sorted(
        {DeclaredFile(file.sha256, file.name) for file in answer.files}, key=lambda file: (file.sha256, file.name)
    )
    value = answer.value
    if kind is QuestionKind.FILE and answer.stance is Stance.ANSWERED and not is_none(value):
        hashes = {file.id: file.sha256 for file in answer.files} | {file.sha256: file.sha256 for file in answer.files}
        value = sorted({hashes[name] for name in value if name in hashes})
    return DeclaredAnswer(
        key=key,
        stance=answer.stance,
        value=value,
        reason=answer.reason,
        note=answer.note,
        fields=answer.fields,
        files=tuple(files),
    )
