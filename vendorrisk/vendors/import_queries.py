"""The statements of imports."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.access.work import Work
from vendorrisk.db.connection import Connection
from vendorrisk.db.constraints import refusing
from vendorrisk.db.paging import RANGE, Column, ListOf
from vendorrisk.db.queries import QueryFile
from vendorrisk.errors import Code
from vendorrisk.ids import new_id
from vendorrisk.vendors.columns import ReadRow
from vendorrisk.vendors.identifiers import name_key
from vendorrisk.vendors.import_model import (
    Claimed,
    Counts,
    Import,
    ImportState,
    NewImport,
    RowOutcome,
    StoredRow,
    ToldRows,
)
from vendorrisk.vendors.rules import Cadence

_sql = QueryFile("vendor_imports")
_INSERT = _sql.rows("insert_import", Import)
_INSERT_FILE = _sql.command("insert_import_file")
_FILE = _sql.scalar("import_file", bytes)
_DELETE_FILE = _sql.command("delete_import_file")
_FIND = _sql.rows("find_import", Import)
_LOCK = _sql.rows("lock_import", Import)
LIST = _sql.rows("list_imports", Import)
_CLAIM = _sql.rows("claim_import", Claimed)
_HOLD = _sql.scalar("hold_import", bool)
_RELEASE = _sql.command("release_import")
_FINISH_CHECK = _sql.rows("finish_check", Import)
_REFUSE = _sql.rows("refuse_import", Import)
_SET_STATE = _sql.rows("set_import_state", Import)
_DELETE_ROWS = _sql.command("delete_import_rows")


class _Member(msgspec.Struct, frozen=True):
    id: UUID
    email: str


_MEMBERS_BY_EMAIL = _sql.rows("members_by_email", _Member)
_STAGE = _sql.command("stage_rows")
_COUNT = _sql.rows("count_rows", Counts)
_APPLIED = _sql.rows("applied_imports", ToldRows)
LIST_ROWS = _sql.rows("list_import_rows", StoredRow)
_OUTDATED = _sql.scalar("outdated_rows", int)
_CREATE = _sql.command("apply_creates")
_CHANGE = _sql.command("apply_changes")

IMPORTS = ListOf(
    "vendor_imports",
    {
        "id": Column("id", UUID, "uuid"),
        "state": Column("state", ImportState),
        "requested_by_id": Column("requested_by_id", UUID, "uuid"),
        "created_at": Column("created_at", datetime, "timestamptz", RANGE, sortable=True),
        "updated_at": Column("updated_at", datetime, "timestamptz", RANGE, sortable=True),
    },
    default_sort="-created_at",
)
ROWS = ListOf(
    "vendor_import_rows",
    {
        "id": Column("id", UUID, "uuid"),
        "row_number": Column("row_number", int, "int", RANGE, sortable=True),
        "outcome": Column("outcome", RowOutcome),
    },
    default_sort="row_number",
)

_ENCODER = msgspec.json.Encoder()
_CHANGED_SINCE = "Vendors were changed after the check. Send the file again."
_OVERTAKEN = dict.fromkeys(
    (
        "vendors_name_is_unique",
        "vendors_reference_is_unique",
        "vendors_lei_is_unique",
        "vendor_domains_domain_is_unique",
        "vendors_business_owner_is_known",
        "vendors_security_owner_is_known",
    ),
    (Code.IMPORT_OUTDATED, _CHANGED_SINCE, None),
)


async def insert(work: Work, new: NewImport, content: bytes) -> Import:
    actor = work.by.actor
    made = await _INSERT.one(
        work.db,
        work.tenant_id,
        new_id(),
        new.is_dry_run,
        new.is_partial,
        new.format,
        new.file_name,
        new.file_digest,
        len(content),
        new.mapping,
        new.date_order,
        actor.id,
        actor.label,
        actor.kind,
        work.now,
    )
    await _INSERT_FILE.run(work.db, work.tenant_id, made.id, content)
    return made


async def file(work: Work, import_id: UUID) -> bytes | None:
    return await _FILE.one_or_none(work.db, work.tenant_id, import_id)


async def find(work: Work, import_id: UUID) -> Import | None:
    return await _FIND.one_or_none(work.db, work.tenant_id, import_id)


async def lock(work: Work, import_id: UUID) -> Import | None:
    return await _LOCK.one_or_none(work.db, work.tenant_id, import_id)


async def claim(connection: Connection, token: UUID, now: datetime, until: datetime) -> Claimed | None:
    return await _CLAIM.one_or_none(connection, token, now, until)


async def hold(work: Work, import_id: UUID, token: UUID, until: datetime, done: int, total: int | None) -> bool:
    """Keep the lease and tell progress; False where another worker has taken over."""
    return bool(await _HOLD.one_or_none(work.db, work.tenant_id, import_id, token, until, done, total))


async def release(work: Work, import_id: UUID, token: UUID) -> None:
    await _RELEASE.run(work.db, work.tenant_id, import_id, token)


async def finish_check(
    work: Work, import_id: UUID, state: ImportState, notices: Sequence[str], headings: dict[str, str]
) -> Import:
    """Count what the rows would do, keep that, and let the file go: the rows hold all of it."""
    counts = await _COUNT.one(work.db, work.tenant_id, import_id)
    total = counts.to_create + counts.to_change + counts.unchanged + counts.with_problems
    await _DELETE_FILE.run(work.db, work.tenant_id, import_id)
    return await _FINISH_CHECK.one(
        work.db,
        work.tenant_id,
        import_id,
        state,
        list(notices),
        headings,
        total,
        total,
        counts.to_create,
        counts.to_change,
        counts.unchanged,
        counts.with_problems,
        counts.rows_digest,
        work.now,
    )


async def refuse(work: Work, import_id: UUID, reason: str) -> Import:
    await _DELETE_FILE.run(work.db, work.tenant_id, import_id)
    return await _REFUSE.one(work.db, work.tenant_id, import_id, reason, work.now)


async def set_state(work: Work, import_id: UUID, state: ImportState, *, is_partial: bool) -> Import:
    return await _SET_STATE.one(work.db, work.tenant_id, import_id, state, is_partial, work.now)


async def drop(work: Work, import_id: UUID) -> None:
    """Delete the rows and the file of an import."""
    await _DELETE_ROWS.run(work.db, work.tenant_id, import_id)
    await _DELETE_FILE.run(work.db, work.tenant_id, import_id)


async def drop_rows(work: Work, import_id: UUID) -> None:
    await _DELETE_ROWS.run(work.db, work.tenant_id, import_id)


async def members_by_email(work: Work, emails: Sequence[str]) -> dict[str, UUID]:
    """Return the ids of members by their address in lower case."""
    rows = await _MEMBERS_BY_EMAIL.many(work.db, work.tenant_id, list(emails))
    return {row.email.lower(): row.id for row in rows}


async def stage(work: Work, import_id: UUID, rows: Sequence[ReadRow]) -> None:
    # As text: in an array of jsonb, a list would be taken for one more dimension.
    await _STAGE.run(
        work.db,
        work.tenant_id,
        import_id,
        [new_id() for _ in rows],
        [row.number for row in rows],
        [_json(row.given) for row in rows],
        [_json(row.problems) for row in rows],
        [_key(row.given.get("name")) for row in rows],
        work.today,
    )


def _json(value: object) -> str:
    return _ENCODER.encode(value).decode()


def _key(name: Any) -> str | None:
    return None if name is None else name_key(name)


async def outdated(work: Work, import_id: UUID) -> int:
    return await _OUTDATED.one(work.db, work.tenant_id, import_id)


async def apply(work: Work, import_id: UUID, note: str, months: Cadence) -> tuple[int, int]:
    """Create and change the vendors; returns how many of each. Refuses where they were overtaken since the check."""
    cadence = ([tier.value for tier in months], list(months.values()))
    own = (work.db, work.tenant_id, import_id)
    with refusing(_OVERTAKEN):
        changed = await _CHANGE.run(*own, work.now, work.today, *cadence)
        created = await _CREATE.run(*own, work.now, work.today, note, *cadence)
    return created, changed


async def applied(connection: Connection, tenant_id: UUID) -> list[ToldRows]:
    return await _APPLIED.many(connection, tenant_id)


async def counts(connection: Connection, tenant_id: UUID, import_id: UUID) -> Counts:
    return await _COUNT.one(connection, tenant_id, import_id)
