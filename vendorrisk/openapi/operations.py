"""The document's operations: name, permission, bodies, and the successes with their headers."""

import copy
import inspect
from collections.abc import Iterable
from typing import Any

from vendorrisk.access.permissions import GRANTS, Role
from vendorrisk.http.multipart_file import MULTIPART
from vendorrisk.http.routing import WRITES, Kind
from vendorrisk.openapi.parameters import add_parameters
from vendorrisk.openapi.problem_responses import add_refusals, refer_to_default
from vendorrisk.openapi.schemas import Schema, has_version, shown_type

Operation = dict[str, Any]

_SPELT = {"api": "API", "soc2": "SOC 2", "cuec": "CUEC", "cuecs": "CUECs", "kev": "KEV", "csv": "CSV"}

_SUCCESSES = {
    Kind.READ: "The record.",
    Kind.LIST: "A page of the list.",
    Kind.CREATE: "Created.",
    Kind.ACT: "Done.",
    Kind.CHANGE: "Changed.",
    Kind.REMOVE: "Removed.",
}

EMPTY = "With `Prefer: return=minimal` the body is empty, and has no content type."

_ALSO = {201: "Created.", 202: "Accepted. The work goes on afterwards."}

_BINARY: Schema = {"schema": {"type": "string", "format": "binary"}}
_ANY_FILE, _JSON = "application/octet-stream", "application/json"


def types_of(handler: Any) -> tuple[Any, Any]:
    """Return the type of a handler's body and of its response, each None if it is not JSON of ours."""
    body = handler.parsed_data_field
    own = handler.opt.get("body")
    taken = own or (None if body is None or handler.opt.get("raw") else shown_type(body.annotation))
    given = None if handler.opt.get("streams") else shown_type(handler.parsed_fn_signature.return_type.annotation)
    return taken, given


def complete(operation: Operation, handler: Any, method: str, taken: Schema | None, given: Schema | None) -> None:
    """Complete an operation that needs credentials."""
    opt = handler.opt
    _name(operation, handler.fn)
    _put_schemas(operation, taken, given)
    operation["security"] = [{"api_key": []}]
    operation["x-permission"] = opt["permission"].value
    operation["x-roles"] = [role.value for role in Role if opt["permission"] in GRANTS[role]]
    add_parameters(operation, opt, method, types_of(handler)[1])
    responses = operation["responses"]
    success(responses)["description"] = "A file." if opt["streams"] else _SUCCESSES[opt["kind"]]
    if opt["streams"]:
        responses["200"]["content"] = _files(opt["streams"])
    _add_successes(responses, opt["also"], writes=opt["kind"] in WRITES and opt["kind"] is not Kind.REMOVE)
    _add_headers(responses, handler, method)
    add_refusals(responses, opt, method)
    if opt["raw"]:
        operation["requestBody"] = {"required": True, "content": _raw_content(opt)}
    if opt["example"] is not None:
        operation["requestBody"]["content"]["application/json"]["example"] = opt["example"]


def complete_open(operation: Operation, handler: Any, _method: str, taken: Schema | None, given: Schema | None) -> None:
    """Complete an operation that anybody may call."""
    operation.pop("deprecated", None)
    operation["description"] = inspect.cleandoc(handler.fn.__doc__ or "")
    operation["security"] = []
    _put_schemas(operation, taken, given)
    responses = operation["responses"]
    success(responses)["description"] = "Able to serve."
    for status in handler.opt.get("also", ()):
        responses[str(status)] = copy.deepcopy(success(responses)) | {"description": "Not able to serve."}
    refer_to_default(responses)


def success(responses: dict[str, Any]) -> dict[str, Any]:
    """Return the first response of success."""
    found: dict[str, Any] = next(response for status, response in responses.items() if status.startswith("2"))
    return found


def _name(operation: Operation, function: Any) -> None:
    """Name an operation after its handler, which is a verb and its object."""
    operation["operationId"] = function.__name__
    words = [_SPELT.get(word, word) for word in function.__name__.split("_")]
    operation["summary"] = " ".join([words[0].capitalize(), *words[1:]])
    if function.__doc__:
        operation["description"] = inspect.cleandoc(function.__doc__)


def _put_schemas(operation: Operation, taken: Schema | None, given: Schema | None) -> None:
    """Replace Litestar's schemas by the true ones."""
    if taken is not None:
        operation["requestBody"]["content"]["application/json"]["schema"] = taken
    if given is not None:
        success(operation["responses"])["content"]["application/json"]["schema"] = given


def _files(types: Iterable[str]) -> Schema:
    """Return the content of a file. A tool that takes the first media type of a binary one then reads bytes."""
    kinds = list(types)
    if _JSON in kinds:
        return {kind: {"schema": _JSON_DOCUMENT} if kind == _JSON else _BINARY for kind in kinds}
    return dict.fromkeys([_ANY_FILE, *(kind for kind in kinds if kind != _ANY_FILE)], _BINARY)


def _raw_content(opt: Any) -> Schema:
    """Return the content of a body that the handler reads itself. JSON has the shape of the example."""
    raw, example = opt["raw"], opt["file_example"]
    json = _JSON_DOCUMENT if isinstance(opt["example"], dict) else _JSON_ROWS
    if isinstance(raw, str):
        made = _files(())
    elif _JSON in raw:
        made = {kind: {"schema": json} if kind == _JSON else _BINARY for kind in sorted(raw)}
    else:
        made = _files(raw)
    # The example also stands at the type that says nothing: it comes first, so tools that send one type send that.
    shown = {kind: {**made[kind], "example": example} for kind in (_ANY_FILE, "text/csv") if kind in made}
    part = {"schema": _FILE_PART, "encoding": {"file": {"contentType": ", ".join(made)}}}
    return {**made, **shown, MULTIPART: part}


_FILE_PART: Schema = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "format": "binary", "description": "The one part, with a file name."}},
}


_JSON_ROWS: Schema = {"type": "array", "items": {"type": "object", "additionalProperties": True}}
_JSON_DOCUMENT: Schema = {"type": "object", "additionalProperties": True}


def _add_successes(responses: dict[str, Any], also: Iterable[int], *, writes: bool) -> None:
    first = success(responses)
    if writes and "200" in responses:
        responses["204"] = {"description": "Done. The body is empty, as `Prefer: return=minimal` asked."}
    for status in also:
        responses[str(status)] = copy.deepcopy(first) | {"description": _ALSO[status]}
    for code in ({"201", "202"} & set(responses)) if writes else ():
        responses[code]["description"] += f" {EMPTY}"


def _add_headers(responses: dict[str, Any], handler: Any, method: str) -> None:
    given, kind = types_of(handler)[1], handler.opt["kind"]
    names = ["RateLimit", "RateLimit-Policy", "X-Request-Id"]
    names += ["ETag"] if has_version(given) or handler.opt["tagged"] else []
    names += ["Location"] if handler.opt["at"] is not None else []
    names += ["Link"] if kind is Kind.LIST else []
    names += ["Preference-Applied"] if kind in WRITES and kind is not Kind.REMOVE else []
    names += ["Idempotency-Replayed"] if method == "post" else []
    for status, response in responses.items():
        if status.startswith("2"):
            response.setdefault("headers", {}).update(
                {name: {"$ref": f"#/components/headers/{name}"} for name in names}
            )
