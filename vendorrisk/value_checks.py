"""Check a value against a type and report every error in our own words, each at its own JSON pointer.

msgspec decides whether a value fits. It names one fault, in its own words. Where it refused, this module walks the
value beside `msgspec.inspect` and reports all errors: unknown and missing fields at any depth, also inside tagged
unions, lists and maps. Settings and parameters come as text and are read leniently. JSON is strict.
"""

import difflib
import functools
import math
import operator
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import inspect

from vendorrisk import value_words as words
from vendorrisk.errors import FieldCode, FieldError

Wrong = tuple[FieldCode, str]
"""A code, and the sentence that describes the error."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,4000}")
_NOT_FINITE = frozenset({math.inf, -math.inf})
_NOT_ALLOWED = (FieldCode.NOT_ALLOWED, "This value is not allowed.")
_REQUIRED = (FieldCode.REQUIRED, "This field is required.")
_PLAIN: Mapping[type[inspect.Type], Any] = {
    inspect.BoolType: bool,
    inspect.UUIDType: UUID,
    inspect.DateType: date,
    inspect.DateTimeType: Annotated[datetime, msgspec.Meta(tz=True)],
    inspect.DecimalType: Decimal,
    inspect.NoneType: None,
}


def pointer_step(name: object) -> str:
    """Return one step of a JSON pointer (RFC 6901, section 3)."""
    return "/" + str(name).replace("~", "~0").replace("/", "~1")


def faults_of(value: object, schema: Any, *, is_text: bool = False) -> Iterator[FieldError]:
    """Yield every fault of a value, pointers from the value on. `is_text` reads numbers and booleans out of texts."""
    kind = _type_info(schema)
    found = False
    for field_error in _walk(value, kind, "", is_text=is_text):
        found = True
        yield field_error
    if not found:
        detail = "This does not fit here. Compare it with the API document."
        yield FieldError(detail, FieldCode.INVALID, pointer="")


@functools.lru_cache(1024)
def _type_info(schema: Any) -> inspect.Type:
    """Return the structure of a type. msgspec computes it at each call, which takes milliseconds."""
    return inspect.type_info(schema)


def fits(value: object, schema: Any, *, is_text: bool = False) -> bool:
    try:
        msgspec.convert(value, schema, strict=not is_text)
    except (msgspec.ValidationError, RecursionError):
        return False
    return True


def _walk(value: object, kind: inspect.Type, at: str, *, is_text: bool) -> Iterator[FieldError]:
    bare = _bare(kind)
    match bare:
        case inspect.AnyType():
            return
        case inspect.UnionType():
            yield from _in_union(value, bare, at, is_text=is_text)
        case inspect.StructType():
            yield from _in_struct(value, bare, at, is_text=is_text)
        case inspect.DictType():
            yield from _in_map(value, bare, at)
        case inspect.CollectionType():
            yield from _in_list(value, bare, at)
        case _:
            if (wrong := _leaf(value, bare, is_text=is_text)) is not None:
                yield _fault(wrong, kind, at)


def _bare(kind: inspect.Type) -> inspect.Type:
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    return kind


def _fault(wrong: Wrong, kind: inspect.Type, at: str) -> FieldError:
    """Return the error with the value to send instead."""
    return FieldError(f"{wrong[1]} Send {words.wanted(kind)}.", wrong[0], pointer=at)


def _in_union(value: object, kind: inspect.UnionType, at: str, *, is_text: bool) -> Iterator[FieldError]:
    """Walk the one choice that is meant: by its tag, as the only list, or as the only one beside null."""
    if value is None and kind.includes_none:
        return
    choices = [choice for choice in kind.types if not isinstance(choice, inspect.NoneType)]
    lists = [choice for choice in choices if isinstance(_bare(choice), inspect.CollectionType)]
    if isinstance(value, list) and len(lists) == 1:
        choices = lists
    tagged = [bare for bare in map(_bare, choices) if isinstance(bare, inspect.StructType)]
    if isinstance(value, dict) and len(tagged) == len(choices) > 1:
        yield from _in_tagged(value, tagged, at)
    elif len(choices) == 1:
        yield from _walk(value, choices[0], at, is_text=is_text)
    elif all(any(True for _ in _walk(value, choice, at, is_text=is_text)) for choice in choices):
        yield _fault(_kind_of(value), kind, at)


def _in_tagged(value: dict[str, Any], choices: list[inspect.StructType], at: str) -> Iterator[FieldError]:
    name = str(choices[0].tag_field)
    by_tag = {choice.tag: choice for choice in choices}
    tag, place = value.get(name), at + pointer_step(name)
    if isinstance(tag, str) and tag in by_tag:
        yield from _in_struct(value, by_tag[tag], at, is_text=False)
        return
    wrong = _NOT_ALLOWED if name in value else _REQUIRED
    yield FieldError(f"{wrong[1]} Send {words.one_of(list(by_tag))}.", wrong[0], pointer=place)


def _in_struct(value: object, kind: inspect.StructType, at: str, *, is_text: bool) -> Iterator[FieldError]:
    if not isinstance(value, dict):
        yield _fault(_kind_of(value), kind, at)
        return
    fields = {field.encode_name: field for field in kind.fields}
    known = [*fields, *([kind.tag_field] if kind.tag_field else [])]
    for name in value:
        if name not in known and kind.forbid_unknown_fields:
            yield FieldError(_unknown(name, known), FieldCode.UNKNOWN, pointer=at + pointer_step(name))
    for name, field in fields.items():
        place = at + pointer_step(name)
        if name in value:
            yield from _walk(value[name], field.type, place, is_text=is_text)
        elif field.required:
            yield _fault(_REQUIRED, field.type, place)


def _in_map(value: object, kind: inspect.DictType, at: str) -> Iterator[FieldError]:
    if not isinstance(value, dict):
        yield _fault(_kind_of(value), kind, at)
        return
    if (wrong := _count(value, kind, "fields")) is not None:
        yield _fault(wrong, kind, at)
        return
    for name, item in value.items():
        place = at + pointer_step(name)
        if _leaf(name, _bare(kind.key_type), is_text=True) is not None:
            detail = f"There is no such field here. Name it by {words.wanted(kind.key_type)}."
            yield FieldError(detail, FieldCode.UNKNOWN, pointer=place)
        else:
            yield from _walk(item, kind.value_type, place, is_text=False)


def _in_list(value: object, kind: inspect.CollectionType, at: str) -> Iterator[FieldError]:
    if not isinstance(value, list):
        yield _fault(_kind_of(value), kind, at)
        return
    if (wrong := _count(value, kind, "items")) is not None:
        yield _fault(wrong, kind, at)
        return
    for index, item in enumerate(value):
        yield from _walk(item, kind.item_type, f"{at}/{index}", is_text=False)


def _count(value: list[Any] | dict[str, Any], kind: Any, unit: str) -> Wrong | None:
    if _is_outside(len(value), kind):
        return FieldCode.OUT_OF_RANGE, f"This has {len(value):,} {unit}." if value else "This is empty."
    return None


def _is_outside(size: int, kind: Any) -> bool:
    return (kind.min_length is not None and size < kind.min_length) or (
        kind.max_length is not None and size > kind.max_length
    )


def _leaf(value: object, kind: inspect.Type, *, is_text: bool) -> Wrong | None:
    """Return the error of one value that holds no others."""
    match kind:
        case inspect.StrType():
            return _in_text(value, kind)
        case inspect.IntType() | inspect.FloatType():
            return _in_number(value, kind, is_text=is_text)
        case inspect.EnumType():
            return _in_choice(value, [member.value for member in kind.cls])
        case inspect.LiteralType():
            return _in_choice(value, list(kind.values))
    return None if fits(value, _PLAIN.get(type(kind), Any), is_text=is_text) else _kind_of(value)


def _in_choice(value: object, allowed: list[Any]) -> Wrong | None:
    if isinstance(value, str):
        return None if value in allowed else _NOT_ALLOWED
    return _kind_of(value)


def _in_text(value: object, kind: inspect.StrType) -> Wrong | None:
    if not isinstance(value, str):
        return _kind_of(value)
    if _is_outside(len(value), kind):
        return FieldCode.OUT_OF_RANGE, f"This has {len(value):,} characters." if value else "This is empty."
    if kind.pattern is not None and re.search(kind.pattern, value) is None:
        return _kind_of(value)
    return None


def _in_number(value: object, kind: inspect.IntType | inspect.FloatType, *, is_text: bool) -> Wrong | None:
    is_whole = isinstance(kind, inspect.IntType)
    number = _number_of(str(value), is_whole=is_whole) if is_text else value
    if isinstance(number, bool) or not isinstance(number, int if is_whole else (int, float)):
        is_broken = is_whole and isinstance(number, float)
        return (FieldCode.INVALID, "This is not a whole number.") if is_broken else _kind_of(value)
    bounds = ((kind.ge, operator.ge), (kind.gt, operator.gt), (kind.le, operator.le), (kind.lt, operator.lt))
    if any(bound is not None and not holds(number, bound) for bound, holds in bounds) or number in _NOT_FINITE:
        return FieldCode.OUT_OF_RANGE, "This number is out of range."
    return None


def _number_of(text: str, *, is_whole: bool) -> object:
    """Read a number out of a text. Other text comes back as it is."""
    try:
        return int(text) if is_whole and _WHOLE.fullmatch(text) else text if is_whole else float(text)
    except ValueError:
        return text


def _kind_of(value: object) -> Wrong:
    """Describe a value of the wrong kind. A text has a wrong form."""
    if isinstance(value, str):
        return FieldCode.INVALID, "This has the wrong form." if value else "This is empty."
    return FieldCode.INVALID, f"This is {words.sent(value)}."


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name[:100], known, n=1)
    advice = f"Did you mean {near[0]}?" if near else "Check its spelling or leave it out."
    return f"There is no such field here. {advice}"
