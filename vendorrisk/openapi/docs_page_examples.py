"""Examples on the documentation page: a request as curl, and the response that the demo tenant got to it."""

from collections.abc import Mapping
from typing import Any

import msgspec


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
    lines += [f"-H {_quoted(one['name'] + ': ' + str(one.get('example', '')))}" for one in needed]
    for media, body in operation.shown.get("requestBody", {}).get("content", {}).items():
        lines.append(f"-H {_quoted('Content-Type: ' + media)}")
        if "example" in body and body.get("schema", {}).get("format") != "binary":
            lines.append(f"-d {_quoted(pretty(body['example']))}")
        else:
            lines.append("--data-binary @file")
        break
    return " \\\n  ".join(lines)


def response_examples(operation: Operation) -> list[tuple[str, str]]:
    """Return the example of the first success. Nothing if it is no JSON."""
    for status, response in operation.shown["responses"].items():
        shown = response.get("content", {}).get("application/json", {})
        if status.startswith("2") and "example" in shown:
            return [(status, pretty(shown["example"]))]
    return []


def target(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema that a reference leads to. A schema of no fields if it leads nowhere."""
    if "$ref" not in schema:
        return schema
    name = str(schema["$ref"]).rpartition("/")[2]
    found: Mapping[str, Any] = document.get("components", {}).get("schemas", {}).get(name, {})
    return found


def _placed(parameter: Mapping[str, Any]) -> str:
    return str(parameter.get("example", ""))


def _quoted(text: str) -> str:
    """Quote for a POSIX shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def pretty(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
