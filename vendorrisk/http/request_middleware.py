"""One API request, from credentials to commit.

In this order, so that nothing is learnt or done too early: credentials (401), rate limit (429), permission (403), the
headers a write needs (428, 400), the body (413, 415, 400), then one transaction. The response of a write is held back
until the transaction has committed. A refusal or failure rolls everything back. Where an Idempotency-Key was sent, the
response is stored in the same transaction, and a repetition gets the same response.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import msgspec
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from vendorrisk.access.model import Actor, permit
from vendorrisk.access.work import Work
from vendorrisk.db.connection import Connection
from vendorrisk.db.constraints import TakenRefusal, naming_holder
from vendorrisk.errors import Code, Refusal
from vendorrisk.errors import Kind as RefusalKind
from vendorrisk.http import idempotency
from vendorrisk.http.app_state import Service
from vendorrisk.http.client_address import client_address
from vendorrisk.http.headers import expected_version, idempotency_key, joined, wants_minimal
from vendorrisk.http.json_bodies import check_fit, check_json
from vendorrisk.http.outer_middleware import refused, send_refusal
from vendorrisk.http.problems import problem_of
from vendorrisk.http.query_parameters import QueryParameter
from vendorrisk.http.rate_limits import Limiter
from vendorrisk.http.routing import WRITES, Kind
from vendorrisk.http.sparse_responses import kept_fields, wanted_fields

_BODY_SECONDS = 30
_SLOWEST_BYTES_PER_SECOND = 64 * 1024
_WHOLE = re.compile("[+-]?[0-9]{1,19}")
_LENGTH = re.compile("[0-9]{1,100}")
_JSON = {"application/json"}
_PATCH = {"application/json", "application/merge-patch+json"}


class HeldResponse(msgspec.Struct):
    """A response that is held back."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = msgspec.field(default_factory=list)
    body: bytes = b""

    def replace_body(self, body: bytes) -> None:
        self.headers = [(k, v) for k, v in self.headers if k != b"content-length"]
        self.headers.append((b"content-length", str(len(body)).encode()))
        self.body = body


class RequestContext:
    """The state of one request. Handlers reach it through `http.dependencies`."""

    def __init__(self, service: Service, scope: Any) -> None:
        self.service = service
        self.scope = scope
        self.opt: dict[str, Any] = scope["route_handler"].opt
        self.kind: Kind = self.opt["kind"]
        self.takes = scope["route_handler"].parsed_data_field
        self.headers = joined(scope["headers"])
        self.expected_version = 0
        self.body = b""
        self.value: object = None
        self.key: str | None = None
        self.actor: Actor
        self.work: Work

    @property
    def writes(self) -> bool:
        return self.kind in WRITES

    @property
    def streams(self) -> bool:
        """Whether the response goes out while the handler still reads: files and exports."""
        return not self.writes and bool(self.opt["streams"])

    async def admit(self) -> None:
        """Check everything that can be checked before the body is read."""
        self.actor = await self._authenticate()
        tenant, actor = str(self.actor.tenant.id), str(self.actor.id)
        self.scope["noted"].update(tenant=tenant, actor=actor)
        self._charge(self.service.per_key, actor)
        self._charge(self.service.per_tenant, tenant)
        permit(self.actor, self.opt["permission"])
        if self.opt["match"]:
            self.expected_version = expected_version(self.headers.get("if-match"))
        if self.scope["method"] == "POST":
            self.key = idempotency_key(self.headers.get("idempotency-key"))
        _check_parameters(self.scope)

    async def _authenticate(self) -> Actor:
        try:
            return await self.service.authenticate(self.headers.get("authorization"), self.service.clock())
        except Refusal as refusal:
            if refusal.code.kind is RefusalKind.UNAUTHENTICATED:
                # Guessing is slowed for the address it comes from. A key that is in order is never slowed by it.
                address = client_address(self.scope, self.headers, self.service.settings)
                self.scope["noted"].update(refusal.noted, address=address)
                self._charge(self.service.per_address, address)
            raise

    def _charge(self, limiter: Limiter, key: str) -> None:
        allowance = limiter.take(key)
        self.scope["extra_headers"].extend(allowance.headers())
        allowance.check()

    async def take_body(self, receive: Receive) -> None:
        """Read and check a JSON body. A raw one is left to the handler, within its own limit."""
        self.body = await _read(receive, self.service.settings.body_max_bytes, self.headers)
        if not self.body:
            if self.takes is not None:
                raise Refusal(Code.BODY_INVALID, "Send a JSON body.")
            return
        media, _, parameters = self.headers.get("content-type", "").partition(";")
        accepted = _PATCH if self.scope["method"] == "PATCH" else _JSON
        if media.strip().lower() not in accepted:
            raise _media(f"Send the body as {' or '.join(sorted(accepted))}.")
        charset = parameters.lower().partition("charset=")[2].strip('" ')
        if charset not in {"", "utf-8", "utf8"}:
            raise _media("Send the body in UTF-8.")
        self.value = check_json(self.body)
        if self.takes is not None:
            check_fit(self.value, self.takes.annotation)

    async def take_file(self, receive: Receive) -> Receive:
        """Return the `receive` of a raw body. Under an Idempotency-Key it is read first, so that another file shows."""
        _check_unpacked(self.headers)
        if self.key is None:
            return _hurried(receive)
        self.body = await _read(receive, self.service.settings.import_max_bytes, self.headers)
        return _replay(self.body)

    def fingerprint(self) -> bytes:
        """Return a digest that distinguishes this request from another with the same Idempotency-Key."""
        parts = [self.scope["method"].encode(), self.scope["path"].encode(), self.scope["query_string"], self.body]
        return hashlib.sha256(b"\x00".join(hashlib.sha256(p).digest() for p in parts)).digest()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        async with self.service.database.reading(self.actor.tenant.id) as connection:
            self.begin(connection)
            yield

    def begin(self, connection: Connection) -> None:
        self.work = Work(
            db=connection,
            by=permit(self.actor, self.opt["permission"]),
            now=self.service.clock(),
            request_id=self.scope["request_id"],
            cursor_secrets=self.service.cursor_secrets,
        )


class RequestMiddleware(ASGIMiddleware):
    """Wraps each handler that declares a permission. Others (health, documents) pass untouched."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if scope["method"] == "OPTIONS":  # type: ignore[typeddict-item]  # a key of HTTP scopes
            await _send(_allowed(scope), send)
            return
        if "permission" not in scope["route_handler"].opt:
            await next_app(scope, receive, send)
            return
        context = RequestContext(scope["service"], scope)  # type: ignore[typeddict-item]  # our own key
        scope["request_context"] = context  # type: ignore[typeddict-unknown-key]  # our own key
        if context.streams:
            await context.admit()
            async with context.reading():
                await next_app(scope, receive, send)
            return
        try:
            await context.admit()
            response = await (_write if context.writes else _read_only)(context, scope, receive, next_app)
        except Exception as error:  # noqa: BLE001 - Litestar takes a response that was held back for one that was sent
            await send_refusal(refused(error), scope, send)
            return
        await _send(response, send)


def _allowed(scope: Any) -> HeldResponse:
    """Name every method of an address: Litestar's own response knows those of one handler only."""
    item = scope["litestar_app"].state.document["paths"].get(scope["path_template"], {"get": {}})
    allow = ", ".join(sorted({"OPTIONS", *(["HEAD"] if "get" in item else []), *(m.upper() for m in item)}))
    return HeldResponse(204, [(b"allow", allow.encode())])


async def _read_only(context: RequestContext, scope: Any, receive: Receive, next_app: ASGIApp) -> HeldResponse:
    """Read, and give the connection back before a slow caller takes the response."""
    response, fields = HeldResponse(), wanted_fields(scope)
    async with context.reading():
        await next_app(scope, receive, _hold(response))
    if response.status == 200 and fields is not None:  # noqa: PLR2004 - HTTP
        response.replace_body(kept_fields(response.body, fields))
    return response


async def _write(context: RequestContext, scope: Any, receive: Receive, next_app: ASGIApp) -> HeldResponse:
    if context.opt["raw"] is None:
        await context.take_body(receive)
        receive = _replay(context.body)
    else:
        receive = await context.take_file(receive)
    response = HeldResponse()
    async with AsyncExitStack() as stack:
        if context.key is not None:
            lock = context.service.same_key.setdefault((str(context.actor.id), context.key), asyncio.Lock())
            await stack.enter_async_context(lock)
        try:
            async with context.service.database.tenant(context.actor.tenant.id) as connection:
                context.begin(connection)
                await _effect(context, response, scope, receive, next_app)
        except _Refused:
            await _name_holder(context, response)
    if context.work.nudges and response.status < 400:  # noqa: PLR2004 - HTTP
        await context.service.nudge(context.work.nudges)
    if wants_minimal(context.headers.get("prefer")) and response.status in {200, 201}:
        _drop_body(response)
    return response


async def _name_holder(context: RequestContext, response: HeldResponse) -> None:
    """Name the record that already has the unique value, now that the transaction that met it is rolled back."""
    refusal = context.scope.get("refusal")
    if not isinstance(refusal, TakenRefusal):
        return
    tenant = context.actor.tenant.id
    async with context.service.database.reading(tenant) as connection:
        named = await naming_holder(connection, tenant, context.actor.permissions, refusal)
    response.replace_body(msgspec.json.encode(problem_of(named, context.scope["request_id"])))


class _Refused(Exception):  # noqa: N818 - leaves the transaction, so that it rolls back
    pass


async def _effect(
    context: RequestContext, response: HeldResponse, scope: Any, receive: Receive, next_app: ASGIApp
) -> None:
    """Run the handler in the open transaction and save its response. Leaves by `_Refused` if it refused."""
    work, key = context.work, context.key
    if key is not None:
        stored = await idempotency.claim(work, context.service.keyring, key, context.fingerprint())
        if stored is not None:
            response.status, response.headers, response.body = stored.status, stored.raw_headers(), stored.body
            response.headers.append((b"idempotency-replayed", b"true"))
            return
    await next_app(scope, receive, _hold(response))
    if response.status >= 400:  # noqa: PLR2004 - HTTP
        raise _Refused
    if key is not None:
        await idempotency.save(work, context.service.keyring, key, response.status, response.headers, response.body)


async def _read(receive: Receive, most: int, headers: dict[str, str]) -> bytes:
    _check_unpacked(headers)
    declared = headers.get("content-length", "0")
    if not _LENGTH.fullmatch(declared):
        raise Refusal(Code.PARAMETER_INVALID, "Send the length of the body in bytes.", parameter="Content-Length")
    if int(declared) > most:
        raise _too_large(most)
    parts, size = [], 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise Refusal(Code.BODY_MALFORMED, "The body ended before its announced length.")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > most:
                    raise _too_large(most)
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError:
        detail = f"The body did not arrive within {_BODY_SECONDS} s."
        raise Refusal(Code.BODY_MALFORMED, detail) from None


def _check_unpacked(headers: dict[str, str]) -> None:
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise _media("Send the body without Content-Encoding.")


def _hurried(receive: Receive) -> Receive:
    """Return a `receive` for a body that the handler reads with its transaction open.

    A caller that sends it drop by drop, or stops, would hold a connection to the database. So after the time of a small
    body it must arrive at a minimum rate.
    """
    begun, size = time.monotonic(), 0

    async def hurried() -> Any:
        nonlocal size
        left = begun + _BODY_SECONDS + size / _SLOWEST_BYTES_PER_SECOND - time.monotonic()
        try:
            async with asyncio.timeout(max(0, left)):
                message = await receive()
        except TimeoutError:
            raise Refusal(Code.BODY_MALFORMED, "The body arrives too slowly. Send it again.") from None
        if message["type"] != "http.request":
            raise Refusal(Code.BODY_MALFORMED, "The body ended before its announced length.")
        size += len(message.get("body", b""))
        return message

    return hurried


def _check_parameters(scope: Any) -> None:
    """Refuse a query parameter that the route does not know, that is null, or that was repeated without being
    repeatable.

    A misspelt filter must not pass as none, nor one of two values silently win. Litestar takes the word null for a
    as a missing parameter, and 1e2 as 100.
    """
    known = scope["litestar_app"].state.query_names.get((scope["path_template"], scope["method"]))
    query = scope["query_string"].decode("latin-1")
    if known is None or not query:
        return
    for name, values in parse_qs(query, keep_blank_values=True).items():
        if name not in known:
            detail = f"This route takes: {', '.join(sorted(known)) or 'no parameters'}."
            raise Refusal(Code.PARAMETER_INVALID, detail, parameter=name[:60])
        _check_parameter(name, values, known[name])


def _check_parameter(name: str, values: list[str], takes: QueryParameter) -> None:
    if len(values) > 1 and not takes.is_repeatable:
        raise Refusal(Code.PARAMETER_INVALID, "Send it once.", parameter=name)
    if not takes.is_text and values[0].lower() == "null":
        raise Refusal(Code.PARAMETER_INVALID, "Send a value, or leave it out.", parameter=name)
    if takes.is_number and not _WHOLE.fullmatch(values[0]):
        raise Refusal(Code.PARAMETER_INVALID, "Send a whole number.", parameter=name)


def _drop_body(response: HeldResponse) -> None:
    gone = {b"content-length", b"content-type"}
    response.headers = [(k, v) for k, v in response.headers if k not in gone]
    response.headers.append((b"preference-applied", b"return=minimal"))
    response.status = 204 if response.status == 200 else response.status  # noqa: PLR2004 - HTTP
    if response.status != 204:  # noqa: PLR2004 - HTTP
        response.headers.append((b"content-length", b"0"))
    response.body = b""


def _hold(response: HeldResponse) -> Send:
    async def hold(message: Message) -> None:
        if message["type"] == "http.response.start":
            response.status = message["status"]
            response.headers = list(message["headers"])
        elif message["type"] == "http.response.body":
            response.body += message.get("body", b"")

    return hold


async def _send(response: HeldResponse, send: Send) -> None:
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    await send({"type": "http.response.body", "body": response.body, "more_body": False})


def _replay(body: bytes) -> Receive:
    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _media(detail: str) -> Refusal:
    return Refusal(Code.MEDIA_TYPE_UNSUPPORTED, detail)


def _too_large(most: int) -> Refusal:
    return Refusal(Code.BODY_TOO_LARGE, f"At most {most} bytes are accepted here.")
