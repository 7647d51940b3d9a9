"""Descriptions of fields: written under the field as a string, or once by name in `meanings`.

    class Delivery(msgspec.Struct):
        failure: str | None
        \"\"\"Why the last attempt failed. Null while none has.\"\"\"

Python does nothing with such a string, so the sources are read, once, when the document is built.
"""

import ast
import inspect
import sys
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from vendorrisk.openapi.meanings import MEANINGS

Schema = dict[str, Any]


def describe(one: Any, schema: Schema) -> None:
    """Describe the fields of a class's schema: by the string under the field, its type, or the meaning of its name."""
    if "properties" not in schema:
        return
    own = _own(one)
    names = {field.encode_name: field.name for field in msgspec.structs.fields(one)}
    for name, field in schema["properties"].items():
        _mark_format(name, field)
        words = own.get(names.get(name, name)) or field.get("description") or MEANINGS.get(name)
        if words is None and name == one.__struct_config__.tag_field:
            words = "Which of the shapes this is."
        if words is not None:
            field["description"] = sentence(words)


def sentence(words: str) -> str:
    """Return the words with a capital and a full stop."""
    if not words:
        return ""
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "?", "!")) else ".")


def _mark_format(name: str, field: Schema) -> None:
    """Return the format by the name: instants, which msgspec declares in bodies only, and numbers that need 64 bits."""
    types = field.get("type", ())
    if (name == "at" or name.endswith("_at")) and "string" in (types, *types):
        field.setdefault("format", "date-time")
    if (name == "sequence" or name.endswith("_bytes")) and "integer" in (types, *types):
        field.setdefault("format", "int64")


def _own(one: Any) -> dict[str, str]:
    """Return the strings under the fields of a class and of those it inherits from."""
    found: dict[str, str] = {}
    for above in reversed(one.__mro__):
        if issubclass(above, msgspec.Struct) and above is not msgspec.Struct:
            found |= _in_module(above.__module__).get(above.__qualname__, {})
    return found


@cache
def _in_module(name: str) -> dict[str, dict[str, str]]:
    """Return the strings under fields, by class and field."""
    tree = ast.parse(Path(str(sys.modules[name].__file__)).read_text(encoding="utf-8"))
    return {node.name: _under_fields(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _under_fields(node: ast.ClassDef) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, below in zip(node.body, node.body[1:], strict=False):
        is_field = isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if is_field and is_text and isinstance(below.value.value, str):  # type: ignore[attr-defined]  # narrowed above
            found[field.target.id] = inspect.cleandoc(below.value.value).replace("\n", " ")  # type: ignore[attr-defined]  # narrowed above
    return found
