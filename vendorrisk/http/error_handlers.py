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

from vendorrisk.errors import Code, Fault, Refusal
from vendorrisk.http import problems
from vendorrisk.http.outer_middleware import refused

_LONGEST = 200  # Litestar repeats what was sent


def on_failure(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    refusal = _refusal_for(error)
    request.scope["noted"]["code"] = refusal.code.code  # type: ignore[typeddict-item]  # our own key of the scope
    problem = problems.problem_of(refusal, request.scope.get("request_id", ""))  # type: ignore[arg-type]  # as above
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        media_type=problems.MEDIA_TYPE,
        headers={**dict(problems.headers_of(refusal)), **_allow(error)},
    )


def _allow(error: Exception) -> dict[str, str]:
    """Return the Allow field that goes with 405 (RFC 9110, section 15.5.6)."""
    if not isinstance(error, MethodNotAllowedException):
        return {}
    named = (error.headers or {}).get("allow", "").split(", ")
    return {"allow": ", ".join(sorted({*named, *(["HEAD"] if "GET" in named else [])}))}


def _refusal_for(error: Exception) -> Refusal:
    match error:
        case ValidationException() | SerializationException():
            return _invalid(error)
        case NotFoundException():
            return Refusal(Code.NOT_FOUND, "Check the address and the id.")
        case MethodNotAllowedException():
            return Refusal(Code.METHOD_NOT_ALLOWED, "See the API document for the methods of this address.")
        case HTTPException() if error.status_code < 500:  # noqa: PLR2004 - HTTP
            return Refusal(Code.PARAMETER_INVALID, str(error.detail)[:_LONGEST])
    return refused(error)


def _invalid(error: Exception) -> Refusal:
    """Say what is wrong with the parameters; a JSON body was checked before, by the exchange."""
    extra = getattr(error, "extra", None)
    rows = extra if isinstance(extra, list) else []
    found = [
        Fault(str(row.get("message", "not valid")), Code.PARAMETER_INVALID.code, parameter=str(row.get("key", "")))
        for row in rows
    ]
    return Refusal(Code.PARAMETER_INVALID, "Mend the parameters listed in `errors`.", errors=found)
