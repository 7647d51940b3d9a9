"""The state of one API request: the caller, the checked headers and body, and the transactions it has opened."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

from litestar.types import Receive

from vendorrisk.access.model import Actor, permit
from vendorrisk.access.work import Work
from vendorrisk.db.connection import Connection
from vendorrisk.errors import Kind as RefusalKind
from vendorrisk.errors import Refusal
from vendorrisk.http import idempotency, json_bodies
from vendorrisk.http.app_state import Service
from vendorrisk.http.client_address import client_address, network_of
from vendorrisk.http.headers import expected_version, idempotency_key, joined
from vendorrisk.http.idempotency import ReplayedError, StoredResponse
from vendorrisk.http.pace import paced_receive
from vendorrisk.http.places import in_turn
from vendorrisk.http.query_parameters import check_parameters
from vendorrisk.http.rate_limits import Limiter
from vendorrisk.http.receiving import announced_length, check_unpacked, received_whole
from vendorrisk.http.routing import WRITES, Kind

_SMALL_BODY_BYTES = 32 * 1024


class RequestContext:
    """Handlers reach it through `http.dependencies`, as their `Work` or as `Transactions`."""

    def __init__(self, service: Service, scope: Any) -> None:
        self.service = service
        self.scope = scope
        self.opt: dict[str, Any] = scope["route_handler"].opt
        self.kind: Kind = self.opt["kind"]
        self.takes = scope["route_handler"].parsed_data_field
        self.headers = joined(scope["headers"])
        self.expected_version = 0
        self.key: str | None = None
        self.actor: Actor
        self.is_authenticated = False
        self.work: Work | None = None
        self.transaction: AsyncExitStack
        self.replayed: StoredResponse | None = None
        self.file_bytes = 0
        self._body_digest = hashlib.sha256()
        self._is_body_whole = False

    @property
    def writes(self) -> bool:
        return self.kind in WRITES

    @property
    def streams(self) -> bool:
        """Whether the response goes out while the handler still reads: files and exports."""
        return not self.writes and bool(self.opt["streams"])

    @property
    def tenant_id(self) -> UUID:
        return self.actor.tenant.id

    async def authenticate(self) -> None:
        """Find the caller, and count the request for the caller's limits."""
        self.actor = await self._authenticated()
        self.is_authenticated = True
        tenant, actor = str(self.tenant_id), str(self.actor.id)
        self.scope["noted"].update(tenant=tenant, actor=actor)
        self._charge(self.service.per_key, actor)
        self._charge(self.service.per_tenant, tenant)

    def admit(self) -> None:
        """Check everything else that can be checked before the body is read."""
        permit(self.actor, self.opt["permission"])
        if self.opt["match"]:
            self.expected_version = expected_version(self.headers.get("if-match"))
        if self.scope["method"] == "POST":
            self.key = idempotency_key(self.headers.get("idempotency-key"))
        check_parameters(self.scope)

    async def _authenticated(self) -> Actor:
        try:
            return await self.service.authenticate(self.headers.get("authorization"), self.service.clock())
        except Refusal as refusal:
            if refusal.code.kind is RefusalKind.UNAUTHENTICATED:
                # Guessing is slowed for the address it comes from. A key that is in order is never slowed by it.
                address = client_address(self.scope, self.headers, self.service.settings)
                self.scope["noted"].update(refusal.noted, address=address)
                self._charge(self.service.per_address, network_of(address))
            raise

    def _charge(self, limiter: Limiter, key: str) -> None:
        allowance = limiter.take(key)
        self.scope["extra_headers"].extend(allowance.headers())
        allowance.check()

    @asynccontextmanager
    async def json_body(self, receive: Receive) -> AsyncIterator[Receive]:
        """Read and check a JSON body, and hold its place in memory. Large bodies of a tenant take turns."""
        check_unpacked(self.headers)
        length = announced_length(self.headers, self.service.settings.body_max_bytes)
        async with AsyncExitStack() as stack:
            if length is None or length > _SMALL_BODY_BYTES:
                await stack.enter_async_context(in_turn(self.service.places.large_bodies, self.tenant_id))
            paced = paced_receive(receive, self.service.paces.sending)
            body = await received_whole(paced, self.service.settings.body_max_bytes)
            await self._check_body(body)
            self._body_digest.update(body)
            self._is_body_whole = True
            yield _replay(body)

    async def _check_body(self, body: bytes) -> None:
        """Check the body: a small one here, a large one in a thread, so that other requests go on meanwhile."""
        schema = None if self.takes is None else self.takes.annotation
        if not body:
            json_bodies.check_absent(schema)
            return
        json_bodies.check_media_type(self.headers, is_patch=self.scope["method"] == "PATCH")
        if len(body) <= _SMALL_BODY_BYTES:
            json_bodies.check_body(body, schema)
            return
        async with self.service.places.heavy(self.service.places.checks, self.tenant_id):
            await asyncio.to_thread(json_bodies.check_body, body, schema)

    def file_body(self, receive: Receive) -> Receive:
        """Return the `receive` of a body that the handler reads itself. Under an Idempotency-Key it is hashed too."""
        check_unpacked(self.headers)
        paced = paced_receive(receive, self.service.paces.sending)

        async def watched() -> Any:
            message: Any = await paced()
            self.file_bytes += len(message.get("body", b""))
            if self.key is not None:
                self._body_digest.update(message.get("body", b""))
            self._is_body_whole = not message.get("more_body")
            return message

        return watched

    @asynccontextmanager
    async def look(self) -> AsyncIterator[Work]:
        """See `Transactions`."""
        async with self.service.database.reading(self.tenant_id) as connection:
            yield self._work_on(connection)

    async def begin(self) -> Work:
        """See `Transactions`. Raises `ReplayedError` if the Idempotency-Key has a response already."""
        if self.work is not None or not self._is_body_whole:
            raise RuntimeError("an operation begins once, and after the whole body was read")
        if self.key is not None:
            lock = self.service.same_key.setdefault((str(self.actor.id), self.key), asyncio.Lock())
            await self.transaction.enter_async_context(lock)
        connection = await self.transaction.enter_async_context(self.service.database.tenant(self.tenant_id))
        work = self._work_on(connection)
        if self.key is not None:
            self.replayed = await idempotency.claim(work, self.service.keyring, self.key, self._fingerprint())
            if self.replayed is not None:
                raise ReplayedError
        self.work = work
        return work

    def _fingerprint(self) -> bytes:
        """Return a digest that distinguishes this request from another with the same Idempotency-Key."""
        parts = [self.scope["method"].encode(), self.scope["path"].encode(), self.scope["query_string"]]
        digests = [hashlib.sha256(part).digest() for part in parts]
        return hashlib.sha256(b"\x00".join([*digests, self._body_digest.digest()])).digest()

    def _work_on(self, connection: Connection) -> Work:
        return Work(
            db=connection,
            by=permit(self.actor, self.opt["permission"]),
            now=self.service.clock(),
            request_id=self.scope["request_id"],
            cursor_secrets=self.service.cursor_secrets,
        )


def _replay(body: bytes) -> Receive:
    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
