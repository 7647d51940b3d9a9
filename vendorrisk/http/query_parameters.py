"""Which query parameters each route takes, read from the document, so that the request middleware can hold them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

import msgspec

from vendorrisk.errors import Code, Refusal

_WHOLE = re.compile("[+-]?[0-9]{1,19}")


class QueryParameter(msgspec.Struct, frozen=True):
    """The values that a query parameter takes: once or often, any text, or a whole number."""

    is_repeatable: bool
    is_text: bool
    is_number: bool


Place = tuple[str, str]
"""A path template and a method."""


def query_names(made: dict[str, Any]) -> dict[Place, dict[str, QueryParameter]]:
    """Return the query parameters that each route knows."""
    return {
        place: {
            p["name"]: QueryParameter(
                # `fields` is a list with commas, and may be repeated as well.
                is_repeatable=p["schema"].get("type") == "array",
                is_number=p["schema"].get("type") == "integer",
                is_text=p["schema"].get("type") in {"string", "array"} and "format" not in p["schema"],
            )
            for p in parameters
            if p["in"] == "query"
        }
        for place, parameters in _parameters(made)
    }


def field_lists(made: dict[str, Any]) -> dict[Place, frozenset[str]]:
    """Return the names that `fields` may have at each route that takes it."""
    return {
        place: frozenset(parameter["schema"]["items"]["enum"])
        for place, parameters in _parameters(made)
        for parameter in parameters
        if (parameter["in"], parameter["name"]) == ("query", "fields")
    }


def check_parameters(scope: Any) -> None:
    """Refuse a query parameter that the route does not know, that is null, or that was repeated without being
    repeatable.

    A misspelt filter must not pass as none, nor one of two values silently win. Litestar takes the word null
    as a missing parameter, and 1e2 as 100.
    """
    known = scope["litestar_app"].state.query_names.get((scope["path_template"], scope["method"]))
    query = scope["query_string"].decode("latin-1")
    if known is None or not query:
        return
    for name, values in parse_qs(query, keep_blank_values=True).items():
        if name not in known:
            detail = f"This route takes: {', '.join(sorted(known)) or 'no parameters'}."
            raise Refusal(Code.PARAMETER_INVALID, detail, parameter=name[:60])
        _check_parameter(name, values, known[name])


def _check_parameter(name: str, values: list[str], takes: QueryParameter) -> None:
    if len(values) > 1 and not takes.is_repeatable:
        raise Refusal(Code.PARAMETER_INVALID, "Send it once.", parameter=name)
    if not takes.is_text and values[0].lower() == "null":
        raise Refusal(Code.PARAMETER_INVALID, "Send a value, or leave it out.", parameter=name)
    if takes.is_number and not _WHOLE.fullmatch(values[0]):
        raise Refusal(Code.PARAMETER_INVALID, "Send a whole number.", parameter=name)


def resolved(made: Mapping[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    """Return a part of the document with its own reference followed. Keywords beside the reference prevail."""
    if "$ref" not in one:
        return one
    target: Any = made
    for step in one["$ref"].removeprefix("#/").split("/"):
        target = target.get(step, {})
    return {**target, **{key: value for key, value in one.items() if key != "$ref"}}


def _parameters(made: dict[str, Any]) -> Iterator[tuple[Place, list[dict[str, Any]]]]:
    for path, item in made["paths"].items():
        for method, operation in item.items():
            yield (path, method.upper()), [resolved(made, p) for p in operation.get("parameters", ())]
