"""The OpenAPI 3.1 document, completed from the routes' declarations.

Litestar gives paths and parameters. The parts that it cannot know are added here from the data on each handler. Each
part has a file of its own, named in the package.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from litestar import Litestar, Router
from litestar.connection import ASGIConnection
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import OpenAPIType
from litestar.openapi.spec import Schema as LitestarSchema
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

from vendorrisk.openapi.examples import add_examples
from vendorrisk.openapi.operations import complete, complete_open, types_of
from vendorrisk.openapi.parameters import HEADERS, shared
from vendorrisk.openapi.problem_responses import PROBLEM_SCHEMAS, problem_responses
from vendorrisk.openapi.schemas import Schema, schemas_of, tidy
from vendorrisk.openapi.webhook_docs import PARAMETERS, RESPONSES, Webhook, section

Document = dict[str, Any]

_DESCRIPTION = """\
Third-party risk management: vendors, evidence, findings and alerts.

Every response is JSON. Every refusal is a problem document (RFC 9457) with a stable `code`. A change names the version
it was meant for (`If-Match`). A POST may carry an `Idempotency-Key` and can then be repeated safely. Lists are pages
with cursors, and take `filter=field:operator:value` and `sort`.

Instants are RFC 3339 in UTC, dates ISO 8601, countries ISO 3166, currencies ISO 4217. An amount is a decimal in a text.

Requests are closed: a field or value that this document does not name is rejected. Responses are open: a later release
may add fields, codes and values. `x-extensible-enum` lists the values that are known today. A client that meets another
value keeps it as text.
"""


def _absent(_connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    raise NotFoundException


CONFIG = OpenAPIConfig(
    title="vendorrisk",
    version="1",
    # Litestar always serves pages of its own, which load scripts from elsewhere: here they are not found.
    openapi_router=Router("/_framework", route_handlers=[], guards=[_absent], include_in_schema=False),
    render_plugins=[],
)


class StructsLeftOut(OpenAPISchemaPlugin):
    """Keeps Litestar from making schemas of Structs: it takes most of a start, and `schemas` replaces them all."""

    @staticmethod
    def is_plugin_supported_type(value: Any) -> bool:
        return isinstance(value, type) and issubclass(value, msgspec.Struct)

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: Any) -> LitestarSchema:  # noqa: ARG002 - Litestar's own signature
        return LitestarSchema(type=OpenAPIType.OBJECT)


def document(app: Litestar, webhooks: Sequence[Webhook] = (), tags: Mapping[str, str] | None = None) -> Document:
    """Return the whole document. `webhooks` are the events sent to others, `tags` describes each group of routes."""
    made: Document = app.openapi_schema.to_schema()
    made["info"] = {
        "title": "vendorrisk",
        "version": "1",
        "description": _DESCRIPTION,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    made["servers"] = [{"url": "/", "description": "The server that serves this document."}]
    made["tags"] = [{"name": name, "description": words} for name, words in (tags or {}).items()]
    handlers = [found for found in _handlers(app) if found[1] in made["paths"].get(found[0], ())]
    types = [types_of(handler) for *_, handler in handlers]
    schemas = schemas_of((taken for taken, _ in types), [*(given for _, given in types), *(w.body for w in webhooks)])
    for (path, method, handler), (taken, given) in zip(handlers, types, strict=True):
        finish = complete if "permission" in handler.opt else complete_open
        finish(made["paths"][path][method], handler, method, schemas.taken.get(taken), schemas.given.get(given))
    add_examples(made)
    made["webhooks"] = section(webhooks, schemas.given)
    made["components"] = _components(made, schemas.components)
    return made


def _components(made: Document, schemas: Schema) -> Document:
    parameters = shared(made)
    left = _left(made, schemas, parameters)
    return {
        "schemas": dict(sorted({**left, **schemas, **PROBLEM_SCHEMAS}.items())),
        "parameters": {**PARAMETERS, **parameters},
        "headers": HEADERS,
        "responses": {**RESPONSES, **problem_responses()},
        "securitySchemes": {"api_key": {"type": "http", "scheme": "bearer", "description": "An API key: `vr_key_…`."}},
    }


def _handlers(app: Litestar) -> Iterable[tuple[str, str, Any]]:
    for route in app.routes:
        for method, (handler, _) in getattr(route, "route_handler_map", {}).items():
            yield route.path_format, method.lower(), handler


def _left(made: Document, ours: Schema, parameters: Schema) -> Schema:
    """Return the components that are used and not ours: those of parameters."""
    text = msgspec.json.encode([made["paths"], parameters]).decode()
    schemas = made["components"]["schemas"]
    return {n: tidy(s) for n, s in schemas.items() if n not in ours and f'"#/components/schemas/{n}"' in text}
