"""Writing, reading and verifying the audit log."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.access.work import Work
from vendorrisk.audit import queries, rules
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import AuditEntry, Change, Content, Entry, Head, Target, Verified
from vendorrisk.db.connection import Connection
from vendorrisk.db.paging import Page, PageRequest

_SLICE = 500


async def record(work: Work, action: Action, target: Target, *, before: Any = None, after: Any = None) -> None:
    """Leave the entry of one write in its transaction. Call it last: it holds the tenant's chain until commit."""
    await record_all(work, [Change(action, target, before, after)])


async def record_all(work: Work, changes: list[Change]) -> None:
    """Leave the entries of several writes, in order, with one statement; in a bulk operation, at its end."""
    if work.entries_later is not None:
        work.entries_later.extend(changes)
        return
    actor = work.by.actor
    contents = [
        Content(
            at=work.now,
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_label=actor.label,
            action=change.action,
            target_kind=change.target.kind,
            target_id=change.target.id,
            request_id=work.request_id,
            before=change.before,
            after=change.after,
        )
        for change in changes
    ]
    if contents:
        await queries.append(work, contents, [rules.canonical(content) for content in contents])


async def entries(work: Work, page: PageRequest) -> Page[AuditEntry]:
    found = await work.page(queries.LIST, page)
    return Page(items=[_shown(e) for e in found.items], next=found.next, prev=found.prev, total=found.total)


async def verify(
    connection: Connection,
    tenant_id: UUID,
    *,
    anchor: Head | None = None,
    on_walked: Callable[[int], None] = lambda _count: None,
) -> Verified:
    """Walk a tenant's chain up to the head it has now, a slice in memory at a time. Writers may go on meanwhile.

    `on_walked` is called with the number of entries of each slice.
    """
    verifier = rules.Verifier(tenant_id, await queries.ends(connection, tenant_id), anchor)
    while verifier.fault is None and verifier.sequence < verifier.last:
        batch = await queries.chain_slice(connection, tenant_id, verifier.sequence, verifier.last, _SLICE)
        if not batch:
            break
        verifier.walk(batch)
        on_walked(len(batch))
    return verifier.finish()


async def length(connection: Connection, tenant_id: UUID) -> int:
    """Return how many entries a tenant's chain has by its head."""
    return (await queries.ends(connection, tenant_id)).head_sequence or 0


async def chains(connection: Connection) -> list[UUID]:
    return await queries.chains(connection)


def _shown(entry: Entry) -> AuditEntry:
    content = msgspec.json.decode(entry.content, type=Content)
    fields = msgspec.structs.asdict(content)
    return AuditEntry(sequence=entry.sequence, hash=entry.hash.hex(), **fields)
