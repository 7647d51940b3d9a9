"""The OpenAPI document as one readable page: no script, no font, no picture, no other host.

The page shows the whole document: operations by tag, the permission of each, parameters, bodies, responses, refusals
with their codes, examples, and the schemas, linked where they are used. The style is inline and allowed by its hash
alone.
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

from vendorrisk.http.query_parameters import resolved
from vendorrisk.openapi import docs_page_examples as examples
from vendorrisk.openapi.docs_page_examples import Operation

_HERE = Path(__file__).parent
_STYLE = (_HERE / "docs_page.css").read_text(encoding="utf-8")
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

POLICY = (
    f"default-src 'none'; img-src data:; style-src 'sha256-{_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_METHODS = ("get", "post", "put", "patch", "delete")


def page(document: Mapping[str, Any]) -> str:
    """Render the document. Everything in it is escaped, by any author."""
    made: str = _template().render(
        document=document,
        tags=_by_tag(document),
        webhooks=document.get("webhooks", {}),
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
    environment.filters.update(
        kind=_kind,
        prose=_prose,
        compact=_compact,
        pretty=examples.pretty,
        curl=examples.curl,
        samples=examples.response_examples,
        target=examples.target,
    )
    return environment.get_template("docs_page.html")


def _by_tag(document: Mapping[str, Any]) -> list[tuple[str, list[Operation]]]:
    tags: dict[str, list[Operation]] = {}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                tag = item[method].get("tags", ["Other"])[0]
                tags.setdefault(tag, []).append(Operation(method.upper(), path, _whole(document, item[method])))
    return list(tags.items())


def _whole(document: Mapping[str, Any], shown: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an operation with its shared parts put in place."""
    parameters = [resolved(document, one) for one in shown.get("parameters", ())]
    responses = {status: resolved(document, one) for status, one in shown["responses"].items()}
    return {**shown, "parameters": parameters, "responses": responses}


def _kind(schema: Mapping[str, Any]) -> Markup:
    """Describe a schema in a few words, with links to the schemas it names."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return Markup('<a href="#schema-{0}">{0}</a>').format(name)
    for word in ("oneOf", "anyOf"):
        if word in schema:
            return Markup(" or ").join(_kind(one) for one in schema[word])
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return Markup(" | ").join(Markup("<code>{}</code>").format(value) for value in values)
    if "x-extensible-enum" in schema:
        known = Markup(", ").join(Markup("<code>{}</code>").format(value) for value in schema["x-extensible-enum"])
        return Markup("string, known values {}").format(known)
    types = schema.get("type", "anything")
    types = types if isinstance(types, list) else [types]
    if "array" in types:
        count = _bounds(schema, "minItems", "maxItems", " of them")
        last = (" or null" if "null" in types else "") + (f", {count}" if count else "")
        return Markup("list of {}{}").format(_kind(schema.get("items", {})), last)
    words = [" or ".join(str(name) for name in types)]
    words += [str(schema[name]) for name in ("format",) if name in schema]
    words += [text for names in _BOUNDS if (text := _bounds(schema, *names))]
    words += [f"of the form {schema['pattern']}"] if "pattern" in schema else []
    words += [f"default {_compact(schema['default'])}"] if schema.get("default") is not None else []
    return escape(", ".join(words))


_BOUNDS = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
)


def _bounds(schema: Mapping[str, Any], lowest: str, highest: str, unit: str) -> str:
    """Return the range of a value."""
    low, high = schema.get(lowest), schema.get(highest)
    if low is not None and high is not None:
        return f"{low} to {high}{unit}"
    if high is not None:
        return f"at most {high}{unit}"
    return "" if low is None else f"at least {low}{unit}"


_MANY = 6
_FOLDED = Markup('<details><summary>Show all</summary><ul class="fields">{}</ul></details>')


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
            blocks.append((_FOLDED if len(items) > _MANY else Markup("<ul>{}</ul>")).format(listed))
    return Markup("").join(blocks)


def _inline(text: str) -> Markup:
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )


def _compact(value: object) -> str:
    return msgspec.json.encode(value).decode()
