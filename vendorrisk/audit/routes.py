"""Reading the audit log."""

from datetime import datetime
from uuid import UUID

from litestar import Router

from vendorrisk.access.model import ActorKind
from vendorrisk.access.permissions import Permission
from vendorrisk.audit import service
from vendorrisk.audit.model import AuditEntry
from vendorrisk.db.paging import EQUALITY, RANGE, Column, ListOf, Page
from vendorrisk.http.dependencies import InWork, ListPage
from vendorrisk.http.routing import lists

ENTRIES = ListOf(
    "audit_entries",
    {
        "sequence": Column("sequence", int, "bigint", RANGE, sortable=True),
        "at": Column("at", datetime, "timestamptz", RANGE),
        "actor_kind": Column("actor_kind", ActorKind),
        "actor_id": Column("actor_id", UUID, "uuid", EQUALITY),
        "action": Column("action"),
        "target_kind": Column("target_kind"),
        "target_id": Column("target_id", UUID, "uuid"),
    },
    default_sort="-sequence",
    key="sequence",
    key_sql="sequence",
    key_pg="bigint",
    key_kind=int,
)


@lists("/audit-entries", Permission.AUDIT_READ, ENTRIES)
async def list_audit_entries(work: InWork, page: ListPage) -> Page[AuditEntry]:
    """List the audit log, newest first. Filter by `target_id` for the history of one record."""
    return await service.entries(work, page)


router = Router("/", route_handlers=[list_audit_entries], tags=["Audit"])
