"""The OpenAPI document as one readable page: no script, no font, no picture, no other host.

Everything of the document is shown: operations by tag, who may call each, parameters, bodies, answers, refusals with
their codes, examples, and the schemas, linked where they are used. The style stands in the page and is allowed by its
hash alone.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

_HERE = Path(__file__).parent
_STYLE = (_HERE / "reference.css").read_text(encoding="utf-8")
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

POLICY = (
    f"default-src 'none'; img-src data:; style-src 'sha256-{_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_METHODS = ("get", "post", "put", "patch", "delete")


class _Operation(msgspec.Struct, frozen=True):
    method: str
    path: str
    shown: Mapping[str, Any]

    @property
    def name(self) -> str:
        name: str = self.shown["operationId"]
        return name


def page(document: Mapping[str, Any]) -> str:
    """Render the document; everything in it is escaped, whoever wrote it."""
    made: str = _template().render(
        document=document,
        tags=_by_tag(document),
        schemas=sorted(document.get("components", {}).get("schemas", {}).items()),
        style=Markup(_STYLE),  # noqa: S704 - our own file, and the policy allows no other
    )
    return made


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(kind=_kind, prose=_prose, pretty=_pretty)
    return environment.get_template("reference.html")


def _by_tag(document: Mapping[str, Any]) -> list[tuple[str, list[_Operation]]]:
    tags: dict[str, list[_Operation]] = {}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                tag = item[method].get("tags", ["Other"])[0]
                tags.setdefault(tag, []).append(_Operation(method.upper(), path, item[method]))
    return list(tags.items())


def _kind(schema: Mapping[str, Any]) -> Markup:
    """Say what a schema takes, in a few words, with links to the schemas it names."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return Markup('<a href="#schema-{0}">{0}</a>').format(name)
    for word in ("oneOf", "anyOf"):
        if word in schema:
            return Markup(" or ").join(_kind(one) for one in schema[word])
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return Markup(", ").join(Markup("<code>{}</code>").format(_pretty(value)) for value in values)
    if schema.get("type") == "array":
        return Markup("list of {}").format(_kind(schema.get("items", {})))
    words = [str(schema.get("type", "anything"))]
    words += [str(schema[name]) for name in ("format",) if name in schema]
    words += [f"{_BOUNDS[name]} {schema[name]}" for name in _BOUNDS if name in schema]
    return escape(", ".join(words))


_BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "minLength": "characters at least",
    "maxLength": "characters at most",
    "minItems": "items at least",
    "maxItems": "items at most",
    "pattern": "of the form",
    "default": "default",
}


def _prose(text: str | None) -> Markup:
    """Turn the little Markdown that descriptions use into HTML: paragraphs, lists, and `code`."""
    blocks = []
    for block in (text or "").split("\n\n"):
        lines = block.split("\n")
        items = [line[2:] for line in lines if line.startswith("- ")]
        words = " ".join(line for line in lines if not line.startswith("- "))
        if words.strip():
            blocks.append(Markup("<p>{}</p>").format(_inline(words)))
        if items:
            listed = Markup("").join(Markup("<li>{}</li>").format(_inline(item)) for item in items)
            blocks.append(Markup("<ul>{}</ul>").format(listed))
    return Markup("").join(blocks)


def _inline(text: str) -> Markup:
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )


def _pretty(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
