"""Sends generated requests to the application in this process, and says of every response whether it keeps its word.

Schemathesis makes the requests and holds the answers to the document; `Fuzz` puts the ids of things that exist and the
version of the record into what would otherwise end at 404 or 412, and adds what schemathesis cannot know: refusals are
problem documents whose code the operation declares, and a body that fits its schema is not refused for its form.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
import schemathesis
from anyio import from_thread
from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict
from schemathesis.config import SanitizationConfig
from schemathesis.core import NOT_SET
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transport import Response
from schemathesis.specs.openapi import checks
from schemathesis.transport.prepare import prepare_request

from tests.http.make import chunk, send_raw
from tests.whole.surface import Operation, unopened_app
from tests.whole.things import MAKERS, Known, Things
from vendorrisk.app import Api
from vendorrisk.errors import Code

CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.missing_required_header,
    checks.unsupported_method,
    checks.allow_header_conformance,
]
_OF_ANOTHER_METHOD = [checks.unsupported_method, checks.allow_header_conformance]
_OF_LESS = [checks.status_code_conformance, checks.response_headers_conformance, checks.negative_data_rejection]
ABOUT_FORM = {"body_malformed", "body_invalid", "parameter_invalid", "sort_invalid", "media_type_unsupported"}
"""Codes that a request which fits the document never gets."""

_AS_IT_IS = SanitizationConfig(enabled=False)
_ONE_IN = 20
_UNDECLARED = {"method_not_allowed"}
_CODES = {code.code for code in Code}
_SHORT = 500


@schemathesis.serializer("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "text/csv")
def _as_bytes(_context: Any, value: Any) -> bytes | None:
    return value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else repr(value).encode()


@cache
def schema() -> Any:
    """Return the document as schemathesis reads it."""
    config = schemathesis.Config.from_dict(
        {
            "generation": {"with-security-parameters": False},
            "checks": {
                "negative_data_rejection": {
                    "expected-statuses": ["400", "404", "405", "412", "413", "415", "422", "428"]
                },
                "missing_required_header": {"expected-statuses": ["428"]},
            },
        }
    )
    made = msgspec.json.decode(msgspec.json.encode(unopened_app().litestar.state.document))
    return schemathesis.openapi.from_dict(made, config=config)


class Fuzz:
    """Sends cases to one tenant; lives on a worker thread, while the application lives on the event loop."""

    def __init__(self, api: Api, things: Things) -> None:
        self.api, self.things = api, things
        self.key = things.company.key.secret
        self.statuses: Counter[int] = Counter()
        self.faults: dict[tuple[str, str], str] = {}
        self._known: dict[str, Known] = {}
        self._ids: Known = {}
        self._etags: dict[str, str] = {}

    @property
    def sent(self) -> int:
        return self.statuses.total()

    def probe(self, operation: Operation, case: Any) -> None:
        """Send one case, made real, and note every fault of its response."""
        form = self._make_real(operation, case)
        response = self._call(case)
        if response is None:
            return
        self._evaluate(operation, case, response)
        # A made file has a media type, an ending and a content by chance, and a multipart body tells of its part alone.
        of_chance = {"media_type_unsupported", "body_malformed"} if operation.raw else set()
        if form and response.status_code >= 400 and response.json().get("code") in ABOUT_FORM - of_chance:
            self._note(operation.name, f"refused though it fits: {_told(response)}", response)
        if operation.writes and response.status_code in {200, 201, 202, 204, 404, 409, 412}:
            self._forget(operation)

    def send(
        self,
        operation: Operation,
        place: str,
        *,
        query: str = "",
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Response:
        """Send what no case can say, and hold the response to the document."""
        request = PreparedRequest()
        request.method, request.body = operation.method, body
        request.url = f"http://testserver{place}" + (f"?{query}" if query else "")
        request.headers = CaseInsensitiveDict(headers)
        response = self._send(request, self.key)
        named = dict.fromkeys(operation.parameters, "x")
        self._evaluate(operation, schema_operation(operation).Case(path_parameters=named), response)
        if operation.writes:
            self._forget(operation)
        return response

    def example(self, operation: Operation) -> Any:
        """Return a body that is accepted, with the ids of things that exist."""
        return self._with_ids(operation.example)

    def place(self, operation: Operation) -> str:
        return operation.path.format(**self.known(operation))

    def known(self, operation: Operation) -> Known:
        if operation.name not in self._known:
            self._known[operation.name] = from_thread.run(self.things.known_for, operation)
        return self._known[operation.name]

    def etag(self, operation: Operation) -> str:
        """Return the version of the record that the operation changes; a record that is gone is made anew."""
        if operation.name not in self._etags:
            try:
                self._etags[operation.name] = from_thread.run(self.things.etag, self.place(operation))
            except AssertionError:
                self._known.pop(operation.name)
                self._etags[operation.name] = from_thread.run(self.things.etag, self.place(operation))
        return self._etags[operation.name]

    def _forget(self, operation: Operation) -> None:
        self._etags.pop(operation.name, None)
        if operation.method in {"DELETE", "POST"}:
            self._known.pop(operation.name, None)

    def _make_real(self, operation: Operation, case: Any) -> bool:
        """Put real ids and versions where the case is sound; say whether the whole case fits the document."""
        parts = case.meta.components
        sound = case.meta.generation.mode.is_positive and not _has_own_form(case)
        if operation.match and not _spoilt(parts, ParameterLocation.HEADER):
            case.headers["If-Match"] = self.etag(operation)
        if operation.parameters and not _spoilt(parts, ParameterLocation.PATH):
            case.path_parameters = dict(self.known(operation))
        if case.body is not NOT_SET and not _spoilt(parts, ParameterLocation.BODY):
            case.body = self._with_ids(case.body)
        return sound

    def _with_ids(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._with_ids(item) for item in value]
        if isinstance(value, dict):
            return {key: self._id_for(key, item) for key, item in value.items()}
        # JSON Schema takes 4.0 for a whole number; we do not.
        return int(value) if isinstance(value, float) and value.is_integer() else value

    def _id_for(self, key: str, item: Any) -> Any:
        maker = MAKERS.get(re.sub(r"^(business|security)_owner", "member", key))
        if maker is None or not isinstance(item, str):
            return self._with_ids(item)
        if key not in self._ids:
            self._ids[key] = str(from_thread.run(maker, self.things, {}))
        return self._ids[key]

    def _call(self, case: Any) -> Response | None:
        try:
            request = prepare_request(case, {}, config=_AS_IT_IS)
        except (UnicodeError, ValueError):  # a header that no client can put on the wire
            return None
        if self.sent % _ONE_IN == 0:
            self._knock(case.operation.label, request)
        return self._send(request, self.key)

    def _knock(self, name: str, request: PreparedRequest) -> None:
        """Send a request without credentials: whatever is wrong with it besides, that comes first."""
        response = self._send(request, None)
        if response.status_code not in {401, 404, 405} and request.method != "OPTIONS":
            self._note(name, f"answered {response.status_code} without credentials", response)

    def _send(self, request: PreparedRequest, key: str | None) -> Response:
        url = request.path_url
        headers = [(k, v) for k, v in request.headers.items() if isinstance(v, str)]
        headers += [("authorization", f"Bearer {key}")] if key else []
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        raw = from_thread.run(self._raw, request.method, url, headers, body)
        self.statuses[raw.status] += 1
        return Response(
            status_code=raw.status,
            headers={name: [value] for name, value in raw.headers.items()},
            content=raw.body,
            request=request,
            elapsed=0.0,
            verify=False,
            encoding="utf-8",
        )

    async def _raw(self, method: str, url: str, headers: list[tuple[str, str]], body: bytes) -> Any:
        return await send_raw(self.api, method, url, headers, [chunk(body)])

    def _evaluate(self, operation: Operation, case: Any, response: Response) -> None:
        if response.status_code >= 500:
            self._note(operation.name, f"failed: {response.status_code}", response)
            return
        other_method = case.method.upper() != operation.method
        wanted = _OF_ANOTHER_METHOD if other_method else _OF_LESS if _lacks_fields(response) else CHECKS
        # Any bytes are bytes: what a file may not hold is the reader's to say. An item of many fails alone.
        if operation.raw or operation.is_bulk:
            wanted = [check for check in wanted if check is not checks.negative_data_rejection]
        try:
            case.validate_response(response, checks=wanted)
        except FailureGroup as group:
            for failure in group.exceptions:
                self._note(operation.name, _title(failure), response)
        if response.status_code >= 400 and (wrong := _wrong_problem(operation, response)):
            self._note(operation.name, wrong, response)

    def _note(self, name: str, fault: str, response: Response) -> None:
        request = response.request
        parts = (request.path_url, request.body, dict(request.headers))
        sent = " ".join([str(request.method), *(str(part)[:_SHORT] for part in parts)])
        self.faults.setdefault(
            (name, fault), f"{name}: {fault}\n    {sent}\n    {response.status_code} {_told(response)}"
        )


def schema_operation(operation: Operation) -> Any:
    return schema()[operation.path][operation.method]


def _has_own_form(case: Any) -> bool:
    """Say whether a case holds what the document tells in words only: readable text, and `map=heading:field`."""
    return "map" in case.query or not _is_readable([case.query, case.body])


def _is_readable(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_readable(item) for item in value.values())
    if isinstance(value, list):
        return all(_is_readable(item) for item in value)
    return not isinstance(value, str) or value.isprintable()


def _spoilt(parts: Any, place: ParameterLocation) -> bool:
    return place in parts and parts[place].mode.is_negative


def _lacks_fields(response: Response) -> bool:
    """Say whether the caller asked for less than the schema promises: no body, or some fields."""
    return "fields=" in response.request.path_url or ("preference-applied" in response.headers and not response.content)


def _told(response: Response) -> str:
    return re.sub(r'"request_id":"[0-9a-f]*"', "", response.text_lossy())[:_SHORT]


def _title(failure: Failure | Exception) -> str:
    return str(failure)[:_SHORT]


def _wrong_problem(operation: Operation, response: Response) -> str | None:
    """Say how a refusal is no problem document of ours: RFC 9457, and a code that the operation declares."""
    if response.headers.get("content-type") != ["application/problem+json"]:
        return "refused without a problem document"
    problem = response.json()
    code = problem.get("code")
    if code not in _CODES or problem.get("status") != response.status_code:
        return f"refused with a strange problem: {code}"
    if problem["type"] != f"urn:vendorrisk:problem:{code}" or not problem.get("detail"):
        return "refused with a problem that lacks its type or detail"
    declared = operation.document["responses"].get(str(response.status_code), {}).get("description", "")
    if code not in _UNDECLARED and f"`{code}`" not in declared:
        return f"refused with the undeclared code {code}"
    return None
