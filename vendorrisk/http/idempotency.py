"""Answers kept for repeated requests (draft-ietf-httpapi-idempotency-key-header).

The key belongs to the actor that sent it. The row is written in the transaction of the effect: both are there or
neither is. An answer may hold a secret that is shown once, so its body is sealed. A refusal leaves no row, so the
request may be mended and sent again with the same key.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from vendorrisk.access.work import Work
from vendorrisk.db.connection import Connection
from vendorrisk.db.queries import QueryFile
from vendorrisk.errors import Code, Refusal
from vendorrisk.keys import Keyring

KEPT = timedelta(hours=24)


class Kept(msgspec.Struct, frozen=True):
    fingerprint: bytes
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    created_at: datetime

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]


_sql = QueryFile("http")
_CLAIM = _sql.scalar("claim_key", bool)
_FIND = _sql.rows("find_answer", Kept)
_KEEP = _sql.command("keep_answer")
_FORGET = _sql.command("forget_answers")


async def claim(work: Work, keyring: Keyring, key: str, fingerprint: bytes) -> Kept | None:
    """Claim the key for this transaction, or return the answer it was given; refuses another request's key."""
    own = (work.tenant_id, work.by.actor.id, key)
    if await _CLAIM.one_or_none(work.db, *own, fingerprint, work.now):
        return None
    kept = await _FIND.one(work.db, *own)
    if kept.fingerprint != fingerprint:
        raise Refusal(
            Code.IDEMPOTENCY_KEY_REUSED,
            "Send a new Idempotency-Key: this one belongs to a request with another body or address.",
            parameter="Idempotency-Key",
        )
    return msgspec.structs.replace(kept, body=keyring.open(kept.body, _context(work, key)))


async def keep(
    work: Work, keyring: Keyring, key: str, status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    """Keep the answer beside its effect."""
    texts: list[Any] = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]
    sealed = keyring.seal(body, _context(work, key))
    await _KEEP.run(work.db, work.tenant_id, work.by.actor.id, key, status, texts, sealed)


async def forget_old(connection: Connection, now: datetime, most: int) -> int:
    """Delete answers that are a day old; returns how many."""
    return await _FORGET.run(connection, now - KEPT, most)


def _context(work: Work, key: str) -> bytes:
    return b"idempotency:" + work.tenant_id.bytes + work.by.actor.id.bytes + key.encode()
