"""Strict JSON bodies: their limits, and every field error of one that does not fit its schema."""

import json
import math
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from vendorrisk.errors import Code, FieldError, Refusal
from vendorrisk.value_checks import faults_of, fits, pointer_step

_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_MAX_FIELD_ERRORS = 50
_NO_NUMBER = " is not a JSON number"


_MALFORMED = {
    "Expecting value": "a value is missing or is no JSON value",
    "Expecting property name": "a name in double quotes is missing",
    "Expecting ':'": "a colon is missing",
    "Expecting ','": "a comma is missing",
    "Extra data": "something follows the end of the value",
    "Unterminated string": "a text is not closed",
    "Invalid control character": "a control character stands in a text and must be escaped",
    "Invalid \\": "an escape in a text is not valid",
    "Illegal trailing comma": "a comma stands before the end",
    "Unexpected UTF-8 BOM": "a byte order mark stands at the beginning",
}
"""Errors of the JSON parser in our own words, by the beginning of its message."""


class _TwinKeyError(ValueError):
    pass


_JSON = ("application/json",)
_PATCH = ("application/json", "application/merge-patch+json")
_UTF_8 = frozenset({"utf-8", "utf8"})


def check_absent(schema: Any) -> None:
    """Refuse a missing body where one is needed."""
    if schema is not None:
        raise Refusal(Code.BODY_INVALID, "Send a JSON body.")


def check_media_type(headers: dict[str, str], *, is_patch: bool) -> None:
    """Refuse another media type than JSON, and any charset but one UTF-8."""
    media, *parameters = headers.get("content-type", "").split(";")
    accepted = _PATCH if is_patch else _JSON
    if media.strip().lower() not in accepted:
        raise Refusal(Code.MEDIA_TYPE_UNSUPPORTED, f"Send the body as {' or '.join(accepted)}.")
    named = [
        value for name, _, value in (one.partition("=") for one in parameters) if name.strip().lower() == "charset"
    ]
    if len(named) > 1 or any(value.strip().strip('"').lower() not in _UTF_8 for value in named):
        raise Refusal(Code.MEDIA_TYPE_UNSUPPORTED, "Send the body in UTF-8, and name at most one charset.")


def check_body(body: bytes, schema: Any) -> None:
    """Refuse a body that is not strict JSON, or does not fit the schema of the route."""
    value = check_json(body)
    if schema is not None:
        check_fit(value, schema)


def check_json(body: bytes) -> object:
    """Return the decoded body. Refuse all but strict JSON, and texts that cannot be stored.

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
        detail = f"The body is not valid JSON ({where}: {_found_at(error.msg)})."
        raise Refusal(Code.BODY_MALFORMED, detail) from None
    except ValueError:
        raise Refusal(Code.BODY_MALFORMED, "The body holds a number that is too large.") from None
    if _SUSPECT.search(body):
        field_errors = [
            FieldError("Take out the NUL or lone surrogate.", Code.TEXT_INVALID.code, pointer=p) for p in _bad(value)
        ]
        if field_errors:
            detail = "A text holds a character that cannot be stored."
            raise Refusal(Code.TEXT_INVALID, detail, errors=field_errors[:_MAX_FIELD_ERRORS])
    return value


def check_fit(value: object, schema: Any) -> None:
    """Refuse a decoded body that does not fit strictly: "true" is no boolean and "5" is no number.

    Litestar itself converts leniently, which is right for query parameters and wrong for JSON.
    """
    if not fits(value, schema):
        field_errors = list(islice(faults_of(value, schema), _MAX_FIELD_ERRORS))
        raise Refusal(Code.BODY_INVALID, "Correct the fields listed in `errors`.", errors=field_errors)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _TwinKeyError(key[:60])
            seen.add(key)
    return found


def _found_at(message: str) -> str:
    own = (words for beginning, words in _MALFORMED.items() if message.startswith(beginning))
    return next(own, message if message.endswith(_NO_NUMBER) else "it cannot be read")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(digits)
    return number


def _no_constant(name: str) -> object:
    raise json.JSONDecodeError(name + _NO_NUMBER, name, 0)


def _bad(value: object, at: str = "") -> Iterator[str]:
    """Yield the pointers of texts that hold NUL or a lone surrogate."""
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
            yield at
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _bad(key, at)
            yield from _bad(item, at + pointer_step(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _bad(item, f"{at}/{index}")
