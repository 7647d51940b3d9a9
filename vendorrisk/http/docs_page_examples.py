"""Examples on the documentation page: a request as curl, and what an answer looks like, made from its schema."""

from collections.abc import Mapping
from typing import Any

import msgspec

_DEEPEST = 7
_UUID = "018f2b6a-7c1e-7d30-9a52-3f6d1c0be111"
_FORMATS = {
    "uuid": _UUID,
    "date": "2026-03-02",
    "date-time": "2026-03-02T08:00:00Z",
    "decimal": "125000.00",
    "uri": "https://example.com",
}
_PLAIN: dict[str, Any] = {"integer": 1, "number": 1.0, "boolean": True, "string": "…", "null": None}


class Operation(msgspec.Struct, frozen=True):
    method: str
    path: str
    shown: Mapping[str, Any]

    @property
    def name(self) -> str:
        name: str = self.shown["operationId"]
        return name


def curl(operation: Operation) -> str:
    """Return a request that can be pasted into a shell, once the key and the ids are one's own."""
    parameters = operation.shown.get("parameters", ())
    query = [f"{p['name']}={_placed(p)}" for p in parameters if p["in"] == "query" and p.get("required")]
    address = "$API" + operation.path + ("?" + "&".join(query) if query else "")
    lines = [f'curl "{address}"' if operation.method == "GET" else f'curl -X {operation.method} "{address}"']
    if operation.shown.get("security"):
        lines.append('-H "Authorization: Bearer $KEY"')
    needed = [one for one in parameters if one["in"] == "header" and one.get("required")]
    lines += [f"-H {_quoted(one['name'] + ': ' + str(one.get('example', '…')))}" for one in needed]
    for media, body in operation.shown.get("requestBody", {}).get("content", {}).items():
        lines.append(f"-H {_quoted('Content-Type: ' + media)}")
        if "example" in body:
            lines.append(f"-d {_quoted(pretty(body['example']))}")
        else:
            lines.append("--data-binary @file")
        break
    return " \\\n  ".join(lines)


def answers(operation: Operation, document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the first success and what its JSON looks like; nothing where it is no JSON."""
    for status, answer in operation.shown["responses"].items():
        shown = answer.get("content", {}).get("application/json", {})
        if status.startswith("2") and "schema" in shown:
            return [(status, pretty(shown.get("example", sample(shown["schema"], document))))]
    return []


def target(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema that a reference leads to; a schema of no fields where it leads nowhere."""
    if "$ref" not in schema:
        return schema
    name = str(schema["$ref"]).rpartition("/")[2]
    found: Mapping[str, Any] = document.get("components", {}).get("schemas", {}).get(name, {})
    return found


def sample(schema: Mapping[str, Any], document: Mapping[str, Any], depth: int = 0) -> Any:
    """Return a value that fits a schema, with one of everything; what stands deeper than seven levels is left out."""
    schema = target(schema, document)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return sample(schema[word][0], document, depth)
    for word in ("examples", "enum"):
        if word in schema:
            return schema[word][0]
    if "const" in schema:
        return schema["const"]
    types = schema.get("type", "string")
    kind = types[0] if isinstance(types, list) else types
    if kind == "object":
        inside = schema.get("properties", {}).items() if depth < _DEEPEST else ()
        return {name: sample(one, document, depth + 1) for name, one in inside}
    if kind == "array":
        return [sample(schema.get("items", {}), document, depth + 1)] if depth < _DEEPEST else []
    return _FORMATS.get(schema.get("format", ""), schema.get("minimum", _PLAIN.get(kind)))


def _placed(parameter: Mapping[str, Any]) -> str:
    return str(_FORMATS.get(parameter.get("schema", {}).get("format", ""), "acme"))


def _quoted(text: str) -> str:
    """Quote for a POSIX shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def pretty(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
