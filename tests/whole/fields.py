"""Every field of every JSON body, as the document tells it, and a body in which one field has another value."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from tests.whole.surface import Operation, unopened_app

Steps = tuple[str | int, ...]


class Field(msgspec.Struct, frozen=True):
    """A field: its place in the body, its schema, and the schemas of what it stands in, from the outside."""

    steps: Steps
    schema: dict[str, Any]
    holders: tuple[dict[str, Any], ...]

    @property
    def pointer(self) -> str:
        return "".join(f"/{step}" for step in self.steps)

    @property
    def name(self) -> str:
        """The last name on the way: of `owner_ids/0`, `owner_ids`."""
        return next(str(step) for step in reversed(self.steps) if isinstance(step, str))

    def takes(self, kind: str, form: str | None = None) -> bool:
        kinds = self.schema.get("type")
        has = kind in (kinds if isinstance(kinds, list) else [kinds])
        return has and self.schema.get("format") == form


def fields_of(operation: Operation) -> list[Field]:
    """Return the leaves of the operation's body; of a choice of shapes, those of each."""
    if not operation.takes_json:
        return []
    return list(_walk(operation.document["requestBody"]["content"]["application/json"]["schema"], (), ()))


def _walk(schema: dict[str, Any], steps: Steps, holders: tuple[dict[str, Any], ...]) -> Iterator[Field]:
    schema = resolved(schema)
    kinds = schema.get("type") if isinstance(schema.get("type"), list) else [schema.get("type")]
    if "oneOf" in schema:
        for choice in schema["oneOf"]:
            if choice != {"type": "null"}:
                yield from _walk(choice, steps, holders)
    elif "object" in kinds:
        for name, inner in schema.get("properties", {}).items():
            yield from _walk(inner, (*steps, name), (*holders, schema))
    elif "array" in kinds:
        yield from _walk(schema["items"], (*steps, 0), (*holders, schema))
    else:
        yield Field(steps, schema, holders)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = unopened_app().litestar.state.document["components"]["schemas"][name]
    return schema


def with_field(example: Any, field: Field, value: Any) -> Any:
    """Return the example with this field set; what it stands in is made, as small as may be, where it is missing."""
    made = copy.deepcopy(example)
    at = made
    for number, step in enumerate(field.steps[:-1]):
        if isinstance(at, list):
            if not at:
                at.append(smallest(field.holders[number + 1]))
        elif not at.get(str(step)):
            at[step] = smallest(field.holders[number + 1])
        if isinstance(at, dict) and not _fits(at, field.holders[number]):
            at.update(smallest(field.holders[number]))
        at = at[step]
    last = field.steps[-1]
    if isinstance(at, list):
        at[:] = [value]
    else:
        if not _fits(at, field.holders[-1]):
            at.clear()
            at.update(smallest(field.holders[-1]))
        at[last] = value
    return made


def _fits(value: dict[str, Any], holder: dict[str, Any]) -> bool:
    """Say whether an object is of this shape, where a field may have one of several."""
    return set(value) <= set(holder.get("properties", {}))


_WORDS = {
    "uuid": "018f0000-0000-7000-8000-000000000000",
    "date": "2025-06-30",
    "date-time": "2025-06-30T00:00:00Z",
}


def smallest(schema: dict[str, Any]) -> Any:
    """Return the smallest value that fits a schema."""
    schema = resolved(schema)
    if "oneOf" in schema:
        return smallest(schema["oneOf"][0])
    for word in ("const", "enum"):
        if word in schema:
            return schema[word][0] if word == "enum" else schema[word]
    kind = schema["type"][0] if isinstance(schema.get("type"), list) else schema["type"]
    return _SMALLEST[kind](schema)


def _smallest_object(schema: dict[str, Any]) -> Any:
    needed = schema.get("required", ())
    return {name: _NAMED.get(name) or smallest(schema["properties"][name]) for name in needed}


def _smallest_text(schema: dict[str, Any]) -> Any:
    if "format" in schema:
        return _WORDS[schema["format"]]
    return schema["examples"][0] if "examples" in schema else "x" * max(1, schema.get("minLength", 1))


_SMALLEST: dict[str, Callable[[dict[str, Any]], Any]] = {
    "object": _smallest_object,
    "array": lambda schema: [smallest(schema["items"]) for _ in range(schema.get("minItems", 0))],
    "integer": lambda schema: max(1, schema.get("minimum", 1)),
    "boolean": lambda _schema: True,
    "string": _smallest_text,
}

_NAMED = {"token": "xoxb-1-a", "conversation": "#security"}
"""Texts of a form that only an expression tells."""
