"""A backup is made: dump, files, and the manifest last."""

import asyncio
import os
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from vendorrisk.backup import facts, objects, programs
from vendorrisk.backup.model import DUMP, KEYS, LEFT_OUT, LISTING, MANIFEST, BackupError, Manifest
from vendorrisk.clock import Clock
from vendorrisk.keys import Keyring
from vendorrisk.processes import queries as processes
from vendorrisk.release import VERSION
from vendorrisk.settings import Settings
from vendorrisk.storage.configured import disk_root, store_from
from vendorrisk.storage.ownership import as_owner_of
from vendorrisk.storage.port import Store
from vendorrisk.storage.vault import EncryptedFileStore


async def make(settings: Settings, folder: Path, clock: Clock, *, with_keys: bool = False) -> Manifest:
    """Write a backup into a new folder. The service may go on meanwhile. Raises `BackupError`."""
    keyring = Keyring.from_setting(settings.secret_keys)
    _take(folder)
    url = settings.database_migration_url or settings.database_url
    connection: Any = await asyncpg.connect(url, statement_cache_size=0, timeout=10)
    store = store_from(settings)
    try:
        async with connection.transaction(isolation="repeatable_read"):
            dumped = await _dumped(connection, url, folder)
            referenced = await facts.REFERENCED.many(connection)
        copied = await objects.copied(store, disk_root(settings), folder)
        missing = await _missing(store, keyring, settings, referenced)
    finally:
        await store.close()
        await connection.close()
    manifest = Manifest(
        made_at=clock(),
        release=VERSION,
        **dumped,
        objects=len(copied),
        object_bytes=sum(one.size for one in copied),
        listing_sha256=await asyncio.to_thread(objects.digest_of, folder / LISTING),
        dump_sha256=await asyncio.to_thread(objects.digest_of, folder / DUMP),
        referenced=len(referenced),
        missing=missing,
        key_ids=list(keyring.ids),
        holds_keys=with_keys,
    )
    await asyncio.to_thread(_finish, folder, manifest, settings.secret_keys if with_keys else None)
    return manifest


def _take(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise BackupError(f"{folder} is not empty. Name a new folder: a backup is never written over another")
        folder.chmod(0o700)
    except OSError as error:
        raise BackupError(f"{folder} cannot be written: {error.strerror}") from None


async def _dumped(connection: Any, url: str, folder: Path) -> dict[str, Any]:
    """Dump one snapshot, and return its facts for the manifest."""
    version = int(connection.get_server_version().major) * 10000
    dump = programs.program("pg_dump", version)
    snapshot = await facts.SNAPSHOT.one(connection)
    found = {
        "installation_id": (await processes.INSTALLATION.one(connection)).id,
        "server_version": version,
        "migrations": await facts.APPLIED.many(connection),
        "tables": await facts.counts(connection),
        "heads": await facts.HEADS.many(connection),
    }
    arguments = ["--format=custom", "--no-owner", "--enable-row-security", f"--snapshot={snapshot}"]
    arguments += [f"--exclude-table-data=public.{table}" for table in LEFT_OUT]
    await asyncio.to_thread(programs.run, dump, [*arguments, f"--file={folder / DUMP}"], url)
    return found


async def _missing(store: Store, keyring: Keyring, settings: Settings, referenced: list[facts.Referenced]) -> list[str]:
    """Return the files that rows name and the store lacks. A restore cannot bring them back."""
    file_store = EncryptedFileStore(store, keyring)
    with as_owner_of(disk_root(settings)):
        return [
            f"{one.tenant_id}/{one.sha256}"
            for one in referenced
            if not await file_store.exists(one.tenant_id, one.sha256)
        ]


def _finish(folder: Path, manifest: Manifest, keys: str | None) -> None:
    if keys is not None:
        _write(folder / KEYS, keys.encode())
    _write(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")


def _write(place: Path, content: bytes) -> None:
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(handle)
