"""The statements of the audit log."""

from collections.abc import Sequence
from uuid import UUID

from vendorrisk.access.work import Work
from vendorrisk.audit.model import Content, Entry, Head
from vendorrisk.db.connection import Connection
from vendorrisk.db.queries import QueryFile

_sql = QueryFile("audit")
_APPEND = _sql.scalar("append_audit", int)
LIST = _sql.rows("list_entries", Entry)
_SLICE = _sql.rows("chain_slice", Entry)
_HEAD = _sql.rows("find_head", Head)
_CHAINS = _sql.scalar("list_chains", UUID)


async def append(work: Work, contents: Sequence[Content], texts: Sequence[str]) -> int:
    """Append to the tenant's chain; holds its head until the transaction ends. Returns the last sequence number."""
    actor = work.by.actor
    return await _APPEND.one(
        work.db,
        work.now,
        actor.kind,
        actor.id,
        [content.action for content in contents],
        [content.target_kind for content in contents],
        [content.target_id for content in contents],
        list(texts),
    )


async def chain_slice(connection: Connection, tenant_id: UUID, after: int, most: int) -> list[Entry]:
    return await _SLICE.many(connection, tenant_id, after, most)


async def head(connection: Connection, tenant_id: UUID) -> Head | None:
    return await _HEAD.one_or_none(connection, tenant_id)


async def chains(connection: Connection) -> list[UUID]:
    return await _CHAINS.many(connection)
