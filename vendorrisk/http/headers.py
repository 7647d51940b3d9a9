"""Request headers that carry a promise: If-Match, Idempotency-Key, Prefer. Also the entity tag of a response."""

import re
from collections.abc import Iterable

from vendorrisk.access.records import stale
from vendorrisk.errors import Code, Refusal

_TAG = re.compile(r'^"(\d{1,9})"$')
_KEY = re.compile(r"^[\x21-\x7e]{1,255}$")


def joined(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the header fields by name. One that was sent several times is a list (RFC 9110, section 5.3).

    If a single-value header was sent twice, its parser rejects it instead of picking one.
    """
    found: dict[str, str] = {}
    for raw_name, raw_value in fields:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def etag(version: int) -> str:
    """Return the strong entity tag of a version (RFC 9110, section 8.8.3)."""
    return f'"{version}"'


def expected_version(if_match: str | None) -> int:
    """Return the version a change is meant for. Refuse with 428 if none is named, 400 if it is not a tag.

    A weak tag never matches strongly (RFC 9110, section 13.1.1), so it is stale. `*` and lists would allow a lost
    update and are refused.
    """
    if if_match is None or not if_match.strip():
        raise Refusal(
            Code.IF_MATCH_REQUIRED,
            "Read the record, and send the ETag you were given as If-Match.",
            parameter="If-Match",
        )
    text = if_match.strip()
    if text.startswith("W/"):
        raise stale()
    if (match := _TAG.match(text)) is None:
        raise Refusal(
            Code.IF_MATCH_INVALID, 'Send exactly one ETag as it was given, such as "3".', parameter="If-Match"
        )
    return int(match[1])


def idempotency_key(value: str | None) -> str | None:
    """Return the key, or None where none was sent. A structured-field string (quoted) is unwrapped."""
    if value is None:
        return None
    text = value.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if not _KEY.match(text):
        raise Refusal(
            Code.IDEMPOTENCY_KEY_INVALID,
            "Send 1 to 255 visible ASCII characters, such as a UUID.",
            parameter="Idempotency-Key",
        )
    return text


def wants_minimal(prefer: str | None) -> bool:
    """Return True if the caller prefers no body (RFC 7240, section 4.2)."""
    return prefer is not None and any(p.strip() == "return=minimal" for p in prefer.replace(";", ",").split(","))
