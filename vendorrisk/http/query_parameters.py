"""Which query parameters each route takes, read from the document, so that the request middleware can hold them."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec


class QueryParameter(msgspec.Struct, frozen=True):
    """The accepted form of a query parameter: once or often, any text, or a whole number."""

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


def resolved(made: Mapping[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    """Return a part of the document with its own reference followed. Keys beside the reference prevail."""
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
