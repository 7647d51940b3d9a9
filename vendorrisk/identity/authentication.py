"""From an Authorization header to an actor.

The checksum inside a key takes a secret of the installation, so an invented key is refused without the database. A key
is found by its public part and compared by its SHA-256. Known keys, and ids without a key, are cached in
the process for a short while, and dropped at once when Postgres announces a change. A key that was read before an
announcement, and arrives after it, is not cached. If announcements cannot arrive (a pooler in transaction mode), a
change takes effect after that short while. Last use is gathered and written in batches.
"""

import asyncio
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from vendorrisk.access.model import Actor, ActorKind, Tenant, permissions_of
from vendorrisk.access.permissions import Permission
from vendorrisk.db.pool import Database
from vendorrisk.errors import Code, Refusal
from vendorrisk.identity import queries, rules
from vendorrisk.identity.model import KeyOnFile

CHANNEL = "vendorrisk_api_keys"
_SECONDS_REMEMBERED = 20
_MOST_REMEMBERED = 20_000

_Found = tuple[KeyOnFile, Actor] | None


class Authenticator:
    """Implements `http.service.Authenticate` for API keys."""

    def __init__(self, database: Database, seconds: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._seconds = seconds
        self._remembered: OrderedDict[str, tuple[float, _Found]] = OrderedDict()
        self._generation = 0
        self._looks: dict[tuple[str, int], asyncio.Future[_Found]] = {}
        self._checksum_secret: bytes | None = None
        self._uses: dict[tuple[UUID, UUID], datetime] = {}

    async def __call__(self, authorization: str | None, now: datetime) -> Actor:
        if authorization is None:
            raise Refusal(Code.CREDENTIALS_MISSING, "Send your API key as `Authorization: Bearer vr_key_…`.")
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise _invalid("no_key")
        public_id = rules.public_id_of(text.strip(), await self._secret())
        if public_id is None:
            raise _invalid("no_key")
        found = await self._find(public_id)
        if found is None:
            raise _invalid("unknown", public_id)
        key, actor = found
        if not hmac.compare_digest(key.secret_hash, rules.hash_of(text.strip())):
            raise _invalid("wrong_secret", public_id)
        if not rules.is_usable(key.expires_at, key.revoked_at, now):
            raise _invalid("ended", public_id)
        self._uses[key.tenant_id, key.id] = now
        return actor

    async def _secret(self) -> bytes:
        """Return the secret of the checksums. It never changes, so that it is read once."""
        if self._checksum_secret is None:
            async with self._database.system() as connection:
                self._checksum_secret = await queries.checksum_secret(connection)
        return self._checksum_secret

    async def _find(self, public_id: str) -> _Found:
        remembered = self._remembered.get(public_id)
        if remembered is not None and self._seconds() - remembered[0] < _SECONDS_REMEMBERED:
            return remembered[1]
        # Requests with the same key share one look. One that comes after an announcement does not join an earlier look.
        look = (public_id, self._generation)
        if look not in self._looks:
            self._looks[look] = asyncio.ensure_future(self._look(public_id, self._generation))
            self._looks[look].add_done_callback(lambda _done: self._looks.pop(look))
        return await asyncio.shield(self._looks[look])

    async def _look(self, public_id: str, generation: int) -> _Found:
        async with self._database.system() as connection:
            key = await queries.key_on_file(connection, public_id)
        found = None if key is None else (key, _actor(key))
        if generation == self._generation:
            self._remembered[public_id] = (self._seconds(), found)
            if len(self._remembered) > _MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        return found

    def forget(self, public_id: str) -> None:
        """Drop a key. One that is being read at this moment may be read as it was, so it will not be cached."""
        self._generation += 1
        self._remembered.pop(public_id, None)

    def forget_all(self) -> None:
        self._generation += 1
        self._remembered.clear()

    def on_announcement(self, _connection: Any, _pid: int, _channel: str, public_id: str) -> None:
        """Take a notification of `CHANNEL` (the signature is asyncpg's)."""
        self.forget(public_id)

    async def write_uses(self) -> None:
        """Write the last uses gathered since the last time. If the write fails, they are gathered again."""
        uses, self._uses = self._uses, {}
        if not uses:
            return
        try:
            async with self._database.system() as connection:
                await queries.note_key_use(connection, uses)
        except BaseException:
            self._uses = {**uses, **self._uses}
            raise


def _permissions(key: KeyOnFile) -> frozenset[Permission]:
    """Return what the key gives, within what its member may do today."""
    held = permissions_of(key.roles, key.scopes)
    return held if key.member_roles is None else held & permissions_of(key.member_roles, None)


def _actor(key: KeyOnFile) -> Actor:
    return Actor(
        kind=ActorKind.API_KEY,
        id=key.id,
        label=key.name,
        tenant=Tenant(key.tenant_id, key.time_zone),
        permissions=_permissions(key),
        member_id=key.member_id,
    )


def _invalid(why: str, public_id: str | None = None) -> Refusal:
    """The same response for every wrong key, so that a caller learns nothing from it. The log has the reason."""
    detail = "The key is wrong, revoked or expired. Ask an admin for a new one."
    return Refusal(Code.CREDENTIALS_INVALID, detail, noted={"why": why} | ({"key": public_id} if public_id else {}))
