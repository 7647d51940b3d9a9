"""The JSON schemas of the routes' bodies and responses, as msgspec itself checks and writes them.

Litestar's own lose the bounds of list items, and whether unknown fields are refused. A document that promises more than
the service takes is worse than none. `schema_directions` then closes requests and opens responses.
"""

import inspect
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, get_args, get_origin

import msgspec

from vendorrisk.db.paging import Page
from vendorrisk.openapi.descriptions import describe
from vendorrisk.openapi.schema_directions import incoming, outgoing, refer, target

Schema = dict[str, Any]

_VALUES = {"default", "enum", "const", "example", "examples"}
_PLACE = "#/components/schemas/{name}"
_REFERENCE = re.compile(r'"\$ref":"#/components/schemas/([^"]+)"')
_PAGE = re.compile(r"\bPage_(\w+?)_(?=$|\")")
_QUALIFIED = re.compile(r"\bvendorrisk\.(\w+)\.(?:\w+\.)?(\w+)")


def shown_type(annotation: Any) -> Any:
    """Return the type that a handler takes or gives, out of the response it is wrapped in.

    None if it is not JSON of ours.
    """
    if get_origin(annotation) is Page or _is_struct(annotation):
        return annotation
    return next((found for one in get_args(annotation) if (found := shown_type(one)) is not None), None)


class Schemas(msgspec.Struct, frozen=True):
    """The schema of each type, apart for requests and responses, and the components that both refer to."""

    taken: dict[Any, Schema]
    given: dict[Any, Schema]
    components: Schema


def schemas_of(taken: Iterable[Any], given: Iterable[Any]) -> Schemas:
    """Return the schemas of bodies and of responses: bodies stay closed, responses are open."""
    into, out = _types(taken), _types(given)
    classes = list(dict.fromkeys(classes_in([*into, *out])))
    made, components = msgspec.json.schema_components([*into, *out, *classes], ref_template=_PLACE)
    named = {_named(name): tidy(schema) for name, schema in components.items()}
    schemas = [tidy(schema) for schema in made]
    own = {
        target(schema): get_origin(one) or one
        for one, schema in zip(classes, schemas[len(into) + len(out) :], strict=True)
    }
    for name, schema in named.items():
        describe(own[name], schema)
    closed = {name: incoming(named[name]) for name in _reachable(schemas[: len(into)], named)}
    reached = _reachable(schemas[len(into) : len(into) + len(out)], named)
    names = {name: f"{name}Value" for name in reached if "enum" in named[name] or name in closed}
    opened = {names.get(name, name): outgoing(named[name], own[name], names) for name in reached}
    return Schemas(
        dict(zip(into, schemas, strict=False)),
        {one: refer(schema, names) for one, schema in zip(out, schemas[len(into) :], strict=False)},
        {**closed, **opened},
    )


def _types(types: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(one for one in types if one is not None))


def _reachable(schemas: Iterable[Schema], components: Schema) -> list[str]:
    """Return the names of all components that schemas lead to."""
    found: dict[str, None] = {}
    waiting = [*schemas]
    while waiting:
        text = msgspec.json.encode(waiting.pop()).decode()
        new = [name for name in dict.fromkeys(_REFERENCE.findall(text)) if name not in found]
        found |= dict.fromkeys(new)
        waiting += [components[name] for name in new]
    return list(found)


def has_version(annotation: Any) -> bool:
    """Return True if the response has a version, and so an entity tag."""
    return _is_struct(annotation) and any(field.name == "version" for field in msgspec.structs.fields(annotation))


def field_names(annotation: Any) -> list[str]:
    """Return the names that `fields` may have: the fields of a row if there are rows, else of the thing."""
    if get_origin(annotation) is Page:
        return field_names(get_args(annotation)[0])
    fields = msgspec.structs.fields(annotation)
    rows = next((get_args(field.type) for field in fields if field.name == "items"), ())
    if rows and _is_struct(rows[0]):
        return field_names(rows[0])
    return sorted(field.encode_name for field in fields)


def tidy(value: Any) -> Any:
    """Return a schema in the words of JSON Schema 2020-12, as short as it can be said."""
    if isinstance(value, list):
        return [tidy(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    made = {key: item if key in _VALUES else tidy(item) for key, item in value.items() if not _is_title(key, item)}
    if isinstance(made.get("$ref"), str):
        made["$ref"] = _PLACE.format(name=_named(made["$ref"].rpartition("/")[2]))
    if isinstance(made.get("description"), str):
        made["description"] = inspect.cleandoc(made["description"])
    if isinstance(made.get("pattern"), str):
        # JSON Schema's expressions are those of ECMA-262, in which $ is the very end.
        made["pattern"] = made["pattern"].replace(r"\Z", "$")
    if "propertyName" in made:
        made["mapping"] = {key: tidy({"$ref": place})["$ref"] for key, place in made["mapping"].items()}
    return _alternatives(_nullable(made))


def _is_title(key: str, item: Any) -> bool:
    """Return True if this is the name of a class, rather than a field of that name."""
    return key == "title" and isinstance(item, str)


def _nullable(schema: Schema) -> Schema:
    """Write "this or null" as one schema of two types, where it can be."""
    if len(choices := schema.get("anyOf", ())) != 2 or {"type": "null"} not in choices:  # noqa: PLR2004 - a pair
        return schema
    one = next(choice for choice in choices if choice != {"type": "null"})
    if not isinstance(one.get("type"), str) or "enum" in one:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**one, "type": [one["type"], "null"], **rest}


def _alternatives(schema: Schema) -> Schema:
    """Write a choice as `oneOf`: shapes exclude each other by their tag, and a shape is never null."""
    return {("oneOf" if key == "anyOf" else key): value for key, value in schema.items()}


def _named(name: str) -> str:
    """Name a page after its rows, and twins after their features."""
    name = _PAGE.sub(r"\1Page", name)
    return _QUALIFIED.sub(lambda found: found[1].capitalize() + found[2], name)


def classes_in(types: Iterable[Any]) -> Iterable[Any]:
    """Yield every class that has a component: Structs and enumerations, at any depth of the types."""
    seen: set[Any] = set()
    waiting = list(types)
    while waiting:
        one = waiting.pop()
        waiting += get_args(one)
        is_class = isinstance(one, type) or get_origin(one) is Page
        if one in seen or not is_class:
            continue
        seen.add(one)
        if _is_struct(get_origin(one) or one):
            waiting += [field.type for field in msgspec.structs.fields(one)]
            yield one
        elif issubclass(get_origin(one) or one, Enum):
            yield one


def _is_struct(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)
