"""The OpenAPI 3.1 document, completed from what the routes declare.

Litestar gives paths, parameters and schemas. Added here, from the data on each handler: who may call it, the headers of
its promises, every refusal it can give with its codes, and examples.
"""

import copy
import gzip
import hashlib
import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, Router, get
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler
from litestar.openapi import OpenAPIConfig

from vendorrisk.access.permissions import GRANTS, Role
from vendorrisk.db.paging import MAX_FILTERS, ListOf
from vendorrisk.errors import Code
from vendorrisk.http import reference
from vendorrisk.http.multipart_file import MULTIPART
from vendorrisk.http.problems import MEDIA_TYPE, STATUS
from vendorrisk.http.routing import WRITES, Kind
from vendorrisk.http.schemas import Schema, field_names, has_version, schemas_of, shown_type, tidy
from vendorrisk.http.webhooks import PARAMETERS, RESPONSES, Webhook, section

Document = dict[str, Any]

_EVERY = [Code.CREDENTIALS_MISSING, Code.CREDENTIALS_INVALID, Code.PERMISSION_DENIED, Code.PARAMETER_INVALID]
_EVERY += [Code.RATE_LIMITED, Code.OVERLOADED, Code.DATABASE_UNAVAILABLE, Code.NOT_FOUND]
_BODY = [Code.BODY_MALFORMED, Code.BODY_INVALID, Code.BODY_TOO_LARGE, Code.MEDIA_TYPE_UNSUPPORTED, Code.TEXT_INVALID]
_MATCH = [Code.IF_MATCH_REQUIRED, Code.IF_MATCH_INVALID, Code.VERSION_STALE]
_KEY = [Code.IDEMPOTENCY_KEY_INVALID, Code.IDEMPOTENCY_KEY_REUSED]
_LIST = [Code.FILTER_INVALID, Code.SORT_INVALID, Code.CURSOR_INVALID]

_DESCRIPTION = """\
Third-party risk management: vendors, evidence, findings and alerts.

Every answer is JSON; every refusal is a problem document (RFC 9457) with a stable `code`. A change names the version it
was meant for (`If-Match`); a POST may carry an `Idempotency-Key` and can then be repeated safely. Lists are pages with
cursors, and take `filter=field:operator:value` and `sort`.

Instants are RFC 3339 in UTC, dates ISO 8601, countries ISO 3166, currencies ISO 4217; an amount is a decimal in a text.
What is read may grow: be ready for fields, codes and values of lists that this document does not name yet.
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


def document(app: Litestar, webhooks: Sequence[Webhook] = ()) -> Document:
    """Return the whole document, with what is sent to others."""
    made: Document = app.openapi_schema.to_schema()
    made["info"] = {
        "title": "vendorrisk",
        "version": "1",
        "description": _DESCRIPTION,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    made["servers"] = [{"url": "/"}]
    components = made.setdefault("components", {})
    components["securitySchemes"] = {
        "api_key": {"type": "http", "scheme": "bearer", "description": "An API key: `vr_key_…`."}
    }
    components |= {"headers": _HEADERS, "parameters": PARAMETERS, "responses": RESPONSES}
    types = [found for *_, handler in _handlers(app) for found in _types_of(handler) if found]
    shown, schemas = schemas_of([*types, *(one.body for one in webhooks)])
    for path, method, handler in _handlers(app):
        operation = made["paths"][path][method]
        _name(operation, handler.fn)
        _type(operation, [shown.get(found) for found in _types_of(handler)])
        _complete(operation, handler, method)
        operation["parameters"] = [_plain(parameter) for parameter in operation["parameters"]]
    made["webhooks"] = section(webhooks, shown)
    components["schemas"] = dict(sorted({**_left(made, schemas), **schemas, **_problem_schemas()}.items()))
    return made


class QueryParameter(msgspec.Struct, frozen=True):
    """What is taken of a query parameter: once or often, any text, or a whole number."""

    is_repeatable: bool
    is_text: bool
    is_number: bool


def query_names(made: Document) -> dict[tuple[str, str], dict[str, QueryParameter]]:
    """Return the query parameters that each (path template, method) knows."""
    return {
        (path, method.upper()): {
            p["name"]: QueryParameter(
                is_repeatable=p["schema"].get("type") == "array" and p.get("explode", True),
                is_number=p["schema"].get("type") == "integer",
                is_text=p["schema"].get("type") in {"string", "array"} and "format" not in p["schema"],
            )
            for p in operation.get("parameters", ())
            if p["in"] == "query"
        }
        for path, item in made["paths"].items()
        for method, operation in item.items()
    }


def field_lists(made: Document) -> dict[tuple[str, str], frozenset[str]]:
    """Return what `fields` may name at each (path template, method) that takes it."""
    return {
        (path, method.upper()): frozenset(parameter["schema"]["items"]["enum"])
        for path, item in made["paths"].items()
        for method, operation in item.items()
        for parameter in operation.get("parameters", ())
        if (parameter["in"], parameter["name"]) == ("query", "fields")
    }


def _handlers(app: Litestar) -> Iterable[tuple[str, str, Any]]:
    for route in app.routes:
        for method, (handler, _) in getattr(route, "route_handler_map", {}).items():
            if "permission" in handler.opt and method != "OPTIONS":
                yield route.path_format, method.lower(), handler


_SPELT = {"api": "API", "soc2": "SOC 2", "cuec": "CUEC", "cuecs": "CUECs", "kev": "KEV", "csv": "CSV"}


def _name(operation: Document, function: Any) -> None:
    """Name an operation after its handler, which is a verb and what it acts on."""
    operation["operationId"] = function.__name__
    words = [_SPELT.get(word, word) for word in function.__name__.split("_")]
    operation["summary"] = " ".join([words[0].capitalize(), *words[1:]])
    if function.__doc__:
        operation["description"] = inspect.cleandoc(function.__doc__)


def _types_of(handler: Any) -> tuple[Any, Any]:
    """Return what a handler takes as its body and what it gives."""
    body = handler.parsed_data_field
    taken = None if body is None or handler.opt["raw"] else shown_type(body.annotation)
    return taken, None if handler.opt["streams"] else shown_type(handler.parsed_fn_signature.return_type.annotation)


def _type(operation: Document, schemas: list[Schema | None]) -> None:
    """Put the schemas that are true in the place of Litestar's."""
    taken, given = schemas
    if taken is not None:
        operation["requestBody"]["content"]["application/json"]["schema"] = taken
    if given is not None:
        _success(operation["responses"])["content"]["application/json"]["schema"] = given


def _success(responses: Document) -> Document:
    found: Document = next(answer for status, answer in responses.items() if status.startswith("2"))
    return found


def _plain(parameter: Document) -> Document:
    """Leave out what is said by saying nothing, and null, which no parameter can be."""
    left_out = {"deprecated": False, "allowEmptyValue": False, "allowReserved": False}
    kept = {name: value for name, value in parameter.items() if left_out.get(name, ...) is not value}
    schema: Schema = tidy(kept["schema"])
    choices: list[Schema] = [choice for choice in schema.pop("oneOf", ()) if choice != {"type": "null"}]
    bounds = {name: int(value) for name, value in schema.items() if isinstance(value, float) and value.is_integer()}
    return {**kept, "schema": {**(choices[0] if choices else {}), **schema, **bounds}}


def _left(made: Document, ours: Schema) -> Schema:
    """Return the components that are used and not ours: those of the routes that need no credentials."""
    text = msgspec.json.encode(made["paths"]).decode()
    schemas = made["components"]["schemas"]
    return {n: tidy(s) for n, s in schemas.items() if n not in ours and f'"#/components/schemas/{n}"' in text}


def _complete(operation: Document, handler: Any, method: str) -> None:
    opt = handler.opt
    kind: Kind = opt["kind"]
    operation["security"] = [{"api_key": []}]
    operation["x-permission"] = opt["permission"].value
    operation["x-roles"] = [role.value for role in Role if opt["permission"] in GRANTS[role]]
    parameters = operation.setdefault("parameters", [])
    codes = [*_EVERY, *opt["refuses"]]
    if kind in WRITES:
        codes += _BODY
        parameters.append(_PREFER)
    elif (shown := _types_of(handler)[1]) is not None:
        parameters.append(_fields(field_names(shown)))
    if opt["match"]:
        codes += _MATCH
        parameters.append(_IF_MATCH)
    if method == "post":
        codes += _KEY
        parameters.append(_IDEMPOTENCY_KEY)
    if opt["of"] is not None:
        codes += _LIST
        _describe_list(parameters, opt["of"])
    _success(operation["responses"])["description"] = "A file." if opt["streams"] else _SUCCESSES[kind]
    _add_successes(operation["responses"], opt["also"], writes=kind in WRITES)
    _add_refusals(operation["responses"], codes)
    _add_promises(operation["responses"], handler)
    if opt["raw"]:
        binary = {"schema": {"type": "string", "format": "binary"}}
        content = {**dict.fromkeys(_types(opt["raw"]), binary), MULTIPART: {"schema": _FILE_PART}}
        operation["requestBody"] = {"required": True, "content": content}
    if opt["streams"]:
        file = {"schema": {"type": "string", "format": "binary"}}
        operation["responses"]["200"]["content"] = dict.fromkeys(opt["streams"], file)
    if opt["example"] is not None:
        operation["requestBody"]["content"]["application/json"]["example"] = opt["example"]


def _types(raw: str | Iterable[str]) -> Iterable[str]:
    """Return the media types a raw body may have; one that is told by its content is just bytes."""
    return ["application/octet-stream"] if isinstance(raw, str) else raw


def _add_successes(responses: Document, also: Iterable[int], *, writes: bool) -> None:
    first = _success(responses)
    if writes and "200" in responses:
        responses["204"] = {"description": "Done; no body, as `Prefer` asked."}
    for status in also:
        responses[str(status)] = copy.deepcopy(first) | {"description": "Taken; the work goes on after the answer."}


def _add_refusals(responses: Document, codes: Iterable[Code]) -> None:
    by_status: dict[int, dict[str, Code]] = {}
    for code in codes:
        by_status.setdefault(STATUS[code.kind], {})[code.code] = code
    responses.pop("400", None)
    for status, found in sorted(by_status.items()):
        lines = [f"- `{name}`: {code.title}." for name, code in sorted(found.items())]
        example = _example(status, next(iter(found.values())))
        responses[str(status)] = {
            "description": "\n".join(lines),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
        }
        if status in {429, 503}:
            responses[str(status)]["headers"] = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}


def _add_promises(responses: Document, handler: Any) -> None:
    given = _types_of(handler)[1]
    for status, response in responses.items():
        if not status.startswith("2"):
            continue
        headers = response.setdefault("headers", {})
        names = ["RateLimit", "RateLimit-Policy", "X-Request-Id"]
        names += ["ETag"] if has_version(given) or handler.opt["tagged"] else []
        names += ["Location"] if handler.opt["at"] is not None else []
        names += ["Link"] if handler.opt["kind"] is Kind.LIST else []
        headers.update({name: {"$ref": f"#/components/headers/{name}"} for name in names})


def _describe_list(parameters: list[Document], of: ListOf) -> None:
    filters = [f"- `{name}`: {', '.join(sorted(column.allows()))}" for name, column in sorted(of.columns.items())]
    sorts = [name for name, column in sorted(of.columns.items()) if column.sortable]
    words = {
        "filter": "`field:operator:value`; several must all hold. Fields and operators:\n" + "\n".join(filters),
        "sort": f"A leading `-` turns the order. Default `{of.default_sort}`.",
        "cursor": "`next` or `prev` of a page with the same filters and sort.",
        "limit": "How many to return at most.",
        "total": "Whether to count all that the filters leave; costs time on long lists.",
    }
    schemas = {
        "filter": {"type": "array", "maxItems": MAX_FILTERS, "items": {"type": "string"}},
        "sort": {"type": "string", "enum": [sign + name for name in sorts for sign in ("", "-")]},
        "cursor": {"type": "string"},
    }
    for parameter in parameters:
        if parameter["in"] == "query" and parameter["name"] in words:
            parameter["description"] = words[parameter["name"]]
            parameter["schema"] = schemas.get(parameter["name"], parameter["schema"])


def _example(status: int, code: Code) -> Document:
    return {
        "type": f"urn:vendorrisk:problem:{code.code}",
        "title": code.title,
        "status": status,
        "detail": "Says what to do.",
        "code": code.code,
        "request_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    }


def _problem_schemas() -> Document:
    fault = {
        "type": "object",
        "required": ["detail"],
        "properties": {
            "detail": {"type": "string"},
            "code": {"type": "string"},
            "pointer": {"type": "string", "description": "JSON pointer (RFC 6901) into the body"},
            "parameter": {"type": "string", "description": "the query parameter or header"},
        },
    }
    problem = {
        "type": "object",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "what to do"},
            "code": {"type": "string", "enum": sorted(code.code for code in Code)},
            "request_id": {"type": "string"},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
        },
    }
    return {"Problem": problem, "Fault": fault}


def _header(name: str, description: str, example: str, **schema: Any) -> Document:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string", **schema},
        "example": example,
    }


_SUCCESSES = {
    Kind.READ: "The record.",
    Kind.LIST: "A page of the list.",
    Kind.CREATE: "Made. Without a body where `Prefer` asked for none.",
    Kind.ACT: "Done.",
    Kind.CHANGE: "Changed.",
    Kind.REMOVE: "Removed.",
}

_FILE_PART: Schema = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "format": "binary", "description": "The one part, with a file name."}},
}

_PREFER = _header("Prefer", "`return=minimal` asks for no body (RFC 7240).", "return=minimal")
_IF_MATCH = {
    **_header("If-Match", "The ETag of the version that is changed.", '"1"', pattern='^"[0-9]{1,9}"$'),
    "required": True,
}
_IDEMPOTENCY_KEY = _header(
    "Idempotency-Key",
    "Makes a repetition safe for a day.",
    "8e03978e-40d5-43dd",
    pattern="^[!-~]{1,255}$",
)


def _fields(names: list[str]) -> Document:
    return {
        "name": "fields",
        "in": "query",
        "required": False,
        "description": "Comma-separated names of the fields to return.",
        "style": "form",
        "explode": False,
        "schema": {"type": "array", "minItems": 1, "items": {"type": "string", "enum": names}},
    }


_HEADERS: Document = {
    "ETag": {"schema": {"type": "string"}, "description": "The version, to be sent as If-Match with a change."},
    "Location": {"schema": {"type": "string"}, "description": "Where the new record is."},
    "Link": {"schema": {"type": "string"}, "description": "`next` and `prev` (RFC 8288)."},
    "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."},
    "RateLimit": {
        "schema": {"type": "string"},
        "description": "What is left: `r` requests, full again in `t` seconds.",
    },
    "RateLimit-Policy": {"schema": {"type": "string"}, "description": "The limit: `q` requests in `w` seconds."},
    "X-Request-Id": {"schema": {"type": "string"}, "description": "Name it when you ask the operator."},
}


@get("/openapi.json", include_in_schema=False, media_type="application/vnd.oai.openapi+json")
async def get_document(state: State) -> dict[str, Any]:
    made: Document = state.document
    return made


@get("/docs", include_in_schema=False, media_type="text/html")
async def get_reference(state: State, request: Request[Any, Any, Any]) -> Response[bytes]:
    """Serve the document as one page that needs no other host and no script; packed, and once, where that is taken."""
    page = _page(state)
    headers = {
        "content-security-policy": reference.POLICY,
        "cache-control": "no-cache",
        "vary": "accept-encoding",
        "etag": page.tag,
    }
    if request.headers.get("if-none-match") == page.tag:
        return Response(b"", status_code=304, media_type="text/html", headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(page.plain, media_type="text/html", headers=headers)
    packed = {**headers, "content-encoding": "gzip"}
    return Response(page.packed, media_type="text/html", headers=packed)


class RenderedPage(msgspec.Struct, frozen=True):
    plain: bytes
    packed: bytes
    tag: str


def _page(state: State) -> RenderedPage:
    """Render the page when it is first asked for: it is long, and the same until the next release."""
    if "page" not in state:
        plain = reference.page(state.document).encode()
        packed = gzip.compress(plain, mtime=0)
        state.page = RenderedPage(plain, packed, f'W/"{hashlib.sha256(plain).hexdigest()[:32]}"')
    made: RenderedPage = state.page
    return made


router = Router("/", route_handlers=[get_document, get_reference])
