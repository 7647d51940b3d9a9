"""The document's refusals: problem responses as shared components, and the schemas of a problem.

An operation refers to the response of each status. If its codes are not the usual ones of that status, its own
description is added beside the reference, as OpenAPI 3.1 allows.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from vendorrisk.errors import Code, Kind
from vendorrisk.http.problems import MEDIA_TYPE, STATUS
from vendorrisk.http.routing import WRITES
from vendorrisk.openapi.schemas import Schema

_EVERY = [Code.CREDENTIALS_MISSING, Code.CREDENTIALS_INVALID, Code.PERMISSION_DENIED, Code.PARAMETER_INVALID]
_EVERY += [Code.RATE_LIMITED, Code.OVERLOADED, Code.DATABASE_UNAVAILABLE, Code.NOT_FOUND]
_EVERY += [Code.DATABASE_NOT_MIGRATED]
_BODY = [Code.BODY_MALFORMED, Code.BODY_INVALID, Code.BODY_TOO_LARGE, Code.MEDIA_TYPE_UNSUPPORTED, Code.TEXT_INVALID]
_MATCH = [Code.IF_MATCH_REQUIRED, Code.IF_MATCH_INVALID, Code.VERSION_STALE]
_KEY = [Code.IDEMPOTENCY_KEY_INVALID, Code.IDEMPOTENCY_KEY_REUSED]
_LIST = [Code.FILTER_INVALID, Code.SORT_INVALID, Code.CURSOR_INVALID]

_USUAL: Mapping[Kind, list[Code]] = {
    kind: [code for code in [*_EVERY, *_BODY, *_MATCH, *_KEY] if code.kind is kind] for kind in STATUS
}
"""The codes that the shared response of a kind names. An operation with others says which."""

_DEFAULT = "Default"


def add_refusals(responses: dict[str, Any], opt: Mapping[str, Any], method: str) -> None:
    """Add every refusal that an operation can give, by status."""
    by_kind: dict[Kind, set[Code]] = {}
    for code in _codes(opt, method):
        by_kind.setdefault(code.kind, set()).add(code)
    responses.pop("400", None)
    for kind, codes in sorted(by_kind.items(), key=lambda one: STATUS[one[0]]):
        shared: Schema = {"$ref": f"#/components/responses/{_name(kind)}"}
        own = {} if codes == set(_USUAL[kind]) else {"description": _description(codes)}
        responses[str(STATUS[kind])] = shared | own
    refer_to_default(responses)


def refer_to_default(responses: dict[str, Any]) -> None:
    """Return the default response: a problem document as well."""
    responses["default"] = {"$ref": f"#/components/responses/{_DEFAULT}"}


def problem_responses() -> Schema:
    """Return the components: one response for each kind of refusal, and one for any other."""
    kinds = sorted({code.kind for code in Code} & set(STATUS), key=lambda kind: STATUS[kind])
    made = {_name(kind): _response(kind) for kind in kinds}
    return {**made, _DEFAULT: _shown("Any other refusal, such as `internal` with status 500.", Code.INTERNAL)}


def _codes(opt: Mapping[str, Any], method: str) -> Iterable[Code]:
    yield from [*_EVERY, *opt["refuses"]]
    yield from _BODY if opt["kind"] in WRITES else ()
    yield from _MATCH if opt["match"] else ()
    yield from _KEY if method == "post" else ()
    yield from _LIST if opt["of"] is not None else ()


def _name(kind: Kind) -> str:
    return "".join(word.capitalize() for word in kind.value.split("_"))


def _description(codes: Iterable[Code]) -> str:
    return "\n".join(f"- `{code.code}`: {code.title}." for code in sorted(codes, key=lambda code: code.code))


def _response(kind: Kind) -> Schema:
    codes = _USUAL[kind] or [code for code in Code if code.kind is kind]
    made = _shown(_description(codes), codes[0])
    if STATUS[kind] in {429, 503}:
        made["headers"] = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    if kind is Kind.UNAUTHENTICATED:
        made["headers"] = {"WWW-Authenticate": {"$ref": "#/components/headers/WWW-Authenticate"}}
    return made


def _shown(description: str, code: Code) -> Schema:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema, "example": _example(code)}}}


def _example(code: Code) -> Schema:
    return {
        "type": f"urn:vendorrisk:problem:{code.code}",
        "title": code.title,
        "status": STATUS[code.kind],
        "detail": "Advice for the caller.",
        "code": code.code,
        "request_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    }


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", **more, "description": description}


PROBLEM_SCHEMAS: Schema = {
    "Problem": {
        "type": "object",
        "description": "A refusal (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": _text("The code as a URN.", format="uri"),
            "title": _text("The meaning of the code, the same at every occurrence."),
            "status": {"type": "integer", "description": "The HTTP status."},
            "detail": _text("What to do."),
            "code": {
                "$ref": "#/components/schemas/ProblemCode",
                "description": "Stable, for programs to branch on.",
            },
            "request_id": _text("Name it when you ask the operator. Missing before a request has an id."),
            "errors": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/FieldError"},
                "description": "One entry for each field or parameter. Missing if the refusal concerns none.",
            },
        },
    },
    "ProblemCode": {
        "type": "string",
        "description": "Why a request was refused.",
        "x-extensible-enum": sorted(code.code for code in Code),
    },
    "FieldError": {
        "type": "object",
        "description": "The error of one field or parameter.",
        "required": ["detail"],
        "properties": {
            "detail": _text("What to do."),
            "code": _text("Stable, such as `field_required`."),
            "pointer": _text("JSON pointer (RFC 6901) into the body."),
            "parameter": _text("The name of the query parameter or header."),
            "offset": {
                "type": "integer",
                "description": "Character of the text where the error stands, from 0. Missing if it has no such place.",
            },
        },
    },
}
