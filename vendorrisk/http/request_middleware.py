"""One API request, from credentials to commit.

In this order, so that nothing is learnt or done too early: credentials (401), limits (429), permission (403), the
headers a write needs (428, 400), the body (413, 415, 400), then one transaction. The response of a write is held back
until the transaction has committed. A refusal or failure rolls everything back. Where an Idempotency-Key was sent, the
response is stored in the same transaction, and a repetition gets the same response.

No connection to the database is held while a caller is slow. JSON is read before the transaction. A handler that reads
a file, or sends one, opens its transactions itself, between the slow parts (`access.work.Transactions`).
"""

from contextlib import AsyncExitStack, suppress
from typing import Any

import msgspec
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from vendorrisk.db.constraints import TakenRefusal, naming_holder
from vendorrisk.errors import Refusal
from vendorrisk.http import idempotency
from vendorrisk.http.client_address import client_address, network_of
from vendorrisk.http.headers import joined, wants_minimal
from vendorrisk.http.held_response import HeldResponse, RefusedError
from vendorrisk.http.idempotency import ReplayedError, StoredResponse
from vendorrisk.http.outer_middleware import refused, send_refusal
from vendorrisk.http.pace import paced_send
from vendorrisk.http.places import at_once
from vendorrisk.http.problems import problem_of
from vendorrisk.http.receiving import Draining, has_body
from vendorrisk.http.request_context import RequestContext
from vendorrisk.http.sparse_responses import kept_fields, wanted_fields


class RequestMiddleware(ASGIMiddleware):
    """Wraps each handler that declares a permission. Others (health, documents) pass without credentials."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if scope["method"] == "OPTIONS":  # type: ignore[typeddict-item]  # a key of HTTP scopes
            await _allowed(scope).send_to(send)
            return
        if "permission" not in scope["route_handler"].opt:
            await _open_to_all(scope, receive, send, next_app)
            return
        context = RequestContext(scope["service"], scope)  # type: ignore[typeddict-item]  # our own key
        scope["request_context"] = context  # type: ignore[typeddict-unknown-key]  # our own key
        body = Draining(receive)
        try:
            await context.authenticate()
            with at_once(context.service.places.requests, context.tenant_id):
                context.admit()
                if context.streams:
                    await next_app(scope, receive, paced_send(send, context.service.paces.taking))
                    return
                response = await (_write if context.writes else _read_only)(context, scope, body, next_app)
        except Exception as error:
            if context.streams:
                raise
            # Litestar takes a response that was held back for one that was sent.
            await send_refusal(refused(error), scope, send)
        else:
            await response.send_to(send)
        if context.writes and context.is_authenticated and has_body(context.headers):
            await _drained(context, body)


async def _drained(context: RequestContext, body: Draining) -> None:
    """Let a caller who was answered before the last byte send the rest. It takes a place of the tenant meanwhile."""
    with suppress(Refusal), at_once(context.service.places.requests, context.tenant_id):
        await body.drain()


async def _open_to_all(scope: Any, receive: Receive, send: Send, next_app: ASGIApp) -> None:
    """Serve a caller without credentials. One address never takes all places, by not reading the responses."""
    service = scope["service"]
    address = network_of(client_address(scope, joined(scope["headers"]), service.settings))
    with at_once(service.places.strangers, address):
        await next_app(scope, receive, paced_send(send, service.paces.taking))


def _allowed(scope: Any) -> HeldResponse:
    """Name every method of an address: Litestar's own response knows those of one handler only."""
    item = scope["litestar_app"].state.document["paths"].get(scope["path_template"], {"get": {}})
    allow = ", ".join(sorted({"OPTIONS", *(["HEAD"] if "get" in item else []), *(m.upper() for m in item)}))
    return HeldResponse(204, [(b"allow", allow.encode())])


async def _read_only(context: RequestContext, scope: Any, receive: Receive, next_app: ASGIApp) -> HeldResponse:
    """Read, and give the connection back before a slow caller takes the response."""
    response, fields = HeldResponse(), wanted_fields(scope)
    async with context.look() as context.work:
        await next_app(scope, receive, response.hold)
    if response.status == 200 and fields is not None:  # noqa: PLR2004 - HTTP
        response.replace_body(kept_fields(response.body, fields))
    return response


async def _write(context: RequestContext, scope: Any, receive: Receive, next_app: ASGIApp) -> HeldResponse:
    async with AsyncExitStack() as stack:
        is_file = context.opt["raw"] is not None
        if is_file:
            receive = context.file_body(receive)
        else:
            receive = await stack.enter_async_context(context.json_body(receive))
        begins_later = is_file or context.opt["begins_later"]
        response = await _in_transaction(context, scope, receive, next_app, begins_later=begins_later)
    if context.work is not None and context.work.nudges and not response.is_refusal:
        await context.service.nudge(context.work.nudges)
    if wants_minimal(context.headers.get("prefer")) and response.status in {200, 201, 202}:
        response.drop_body()
    return response


async def _in_transaction(
    context: RequestContext, scope: Any, receive: Receive, next_app: ASGIApp, *, begins_later: bool
) -> HeldResponse:
    """Run the handler and commit what it did, or roll it back. With `begins_later`, it begins the transaction."""
    response = HeldResponse()
    try:
        async with AsyncExitStack() as context.transaction:
            if not begins_later:
                await context.begin()
            await next_app(scope, receive, response.hold)
            response.check()
            if context.work is not None and context.key is not None:
                given = (response.status, response.headers, response.body)
                await idempotency.save(context.work, context.service.keyring, context.key, *given)
    except (ReplayedError, RefusedError):
        if context.replayed is not None:
            return _repeated(context.replayed)
        await _name_holder(context, response)
    return response


def _repeated(stored: StoredResponse) -> HeldResponse:
    return HeldResponse(stored.status, [*stored.raw_headers(), (b"idempotency-replayed", b"true")], stored.body)


async def _name_holder(context: RequestContext, response: HeldResponse) -> None:
    """Name the record that already has the unique value, now that the transaction that met it is rolled back."""
    refusal = context.scope.get("refusal")
    if not isinstance(refusal, TakenRefusal):
        return
    tenant = context.tenant_id
    async with context.service.database.reading(tenant) as connection:
        named = await naming_holder(connection, tenant, context.actor.permissions, refusal)
    response.replace_body(msgspec.json.encode(problem_of(named, context.scope["request_id"])))
