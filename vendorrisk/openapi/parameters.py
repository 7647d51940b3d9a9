"""The document's parameters and headers: those of every promise, those of lists, and which are shared."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from vendorrisk.db.paging import MAX_FILTERS, ListOf
from vendorrisk.http.routing import WRITES, Kind
from vendorrisk.openapi.examples import filter_example, sort_example
from vendorrisk.openapi.meanings import PARAMETERS
from vendorrisk.openapi.schemas import Schema, field_names, tidy


def add_parameters(operation: dict[str, Any], opt: Mapping[str, Any], method: str, given: Any) -> None:
    """Add the parameters that follow from an operation's kind, and describe the others."""
    kind: Kind = opt["kind"]
    parameters = operation.setdefault("parameters", [])
    if kind in WRITES:
        parameters += [] if kind is Kind.REMOVE else [_PREFER]
    elif given is not None:
        parameters.append(_fields(field_names(given)))
    if opt["match"]:
        parameters.append(_IF_MATCH)
    if method == "post":
        parameters.append(_IDEMPOTENCY_KEY)
    if opt["of"] is not None:
        _describe_list(parameters, opt["of"])
    operation["parameters"] = [_described(_plain(parameter)) for parameter in parameters]


def shared(made: dict[str, Any]) -> Schema:
    """Take parameters that several operations have alike out of them. Return those as components by name."""
    operations = [o for item in made["paths"].values() for o in item.values() if "parameters" in o]
    first: dict[bytes, str] = {}
    counts: Counter[bytes] = Counter()
    for operation in operations:
        for parameter in operation["parameters"]:
            text = msgspec.json.encode(parameter)
            first.setdefault(text, operation["operationId"])
            counts[text] += 1
    common = {text: msgspec.json.decode(text) for text, count in counts.items() if count > 1}
    alike = Counter(parameter["name"] for parameter in common.values())
    names = {text: _component_name(one["name"], first[text], alike[one["name"]]) for text, one in common.items()}
    for operation in operations:
        texts = [(msgspec.json.encode(parameter), parameter) for parameter in operation["parameters"]]
        operation["parameters"] = [
            {"$ref": f"#/components/parameters/{names[text]}"} if text in names else parameter
            for text, parameter in texts
        ]
    return dict(sorted((names[text], parameter) for text, parameter in common.items()))


def _component_name(name: str, operation: str, count: int) -> str:
    """Return the name of a component, `If-Match` as IfMatch. Of several, that of the first operation goes with it."""
    return _camel(name) if count == 1 else f"{_camel(name)}Of{_camel(operation)}"


def _camel(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in name.replace("-", "_").split("_"))


def _plain(parameter: Schema) -> Schema:
    """Leave out defaults of JSON Schema, and null, which no parameter can be."""
    left_out = {"deprecated": False, "allowEmptyValue": False, "allowReserved": False}
    kept = {name: value for name, value in parameter.items() if left_out.get(name, ...) is not value}
    schema: Schema = tidy(kept["schema"])
    choices: list[Schema] = [choice for choice in schema.pop("oneOf", ()) if choice != {"type": "null"}]
    bounds = {name: int(value) for name, value in schema.items() if isinstance(value, float) and value.is_integer()}
    return {**kept, "schema": {**(choices[0] if choices else {}), **schema, **bounds}}


def _described(parameter: Schema) -> Schema:
    """Describe a parameter by its name if its route does not, and give an id an example."""
    words = PARAMETERS.get(parameter["name"])
    if words is not None and (parameter["in"] == "path" or "description" not in parameter):
        parameter = {**parameter, "description": words}
    if parameter["in"] == "query":
        parameter = {**_query_example(parameter), **parameter}
    return parameter


def _query_example(parameter: Schema) -> Schema:
    """Return an example where a tool would invent a value that the service refuses, or a day long past."""
    if parameter["schema"].get("format") == "date":
        return {"example": "2026-12-31"}
    if parameter["name"] in _EXAMPLES:
        return {"example": _EXAMPLES[parameter["name"]]}
    return {"example": "acme"} if parameter.get("required") else {}


_EXAMPLES: Mapping[str, Any] = {"map": ["name:name"], "file_name": "vendors.csv"}
"""`map` names a heading of the file that is the example of an import."""


def _describe_list(parameters: list[Schema], of: ListOf) -> None:
    filters = [f"- `{name}`: {', '.join(sorted(column.allows()))}" for name, column in sorted(of.columns.items())]
    sorts = [name for name, column in sorted(of.columns.items()) if column.sortable]
    told: dict[str, Schema] = {
        "filter": {
            "description": "`field:operator:value`. Several must all hold. Fields and operators:\n"
            + "\n".join(filters),
            "schema": {"type": "array", "maxItems": MAX_FILTERS, "items": {"type": "string"}},
            "example": [filter_example(of)],
        },
        "sort": {
            "description": f"A leading `-` reverses the order. Default `{of.default_sort}`.",
            "schema": {"type": "string", "enum": [sign + name for name in sorts for sign in ("", "-")]},
            "example": sort_example(of),
        },
        "cursor": {
            "description": "`next` or `prev` of a page with the same filters and sort. Empty for the first page.",
            "schema": {"type": "string"},
            "example": "",
        },
        "limit": {"description": "How many rows to return at most."},
        "total": {"description": "Whether to count all rows that pass the filters. Takes time on long lists."},
    }
    for parameter in parameters:
        if parameter["in"] == "query":
            parameter.update(told.get(parameter["name"], {}))


def _fields(names: Iterable[str]) -> Schema:
    named = list(names)
    words = "Names of the fields to return, separated by commas, or one in each repetition of the parameter. "
    words += "The response is then partial: it has only these fields, also where its schema requires others."
    return {
        "name": "fields",
        "in": "query",
        "required": False,
        "description": words,
        "style": "form",
        "explode": False,
        "schema": {"type": "array", "minItems": 1, "items": {"type": "string", "enum": named}},
        "example": [name for name in ("id", "name", "title", "version") if name in named][:2] or named[:1],
    }


def _header(name: str, description: str, *, required: bool = False, **schema: Any) -> Schema:
    kept = {"name": name, "in": "header", "required": required, "description": description}
    return {**kept, "schema": {"type": "string", **schema}}


_PREFER = _header("Prefer", "`return=minimal` asks for a response without a body (RFC 7240).") | {
    "example": "return=representation"
}
_IF_MATCH = _header(
    "If-Match",
    "The `ETag` of the version that the change is meant for.",
    required=True,
    pattern='^"[0-9]{1,9}"$',
) | {"example": '"1"'}
_IDEMPOTENCY_KEY = _header(
    "Idempotency-Key",
    "Makes a repetition safe for a day. Send a new UUID with each new request, and the same UUID with its repetitions.",
    pattern="^[!-~]{1,255}$",
)

HEADERS: Schema = {
    "ETag": {"schema": {"type": "string"}, "description": "The version. Send it as `If-Match` with a change."},
    "Location": {"schema": {"type": "string"}, "description": "The address of the new record."},
    "Link": {"schema": {"type": "string"}, "description": "`next` and `prev` (RFC 8288)."},
    "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."},
    "RateLimit": {
        "schema": {"type": "string"},
        "description": "The rest of the limit: `r` requests, full again in `t` seconds.",
    },
    "RateLimit-Policy": {"schema": {"type": "string"}, "description": "The limit: `q` requests in `w` seconds."},
    "X-Request-Id": {"schema": {"type": "string"}, "description": "Name it when you ask the operator."},
    "Preference-Applied": {
        "schema": {"type": "string"},
        "description": "`return=minimal` if the body was left out. Otherwise missing.",
    },
    "Idempotency-Replayed": {
        "schema": {"type": "string"},
        "description": "`true` if this repeats the response to an earlier request with this key. Otherwise missing.",
    },
    "WWW-Authenticate": {"schema": {"type": "string"}, "description": "The scheme to authenticate with."},
}
