"""The objects of a file store, copied as they are sealed. No key is needed."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from vendorrisk.backup.model import LISTING, OBJECTS, BackupError, StoredObject
from vendorrisk.storage.ownership import as_owner_of
from vendorrisk.storage.port import MissingError, Store

# Keys first: a key is written after its body, so each key that is listed has its body there.
PREFIXES = ("keys/", "bodies/")
_PIECE = 1 << 20


async def copied(store: Store, root: Path | None, folder: Path) -> list[StoredObject]:
    """Copy every object into the backup. Return the copies."""
    done = []
    for prefix in PREFIXES:
        with as_owner_of(root):
            names = [listed.name async for listed in store.list(prefix)]
        for name in names:
            target = folder / OBJECTS / name
            await asyncio.to_thread(target.parent.mkdir, 0o700, parents=True, exist_ok=True)
            try:
                with as_owner_of(root):
                    pieces = await store.open(name)
            except MissingError:
                continue  # deleted meanwhile
            done.append(await _written(name, pieces, target))
    lines = b"".join(msgspec.json.encode(one) + b"\n" for one in done)
    await asyncio.to_thread((folder / LISTING).write_bytes, lines)
    return done


async def _written(name: str, pieces: AsyncIterator[bytes], target: Path) -> StoredObject:
    digest, size = hashlib.sha256(), 0
    with await asyncio.to_thread(target.open, "xb") as file:
        async for piece in pieces:
            digest.update(piece)
            size += len(piece)
            await asyncio.to_thread(file.write, piece)
    return StoredObject(name, size, digest.hexdigest())


async def put_back(store: Store, root: Path | None, folder: Path) -> int:
    """Write every object of a backup into an empty store, bodies before keys. Return their number."""
    listed = listing(folder)
    for one in sorted(listed, key=_bodies_first):
        digest = hashlib.sha256()
        with await asyncio.to_thread((folder / OBJECTS / one.name).open, "rb") as file, as_owner_of(root):
            await store.put(one.name, _pieces(file, digest))
        if digest.hexdigest() != one.sha256:
            raise BackupError(f"{OBJECTS}/{one.name} of the backup is damaged")
    return len(listed)


def listing(folder: Path) -> list[StoredObject]:
    try:
        with (folder / LISTING).open("rb") as lines:
            return [msgspec.json.decode(line, type=StoredObject) for line in lines]
    except (OSError, msgspec.MsgspecError) as error:
        raise BackupError(f"{folder / LISTING} cannot be read: {error}") from None


def damaged(folder: Path) -> Iterator[str]:
    """Yield the objects of a backup that differ from its listing."""
    for one in listing(folder):
        place = folder / OBJECTS / one.name
        if not place.is_file() or place.stat().st_size != one.size or digest_of(place) != one.sha256:
            yield one.name


def digest_of(place: Path) -> str:
    with place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def is_empty(store: Store, root: Path | None) -> bool:
    if root is not None and not await asyncio.to_thread(root.exists):
        return True
    with as_owner_of(root):
        for prefix in PREFIXES:
            async for _ in store.list(prefix):
                return False
    return True


async def _pieces(file: BinaryIO, digest: Any) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(file.read, _PIECE):
        digest.update(piece)
        yield piece


def _bodies_first(one: StoredObject) -> tuple[bool, str]:
    return (one.name.startswith("keys/"), one.name)
