"""The statements of the machine. Those that check and apply the rows of a kind stand with its feature."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from vendorrisk.access.work import Work
from vendorrisk.db.connection import Connection
from vendorrisk.db.paging import RANGE, Column, ListOf
from vendorrisk.db.queries import QueryFile
from vendorrisk.http.spool import Spool
from vendorrisk.ids import new_id
from vendorrisk.imports.model import (
    Claimed,
    Counts,
    Import,
    ImportRowOutcome,
    ImportState,
    NewImport,
    StoredRow,
    ToldRows,
)

_sql = QueryFile("imports")
_INSERT = _sql.rows("insert_import", Import)
_INSERT_FILE = _sql.command("insert_import_file")
_FILE_PART = _sql.scalar("import_file_part", bytes)
_DELETE_FILE = _sql.command("delete_import_file")
_FIND = _sql.rows("find_import", Import)
_LOCK = _sql.rows("lock_import", Import)
LIST = _sql.rows("list_imports", Import)
_CLAIM = _sql.rows("claim_import", Claimed)
_HOLD = _sql.scalar("hold_import", bool)
_RELEASE = _sql.command("release_import")
_FINISH_CHECK = _sql.rows("finish_check", Import)
_REJECT = _sql.rows("reject_import", Import)
_SET_STATE = _sql.rows("set_import_state", Import)
_DELETE_ROWS = _sql.command("delete_import_rows")

_COUNT = _sql.rows("count_rows", Counts)
_APPLIED = _sql.rows("applied_imports", ToldRows)
LIST_ROWS = _sql.rows("list_import_rows", StoredRow)

ROWS = ListOf(
    "import_rows",
    {
        "id": Column("id", UUID, "uuid"),
        "row_number": Column("row_number", int, "int", RANGE, sortable=True),
        "outcome": Column("outcome", ImportRowOutcome),
    },
    default_sort="row_number",
)


def imports_of(record: str) -> ListOf:
    """Declare the list of the imports of one kind. `record` is their noun, such as `vendor_import`."""
    return ListOf(
        f"{record}s",
        {
            "id": Column("id", UUID, "uuid"),
            "state": Column("state", ImportState),
            "requested_by_id": Column("requested_by_id", UUID, "uuid"),
            "created_at": Column("created_at", datetime, "timestamptz", RANGE, sortable=True),
            "updated_at": Column("updated_at", datetime, "timestamptz", RANGE, sortable=True),
        },
        default_sort="-created_at",
    )


async def insert(work: Work, kind: str, new: NewImport, spool: Spool) -> Import:
    """Insert an import with its file, a piece at a time, so that memory stays flat whatever the file's size."""
    actor = work.by.actor
    made = await _INSERT.one(
        work.db,
        work.tenant_id,
        new_id(),
        kind,
        new.is_dry_run,
        new.is_partial,
        new.format,
        new.file_name,
        new.file_digest,
        spool.size,
        new.mapping,
        new.date_order,
        actor.id,
        actor.label,
        actor.kind,
        work.now,
    )
    part = 0
    async for piece in spool.pieces():
        await _INSERT_FILE.run(work.db, work.tenant_id, made.id, part, piece)
        part += 1
    return made


async def file_part(work: Work, import_id: UUID, part: int) -> bytes | None:
    """Return a part of the file, the first one with 0. None if it is not stored any more."""
    return await _FILE_PART.one_or_none(work.db, work.tenant_id, import_id, part)


async def find(work: Work, kind: str, import_id: UUID) -> Import | None:
    return await _FIND.one_or_none(work.db, work.tenant_id, kind, import_id)


async def lock(work: Work, kind: str, import_id: UUID) -> Import | None:
    return await _LOCK.one_or_none(work.db, work.tenant_id, kind, import_id)


async def claim(
    connection: Connection, tenant_id: UUID, now: datetime, token: UUID, until: datetime, kinds: Sequence[str]
) -> Claimed | None:
    """Claim the next import of a tenant. Its try is counted with the claim."""
    return await _CLAIM.one_or_none(connection, tenant_id, now, token, until, list(kinds))


async def hold(work: Work, import_id: UUID, token: UUID, until: datetime, done: int, total: int | None) -> bool:
    """Renew the lease and store the progress. Return False if another worker has reclaimed the lease."""
    return bool(await _HOLD.one_or_none(work.db, work.tenant_id, import_id, token, until, done, total))


async def release(
    work: Work, import_id: UUID, token: UUID, until: datetime | None = None, *, is_counted: bool = True
) -> None:
    """End the lease. With an instant, the import waits until then. A try that is not counted is given back."""
    await _RELEASE.run(work.db, work.tenant_id, import_id, token, until, is_counted)


async def finish_check(
    work: Work, import_id: UUID, state: ImportState, notices: Sequence[str], headings: dict[str, str]
) -> Import:
    """Count the rows' outcomes, store the counts, and delete the file: the rows hold all of it."""
    counts = await _COUNT.one(work.db, work.tenant_id, import_id)
    await _DELETE_FILE.run(work.db, work.tenant_id, import_id)
    return await _FINISH_CHECK.one(
        work.db,
        work.tenant_id,
        import_id,
        state,
        list(notices),
        headings,
        counts.total,
        counts.total,
        counts.to_create,
        counts.to_change,
        counts.unchanged,
        counts.with_problems,
        counts.rows_digest,
        work.now,
    )


async def reject(work: Work, import_id: UUID, reason: str) -> Import:
    await _DELETE_FILE.run(work.db, work.tenant_id, import_id)
    return await _REJECT.one(work.db, work.tenant_id, import_id, reason, work.now)


async def set_state(work: Work, import_id: UUID, state: ImportState, *, is_partial: bool) -> Import:
    return await _SET_STATE.one(work.db, work.tenant_id, import_id, state, is_partial, work.now)


async def drop(work: Work, import_id: UUID) -> None:
    """Delete the rows and the file of an import."""
    await _DELETE_ROWS.run(work.db, work.tenant_id, import_id)
    await _DELETE_FILE.run(work.db, work.tenant_id, import_id)


async def drop_rows(work: Work, import_id: UUID) -> None:
    await _DELETE_ROWS.run(work.db, work.tenant_id, import_id)


async def applied(connection: Connection, tenant_id: UUID, actions: Sequence[str]) -> list[ToldRows]:
    """Return the parts about rows of imports from the entries with these actions."""
    return await _APPLIED.many(connection, tenant_id, list(actions))


async def counts(connection: Connection, tenant_id: UUID, import_id: UUID) -> Counts:
    return await _COUNT.one(connection, tenant_id, import_id)
