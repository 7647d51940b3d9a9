"""Responses stored for repeated requests (draft-ietf-httpapi-idempotency-key-header).

The key belongs to the actor that sent it. The row is written in the transaction of the effect: both are there or
neither is. A response may hold a secret that is shown once, so its body is sealed. A refusal leaves no row, so the
request may be corrected and sent again with the same key.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.access.work import Work
from vendorrisk.db.connection import Connection
from vendorrisk.db.queries import QueryFile
from vendorrisk.errors import Code, Refusal
from vendorrisk.keys import Keyring

RETENTION = timedelta(hours=24)


class StoredResponse(msgspec.Struct, frozen=True):
    fingerprint: bytes
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    created_at: datetime

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]


class ReplayedError(Exception):
    """The Idempotency-Key has a response already, which the request middleware sends again. Nothing is to be done."""


_sql = QueryFile("http")
_CLAIM = _sql.scalar("claim_key", bool)
_FIND = _sql.rows("find_response", StoredResponse)
_SAVE = _sql.command("save_response")
_FORGET = _sql.command("forget_responses")


async def claim(work: Work, keyring: Keyring, key: str, fingerprint: bytes) -> StoredResponse | None:
    """Claim the key for this transaction, or return the response it was given. Refuse another request's key."""
    own = (work.tenant_id, work.by.actor.id, key)
    if await _CLAIM.one_or_none(work.db, *own, fingerprint, work.now):
        return None
    stored = await _FIND.one(work.db, *own)
    if stored.fingerprint != fingerprint:
        raise Refusal(
            Code.IDEMPOTENCY_KEY_REUSED,
            "Send a new Idempotency-Key: this one belongs to a request with another body or address.",
            parameter="Idempotency-Key",
        )
    return msgspec.structs.replace(stored, body=keyring.open(stored.body, _context(work, key)))


async def save(
    work: Work, keyring: Keyring, key: str, status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    """Save the response beside its effect."""
    texts: list[Any] = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]
    sealed = keyring.seal(body, _context(work, key))
    await _SAVE.run(work.db, work.tenant_id, work.by.actor.id, key, status, texts, sealed)


async def forget_old(connection: Connection, tenant_id: UUID, before: datetime, most: int) -> int:
    """Delete responses of a tenant from before an instant. Return how many."""
    return await _FORGET.run(connection, tenant_id, before, most)


def _context(work: Work, key: str) -> bytes:
    return b"idempotency:" + work.tenant_id.bytes + work.by.actor.id.bytes + key.encode()
