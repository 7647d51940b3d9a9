"""The facts of a database, read in one snapshot and compared after a restore."""

from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.audit.model import Head
from vendorrisk.backup.model import LEFT_OUT, Applied, BackupError
from vendorrisk.db.connection import Connection
from vendorrisk.db.pool import SYSTEM_ROLE
from vendorrisk.db.queries import QueryFile


class Table(msgspec.Struct, frozen=True):
    name: str
    is_partitioned: bool
    parent: str | None


class Referenced(msgspec.Struct, frozen=True):
    """A file that a row names."""

    tenant_id: UUID
    sha256: str


_sql = QueryFile("backup")
SNAPSHOT = _sql.scalar("export_snapshot", str)
TABLES = _sql.rows("list_tables", Table)
_COUNT = _sql.scalar("count_rows", int)
_TENANTS = _sql.scalar("count_tenants", int)
HEADS = _sql.rows("list_heads", Head)
APPLIED = _sql.rows("list_applied", Applied)
INSERT_APPLIED = _sql.command("insert_applied")
REFERENCED = _sql.rows("referenced_files", Referenced)
BECOME_ANOTHER = _sql.scalar("become_another", UUID)
MAKE_ROLES = _sql.command("make_roles")


async def counts(connection: Any) -> dict[str, int]:
    """Count the rows of each table. Raises `BackupError` for a login that does not see every row."""
    found: dict[str, int] = {}
    of_parents: dict[str, int] = {}
    for table in await TABLES.many(connection):
        if table.name in LEFT_OUT:
            continue
        rows = int(await connection.fetchval(_COUNT.sql.replace("pg_class", f'public."{table.name}"')))
        if table.is_partitioned:
            of_parents[table.name] = of_parents.get(table.name, 0) + rows
            continue
        found[table.name] = rows
        if table.parent is not None:
            of_parents[table.parent] = of_parents.get(table.parent, 0) - rows
    if hidden := sorted(name for name, difference in of_parents.items() if difference):
        raise BackupError(f"this login does not see every row of {', '.join(hidden)}. {_OWNER}")
    if await _tenants_as(connection, None) != await _tenants_as(connection, SYSTEM_ROLE):
        raise BackupError(f"this login does not see every tenant. {_OWNER}")
    return found


_OWNER = "Set DATABASE_MIGRATION_URL to the address of the schema's owner"


async def _tenants_as(connection: Connection, role: str | None) -> int:
    if role is None:
        return await _TENANTS.one(connection)
    await connection.execute(f"savepoint other; set local role {role}")
    try:
        return await _TENANTS.one(connection)
    finally:
        await connection.execute("rollback to savepoint other")
