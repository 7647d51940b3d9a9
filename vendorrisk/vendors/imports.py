"""Vendors as a kind of import: how their rows are checked and applied."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.imports.columns import ImportCellProblem, ReadRow
from vendorrisk.imports.kind import Headings, Kind
from vendorrisk.imports.model import Applied, Import
from vendorrisk.vendors import import_queries as queries
from vendorrisk.vendors import review_policy
from vendorrisk.vendors.import_columns import LAYOUT

_OWNERS = ("business_owner", "security_owner")
_PROBLEMS: Mapping[str, tuple[str, str]] = {
    "id_unknown": ("id", "There is no vendor with this id. Leave it blank to find the vendor by name."),
    "name_missing": ("name", "No vendor has this reference. Give a name to register one."),
    "name_taken": ("name", "Another vendor has this name."),
    "reference_taken": ("reference", "Another vendor has this reference."),
    "lifecycle_transition": ("lifecycle", "The vendor is in another state. Send a transition, not an import."),
    "lifecycle_not_accepted": (
        "lifecycle",
        "Import it as active, suspended, onboarding or prospect. Offboard it here.",
    ),
    "tier_is_computed": ("tier", "The vendor's tier follows from its inherent-risk answers. Change the answers."),
    "domain_taken": ("domains", "One of these domains belongs to another vendor."),
    "lei_taken": ("lei", "Another vendor has this LEI."),
    "review_ahead": ("last_reviewed_on", "This day is in the future. Record a review after it was held."),
}


async def _stage(work: Work, import_id: UUID, rows: Sequence[ReadRow], headings: Headings) -> None:
    await _name_owners(work, rows, headings)
    await queries.stage(work, import_id, rows)


async def _name_owners(work: Work, rows: Sequence[ReadRow], headings: Headings) -> None:
    """Replace addresses by their members. An address without a member is a problem of its cell."""
    emails = {str(row.given[field]).lower() for row in rows for field in _OWNERS if field in row.given}
    if not emails:
        return
    known = await queries.members_by_email(work, sorted(emails))
    for row in rows:
        for field in _OWNERS:
            if (email := row.given.pop(field, None)) is None:
                continue
            if member_id := known.get(str(email).lower()):
                row.given[f"{field}_id"] = str(member_id)
            else:
                detail = f"No member has the address {email}. Add them first, or leave this blank."
                row.problems.append(
                    ImportCellProblem(row.number, f"{field}_unknown", detail, headings.get(field), field)
                )


async def _apply(work: Work, accepted: Import) -> Applied:
    note = f"Taken over by import {accepted.id}" + (f" of {accepted.file_name}" if accepted.file_name else "") + "."
    return await queries.apply(work, accepted.id, note, await review_policy.in_force(work))


KIND = Kind(
    name="vendor",
    plural="vendors",
    read=Permission.VENDORS_READ,
    write=Permission.VENDORS_WRITE,
    layout=LAYOUT,
    example="name,domain,country\nAcme Cloud,acme.example,DE\n",
    stage=_stage,
    problems=_PROBLEMS,
    outdated=queries.outdated,
    apply=_apply,
    overtaken=queries.CHANGED_SINCE,
)
