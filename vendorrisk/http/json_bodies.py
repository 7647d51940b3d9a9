"""Strict JSON bodies: what no body may hold, and every fault of one that does not fit its schema."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, get_type_hints

import msgspec

from vendorrisk.errors import Code, Fault, Refusal

_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_AT = re.compile(r" - at `(?:key in )?([^`]*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_MAX_FAULTS = 50


class _TwinKeyError(ValueError):
    pass


def check_json(body: bytes) -> object:
    """Return the decoded body; refuses what is not strict JSON, and texts that cannot be stored.

    Duplicate keys are refused (RFC 8259, section 4, leaves their meaning open), and so are NaN, Infinity, lone
    surrogates and NUL, which Postgres cannot hold.
    """
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
        )
    except UnicodeDecodeError as error:
        raise Refusal(Code.BODY_MALFORMED, f"The body is not UTF-8 (byte {error.start}).") from None
    except RecursionError:
        raise Refusal(Code.BODY_MALFORMED, "The body is nested too deeply.") from None
    except _TwinKeyError as error:
        raise Refusal(Code.BODY_MALFORMED, f"The key {error.args[0]!r} stands twice in one object.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Refusal(Code.BODY_MALFORMED, f"The body is not valid JSON ({where}: {error.msg}).") from None
    except ValueError:
        raise Refusal(Code.BODY_MALFORMED, "The body holds a number that is too large.") from None
    if _SUSPECT.search(body):
        faults = [Fault("Take out the NUL or lone surrogate.", Code.TEXT_INVALID.code, pointer=p) for p in _bad(value)]
        if faults:
            detail = "A text holds a character that cannot be stored."
            raise Refusal(Code.TEXT_INVALID, detail, errors=faults[:_MAX_FAULTS])
    return value


def check_fit(value: object, schema: Any) -> None:
    """Refuse a decoded body that does not fit: strictly, so that "true" is no boolean and "5" no number.

    Litestar itself converts leniently, which is right for query parameters and wrong for JSON.
    """
    try:
        msgspec.convert(value, schema, strict=True)
    except (msgspec.ValidationError, RecursionError):
        detail = "Mend the fields listed in `errors`."
        raise Refusal(Code.BODY_INVALID, detail, errors=faults_in(value, schema)) from None


def faults_in(value: object, schema: Any) -> list[Fault]:
    """Return every fault of a decoded body: unknown and missing fields, and the first fault inside each field."""
    if not (isinstance(value, dict) and isinstance(schema, type) and issubclass(schema, msgspec.Struct)):
        return [fault for fault in [_fault_of(value, schema, "")] if fault is not None]
    hints = get_type_hints(schema, include_extras=True)
    fields = {f.encode_name: f for f in msgspec.structs.fields(schema)}
    faults = [
        Fault(
            "This field is not known here; check its spelling or leave it out.",
            "field_unknown",
            pointer=_pointer(k),
        )
        for k in value
        if k not in fields
    ]
    for name, field in fields.items():
        if name in value:
            found = _fault_of(value[name], hints[field.name], _pointer(name))
            if found is not None:
                faults.append(found)
        elif field.required:
            faults.append(Fault("This field is required.", "field_required", pointer=_pointer(name)))
    if not faults:
        faults = [fault for fault in [_fault_of(value, schema, "")] if fault is not None]
    return faults[:_MAX_FAULTS]


def _fault_of(value: object, schema: Any, prefix: str) -> Fault | None:
    try:
        msgspec.convert(value, schema, strict=True)
    except msgspec.ValidationError as error:
        text = str(error)
        match = _AT.search(text)
        pointer = prefix + (_pointer_of_path(match[1]) if match else "")
        return Fault(_AT.sub("", text) + ".", "field_invalid", pointer=pointer)
    except RecursionError:
        return Fault("This is nested too deeply.", "field_invalid", pointer=prefix)
    return None


def _pointer_of_path(path: str) -> str:
    return "".join(_pointer(m[1] or m[2]) for m in _STEP.finditer(path.removeprefix("$")))


def _pointer(name: str) -> str:
    """Return one step of a JSON pointer (RFC 6901, section 3)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _TwinKeyError(key[:60])
            seen.add(key)
    return found


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(digits)
    return number


def _no_constant(name: str) -> object:
    raise json.JSONDecodeError(f"{name} is not a JSON number", name, 0)


def _bad(value: object, at: str = "") -> Iterator[str]:
    """Yield the pointers of texts that hold NUL or a lone surrogate."""
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
            yield at
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _bad(key, at)
            yield from _bad(item, at + _pointer(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _bad(item, f"{at}/{index}")
