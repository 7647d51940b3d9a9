"""Sparse responses: `fields` names the fields that a caller wants of each record."""

from typing import Any
from urllib.parse import parse_qs

import msgspec

from vendorrisk.errors import Code, FieldError, Refusal


def wanted_fields(scope: Any) -> frozenset[str] | None:
    """Return the requested fields, or None for all. Refuses fields that the response never has."""
    if b"fields=" not in scope["query_string"]:
        return None
    values = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True).get("fields")
    if values is None:
        return None
    wanted = frozenset(name for value in values for name in value.split(","))
    known = scope["litestar_app"].state.field_lists[scope["path_template"], scope["method"]]
    if unknown := sorted(wanted - known):
        field_errors = [FieldError(f"Take from: {', '.join(sorted(known))}.", parameter="fields")]
        detail = f"There is no field {unknown[0][:60]!r} here."
        raise Refusal(Code.PARAMETER_INVALID, detail, errors=field_errors)
    return wanted


def kept_fields(body: bytes, fields: frozenset[str]) -> bytes:
    """Return the body of a response with these fields only, of each record where it is a page."""
    value = msgspec.json.decode(body)
    rows = value["items"] if isinstance(value, dict) and "items" in value else [value]
    kept = [{k: v for k, v in row.items() if k in fields} for row in rows]
    if isinstance(value, dict) and "items" in value:
        value["items"] = kept
    else:
        value = kept[0]
    return msgspec.json.encode(value)
