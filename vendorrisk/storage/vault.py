"""A tenant's files over a Store: sealed on the way in, checked on the way out."""

import hashlib
import hmac
import os
import re
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from vendorrisk.errors import Code, Refusal
from vendorrisk.keys import Keyring, SealError, UnknownKeyError, sealed_by
from vendorrisk.storage.media_types import MediaType, Sniffer
from vendorrisk.storage.port import DamagedError, LockedError, MissingError, Store
from vendorrisk.storage.sealing import Span, seal_stream

_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[0-9a-f]{16}-[0-9a-f]{64}")  # of a data key: the id of the secret key, and the keyed digest
"""The form of a content's digest, and of the name made of that digest."""
_KEY_BYTES_MAX: Final = 4096


class StoredFile(msgspec.Struct, frozen=True):
    """The result of `put`. `sha256` is of the plain content, in hex, and identifies the file. `size` is in bytes."""

    sha256: str
    size: int
    media_type: MediaType


class Rotation(msgspec.Struct, frozen=True):
    """The result of `rewrap`. `unreadable` names keys that no secret key opens: their files are lost without it."""

    current: int
    rewrapped: int
    unreadable: tuple[str, ...]


class _DataKey(msgspec.Struct, frozen=True, array_like=True):
    secret: bytes
    body: str
    size: int
    sha256: str


class _Intake:
    """Observes passing plain bytes: their number, digest and type."""

    def __init__(self, file_name: str, max_bytes: int) -> None:
        self.size = 0
        self.sniffer = Sniffer(file_name)
        self._digest = hashlib.sha256()
        self._max_bytes = max_bytes

    async def watch(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        async for piece in chunks:
            self.size += len(piece)
            if self.size > self._max_bytes:
                raise Refusal(Code.BODY_TOO_LARGE, f"The file may have {self._max_bytes} bytes; send a smaller one.")
            self._digest.update(piece)
            self.sniffer.feed(piece)
            yield piece

    def result(self) -> StoredFile:
        return StoredFile(self._digest.hexdigest(), self.size, self.sniffer.media_type())


class EncryptedFileStore:
    """Seals with the keyring's first key, opens with all of them."""

    def __init__(self, store: Store, keyring: Keyring) -> None:
        self._store = store
        self._keyring = keyring
        self._name_secrets = dict(zip(keyring.ids, keyring.derive_all("file-name"), strict=True))

    async def put(self, tenant_id: UUID, chunks: AsyncIterable[bytes], *, file_name: str, max_bytes: int) -> StoredFile:
        """Store a file. A file that the tenant already has is stored once.

        Refuses a file that is empty, too large, or of an unaccepted type, as soon as that shows. An exception out of
        `chunks` passes through. In both cases no object remains.
        """
        intake = _Intake(file_name, max_bytes)
        secret, body = os.urandom(32), os.urandom(16).hex()
        place = _body_name(tenant_id, body)
        await self._store.put(place, seal_stream(secret, intake.watch(chunks)))
        try:
            stored = intake.result()
            known = await self._is_whole(tenant_id, stored.sha256)
        except BaseException:
            await self._store.delete(place)
            raise
        if known:
            await self._store.delete(place)
        else:
            await self._write_key(tenant_id, _DataKey(secret, body, stored.size, stored.sha256))
        return stored

    async def open(
        self, tenant_id: UUID, sha256: str, *, start: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        """Return the plain bytes [start, start + length) as a slice would.

        Raises `MissingError` or `DamagedError` before the first byte where the key shows it, `DamagedError` on the
        way where the body does: a response under way must then be broken off, never ended as if it were whole.
        """
        key = await self._key(tenant_id, sha256)
        start = min(max(start, 0), key.size)
        stop = key.size if length is None else min(key.size, start + max(length, 0))
        span = Span(key.size, start, stop)
        try:
            sealed = await self._store.open(_body_name(tenant_id, key.body), span.offset, span.length)
        except MissingError:
            raise DamagedError(f"the body of {sha256} is gone") from None
        return span.open(key.secret, sealed)

    async def read(self, tenant_id: UUID, sha256: str) -> bytes:
        """Return a whole file, for a parser. Its size was bounded when it was stored."""
        return b"".join([piece async for piece in await self.open(tenant_id, sha256)])

    async def size(self, tenant_id: UUID, sha256: str) -> int | None:
        """Return the plain size in bytes. None if the tenant has no such file. Raises `DamagedError`."""
        try:
            return (await self._key(tenant_id, sha256)).size
        except MissingError:
            return None

    async def exists(self, tenant_id: UUID, sha256: str) -> bool:
        """Return True if the tenant has the file. Reading may still find it damaged."""
        for name in self._names(tenant_id, sha256):
            if await self._store.size(_key_name(tenant_id, name)) is not None:
                return True
        return False

    async def delete(self, tenant_id: UUID, sha256: str) -> None:
        """Remove a file for good. The caller has made sure that no record of the tenant names it any more."""
        names = [_key_name(tenant_id, name) for name in self._names(tenant_id, sha256)]
        body = None
        with suppress(MissingError, DamagedError):
            body = (await self._key(tenant_id, sha256)).body
        for name in names:
            await self._store.delete(name)
        if body is not None:
            await self._store.delete(_body_name(tenant_id, body))

    async def rewrap(self) -> Rotation:
        """Reseal and rename every data key that depends on an older secret key. May be stopped and run again."""
        current, rewrapped = 0, 0
        unreadable: list[str] = []
        async for listed in self._store.list("keys/"):
            _, tenant, name = listed.name.split("/")
            tenant_id = UUID(tenant)
            try:
                sealed = await self._sealed_key(tenant_id, name)
                if not self._keyring.needs_reseal(sealed):
                    current += 1
                    continue
                await self._write_key(tenant_id, self._opened(tenant_id, name, sealed))
                await self._store.delete(listed.name)
                rewrapped += 1
            except MissingError:
                continue
            except (DamagedError, LockedError, SealError):
                unreadable.append(listed.name)
        return Rotation(current, rewrapped, tuple(unreadable))

    async def key_ids(self, most: int) -> tuple[dict[str, int], bool]:
        """Count the files that depend on each secret key, reading at most `most`. Also return whether it saw all."""
        counts: dict[str, int] = {}
        seen = 0
        async for listed in self._store.list("keys/"):
            if seen == most:
                return counts, False
            seen += 1
            _, tenant, name = listed.name.split("/")
            try:
                key_id = sealed_by(await self._sealed_key(UUID(tenant), name))
            except (MissingError, DamagedError, SealError):
                continue
            counts[key_id] = counts.get(key_id, 0) + 1
        return counts, True

    async def sweep(self, tenant_id: UUID, before: datetime) -> int:
        """Remove a tenant's bodies that no key names, last written before an instant. Return their number.

        Reads every key of the tenant, unless there is one for each body. If a key cannot be opened, it raises
        `DamagedError` or `LockedError` and removes none, because that key may name any body. `before` lies further back
        than the longest upload takes.
        """
        bodies = [body async for body in self._store.list(f"bodies/{tenant_id}/")]
        keys = [key.name async for key in self._store.list(f"keys/{tenant_id}/")]
        if len(bodies) <= len(keys):
            return 0
        old = [body.name for body in bodies if body.modified_at < before]
        named: set[str] = set()
        for name in keys if old else ():
            last = name.rpartition("/")[2]
            key = self._opened(tenant_id, last, await self._sealed_key(tenant_id, last))
            named.add(_body_name(tenant_id, key.body))
        orphans = [name for name in old if name not in named]
        for name in orphans:
            await self._store.delete(name)
        return len(orphans)

    async def tidy(self, before: datetime) -> int:
        """Remove half-written remains of uploads that died before an instant, of all tenants. Return their number."""
        return await self._store.tidy(before)

    async def check(self) -> None:
        """Raise `UnreachableError` if files could not be stored now."""
        await self._store.check()

    async def close(self) -> None:
        await self._store.close()

    async def _is_whole(self, tenant_id: UUID, sha256: str) -> bool:
        """Return True if the file exists already. A file whose key or body is lost must be written again."""
        try:
            key = await self._key(tenant_id, sha256)
        except (MissingError, DamagedError, LockedError):
            return False
        size = await self._store.size(_body_name(tenant_id, key.body))
        return size == Span(key.size, 0, key.size).length

    def _names(self, tenant_id: UUID, sha256: str) -> list[str]:
        """Return the names that the key of a content may have, one for each secret key, the first key's first."""
        if not _DIGEST.fullmatch(sha256):
            raise MissingError("that is not a SHA-256 digest in lower-case hex")
        message = tenant_id.bytes + bytes.fromhex(sha256)
        return [f"{key}-{hmac.digest(secret, message, 'sha256').hex()}" for key, secret in self._name_secrets.items()]

    async def _key(self, tenant_id: UUID, sha256: str) -> _DataKey:
        for name in self._names(tenant_id, sha256):
            with suppress(MissingError):
                return self._opened(tenant_id, name, await self._sealed_key(tenant_id, name))
        async for listed in self._store.list(f"keys/{tenant_id}/"):
            key_id = listed.name.rpartition("/")[2].partition("-")[0]
            if key_id not in self._name_secrets:
                raise LockedError(sha256, key_id)  # nobody here can tell its name
        raise MissingError("the tenant has no such file")

    async def _sealed_key(self, tenant_id: UUID, name: str) -> bytes:
        sealed = b""
        async for piece in await self._store.open(_key_name(tenant_id, name)):
            sealed += piece
            if len(sealed) > _KEY_BYTES_MAX:
                raise DamagedError(f"the key {name} is far too long")
        return sealed

    def _opened(self, tenant_id: UUID, name: str, sealed: bytes) -> _DataKey:
        try:
            plain = self._keyring.open(sealed, _context(tenant_id, name))
        except UnknownKeyError as error:
            raise LockedError(name, error.key_id) from None
        except SealError as error:
            raise DamagedError(f"the key {name} does not open: {error}") from None
        return msgspec.msgpack.decode(plain, type=_DataKey)

    async def _write_key(self, tenant_id: UUID, key: _DataKey) -> None:
        name = self._names(tenant_id, key.sha256)[0]
        sealed = self._keyring.seal(msgspec.msgpack.encode(key), _context(tenant_id, name))
        await self._store.put(_key_name(tenant_id, name), _once(sealed))


def _context(tenant_id: UUID, name: str) -> bytes:
    return b"file/" + tenant_id.bytes + name.encode()


def _key_name(tenant_id: UUID, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise MissingError("that is not the name of a key")
    return f"keys/{tenant_id}/{name}"


def _body_name(tenant_id: UUID, body: str) -> str:
    return f"bodies/{tenant_id}/{body}"


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
