"""Exceptions inside the application become problem documents here: ours, Litestar's and Postgres'."""

from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    SerializationException,
    ValidationException,
)
from msgspec import inspect

from vendorrisk.errors import Code, FieldError, Kind, Refusal
from vendorrisk.http import problems
from vendorrisk.http.outer_middleware import refused
from vendorrisk.http.query_parameters import resolved
from vendorrisk.value_checks import faults_of
from vendorrisk.value_words import wanted


def on_failure(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    refusal = _refusal_for(error, request)
    request.scope["refusal"] = refusal  # type: ignore[typeddict-unknown-key]  # our own key of the scope
    request.scope["noted"]["code"] = refusal.code.code  # type: ignore[typeddict-item]  # our own key of the scope
    problem = problems.problem_of(refusal, request.scope.get("request_id", ""))  # type: ignore[arg-type]  # as above
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        media_type=problems.MEDIA_TYPE,
        headers={**dict(problems.headers_of(refusal)), **_allow(error)},
    )


def on_replay(_request: Request[Any, Any, Any], _error: Exception) -> Response[bytes]:
    """Leave a handler whose request was done before. The request middleware sends the stored response."""
    return Response(b"", status_code=problems.STATUS[Kind.CONFLICT])


def _allow(error: Exception) -> dict[str, str]:
    """Return the Allow field that goes with 405 (RFC 9110, section 15.5.6)."""
    if not isinstance(error, MethodNotAllowedException):
        return {}
    named = (error.headers or {}).get("allow", "").split(", ")
    return {"allow": ", ".join(sorted({*named, *(["HEAD"] if "GET" in named else [])}))}


def _refusal_for(error: Exception, request: Request[Any, Any, Any]) -> Refusal:
    match error:
        case ValidationException() | SerializationException():
            return _invalid(error, request)
        case NotFoundException():
            return Refusal(Code.NOT_FOUND, "Check the address and the id.")
        case MethodNotAllowedException():
            return Refusal(Code.METHOD_NOT_ALLOWED, "See the API document for the methods of this address.")
        case HTTPException() if error.status_code < 500:  # noqa: PLR2004 - HTTP
            return Refusal(Code.PARAMETER_INVALID, "The request cannot be read. Compare it with the API document.")
    return refused(error)


def _invalid(error: Exception, request: Request[Any, Any, Any]) -> Refusal:
    """Return the errors of the parameters. A JSON body was checked before, by the request middleware."""
    extra = getattr(error, "extra", None)
    names = [str(row.get("key", "")) for row in extra if isinstance(row, dict)] if isinstance(extra, list) else []
    found = [_parameter_fault(name, request) for name in names] or _missing(request)
    return Refusal(Code.PARAMETER_INVALID, "Correct the parameters listed in `errors`.", errors=found)


def _parameter_fault(name: str, request: Request[Any, Any, Any]) -> FieldError:
    """Describe in our own words the error of a parameter that Litestar refused."""
    value: Any = request.path_params.get(name)
    named = _name_in_query(name, request)
    sent = request.query_params.getall(named, []) if value is None else [str(value)]
    schema = _types_of(request).get(name, Any)
    is_list = isinstance(_without_null(schema), inspect.CollectionType)
    detail = next(faults_of(sent if is_list else "".join(sent[:1]), schema, is_text=True)).detail
    return FieldError(detail, Code.PARAMETER_INVALID.code, parameter=named)


def _name_in_query(name: str, request: Request[Any, Any, Any]) -> str:
    """Return the name that a caller sends. It differs where Python has the word for itself, such as `from`."""
    field = request.route_handler.parsed_fn_signature.parameters.get(name)
    given = getattr(field.kwarg_definition, "name", None) if field is not None else None
    return given or name


def _types_of(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """Return the type of each parameter of the handler and of its dependencies."""
    handler = request.route_handler
    models = [handler.signature_model, *(one.signature_model for one in handler.resolve_dependencies().values())]
    return {field.name: field.type for model in reversed(models) for field in msgspec.structs.fields(model)}


def _without_null(schema: Any) -> inspect.Type:
    kind = inspect.type_info(schema)
    while isinstance(kind, inspect.Metadata | inspect.UnionType):
        kind = kind.type if isinstance(kind, inspect.Metadata) else kind.types[0]
    return kind


def _missing(request: Request[Any, Any, Any]) -> list[FieldError]:
    """Name the parameters that must be sent and were not."""
    document = request.app.state.document
    shown = document["paths"][request.scope["path_template"]][request.method.lower()]
    types = _types_of(request)
    return [
        FieldError(
            f"This parameter is required. Send {wanted(inspect.type_info(types.get(one['name'], str)))}.",
            Code.PARAMETER_INVALID.code,
            parameter=one["name"],
        )
        for one in (resolved(document, parameter) for parameter in shown.get("parameters", ()))
        if one["in"] == "query" and one.get("required") and one["name"] not in request.query_params
    ]
