"""The JSON schemas of what routes take and give, as msgspec itself checks and writes them.

Litestar's own lose the bounds of what stands in a list and whether unknown fields are refused; a document that promises
more than the service takes is worse than none.
"""

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

import msgspec

from vendorrisk.db.paging import Page

Schema = dict[str, Any]

_VALUES = {"default", "enum", "const", "example", "examples"}
_PLACE = "#/components/schemas/{name}"
_PAGE = re.compile(r"\bPage_(\w+?)_(?=$|\")")
_QUALIFIED = re.compile(r"\bvendorrisk\.(\w+)\.(?:\w+\.)?(\w+)")


def shown_type(annotation: Any) -> Any:
    """Return what a handler takes or gives, out of the response it is wrapped in; None where it is not JSON of ours."""
    if get_origin(annotation) is Page or _is_struct(annotation):
        return annotation
    return next((found for one in get_args(annotation) if (found := shown_type(one)) is not None), None)


def schemas_of(types: Iterable[Any]) -> tuple[dict[Any, Schema], Schema]:
    """Return the schema of each type, by the type, and the components that they refer to."""
    wanted = list(dict.fromkeys(types))
    made, components = msgspec.json.schema_components(wanted, ref_template=_PLACE)
    return (
        {one: tidy(schema) for one, schema in zip(wanted, made, strict=True)},
        {_named(name): _with_instants(tidy(schema)) for name, schema in components.items()},
    )


def _with_instants(schema: Schema) -> Schema:
    """Say which texts are instants: msgspec says it only of those that come in, and their names end alike."""
    for name, field in schema.get("properties", {}).items():
        is_text = field.get("type") in ("string", ["string", "null"])
        if (name == "at" or name.endswith("_at")) and is_text and "format" not in field:
            field["format"] = "date-time"
    return schema


def has_version(annotation: Any) -> bool:
    """Say whether what is given has a version, and so an entity tag."""
    return _is_struct(annotation) and any(field.name == "version" for field in msgspec.structs.fields(annotation))


def field_names(annotation: Any) -> list[str]:
    """Return what `fields` may name: the fields of a row where there are rows, else of the thing."""
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
        # JSON Schema's expressions are those of ECMA-262, whose $ is the very end.
        made["pattern"] = made["pattern"].replace(r"\Z", "$")
    if "propertyName" in made:
        made["mapping"] = {key: tidy({"$ref": place})["$ref"] for key, place in made["mapping"].items()}
    return _nullable(made)


def _is_title(key: str, item: Any) -> bool:
    """Say whether this is the name of a class, and not a field of that name."""
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


def _named(name: str) -> str:
    """Name a page after its rows, and twins after their features."""
    name = _PAGE.sub(r"\1Page", name)
    return _QUALIFIED.sub(lambda found: found[1].capitalize() + found[2], name)


def _is_struct(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)
