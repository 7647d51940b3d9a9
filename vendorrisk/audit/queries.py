"""The statements of the audit log."""

from collections.abc import Sequence
from uuid import UUID

from vendorrisk.access.work import Work
from vendorrisk.audit.model import Content, Ends, Entry
from vendorrisk.db.connection import Connection
from vendorrisk.db.queries import QueryFile

_sql = QueryFile("audit")
_APPEND = _sql.scalar("append_audit", int)
LIST = _sql.rows("list_entries", Entry)
_SLICE = _sql.rows("chain_slice", Entry)
_ENDS = _sql.rows("chain_ends", Ends)
_CHAINS = _sql.scalar("list_chains", UUID)


async def append(work: Work, contents: Sequence[Content], texts: Sequence[str]) -> int:
    """Append to the tenant's chain.

    This locks its head until the transaction ends. Returns the last sequence number.
    """
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


async def chain_slice(connection: Connection, tenant_id: UUID, after: int, last: int, most: int) -> list[Entry]:
    return await _SLICE.many(connection, tenant_id, after, last, most)


async def ends(connection: Connection, tenant_id: UUID) -> Ends:
    return await _ENDS.one(connection, tenant_id)


async def chains(connection: Connection) -> list[UUID]:
    return await _CHAINS.many(connection)
