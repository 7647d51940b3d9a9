"""Forward-only migrations from `sql/migrations/NNNN_what.sql`.

Each file is one transaction, applied once, in order, under an advisory lock, so that any number of starting
processes is safe. A file that was applied may not change: its checksum is kept.
"""

import hashlib
import re
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from vendorrisk.db.pool import NOT_READY, SYSTEM_ROLE
from vendorrisk.db.queries import sql_folder

_FILE = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
_LOCK = 0x7665_6E64_6F72  # "vendor"
_LOCK_SECONDS = 5  # others wait behind a migration that waits for a table


class MigrationError(Exception):
    """The schema cannot be brought to this release's form. The message says how to solve it."""


class Migration(msgspec.Struct, frozen=True):
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def all_migrations(folder: Path | None = None) -> list[Migration]:
    """Return the migrations of this release in order. Raises where numbers repeat or leave a hole."""
    found = []
    for path in sorted((folder or sql_folder() / "migrations").glob("*.sql")):
        if (match := _FILE.match(path.name)) is None:
            raise MigrationError(f"{path.name} is not named NNNN_what.sql")
        found.append(Migration(int(match[1]), match[2], path.read_text(encoding="utf-8")))
    if [m.number for m in found] != list(range(1, len(found) + 1)):
        raise MigrationError("migration numbers must run from 0001 without a hole or a twin")
    return found


async def migrate(dsn: str, migrations: list[Migration] | None = None) -> list[str]:
    """Apply missing migrations and return their names. Any login that may read the ledger may find nothing to do."""
    wanted = all_migrations() if migrations is None else migrations
    connection: Any = await asyncpg.connect(dsn, statement_cache_size=0)
    try:
        if await _is_current(connection, wanted):
            return []
        await connection.execute("select pg_advisory_lock($1)", _LOCK)
        await connection.execute(f"set lock_timeout = '{_LOCK_SECONDS}s'; " + _LEDGER)
        return [migration.name for migration in wanted if await _apply(connection, migration)]
    except asyncpg.InsufficientPrivilegeError as error:
        raise MigrationError(
            f"the database lacks a migration, and this login may not change its schema ({error}). Set "
            "DATABASE_MIGRATION_URL to the address of the schema's owner"
        ) from None
    finally:
        await connection.close()


async def _is_current(connection: Any, wanted: list[Migration]) -> bool:
    """Return True if the ledger has every migration as it is here. The service's login reads it by its role."""
    for role in ("none", SYSTEM_ROLE):
        try:
            async with connection.transaction(readonly=True):
                await connection.execute(f"set local role {role}")
                rows = await connection.fetch("select number, checksum from schema_migrations")
        except NOT_READY:
            continue
        kept = {row["number"]: row["checksum"] for row in rows}
        return all(kept.get(migration.number) == migration.checksum for migration in wanted)
    return False


async def pending(connection: Any) -> list[str]:
    """Return the names of migrations that this release has and the database lacks."""
    if await connection.fetchval("select to_regclass('public.schema_migrations')") is None:
        return [m.name for m in all_migrations()]
    done = {r["number"] for r in await connection.fetch("select number from schema_migrations")}
    return [m.name for m in all_migrations() if m.number not in done]


class Ledger(msgspec.Struct, frozen=True):
    """The migrations of this release beside the database's, by name."""

    latest: str
    pending: list[str]
    newer: list[str]
    changed: list[str]


async def compare(connection: Any) -> Ledger:
    """Return the migrations that the database lacks, has from a newer release, or has in another form."""
    ours = {m.number: m for m in all_migrations()}
    theirs = {r["number"]: r for r in await connection.fetch("select number, name, checksum from schema_migrations")}
    return Ledger(
        latest=f"{max(theirs):04} {theirs[max(theirs)]['name']}" if theirs else "none",
        pending=[m.name for number, m in ours.items() if number not in theirs],
        newer=[r["name"] for number, r in sorted(theirs.items()) if number not in ours],
        changed=[m.name for number, m in ours.items() if number in theirs and theirs[number]["checksum"] != m.checksum],
    )


_LEDGER = """
create table if not exists schema_migrations (
    number integer primary key,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now()
)
"""


async def _apply(connection: Any, migration: Migration) -> bool:
    kept = await connection.fetchval("select checksum from schema_migrations where number = $1", migration.number)
    if kept == migration.checksum:
        return False
    if kept is not None:
        raise MigrationError(
            f"migration {migration.number:04} ({migration.name}) was changed after it was applied; "
            "restore the file and add a new one"
        )
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "insert into schema_migrations (number, name, checksum) values ($1, $2, $3)",
                migration.number,
                migration.name,
                migration.checksum,
            )
    except asyncpg.LockNotAvailableError:
        raise MigrationError(
            f"migration {migration.number:04} ({migration.name}) waited for {_LOCK_SECONDS} s for a table that is in "
            "use; nothing of it was applied: run it again"
        ) from None
    return True
