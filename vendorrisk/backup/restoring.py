"""A backup is restored into an empty database and an empty store, and checked before anything may use it."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from vendorrisk.audit import service as audit
from vendorrisk.backup import facts, objects, programs
from vendorrisk.backup.model import DUMP, LISTING, BackupError, Manifest, Restored, manifest_of
from vendorrisk.clock import Clock
from vendorrisk.db import migrations
from vendorrisk.db.pool import Database
from vendorrisk.keys import Keyring
from vendorrisk.settings import Settings
from vendorrisk.storage.configured import disk_root, store_from
from vendorrisk.storage.ownership import as_owner_of
from vendorrisk.storage.port import StorageError, Store
from vendorrisk.storage.vault import EncryptedFileStore


async def restore(settings: Settings, folder: Path, clock: Clock) -> Restored:
    """Restore and check. Raises `BackupError`: before anything is written, or with the database not yet in use."""
    manifest = manifest_of(folder)
    keyring = Keyring.from_setting(settings.secret_keys)
    await asyncio.to_thread(_check_backup, folder, manifest)
    _check_release(manifest)
    _check_keys(manifest, keyring)
    url = settings.database_migration_url or settings.database_url
    connection: Any = await asyncpg.connect(url, statement_cache_size=0, timeout=10)
    store = store_from(settings)
    try:
        await _check_empty(connection, store, disk_root(settings))
        await _put_back(connection, url, folder, manifest)
        count = await objects.put_back(store, disk_root(settings), folder)
        await _check_equal(connection, manifest)
        await _check_files(store, keyring, settings, manifest, connection)
        await _check_chains(settings, manifest)
        installation, pending = await _enter(connection, manifest, clock)
    except asyncpg.InsufficientPrivilegeError as error:
        raise BackupError(
            f"this login may not restore ({error}). Make the roles first, with docker/postgres/roles.sql"
        ) from None
    finally:
        await store.close()
        await connection.close()
    return Restored(installation, sum(manifest.tables.values()), len(manifest.heads), count, pending)


async def _put_back(connection: Any, url: str, folder: Path, manifest: Manifest) -> None:
    """Make the roles, which belong to the cluster and are in no dump, then restore the dump in one transaction."""
    version = int(connection.get_server_version().major) * 10000
    await facts.MAKE_ROLES.run(connection)
    tool = programs.program("pg_restore", max(version, manifest.server_version))
    arguments = ["--no-owner", "--exit-on-error", "--single-transaction", str(folder / DUMP)]
    await asyncio.to_thread(programs.run, tool, arguments, url)


async def _enter(connection: Any, manifest: Manifest, clock: Clock) -> tuple[UUID, list[str]]:
    """Write the ledger, the last thing of all: from here on API and worker take the database for migrated."""
    async with connection.transaction():
        installation = await facts.BECOME_ANOTHER.one(connection, clock())
        for applied in manifest.migrations:
            await facts.INSERT_APPLIED.run(connection, applied.number, applied.name, applied.checksum)
        return installation, await migrations.pending(connection)


def _check_backup(folder: Path, manifest: Manifest) -> None:
    for name, wanted in ((DUMP, manifest.dump_sha256), (LISTING, manifest.listing_sha256)):
        place = folder / name
        if not place.is_file() or objects.digest_of(place) != wanted:
            raise BackupError(f"{place} is missing or differs from the manifest: the backup is damaged")
    if damaged := list(objects.damaged(folder)):
        raise BackupError(f"{len(damaged)} files of the backup are damaged, such as {damaged[0]}")


def _check_release(manifest: Manifest) -> None:
    ours = {one.number: one.checksum for one in migrations.all_migrations()}
    for applied in manifest.migrations:
        if ours.get(applied.number) != applied.checksum:
            raise BackupError(
                f"the backup is of release {manifest.release} and holds migration {applied.number:04} "
                f"({applied.name}), which this release does not have in that form. Restore with that release"
            )


def _check_keys(manifest: Manifest, keyring: Keyring) -> None:
    if lacking := [one for one in manifest.key_ids if one not in keyring.ids]:
        raise BackupError(
            f"the backup is sealed with key {', '.join(lacking)}, which VENDORRISK_SECRET_KEYS does not hold. Set it "
            "to what it was: nothing that is sealed opens without"
        )


async def _check_empty(connection: Any, store: Store, root: Path | None) -> None:
    if tables := await facts.TABLES.many(connection):
        raise BackupError(
            f"the database is not empty: it has {tables[0].name} and {len(tables) - 1} further tables. Restore into a "
            "new database"
        )
    if not await objects.is_empty(store, root):
        raise BackupError("the file store is not empty. Restore into a new one, or empty it")


async def _check_equal(connection: Any, manifest: Manifest) -> None:
    async with connection.transaction():
        found = await facts.counts(connection)
    for table in sorted({*found, *manifest.tables}):
        if found.get(table) != manifest.tables.get(table):
            raise BackupError(
                f"{table} has {found.get(table, 0)} rows after the restore, and had {manifest.tables.get(table, 0)}. "
                "The database is not in use. Drop it, and restore another backup"
            )


async def _check_files(store: Store, keyring: Keyring, settings: Settings, manifest: Manifest, connection: Any) -> None:
    """Open the key of every file that a row names."""
    file_store = EncryptedFileStore(store, keyring)
    lost = []
    for one in await facts.REFERENCED.many(connection):
        try:
            with as_owner_of(disk_root(settings)):
                size = await file_store.size(one.tenant_id, one.sha256)
        except StorageError:
            size = None
        if size is None and f"{one.tenant_id}/{one.sha256}" not in manifest.missing:
            lost.append(f"{one.tenant_id}/{one.sha256}")
    if lost:
        raise BackupError(f"{len(lost)} files cannot be opened after the restore, such as {lost[0]}")


async def _check_chains(settings: Settings, manifest: Manifest) -> None:
    """Walk every chain to the head that the manifest has of it."""
    database = Database(settings)
    await database.open()
    try:
        for head in manifest.heads:
            async with database.system() as connection:
                walked = await audit.verify(connection, head.tenant_id, anchor=head)
            if walked.fault is not None or walked.head != head:
                raise BackupError(f"the audit chain of tenant {head.tenant_id} is not whole: {walked.fault}")
    finally:
        await database.close()
