"""Writing, reading and verifying the audit log."""

from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.access.work import Work
from vendorrisk.audit import queries, rules
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Change, Content, Entry, EntryShown, Head, Target
from vendorrisk.db.connection import Connection
from vendorrisk.db.paging import Page, PageRequest

_SLICE = 2000


async def record(work: Work, action: Action, target: Target, *, before: Any = None, after: Any = None) -> None:
    """Leave the entry of one write in its transaction. Call it last: it holds the tenant's chain until commit."""
    await record_all(work, [Change(action, target, before, after)])


async def record_all(work: Work, changes: list[Change]) -> None:
    """Leave the entries of several writes, in order, with one statement."""
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


async def entries(work: Work, page: PageRequest) -> Page[EntryShown]:
    found = await work.page(queries.LIST, page)
    return Page(items=[_shown(e) for e in found.items], next=found.next, prev=found.prev, total=found.total)


async def verify(connection: Connection, tenant_id: UUID) -> tuple[Head | None, str | None]:
    """Walk a tenant's chain; returns its head and the first thing that is wrong, or None."""
    verifier = rules.Verifier(tenant_id)
    while batch := await queries.chain_slice(connection, tenant_id, verifier.sequence, _SLICE):
        verifier.walk(batch)
        if verifier.fault is not None:
            break
    head = await queries.head(connection, tenant_id)
    return head, verifier.finish(head)


async def chains(connection: Connection) -> list[UUID]:
    return await queries.chains(connection)


def _shown(entry: Entry) -> EntryShown:
    content = msgspec.json.decode(entry.content, type=Content)
    fields = msgspec.structs.asdict(content)
    return EntryShown(sequence=entry.sequence, hash=entry.hash.hex(), **fields)
