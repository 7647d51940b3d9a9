"""The document's examples: requests that can be sent, and responses taken from the demo tenant.

`examples.json` is written by `make examples`, from real responses. A response that it lacks has no example.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.db.paging import Column, ListOf, Operator

Schema = dict[str, Any]

FILE = Path(__file__).with_name("examples.json")

_VALUES: Mapping[Any, str] = {
    bool: "true",
    int: "1",
    float: "0.5",
    Decimal: "1000",
    str: "acme",
    date: "2026-03-02",
    datetime: "2026-03-02T08:00:00Z",
    UUID: "018f2b6a-7c1e-7d30-9a52-3f6d1c0be111",
}
_FAVOURITES = (bool, date, datetime, int, UUID, str)
"""Which columns show best how to filter, after those with a closed list of values."""


class Examples(msgspec.Struct, frozen=True):
    """`paths` holds a value for each path parameter, `responses` a body by operation and status."""

    paths: dict[str, str] = {}
    responses: dict[str, dict[str, Any]] = {}


def written() -> Examples:
    """Return the committed examples."""
    return msgspec.json.decode(FILE.read_bytes(), type=Examples) if FILE.exists() else Examples()


def add_examples(made: Schema) -> None:
    """Add examples to path parameters and responses."""
    examples = written()
    for item in made["paths"].values():
        for operation in item.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    parameter["example"] = examples.paths.get(parameter["name"]) or _path_example(parameter)
            bodies = examples.responses.get(operation["operationId"], {})
            for status, response in operation["responses"].items():
                content = response.get("content", {})
                if bodies and "application/json" in content:
                    # A status that was not met, such as 202 of a small file, has the body of the one that was.
                    content["application/json"]["example"] = bodies.get(status, next(iter(bodies.values())))


def _path_example(parameter: Schema) -> Any:
    schema = parameter["schema"]
    return schema["enum"][0] if "enum" in schema else _VALUES[UUID]


def filter_example(of: ListOf) -> str:
    """Return a filter that the list takes."""
    name, column = min(of.columns.items(), key=lambda one: _rank(one[1]))
    operator = Operator.GTE if column.kind in {date, datetime} else Operator.EQ
    if operator not in column.allows():
        operator = min(column.allows() - {Operator.NULL})
    return f"{name}:{operator}:{_value(column)}"


def _rank(column: Column) -> int:
    if issubclass(column.kind, Enum):
        return 0 if Operator.EQ in column.allows() else 1
    return 2 + (_FAVOURITES.index(column.kind) if column.kind in _FAVOURITES else len(_FAVOURITES))


def _value(column: Column) -> str:
    return str(next(iter(column.kind)).value) if issubclass(column.kind, Enum) else _VALUES[column.kind]


def sort_example(of: ListOf) -> str:
    """Return the list's own order."""
    return of.default_sort
