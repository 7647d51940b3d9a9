"""Refusals as problem documents (RFC 9457). The only file that knows HTTP statuses."""

from collections.abc import Mapping

import msgspec

from vendorrisk.errors import Code, FieldError, Kind, Refusal

STATUS: Mapping[Kind, int] = {
    Kind.MALFORMED: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.METHOD: 405,
    Kind.NOT_ACCEPTABLE: 406,
    Kind.CONFLICT: 409,
    Kind.STALE: 412,
    Kind.TOO_LARGE: 413,
    Kind.MEDIA_TYPE: 415,
    Kind.INVALID: 422,
    Kind.PRECONDITION: 428,
    Kind.TOO_MANY: 429,
    Kind.HEADERS_TOO_LARGE: 431,
    Kind.INTERNAL: 500,
    Kind.UNAVAILABLE: 503,
}

MEDIA_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem document. `type` is stable and names the code. `detail` says what to do."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str = ""
    errors: tuple[FieldError, ...] = ()


def problem_of(refusal: Refusal, request_id: str = "") -> Problem:
    code = refusal.code
    return Problem(
        type=f"urn:vendorrisk:problem:{code.code}",
        title=code.title,
        status=STATUS[code.kind],
        detail=refusal.detail,
        code=code.code,
        request_id=request_id,
        errors=refusal.errors,
    )


def headers_of(refusal: Refusal) -> list[tuple[str, str]]:
    """Return the further headers of a refusal, without its content type."""
    headers = []
    if refusal.retry_after_seconds is not None:
        headers.append(("retry-after", str(refusal.retry_after_seconds)))
    if refusal.code.kind is Kind.UNAUTHENTICATED:
        headers.append(("www-authenticate", 'Bearer realm="vendorrisk"'))
    return headers


def internal() -> Refusal:
    return Refusal(Code.INTERNAL, "Nothing was changed. Tell the operator the request id.")
