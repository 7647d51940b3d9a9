"""An answer, checked against its question and brought into its one normal form.

`value_readers` reads the value of each kind. A missing note, reason or further field is no fault here: `missing` lists
them before a submission.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

import msgspec

from vendorrisk.errors import FieldCode, FieldError
from vendorrisk.questionnaires.content import NONE_VALUE, Content, NotApplicable, Question, Stance
from vendorrisk.scoring.answers import is_none
from vendorrisk.scoring.value_readers import MOST_FAULTS, READERS, Asked, Unfit, cells, clean, kind_unfit, range_unfit

MOST_BYTES: Final = 65_536
"""Bytes of a value with its further fields, as JSON and as Postgres stores it."""
LONGEST_REASON: Final = 2000
LONGEST_NOTE: Final = 8000


class SentAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as it was sent or read from a workbook, unchecked."""

    stance: Stance
    value: Any = None
    reason: str | None = None
    note: str | None = None
    fields: Mapping[str, Any] | None = None


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A checked answer. `value` is null unless the stance is `answered`. `fields` holds no blank field."""

    stance: Stance
    value: Any = None
    reason: str | None = None
    note: str | None = None
    fields: dict[str, Any] = {}


class AnswerInvalidError(ValueError):
    """An answer does not fit its question. Holds at most 50 faults, with JSON pointers into the answer."""

    def __init__(self, faults: Iterable[FieldError]) -> None:
        self.faults = tuple(faults)[:MOST_FAULTS]
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in self.faults[:3]))


def normalised(
    content: Content,
    question: Question,
    sent: SentAnswer,
    *,
    today: date,
    uploads: Collection[UUID] | None = None,
) -> Value:
    """Return the answer in its normal form. Raises `AnswerInvalidError` with every fault.

    `today` is the day in the tenant's zone. `uploads` are the files that belong to the question. Null: not checked.
    """
    asked = Asked(content, question, today, uploads, [])
    value = _value(asked, sent)
    reason = _remark(asked, sent.reason, "/reason", LONGEST_REASON)
    note = _remark(asked, sent.note, "/note", LONGEST_NOTE)
    fields = _fields(asked, sent.fields)
    if reason is not None and sent.stance is not Stance.NOT_APPLICABLE:
        detail = "A reason belongs to the stance not_applicable. Leave it out, or send it as note."
        asked.add(Unfit(FieldCode.NOT_ALLOWED, detail), "/reason")
    if not asked.faults and _size(value, fields) > MOST_BYTES:
        asked.add(range_unfit(f"This is too large. Shorten it to at most {MOST_BYTES:,} bytes."), "/value")
    if asked.faults:
        raise AnswerInvalidError(asked.faults)
    return Value(stance=sent.stance, value=value, reason=reason, note=note, fields=fields)


def _value(asked: Asked, sent: SentAnswer) -> Any:
    if sent.stance is Stance.NOT_APPLICABLE and asked.question.not_applicable is NotApplicable.NEVER:
        detail = "This question cannot be not applicable. Send the stance answered, or cleared."
        asked.add(Unfit(FieldCode.NOT_ALLOWED, detail), "/stance")
    if sent.stance is not Stance.ANSWERED:
        if sent.value is not None:
            detail = f"The stance {sent.stance} has no value. Leave it out, or send the stance answered."
            asked.add(Unfit(FieldCode.NOT_ALLOWED, detail), "/value")
        return None
    if sent.value is None:
        detail = "The stance answered needs a value. Send one, or the stance cleared."
        asked.add(Unfit(FieldCode.REQUIRED, detail), "/value")
        return None
    try:
        return _none(asked.question) if is_none(sent.value) else READERS[asked.question.kind](asked, sent.value)
    except Unfit as unfit:
        asked.add(unfit, "/value")
        return None


def _none(question: Question) -> dict[str, bool]:
    if question.none is None:
        raise Unfit(FieldCode.NOT_ALLOWED, 'This question does not offer the answer "none". Send a value.')
    return dict(NONE_VALUE)


def _remark(asked: Asked, text: object, at: str, longest: int) -> str | None:
    """Read a note or a reason. Blank means that there is none."""
    try:
        return clean(text, longest) if text is not None and str(text).strip() else None
    except Unfit as unfit:
        asked.add(unfit, at)
        return None


def _fields(asked: Asked, sent: object) -> dict[str, Any]:
    if sent is None:
        return {}
    if not isinstance(sent, Mapping):
        asked.add(kind_unfit(sent, "an object"), "/fields")
        return {}
    return cells(asked, {field.key: field for field in asked.question.fields}, sent, "/fields")


def _size(value: Any, fields: Mapping[str, Any]) -> int:
    """Return the larger of the bytes as JSON and the most that the two take as `jsonb`."""
    return max(
        len(msgspec.json.encode(value)) + len(msgspec.json.encode(fields)), _stored_bytes(value) + _stored_bytes(fields)
    )


def _stored_bytes(value: Any) -> int:
    """Return an upper bound of a value's bytes as `jsonb`: 4 for each container, entry and padding, 24 for a number."""
    match value:
        case str():
            return len(value.encode())
        case Mapping():
            return 8 + sum(11 + len(key.encode()) + _stored_bytes(part) for key, part in value.items())
        case list() | tuple():
            return 8 + sum(7 + _stored_bytes(part) for part in value)
        case None | bool():
            return 0
    return 24
