"""The statements that check the rows of an import of vendors, and apply them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.access.work import Work
from vendorrisk.db.constraints import refusing
from vendorrisk.db.queries import QueryFile
from vendorrisk.errors import Code
from vendorrisk.ids import new_id
from vendorrisk.imports.columns import ReadRow
from vendorrisk.imports.model import Applied
from vendorrisk.vendors.identifiers import name_key
from vendorrisk.vendors.rules import Cadence


class _Member(msgspec.Struct, frozen=True):
    id: UUID
    email: str


_sql = QueryFile("vendor_imports")
_MEMBERS_BY_EMAIL = _sql.rows("members_by_email", _Member)
_STAGE = _sql.command("stage_vendor_rows")
_OUTDATED = _sql.scalar("outdated_vendor_rows", int)
_CREATE = _sql.command("apply_creates")
_CHANGE = _sql.command("apply_changes")

CHANGED_SINCE = "Vendors were changed after the check. Send the file again."

_ENCODER = msgspec.json.Encoder()
_OVERTAKEN = dict.fromkeys(
    (
        "vendors_name_is_unique",
        "vendors_reference_is_unique",
        "vendors_lei_is_unique",
        "vendor_domains_domain_is_unique",
        "vendors_business_owner_is_known",
        "vendors_security_owner_is_known",
    ),
    (Code.IMPORT_OUTDATED, CHANGED_SINCE, None),
)


async def members_by_email(work: Work, emails: Sequence[str]) -> dict[str, UUID]:
    """Return the ids of members by their address in lower case."""
    rows = await _MEMBERS_BY_EMAIL.many(work.db, work.tenant_id, list(emails))
    return {row.email.lower(): row.id for row in rows}


async def stage(work: Work, import_id: UUID, rows: Sequence[ReadRow]) -> None:
    """Store a chunk of rows, each with its outcome."""
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
    """Count the rows that are outdated: their vendor was changed after the check, or their name was taken since."""
    return await _OUTDATED.one(work.db, work.tenant_id, import_id)


async def apply(work: Work, import_id: UUID, note: str, months: Cadence) -> Applied:
    """Create and change the vendors. Refuses if another vendor has taken a name, a domain or a number since."""
    cadence = ([tier.value for tier in months], list(months.values()))
    own = (work.db, work.tenant_id, import_id)
    with refusing(_OVERTAKEN):
        changed = await _CHANGE.run(*own, work.now, work.today, *cadence)
        created = await _CREATE.run(*own, work.now, work.today, note, *cadence)
    return Applied(created, changed)
