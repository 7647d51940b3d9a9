"""The differences between schemas of requests and of responses.

    in closed: unknown fields and values are rejected. A field with a default may be left out
    out   open: values may be added, so an enumeration is a text with its known values, and nothing has a default

An enumeration in a response is named `…Value`, and so is a Struct that is also part of a request. Its name is then
independent of the routes that accept it.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from vendorrisk.openapi.descriptions import sentence

Schema = dict[str, Any]

_PLACE = "#/components/schemas/"


def target(schema: Schema) -> str:
    """Return the name of the component that a reference leads to."""
    return str(schema["$ref"]).removeprefix(_PLACE)


def refer(value: Any, names: Mapping[str, str]) -> Any:
    """Return a schema with references to the components' names of this direction."""
    if isinstance(value, list):
        return [refer(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: refer(item, names) for key, item in value.items()}
    if isinstance(made.get("$ref"), str):
        made["$ref"] = _PLACE + names.get(target(made), target(made))
    return made


def incoming(schema: Schema) -> Schema:
    """Return a component that comes in. A default is described in words: generators take a keyword for "required"."""
    properties = schema.get("properties", {})
    return {**schema, **({"properties": {n: _optional(s) for n, s in properties.items()}} if properties else {})}


def _optional(schema: Schema) -> Schema:
    if "default" not in schema:
        return schema
    left = {key: value for key, value in schema.items() if key != "default"}
    if schema["default"] in (None, []):
        return left
    words = f"Default `{msgspec.json.encode(schema['default']).decode()}`."
    return {**left, "description": f"{sentence(schema.get('description', ''))} {words}".strip()}


def outgoing(schema: Schema, one: Any, names: Mapping[str, str]) -> Schema:
    """Return a component that goes out. `one` is its class."""
    opened: Schema = _opened(refer(schema, names))
    if "properties" in opened and not one.__struct_config__.omit_defaults:
        # A field with a default is written as well, so it is always there.
        unset = {field.encode_name for field in msgspec.structs.fields(one) if field.default is msgspec.UNSET}
        opened["required"] = [name for name in opened["properties"] if name not in unset]
    return opened


def _opened(value: Any) -> Any:
    """Return a schema without keywords that would forbid a later release to add to it."""
    if isinstance(value, list):
        return [_opened(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {
        key: {n: _opened(s) for n, s in item.items()} if key == "properties" else _opened(item)
        for key, item in value.items()
        if (key, item) != ("additionalProperties", False) and (key != "default" or isinstance(item, dict))
    }
    if isinstance(made.get("enum"), list):
        made["x-extensible-enum"] = made.pop("enum")
        made.setdefault("type", "string")
    return made
